"""From a merged state to the row that lists and searches need. Pure but for the fold of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync_protocol.attachment import read_manifest
from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.identity import AttachmentId, Dot, RecordId
from sync_protocol.merge.conflict import conflicts
from sync_protocol.merge.state import RecordState, encode_pending, encode_state
from sync_protocol.merge.status import target
from sync_protocol.record.schema import Field, FieldKind, RecordType, Schema, ValueType
from sync_protocol.storage.store import Claim, StoredRecord
from sync_protocol.view import RecordView, view


class Projection:
    """What is stored of a record. `fold_text` makes text searchable without marks."""

    def __init__(
        self, schema: Schema, fold_text: Callable[[str], str], suspect: Callable[[Dot], bool]
    ) -> None:
        """Prepare for the types of a schema."""
        self.schema = schema
        self._fold_text = fold_text
        self._suspect = suspect
        self._searched = {
            kind.id: [item.id for item in kind.fields if item.searched and not item.has_elements]
            for kind in schema.types
        }
        self._searched_elements = {
            kind.id: [item.id for item in kind.fields if item.searched and item.has_elements]
            for kind in schema.types
        }
        self._claimed = {
            kind.id: [item.id for item in kind.fields if item.kind is FieldKind.NUMBER]
            for kind in schema.types
        }
        self._attached = {
            kind.id: [
                (item.id, item.has_elements, index)
                for item in kind.fields
                if (index := _attachment_part(item)) is not None
            ]
            for kind in schema.types
        }

    def view(self, record: RecordId, state: RecordState) -> RecordView:
        """Return what a person reads."""
        return view(record, self.schema.by_id.get(state.type), state, self._suspect)

    def stored(self, record: RecordId, state: RecordState) -> StoredRecord:
        """Return the row that is stored."""
        kind = self.schema.by_id.get(state.type)
        found = conflicts(kind, state) if state.cells else []
        return StoredRecord(
            id=record,
            type=state.type,
            state=encode_state(state),
            pending=encode_pending(state) if state.dead else b"",
            facet="" if kind is None else self._facet(kind, state),
            text="" if kind is None else self._text(kind, state),
            order=millis(state.timestamp),
            disputes=len(found),
            since=min((item.since for item in found), default=0),
            claims=() if kind is None else self._claims(kind, state),
            attachments=() if kind is None else self._attachments(kind, state),
        )

    def _facet(self, kind: RecordType, state: RecordState) -> str:
        field = kind.by_name.get(kind.facet)
        if field is None:
            return ""
        if field.id in state.plain:
            return str(target(state.plain[field.id]))
        shown = self.view(RecordId(b""), state).value(kind.facet)
        return "" if shown is None else str(target(shown))

    def _text(self, kind: RecordType, state: RecordState) -> str:
        """Return what search finds: a disputed record under each of its values."""
        words: list[str] = []
        values = state.plain_values(self._searched[kind.id])
        for number in self._searched_elements[kind.id]:
            values += state.living_values(number, elements=True)
        for value in values:
            if isinstance(value, str):
                words.append(value)
            elif isinstance(value, list):
                words += [part for part in value if isinstance(part, str)]
        return self._fold_text(" ".join(words))

    def _claims(self, kind: RecordType, state: RecordState) -> tuple[Claim, ...]:
        if not state.cells and state.plain.keys().isdisjoint(self._claimed[kind.id]):
            return ()
        found = {
            Claim(kind.id, number, str(value))
            for number in self._claimed[kind.id]
            for value in state.plain_values((number,))
        }
        return tuple(sorted(found)) if found else ()

    def _attachments(self, kind: RecordType, state: RecordState) -> tuple[AttachmentId, ...]:
        found = self.manifests(kind, state)
        return tuple(sorted({read.id for read in found})) if found else ()

    def manifests(self, kind: RecordType, state: RecordState) -> list[Any]:
        """Return the manifests of every scan that a record refers to."""
        found = []
        for number, elements, index in self._attached[kind.id]:
            for value in state.living_values(number, elements=elements):
                part = _part(value, index)
                if isinstance(part, bytes) and part:
                    try:
                        found.append(read_manifest(part))
                    except PeerError:
                        continue  # a newer form of manifest: kept, fetched by a newer version
        return found


def _part(value: Any, index: int | None) -> Any:  # noqa: ANN401 - any stored value
    """Return one part of a group; whoever lies, or is newer, may write fewer of them."""
    if not isinstance(value, list):
        return value
    return value[index] if index is not None and index < len(value) else None


def _attachment_part(field: Field) -> int | None:
    for index, part in enumerate(field.parts):
        if part.type is ValueType.ATTACHMENT:
            return index
    return None
