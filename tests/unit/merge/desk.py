"""A desk at which several people write about one record, in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sync_protocol.identity import NO_OFFICER, Dot, FeedId, OfficerId, RecordId
from sync_protocol.merge.conflict import Conflict, conflicts
from sync_protocol.merge.fold import Stamp, fold
from sync_protocol.merge.state import RecordState
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.view import FieldView, RecordView, view
from tests.clinic import NAME, PATIENT, STATE

RECORD = RecordId(b"r" * 16)
AN, BINH, CHI = (FeedId(letter * 16) for letter in (b"a", b"b", b"c"))
Said = tuple[Stamp, RecordChange]


def dot(feed: FeedId, seq: int) -> Dot:
    return Dot(feed, seq)


def made(
    values: dict[int, Any] | None = None, *writes: CellWrite, feed: FeedId = AN, at: int = 10
) -> Said:
    """The entry that makes the record."""
    plain = {NAME: "An", STATE: "waiting"} if values is None else values
    return Stamp(dot(feed, 1), at, NO_OFFICER), RecordChange(None, PATIENT.id, plain, writes)


def put(
    by: Dot,
    field: int,
    value: object,
    parents: Sequence[Dot] = (),
    *,
    element: bytes | None = None,
    at: int = 20,
    op: int = 0,
    officer: OfficerId = NO_OFFICER,
) -> Said:
    """One entry that writes one cell."""
    write = CellWrite(field, element, value, tuple(parents), op)
    return Stamp(by, at, officer), RecordChange(RECORD, PATIENT.id, {}, (write,))


def folded(said: Iterable[Said]) -> RecordState:
    """Fold entries in the order given, as a replica would that hears them so."""
    state = RecordState(PATIENT.id)
    seen: set[Dot] = set()
    for stamp, change in said:
        seen.add(stamp.dot)
        fold(state, stamp, change, seen.__contains__)
    return state


def look(said: Iterable[Said]) -> RecordView:
    return view(RECORD, PATIENT, folded(said), lambda _: False)


def open_conflicts(said: Iterable[Said]) -> list[Conflict]:
    return conflicts(PATIENT, folded(said))


def cell(found: RecordView, name: str, element: bytes | None = None) -> FieldView:
    item = found.field(name, element)
    assert item is not None
    return item


def values(item: FieldView) -> set[Any]:
    return {sibling.value for sibling in item.siblings}
