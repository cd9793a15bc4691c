"""The responder's half of a snapshot: made when a tablet asks, kept for the next one.

What holds: snapshots lie in memory only, within bounds; one that holds what was erased since is
given out no more. A snapshot is named by its content, so one made anew serves who began with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync_protocol import limits
from sync_protocol.errors import LimitExceededError
from sync_protocol.identity import DeviceKey, RecordId
from sync_protocol.membership import grant as g
from sync_protocol.replica.audit import is_settled
from sync_protocol.replica.replica import Replica
from sync_protocol.replica.snapshot import Snapshot, make_snapshot
from sync_protocol.wire.snapshot import Row, SnapshotAnswer, SnapshotAsk, address_of, write_rows

_ANSWER_BYTES = limits.EXCHANGE_PAYLOAD_BYTES_MAX // 2
_RECORDS_MAX = limits.SEARCH_RESULTS_MAX


@dataclass(slots=True)
class Shelf:
    """The newest snapshots of one ward."""

    _kept: dict[tuple[bytes, int, int], Snapshot] = field(default_factory=dict)

    def answer(
        self, replica: Replica, body: SnapshotAsk, sender: DeviceKey
    ) -> tuple[SnapshotAnswer, list[bytes]]:
        """Return the manifest, or the chunks asked for as far as they are here and fit."""
        if replica.holding.roster.role_of(sender) != g.TABLET:
            return SnapshotAnswer(), []
        if len(body.chunks) > limits.PAYLOADS_PER_MESSAGE_MAX:
            raise LimitExceededError("More chunks are named than the bound allows.")
        if body.records:
            return self._records(replica, body)
        if not body.chunks:
            return SnapshotAnswer(self._newest(replica).manifest), []
        found: dict[bytes, bytes] = {}
        size = 0
        for address in body.chunks:
            chunk = self._find(replica, address)
            if chunk is not None and (not found or size + len(chunk) <= _ANSWER_BYTES):
                found[address] = chunk
                size += len(chunk)
        return SnapshotAnswer(b"", list(found)), list(found.values())

    def _records(self, replica: Replica, body: SnapshotAsk) -> tuple[SnapshotAnswer, list[bytes]]:
        """Return some records as they stand where both stand; nothing at unequal frontiers."""
        replica.follow()
        with replica.view_lock:
            equal = body.root == replica.holding.frontier_root()
            if not equal or not is_settled(replica) or len(body.records) > _RECORDS_MAX:
                return SnapshotAnswer(), []
            stored = replica.rooms.views.load([RecordId(item) for item in sorted(body.records)])
        rows = [Row(row.id, row.state, row.pending) for _, row in sorted(stored.items())]
        chunk = write_rows(rows)
        return SnapshotAnswer(b"", [address_of(chunk)]), [chunk]

    def _newest(self, replica: Replica) -> Snapshot:
        replica.follow()
        key = self._key(replica)
        found = self._kept.get(key)
        if found is None:
            found = make_snapshot(replica)
            erasures = key[2]
            kept = {k: item for k, item in self._kept.items() if k[2] == erasures}
            self._kept = dict(list({**kept, key: found}.items())[-limits.SNAPSHOTS_KEPT_MAX :])
            if sum(item.size for item in self._kept.values()) > limits.SNAPSHOTS_KEPT_BYTES_MAX:
                self._kept = {key: found}
        return found

    def _key(self, replica: Replica) -> tuple[bytes, int, int]:
        """What a snapshot is taken of. What was erased since must not be given out any more."""
        roster = replica.holding.roster
        erased = len(roster.erased) + len(roster.erased_chunks)
        return replica.holding.frontier_root(), replica.follower.lag(), erased

    def _find(self, replica: Replica, address: bytes) -> bytes | None:
        erasures = self._key(replica)[2]
        for (_, _, then), item in self._kept.items():
            if then == erasures and address in item.chunks:
                return item.chunks[address]
        return None
