"""What counts as a conflict. A conflict is data, never an exception: it is derived from a state.

| kind | when |
|---|---|
| values | a register, group or element holds different values |
| removed | an element was removed while somebody edited it: it stays |
| status | concurrent moves that do not absorb each other |
| number | more than one number bound to a record (two records with one number: `Claim`) |
| basis | what an approval relied on is no longer what stands there |
| retracted | a record was retracted while somebody edited it: it stays |

A resolution is an ordinary change that lists exactly the dots it saw; a value nobody had seen
survives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync_protocol.identity import Dot, FeedId
from sync_protocol.merge.register import Cell, distinct
from sync_protocol.merge.state import CellKey, RecordState
from sync_protocol.merge.status import standing
from sync_protocol.record.schema import RETRACTION, Field, FieldKind, RecordType


@dataclass(frozen=True, slots=True)
class Conflict:
    """A work item: which cell, of what kind, with which values; `since` is a timestamp."""

    field: int
    element: bytes | None
    kind: str
    dots: tuple[Dot, ...]
    since: int


def conflicts(record_type: RecordType | None, state: RecordState) -> list[Conflict]:
    """Return the open conflicts of a record. A record that nobody has edited has none."""
    if record_type is None or not state.cells:
        return []
    found = []
    for key, cell in sorted(state.cells.items(), key=lambda item: (item[0][0], item[0][1] or b"")):
        if not cell:
            continue
        if key[0] == RETRACTION:
            kind = "retracted" if _edited_since(state, cell) else None
        else:
            field = record_type.by_id.get(key[0])
            kind = None if field is None else _kind(field, key, cell, state)
        if kind is not None:
            found.append(_conflict(key, kind, cell))
    return found


def _conflict(key: CellKey, kind: str, cell: Cell) -> Conflict:
    stamps = sorted(item.timestamp for item in cell.values())
    since = stamps[1] if len(stamps) > 1 else stamps[0]
    return Conflict(key[0], key[1], kind, tuple(sorted(cell)), since)


def _kind(field: Field, key: CellKey, cell: Cell, state: RecordState) -> str | None:
    if len(cell) == 1 and field.kind is not FieldKind.APPROVAL:
        return None
    values = distinct(cell)
    if field.kind is FieldKind.STATUS:
        return "status" if len(standing(field, values)) > 1 else None
    if field.kind is FieldKind.APPROVAL:
        if len(standing(field, values)) > 1:
            return "values"
        return "basis" if all(_basis_changed(value, state) for value in values) else None
    if len(values) == 1:
        return None
    if key[1] is not None and None in values:
        return "removed" if len(values) == 2 else "values"  # noqa: PLR2004 - it and its removal
    return "number" if field.kind is FieldKind.NUMBER else "values"


def _edited_since(state: RecordState, cell: Cell) -> bool:
    if not any(item.value is not None for item in cell.values()):
        return False
    seen = {dot for item in cell.values() for dot in listed_dots(item.value, 1)}
    keys = [key for key in state.keys() if key[0] != RETRACTION]  # noqa: SIM118 - no mapping
    alive = {dot for key in keys for dot in state.living(key)}
    return not alive <= seen


def _basis_changed(value: Any, state: RecordState) -> bool:  # noqa: ANN401 - any stored value
    if value is None:
        return False
    rows = value[1] if isinstance(value, list) and len(value) > 1 else []
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, list) or not row or not isinstance(row[0], int):
            return True
        if set(state.living((row[0], None))) != set(listed_dots(row, 1)):
            return True
    return False


def listed_dots(value: Any, index: int) -> list[Dot]:  # noqa: ANN401 - any stored value
    """Read the dots at `index` of a value; what is out of shape names none."""
    rows = value[index] if isinstance(value, list) and len(value) > index else []
    found = []
    for row in rows if isinstance(rows, list) else []:
        match row:
            case [bytes(feed), int(seq)]:
                found.append(Dot(FeedId(feed), seq))
            case [bytes(feed), int(seq), bytes(branch)]:
                found.append(Dot(FeedId(feed), seq, branch))
    return found
