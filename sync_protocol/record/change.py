"""What one act of capture says: cells written, each with the dots that its writer had seen.

A **cell** is (field, element): the element is None for plain fields, and the 16-byte id of one
member for collections and notes. All field kinds are made of cells; a cell is a multi-value
register, and a write replaces exactly the dots that it lists as its `parents`. No parents means
concurrent with all, never "current".

On the wire (docs/PROTOCOL.md, entry body) a dot is [feed number, seq] or [feed number, seq,
branch]; number 0 is the entry's own feed, others count into the body's table of feeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import BRANCH_BYTES, ID_BYTES, Dot, FeedId, RecordId, record_id

SALT_BYTES = 8
PUT = 0
CRITICAL = 128
"""Opcodes from here on make a record read-only for a version that does not know them."""
_PLAIN = frozenset({type(None), bool, int, str, bytes})


def whole_dot(dot: Dot) -> list[object]:
    """Return a dot as values carry it: with the feed's id, since no table of feeds is at hand."""
    return [dot.feed, dot.seq, dot.branch] if dot.branch else [dot.feed, dot.seq]


_Number = Annotated[int, msgspec.Meta(ge=0, le=limits.NUMBER_MAX)]
_Id = Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
"""Bounds that are checked where bytes are decoded, and only there."""


class CellWrite(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One cell written: `value` None clears a field and removes an element.

    `parents` are `Dot`s (on the wire, and only there, in their short form).
    """

    field: _Number
    element: _Id | None
    value: Any
    parents: tuple[Any, ...] = ()
    op: _Number = PUT


class RecordChange(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one entry says of one record; `record` is None where the entry makes it.

    `values` are plain fields written without parents (a new record, an import).
    """

    record: Annotated[RecordId, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)] | None
    type: _Number
    values: dict[_Number, Any]
    writes: tuple[CellWrite, ...] = ()


class Changeset(msgspec.Struct, frozen=True, gc=False):
    """All that one act of capture says; it lands whole or not at all."""

    records: tuple[RecordChange, ...]


class _WireBody(msgspec.Struct, array_like=True):
    feeds: list[FeedId]
    records: tuple[RecordChange, ...]


def encode_changeset(changeset: Changeset, salt: bytes, own: FeedId) -> bytes:
    """Return an entry's body: the salt, then the changeset."""
    feeds: dict[bytes, int] = {own: 0}
    records: list[object] = []
    for change in changeset.records:
        writes: list[object] = []
        for write in change.writes:
            parents = [_wire_dot(dot, feeds) for dot in write.parents]
            row: list[object] = [write.field, write.element, write.value, parents]
            writes.append([*row, write.op] if write.op else row if parents else row[:3])
        row = [change.record, change.type, dict(sorted(change.values.items()))]
        records.append([*row, writes] if writes else row)
    return salt + encode([list(feeds)[1:], records])


def _wire_dot(dot: Dot, feeds: dict[bytes, int]) -> list[object]:
    number = feeds.setdefault(dot.feed, len(feeds))
    return [number, dot.seq, dot.branch] if dot.branch else [number, dot.seq]


def decode_changeset(body: bytes, own: FeedId) -> Changeset:
    """Read an entry's body. Raises `PeerError` kinds only."""
    if len(body) > limits.ENTRY_BODY_BYTES_MAX:
        raise LimitExceededError("An entry is larger than its bound.")
    wire = decode(memoryview(body)[SALT_BYTES:], _WireBody)
    feeds = [own, *wire.feeds]
    if any(len(feed) != ID_BYTES for feed in feeds):
        raise MalformedMessageError("A feed id has 16 bytes.")
    cells = sum(len(item.values) + len(item.writes) for item in wire.records)
    if cells > limits.CHANGES_PER_ENTRY_MAX:
        raise LimitExceededError("An entry writes more cells than its bound.")
    _check_cells_once(wire.records)
    return Changeset(tuple(_record_change(item, feeds) for item in wire.records))


def _check_cells_once(records: tuple[RecordChange, ...]) -> None:
    """One entry says one thing of a cell: of two, replicas could not agree which came last."""
    by_record: dict[object, set[object]] = {}
    for index, item in enumerate(records):
        if not item.writes and item.record is None:
            continue  # the keys of a map are distinct
        cells = by_record.setdefault(index if item.record is None else item.record, set())
        before = len(cells)
        cells.update(item.values)  # a plain cell is its number, an element's a pair
        cells.update(
            [
                write.field if write.element is None else (write.field, write.element)
                for write in item.writes
            ]
        )
        if len(cells) - before != len(item.writes) + len(item.values):
            raise MalformedMessageError("An entry writes a cell twice.")


def _record_change(item: RecordChange, feeds: list[FeedId]) -> RecordChange:
    """Check the values of a decoded change, and name the feeds of its parents."""
    for value in [*item.values.values(), *[write.value for write in item.writes]]:
        kind = type(value)
        if kind in _PLAIN or (kind is list and _PLAIN.issuperset(map(type, value))):
            continue  # nearly every value there is
        _check_value(value, limits.VALUE_DEPTH_MAX)
    if not any([write.parents for write in item.writes]):  # noqa: C419 - half a generator's time
        return item
    writes = tuple(_cell_write(write, feeds) for write in item.writes)
    return RecordChange(item.record, item.type, item.values, writes)


def _check_value(value: object, depth: int) -> None:
    """Check that a value is made of what the protocol knows, and not deeper than its bound.

    How deep the decoder itself can go depends on who called it, so it can't be what decides.
    """
    if type(value) in _PLAIN:
        return
    if not depth:
        raise LimitExceededError("A value is nested deeper than its bound.")
    if isinstance(value, list):
        for item in value:
            _check_value(item, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if type(key) not in _PLAIN:
                raise MalformedMessageError("A value is of a kind that the protocol lacks.")
            _check_value(item, depth - 1)
    else:
        raise MalformedMessageError("A value is of a kind that the protocol lacks.")


def _cell_write(write: CellWrite, feeds: list[FeedId]) -> CellWrite:
    if len(write.parents) > limits.PARENTS_PER_CHANGE_MAX:
        raise LimitExceededError("A write lists more dots than its bound.")
    parents = tuple(_dot(parent, feeds) for parent in write.parents)
    return CellWrite(write.field, write.element, write.value, parents, write.op)


def _dot(wire: object, feeds: list[FeedId]) -> Dot:
    match wire:
        case [int(number), int(seq)]:
            branch = b""
        case [int(number), int(seq), bytes(branch)]:
            pass
        case _:
            raise MalformedMessageError("A dot names no entry.")
    if not 0 <= number < len(feeds) or seq < 1 or len(branch) not in (0, BRANCH_BYTES):
        raise MalformedMessageError("A dot names no entry.")
    return Dot(feeds[number], seq, branch)


def new_record_ids(
    changeset: Changeset, millis: int, feed: FeedId, seq: int, salt: bytes
) -> Iterable[RecordId]:
    """Yield the id of each record change, deriving those of the records that the entry makes."""
    for index, change in enumerate(changeset.records):
        if change.record is None:
            yield record_id(millis, feed, seq, salt, index)
        else:
            yield change.record
