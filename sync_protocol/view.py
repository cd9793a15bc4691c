"""What a person reads: a record with its displayed values, and what is disputed beside them.

Also the read-set: each field carries the dots it displays, and a save takes its parents from
there, not from what the replica has received meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync_protocol.identity import Dot, OfficerId, RecordId
from sync_protocol.merge.conflict import Conflict, conflicts
from sync_protocol.merge.fold import is_read_only
from sync_protocol.merge.register import Cell, displayed, distinct
from sync_protocol.merge.state import RecordState
from sync_protocol.merge.status import standing, target
from sync_protocol.merge.stub import is_stub
from sync_protocol.record.schema import RETRACTION, Field, FieldKind, RecordType


@dataclass(frozen=True, slots=True)
class ValueView:
    """One living value: what, by whom, when, and the dot that names it."""

    value: Any
    officer: OfficerId
    timestamp: int
    dot: Dot


@dataclass(frozen=True, slots=True)
class FieldView:
    """One cell as it is read. `dots` are what a save from this view replaces."""

    name: str
    field: int
    element: bytes | None
    value: Any
    dots: tuple[Dot, ...]
    conflict: str
    siblings: tuple[ValueView, ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record as it is read.

    `held`: the entry that made it is in quarantine or has not come. `retracted`: withdrawn, with
    nobody having edited it meanwhile. `purged`: this device let go of it; fetch it, then show it.
    `read_only`: a newer version wrote something critical.
    """

    id: RecordId
    type: int
    fields: tuple[FieldView, ...]
    conflicts: tuple[Conflict, ...]
    held: bool
    retracted: bool
    read_only: bool
    created: int
    purged: bool = False

    def value(self, name: str) -> Any:  # noqa: ANN401 - a field's value is whatever its type says
        """Return the displayed value of a plain field, None where there is none."""
        return next((f.value for f in self.fields if f.name == name and f.element is None), None)

    def field(self, name: str, element: bytes | None = None) -> FieldView | None:
        """Return one cell by the name of its field."""
        wanted = (name, element)
        return next((f for f in self.fields if (f.name, f.element) == wanted), None)

    def elements(self, name: str) -> list[FieldView]:
        """Return the members of a collection or the notes of a field, oldest first."""
        found = [f for f in self.fields if f.name == name and f.element is not None]
        return sorted(found, key=lambda f: (min(s.timestamp for s in f.siblings), f.element or b""))

    def values(self) -> dict[str, Any]:
        """Return displayed values by name; elements as lists."""
        result: dict[str, Any] = {}
        for item in self.fields:
            if item.element is None:
                result[item.name] = item.value
        for name in {f.name for f in self.fields if f.element is not None}:
            result[name] = [f.value for f in self.elements(name)]
        return result


def view(
    record: RecordId,
    record_type: RecordType | None,
    state: RecordState,
    suspect: Callable[[Dot], bool],
) -> RecordView:
    """Read a state. Fields unknown to this version are kept in the log and not shown."""
    if is_stub(state):
        return RecordView(record, state.type, (), (), False, False, True, state.timestamp, True)
    found = conflicts(record_type, state)
    kind_by_key = {(item.field, item.element): item.kind for item in found}
    fields = []
    for key in state.keys():  # noqa: SIM118 - no mapping
        field = None if record_type is None else record_type.by_id.get(key[0])
        cell = state.living(key)
        if field is not None and any(item.op == 0 for item in cell.values()):
            shown = _field_view(field, key[1], cell, kind_by_key.get(key, ""), suspect)
            if shown is not None:
                fields.append(shown)
    retraction = state.living((RETRACTION, None))
    gone = any(item.value is not None for item in retraction.values())
    return RecordView(
        record,
        state.type,
        tuple(fields),
        tuple(found),
        state.made is None,
        gone and (RETRACTION, None) not in kind_by_key,
        is_read_only(state),
        state.timestamp,
    )


def _field_view(
    field: Field, element: bytes | None, cell: Cell, conflict: str, suspect: Callable[[Dot], bool]
) -> FieldView | None:
    known = {dot: item for dot, item in cell.items() if item.op == 0}
    values = distinct(known)
    if element is not None and values == [None]:
        return None  # removed, and nobody edited it meanwhile
    among: list[Any] | None = None
    if element is not None and None in values:
        among = [value for value in values if value is not None]
    elif field.kind is FieldKind.STATUS and len(values) > 1:
        left = standing(field, values)
        among = [value for value in values if target(value) in left]
    best = displayed(known, suspect, among)
    order = sorted(known, key=lambda dot: (dot != best, -known[dot].timestamp, dot))
    siblings = tuple(
        ValueView(_shown(field, item.value), item.officer, item.timestamp, dot)
        for dot, item in ((dot, known[dot]) for dot in order)
    )
    value = _shown(field, known[best].value)
    return FieldView(field.name, field.id, element, value, tuple(sorted(cell)), conflict, siblings)


def _shown(field: Field, value: Any) -> Any:  # noqa: ANN401 - a field's value is what its type says
    """Return what people read of a value: of an approval the decision alone."""
    return target(value) if field.kind is FieldKind.APPROVAL else value
