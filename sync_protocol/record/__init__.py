"""What people edit, and what one act of capture says.

Kept here: the `schema` that the engine is given (record types, field kinds and their merge rules),
the `change` that an entry carries, and `diff`, where capture ends: what the form showed, against
what the officer typed, becomes a changeset. Pure. The road goes on in `log`.
"""
