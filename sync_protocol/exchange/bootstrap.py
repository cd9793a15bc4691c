"""A tablet starts from a snapshot: asked for, fetched chunk by chunk, loaded; resumable anywhere.

What holds:
* Only a tablet takes one, and only when it lacks more than `limits.SNAPSHOT_LACK_ENTRIES`, was put
  to lapsed, or can't judge something from what it holds. Edges and hub keep the whole log.
* What the tablet has unsent was pushed before; what must be whole is pulled as entries before.
* A snapshot that does not fit is put aside, and entries are pulled instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sync_protocol import limits
from sync_protocol.errors import (
    BadSignatureError,
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    UnsupportedVersionError,
    WrongWardError,
)
from sync_protocol.exchange.respond import take_in
from sync_protocol.exchange.scans import Ask
from sync_protocol.identity import DeviceKey, RecordId
from sync_protocol.log.entry import SHORT_HASH_BYTES, Mark
from sync_protocol.log.feed import read_declaration
from sync_protocol.membership import grant as g
from sync_protocol.replica import snapshot
from sync_protocol.replica.fetching import restore
from sync_protocol.replica.replica import Replica
from sync_protocol.wire.hello import Frontier
from sync_protocol.wire.message import Kind
from sync_protocol.wire.pull import Pull, Pulled, Want
from sync_protocol.wire.push import Push
from sync_protocol.wire.receipt import read_receipt
from sync_protocol.wire.snapshot import (
    Manifest,
    SnapshotAnswer,
    SnapshotAsk,
    check_chunk,
    read_manifest,
    read_preface,
    read_rows,
)


def lacks_too_much(replica: Replica, theirs: Frontier) -> bool:
    """Whether this device should start from a snapshot of a peer that is so far."""
    roster = replica.holding.roster
    own = replica.keys.public
    if roster.role_of(own) not in (None, g.TABLET):
        return False
    held: dict[bytes, int] = {}
    for chain in replica.holding.chains.values():
        held[chain.feed] = max(chain.row.head.seq, held.get(chain.feed, 0))
    frontier = read_receipt(theirs.receipt).frontier
    lacking = sum(max(0, mark.seq - held.get(mark.feed, 0)) for mark in frontier)
    lapse = roster.lapses.get(own)
    lapsed = lapse is not None and lapse.lapsed and lacking > 0
    return lapsed or lacking > limits.SNAPSHOT_LACK_ENTRIES or snapshot.is_wanted(replica)


class Bootstrap:
    """The tablet's half: one snapshot from one peer."""

    def __init__(self, replica: Replica, peer: DeviceKey, ask: Ask) -> None:
        """Attach to a replica; `ask` sends one signed request and returns the checked answer."""
        self._replica = replica
        self._peer = peer
        self._ask = ask
        self.chunks_received = 0
        self.entries_received = 0

    def run(self) -> int:
        """Fetch and load; return the number of records, 0 where the peer gives no snapshot.

        Raises `PeerError` kinds and `TransportError`; what came is kept for the next time.
        """
        answer, rest = self._ask(Kind.SNAPSHOT, SnapshotAsk(), [], SnapshotAnswer)
        _nothing(rest)
        if not answer.manifest:
            return 0
        manifest = read_manifest(answer.manifest)
        self._check(manifest)
        names = [manifest.preface, *manifest.chunks]
        snapshot.forget_chunks(self._replica, frozenset(names))
        self._fetch([manifest.preface])
        self._pull_whole(manifest)
        if self._replica.holding.roster.role_of(self._peer) not in (g.HUB, g.EDGE):
            raise NotAdmittedError("A snapshot comes from nobody who may give one.")
        self._fetch(names)
        snapshot.begin(self._replica, answer.manifest)
        return manifest.records

    def _check(self, manifest: Manifest) -> None:
        if manifest.ward != self._replica.holding.ward:
            raise WrongWardError("A snapshot is of another ward. Nothing was changed.")
        if manifest.signer != self._peer:
            raise BadSignatureError("A snapshot is signed by somebody else than who gives it.")
        roster = self._replica.holding.roster
        # Before the roster is known, any merge version may be in force.
        known = bool(roster.hubs) and manifest.merge_version != roster.merge_version
        if manifest.schema > self._replica.schema.version or known:
            raise UnsupportedVersionError(
                "A snapshot was made by another version: update the older program."
            )

    def _fetch(self, names: Iterable[bytes]) -> None:
        """Fetch what is not kept from before; each chunk is kept as it arrives."""
        lacking = [a for a in names if snapshot.kept_chunk(self._replica, a) is None]
        while lacking:
            part = lacking[: limits.PAYLOADS_PER_MESSAGE_MAX]
            answer, payloads = self._ask(Kind.SNAPSHOT, SnapshotAsk(part), [], SnapshotAnswer)
            for address in answer.chunks:
                chunk = next(payloads, None)
                if chunk is None or address not in part:
                    raise MalformedMessageError("An answer brings other chunks than asked for.")
                snapshot.keep_chunk(self._replica, address, chunk)
                self.chunks_received += 1
            _nothing(payloads)
            if not answer.chunks:
                raise FeedGapError("The peer has a newer snapshot by now; try again.")
            lacking = [address for address in lacking if address not in set(answer.chunks)]

    def _pull_whole(self, manifest: Manifest) -> None:
        """Pull, as entries, the feeds that may not start from a snapshot."""
        raw = snapshot.kept_chunk(self._replica, manifest.preface)
        preface = read_preface(raw or b"")
        wanted = [
            Mark(read_declaration(start.declaration).feed, start.seq, start.hash[:SHORT_HASH_BYTES])
            for start in preface.starts
            if start.whole
        ]
        for _ in range(limits.REQUESTS_PER_EXCHANGE_MAX):
            wanted = [mark for mark in wanted if self._replica.holding.find(mark) is None]
            if not wanted:
                return
            wants = [Want(mark, self._standing(mark)) for mark in wanted]
            body = Pull(wants, limits.EXCHANGE_PAYLOAD_BYTES_MAX, alone=True)
            answer, payloads = self._ask(Kind.PULL, body, [], Pulled)
            refused = take_in(
                self._replica, Push(answer.declarations, answer.seals, answer.ranges), payloads
            )
            self.entries_received += sum(item.count for item in answer.ranges)
            if refused or not answer.ranges:
                raise next(iter(refused.values()), FeedGapError("A control feed did not come."))
        raise LimitExceededError("The control feeds did not come to their end.")

    def _standing(self, wanted: Mark) -> list[Mark]:
        chains = self._replica.holding.by_feed.get(wanted.feed, ())
        return sorted((c.mark for c in chains if c.row.head.seq), key=lambda mark: -mark.seq)


