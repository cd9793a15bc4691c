"""Records that a tablet let go of, brought back whole from its peer.

What holds: that a record is wanted outlives a restart, so who asks without a line gets it with the
next one. What was fetched is young again: it stays as long as if it had been edited then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sync_protocol.encoding import decode, encode
from sync_protocol.identity import RecordId
from sync_protocol.replica.snapshot import stored_row
from sync_protocol.wire.snapshot import Row

if TYPE_CHECKING:
    from sync_protocol.replica.replica import Replica

_WANTED_NOTE = "fetch:"
_FETCHED_NOTE = "fetched:"


def want_records(replica: Replica, records: Sequence[RecordId]) -> None:
    """Remember stubs to be fetched at the next exchange: somebody asks, or something came."""
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        for record in records:
            store.put_note(_WANTED_NOTE + record.hex(), b"1")


def wanted_records(replica: Replica) -> list[RecordId]:
    """Return the records that are to be fetched."""
    start = len(_WANTED_NOTE)
    names = replica.rooms.log.notes(_WANTED_NOTE)
    return [RecordId(bytes.fromhex(name[start:])) for name in names]


def restore(replica: Replica, rows: Sequence[Row], asked: Collection[RecordId], root: bytes) -> int:
    """Put back records that were let go of, if the log still stands where they were asked for."""
    with replica.view_lock:
        if replica.holding.frontier_root() != root or replica.follower.lag():
            return 0
        found = [stored_row(replica, row)[0] for row in rows if row.id in asked]
        with replica.rooms.views.transaction():
            replica.rooms.views.save(found)
    store = replica.rooms.log
    now = encode(replica.character.wall())
    with replica.lock, store.transaction(durable=False):
        for row in found:
            store.put_note(_WANTED_NOTE + row.id.hex(), None)
            store.put_note(_FETCHED_NOTE + row.id.hex(), now)
    return len(found)


def fetched_ms(replica: Replica, record: RecordId) -> int:
    """Return when a record was last fetched, by our clock; 0 for never."""
    note = replica.rooms.log.note(_FETCHED_NOTE + record.hex())
    return 0 if note is None else decode(note, int)


def forget_fetched(replica: Replica, record: RecordId) -> None:
    """A record is let go of again."""
    if fetched_ms(replica, record):
        store = replica.rooms.log
        with replica.lock, store.transaction(durable=False):
            store.put_note(_FETCHED_NOTE + record.hex(), None)
