"""What goes into a push or a pulled answer: ranges of chains, control feeds first, bounded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sync_protocol import limits
from sync_protocol.errors import PeerError
from sync_protocol.identity import FeedId
from sync_protocol.log.block import spans
from sync_protocol.log.entry import SHORT_HASH_BYTES
from sync_protocol.replica.holding import Chain, Holding
from sync_protocol.wire.message import payload_digest
from sync_protocol.wire.push import RangeItem


@dataclass(frozen=True, slots=True)
class ShortHashes:
    """Our 16-byte hash at a seq of one chain, for the comparison of frontiers."""

    holding: Holding
    chain: Chain

    def __call__(self, seq: int) -> bytes | None:
        """Return the hash, or None."""
        return self.holding.short_hash_at(self.chain, seq)


@dataclass(slots=True)
class Parts:
    """The parts of a push; `more` says that the bound cut it short."""

    declarations: list[bytes] = field(default_factory=list)
    seals: list[bytes] = field(default_factory=list)
    ranges: list[RangeItem] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    entries: int = 0
    size: int = 0
    more: bool = False


def gather(
    holding: Holding,
    jobs: Sequence[tuple[Chain, int]],
    bytes_max: int,
    alone: Collection[FeedId] = (),
) -> Parts:
    """Pack the entries after the given seq of each chain, and its seal.

    At least one range always fits. A chain whose entries the peer has staged already gets its seal
    alone: a power cut may have come between the two. Ranges of the feeds in `alone` are not packed
    against their group's head.
    """
    control = holding.roster.control_feeds
    ordered = sorted(jobs, key=lambda job: (job[0].feed not in control, job[0].number))
    parts = Parts()
    for chain, after in ordered:
        if parts.more:
            break
        if not chain.row.seal:
            continue  # nothing of it is proved
        if chain.declared.raw not in parts.declarations:
            parts.declarations.append(chain.declared.raw)
        parts.seals.append(chain.row.seal)
        if after < chain.row.head.seq:
            _gather_chain(holding, chain, after, parts, (bytes_max, chain.feed in alone))
    return parts


def _gather_chain(
    holding: Holding, chain: Chain, after: int, parts: Parts, bounds: tuple[int, bool]
) -> None:
    bytes_max, alone = bounds
    for owner, low, high in _path(holding, chain, after + 1, chain.row.head.seq):
        for first, last in spans(low, high):
            full = len(parts.ranges) >= limits.PAYLOADS_PER_MESSAGE_MAX
            if full or (parts.ranges and parts.size >= bytes_max):
                parts.more = True
                return
            before = holding.hash_at(chain, first - 1)
            if before is None:
                raise PeerError("Entries before the floor can't be served.", seq=first)
            packed = holding.store.packed(owner.number, first, last, alone=alone)
            parts.ranges.append(
                RangeItem(
                    chain.feed,
                    first,
                    last - first + 1,
                    before[:SHORT_HASH_BYTES],
                    len(packed),
                    payload_digest(packed),
                )
            )
            parts.payloads.append(packed)
            parts.size += len(packed)
            parts.entries += last - first + 1


def _path(holding: Holding, chain: Chain, first: int, last: int) -> list[tuple[Chain, int, int]]:
    """Return which chains themselves hold [first, last] on the path of `chain`."""
    found = []
    while True:
        start = max(first, chain.row.base_seq + 1)
        if start <= last:
            found.append((chain, start, last))
        last = min(last, chain.row.base_seq)
        if not chain.row.base_chain or last < first:
            return found[::-1]
        chain = holding.chains[chain.row.base_chain]