def _nothing(payloads: Iterable[bytes]) -> None:
    for _ in payloads:
        raise MalformedMessageError("An answer brings payloads that nobody asked for.")


def fetch_records(replica: Replica, ask: Ask, records: Sequence[RecordId]) -> int:
    """Fetch records that were let go of; return how many came. At equal frontiers only."""
    came = 0
    for first in range(0, len(records), limits.SEARCH_RESULTS_MAX):
        part = records[first : first + limits.SEARCH_RESULTS_MAX]
        replica.follow()
        root = replica.holding.frontier_root()
        body = SnapshotAsk([], [bytes(item) for item in part], root)
        answer, payloads = ask(Kind.SNAPSHOT, body, [], SnapshotAnswer)
        chunks = list(payloads)
        if len(answer.chunks) != len(chunks):
            raise MalformedMessageError("An answer brings other chunks than it names.")
        for address, chunk in zip(answer.chunks, chunks, strict=True):
            check_chunk(address, chunk)
            came += restore(replica, read_rows(chunk), frozenset(part), root)
    return came


def try_bootstrap(bootstrap: Bootstrap) -> tuple[int, PeerError | None]:
    """Run it; return the number of records, or why there is none: then entries are pulled."""
    try:
        return bootstrap.run(), None
    except PeerError as problem:
        return 0, problem
