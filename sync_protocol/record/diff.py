"""Where capture ends: what the form showed, against what the officer typed, becomes a change.

Parents are the dots that the form displayed, per field, never what the replica has received since:
a save over an open form must not silently overwrite what arrived meanwhile. Unchanged fields write
nothing. An approval is stored as [decision, basis]: the dots that it relied on travel inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sync_protocol.errors import SchemaError
from sync_protocol.identity import Dot, RecordId
from sync_protocol.record.change import CellWrite, RecordChange, whole_dot
from sync_protocol.record.schema import RETRACTION, Field, FieldKind, RecordType


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form displayed of one cell: its value and the dots it stands for."""

    value: Any
    dots: tuple[Dot, ...]


def create(
    record_type: RecordType,
    values: Mapping[str, Any],
    elements: Mapping[str, Mapping[bytes, Any]] | None = None,
) -> RecordChange:
    """Return the change that makes a record. `elements` maps collections to {id: value}.

    Raises `SchemaError` for an unknown or missing field, or a value that does not fit.
    """
    plain: dict[int, Any] = {}
    for name, value in values.items():
        field = record_type.by_name.get(name)
        if field is None or field.has_elements:
            raise SchemaError(f"“{name}” is no plain field of “{record_type.name}”.", field=name)
        if value is not None:
            plain[field.id] = field.admit(value)
    for field in record_type.fields:
        if field.required and field.id not in plain:
            raise SchemaError(f"“{field.name}” is missing.", field=field.name)
    writes = []
    for name, members in (elements or {}).items():
        for element, value in members.items():
            writes.append(edit_element(record_type, name, element, value, None))
    return RecordChange(None, record_type.id, plain, tuple(writes))


def edit(
    record_type: RecordType,
    record: RecordId,
    shown: Mapping[str, Shown],
    typed: Mapping[str, Any],
) -> RecordChange | None:
    """Return the change between what was shown and what was typed; None where nothing changed.

    A field that is not in `shown` is written without parents: concurrent with all.
    """
    writes = []
    for name, value in typed.items():
        field = record_type.by_name.get(name)
        if field is None or field.has_elements:
            raise SchemaError(f"“{name}” is no plain field of “{record_type.name}”.", field=name)
        before = shown.get(name)
        admitted = field.admit(value)
        settles = before is not None and len(before.dots) > 1
        is_same = before is not None and before.value == admitted and not settles
        if not is_same or field.kind is FieldKind.APPROVAL:
            parents = before.dots if before is not None else ()
            if field.kind is FieldKind.APPROVAL and admitted is not None:
                admitted = [admitted, _basis(record_type, field, shown)]
            writes.append(CellWrite(field.id, None, admitted, parents))
    return RecordChange(record, record_type.id, {}, tuple(writes)) if writes else None


def _basis(record_type: RecordType, field: Field, shown: Mapping[str, Shown]) -> list[object]:
    """Return what an approval relies on: [field, the dots that were displayed of it], each."""
    rows: list[object] = []
    for number in field.basis:
        relied = shown.get(record_type.by_id[number].name)
        dots = () if relied is None else relied.dots
        rows.append([number, [whole_dot(dot) for dot in sorted(dots)]])
    return rows


def retract(
    record_type: RecordType, record: RecordId, reason: str, seen: Iterable[Dot]
) -> RecordChange:
    """Return the change that withdraws a record. `seen` are the dots of all that was displayed.

    What somebody writes without having seen the retraction puts it in question.
    """
    dots: list[object] = [whole_dot(dot) for dot in sorted(set(seen))]
    write = CellWrite(RETRACTION, None, [reason, dots])
    return RecordChange(record, record_type.id, {}, (write,))


def edit_element(
    record_type: RecordType, name: str, element: bytes, value: object, shown: Shown | None
) -> CellWrite:
    """Return the write that adds, edits or (None) removes one element. Notes can't be removed."""
    field = record_type.by_name.get(name)
    if field is None or not field.has_elements:
        raise SchemaError(f"“{name}” has no elements in “{record_type.name}”.", field=name)
    if value is None and field.kind is FieldKind.NOTE:
        raise SchemaError("A note can't be removed; write a correction.", field=name)
    return CellWrite(field.id, element, field.admit(value), shown.dots if shown else ())
