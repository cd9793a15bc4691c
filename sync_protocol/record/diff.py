"""Where capture ends: what the form showed, against what the officer typed, becomes a change.

Parents are the dots that the form displayed, per field, never what the replica has received since:
a save over an open form must not silently overwrite what arrived meanwhile. Unchanged fields write
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync_protocol.errors import SchemaError
from sync_protocol.identity import Dot, RecordId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.schema import FieldKind, RecordType


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
            writes.append(CellWrite(field.id, None, admitted, parents))
    return RecordChange(record, record_type.id, {}, tuple(writes)) if writes else None


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
