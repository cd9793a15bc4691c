"""Bucket sums of the records' states: the proof, now and then, that two replicas agree.

What holds:
* Sums are compared at equal frontiers, wholly folded, under one merge version; else not at all.
* A mismatch is an alarm, and a rebuild of the records of those buckets from the log: on both sides,
  by each from its own log. Nothing is wiped, and nothing is adopted from the other.
* A partial replica rebuilds what it holds whole; for the rest it asks for a new snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from msgspec import structs

from sync_protocol.encoding import decode, encode
from sync_protocol.errors import PeerError
from sync_protocol.identity import RecordId
from sync_protocol.membership.judgement import ADMITTED
from sync_protocol.merge.fold import Stamp, refold
from sync_protocol.merge.stub import state_digest
from sync_protocol.record.change import RecordChange
from sync_protocol.replica import snapshot
from sync_protocol.replica.fetching import wanted_records
from sync_protocol.replica.judging import WaitsError
from sync_protocol.replica.replica import Replica
from sync_protocol.storage.store import StoredRecord
from sync_protocol.wire.snapshot import BUCKETS, SUM_BYTES, bucket_of, state_hash

_ALARM = "audit-alarm"
Changes = list[tuple[Stamp, RecordChange]]


@dataclass(frozen=True, slots=True)
class Alarm:
    """How often sums differed, when last, and how many records were healed here in all."""

    count: int = 0
    last_ms: int = 0
    healed: int = 0


def is_settled(replica: Replica) -> bool:
    """Whether the views show the whole log: only then do sums say anything."""
    wanted = snapshot.is_wanted(replica) or wanted_records(replica)
    return replica.follower.lag() == 0 and not wanted


def sums(replica: Replica) -> bytes:
    """Return the 256 sums: per bucket, the XOR of what each of its records adds."""
    totals = [0] * BUCKETS
    for row in replica.rooms.views.scan():
        totals[bucket_of(row.id)] ^= state_hash(row.id, state_digest(row.state))
    return b"".join(total.to_bytes(SUM_BYTES, "big") for total in totals)


def alarm(replica: Replica) -> Alarm:
    """Return what audits have found so far: a figure of health."""
    note = replica.rooms.log.note(_ALARM)
    return Alarm(*decode(note, tuple[int, int, int])) if note else Alarm()


def heal(replica: Replica, buckets: Collection[int]) -> int:
    """Raise the alarm, and make the records of these buckets anew from the log.

    Returns how many were not what the log says.
    """
    with replica.view_lock:
        replica.follow()
        rows, gone = _differing(replica, frozenset(buckets))
        with replica.rooms.views.transaction():
            replica.rooms.views.save(rows)
            replica.rooms.views.remove(gone)
    healed = len(rows) + len(gone)
    known = alarm(replica)
    now = Alarm(known.count + 1, replica.character.wall(), known.healed + healed)
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        store.put_note(_ALARM, encode([now.count, now.last_ms, now.healed]))
    return healed


def _differing(
    replica: Replica, buckets: frozenset[int]
) -> tuple[list[StoredRecord], list[RecordId]]:
    """Return the records as they should be where they are not, and those that should not be."""
    stored = {row.id: row for row in replica.rooms.views.scan() if bucket_of(row.id) in buckets}
    if replica.holding.is_partial() and buckets:
        snapshot.want(replica)  # what lies below a floor can't be made anew here
        return [], []
    rows = []
    said = _said(replica, buckets)
    for record, changes in sorted(said.items()):
        state = refold(changes[0][1].type, changes, replica.follower.folded)
        row = replica.follower.projection.stored(record, state)
        known = stored.get(record)
        if known is None or structs.replace(row, pending=known.pending) != known:
            rows.append(row)
    return rows, [record for record in stored if record not in said]


def _said(replica: Replica, buckets: frozenset[int]) -> dict[RecordId, Changes]:
    """Return what admitted entries say of the records in these buckets: one walk along the log."""
    found: dict[RecordId, Changes] = {}
    for stamp, record, change in _walk(replica):
        if bucket_of(record) in buckets:
            found.setdefault(record, []).append((stamp, change))
    for changes in found.values():
        changes.sort(key=lambda item: item[0].dot)
    return found


def _walk(replica: Replica) -> Iterator[tuple[Stamp, RecordId, RecordChange]]:
    holding, follower = replica.holding, replica.follower
    for chain in holding.chains.values():
        seen = holding.floor_seen(chain)
        first = max(chain.row.base_seq, chain.row.floor.seq) + 1
        for seq, entry in holding.entries(chain, 1, follower.cursor(chain)):
            try:
                item = follower.judge(chain, seq, entry, seen)
            except (WaitsError, PeerError):
                continue
            own = seq >= first and item.verdict == ADMITTED
            if not own or item.header is None or item.changeset is None:
                continue
            stamp = Stamp(holding.dot(chain, seq), item.header.timestamp, item.header.officer)
            for record, change in zip(item.records, item.changeset.records, strict=True):
                yield stamp, record, change
