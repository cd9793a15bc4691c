"""A status: concurrent moves meet by the schema's rules, and otherwise nothing moves on.

A value is the target, or a group whose first part is the target. The same target is one move. Only
the pairs (a, b) that the schema lists absorb: b swallows a concurrent a. All else is disputed until
somebody whose role may settle it writes over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sync_protocol.encoding import encode
from sync_protocol.record.schema import Field


def target(value: Any) -> Any:  # noqa: ANN401 - a status value is whatever the schema says
    """Return the status that a value moves to."""
    return value[0] if isinstance(value, list | tuple) and value else value


def standing(field: Field, values: Iterable[Any]) -> list[Any]:
    """Return the targets left after absorption: one where all is well, more where disputed."""
    found = [target(value) for value in values]
    targets = list({encode(item): item for item in found}.values())  # strangers' may not hash
    named = [item for item in targets if isinstance(item, str)]
    return [
        item
        for item in targets
        if not isinstance(item, str) or not any((item, other) in field.absorbs for other in named)
    ] or targets
