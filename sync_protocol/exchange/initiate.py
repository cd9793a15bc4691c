"""Lead a whole exchange with one peer: hello, push, pull, scans. Idempotent, resumable anywhere.

What holds:
* The difference is always taken against the frontier that the peer states now.
* What only we have goes first: it is what could still be lost.
* A round that moved nothing ends the exchange; so it ends.
* A feed that one side refuses is reported and stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync_protocol import limits
from sync_protocol.errors import (
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    PeerError,
)
from sync_protocol.exchange import audit
from sync_protocol.exchange.asking import Asker, peer_error
from sync_protocol.exchange.bootstrap import (
    Bootstrap,
    fetch_records,
    lacks_too_much,
    try_bootstrap,
)
from sync_protocol.exchange.offer import ShortHashes, gather
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.exchange.respond import staged, take_in
from sync_protocol.exchange.scans import Named, ScanCourier
from sync_protocol.identity import DeviceKey, FeedId, RecordId
from sync_protocol.log import frontier as heads
from sync_protocol.log.entry import SHORT_HASH_BYTES, Mark
from sync_protocol.replica import snapshot
from sync_protocol.replica.fetching import wanted_records
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.receipts import try_take
from sync_protocol.replica.replica import Replica
from sync_protocol.transport.carrier import Carrier
from sync_protocol.wire import message as m
from sync_protocol.wire.health import Health, Thanks
from sync_protocol.wire.hello import Frontier, Hello, Same, receipts_name
from sync_protocol.wire.pull import Pull, Pulled, Want
from sync_protocol.wire.push import Push, Pushed
from sync_protocol.wire.receipt import read_receipt

_RELAYED = "relayed:"
ROUNDS_MAX = 8
"""Hello rounds in one exchange: one is the rule, two after a fork; more means news kept coming."""


class Initiator:
    """One conversation with one peer over one carrier."""

    def __init__(self, replica: Replica, carrier: Carrier, peer: DeviceKey) -> None:
        """`peer` is the key that must answer: that of the invitation, or of the roster."""
        self._replica = replica
        self._carrier = carrier
        self._peer = peer
        self._asker = Asker(replica, carrier, peer)
        self.ask = self._asker.ask
        self._alone: set[FeedId] = set()
        self._lacking: Named = []
        self.outcome = Outcome()

    def run(self, *, scans: bool = True, fetch_scans: bool = True) -> Outcome:
        """Exchange everything. Raises `TransportError` and `PeerError` kinds; what came is kept."""
        before = (
            self._carrier.requests,
            self._carrier.bytes_sent,
            self._carrier.bytes_received,
        )
        try:
            self._text()
            self._fetch_touched()
            self._audit()
            if scans:
                courier = ScanCourier(self._replica, self.ask)
                courier.offer_again(self._lacking, self._peer)
                try:
                    courier.run(fetch=fetch_scans)
                finally:
                    self.outcome.chunks_sent = courier.chunks_sent
                    self.outcome.chunks_received = courier.chunks_received
        finally:
            self._asker.save_nonce()
            self.outcome.requests = self._carrier.requests - before[0]
            self.outcome.bytes_sent = self._carrier.bytes_sent - before[1]
            self.outcome.bytes_received = self._carrier.bytes_received - before[2]
        self._replica.tidy_journal()
        return self.outcome

    def report(self, figures: dict[str, int | str]) -> None:
        """Send this device's health report."""
        self.ask(m.Kind.HEALTH, Health(figures), [], Thanks)
        self._asker.save_nonce()

    # --- text -------------------------------------------------------------------------------------

    def _text(self) -> None:
        theirs = self._hello()
        for _ in range(ROUNDS_MAX):
            if theirs is None:
                return
            moved = self._push(theirs)
            if theirs.standing:
                # A revoked device reads nothing; where its feed has parted, it must speak first.
                self._push(theirs, unheard=True)
                self.outcome.standing = theirs.standing
                return
            if self._bootstrap(theirs):
                theirs = self._hello()
                if theirs is None:
                    return
            moved = self._pull(theirs) or moved
            if not moved or not self._differs():
                return
            theirs = self._hello()

    def _bootstrap(self, theirs: Frontier) -> bool:
        """Start from a snapshot where too much is lacking; else, or if it fails, entries come."""
        if self.outcome.snapshot or not lacks_too_much(self._replica, theirs):
            return False
        bootstrap = Bootstrap(self._replica, self._peer, self.ask)
        self.outcome.snapshot, self.outcome.snapshot_refused = try_bootstrap(bootstrap)
        self.outcome.entries_received += bootstrap.entries_received
        return bool(self.outcome.snapshot)

    def _fetch_touched(self) -> None:
        """What came for a dossier that was let go of brings it back."""
        touched = wanted_records(self._replica)
        if touched and not self._differs():
            self.fetch(touched)

    def fetch(self, records: Sequence[RecordId]) -> int:
        """Fetch dossiers that this device let go of; return how many came."""
        return fetch_records(self._replica, self.ask, records)

    def _audit(self) -> None:
        """Now and then, where both stand at the same place, compare what was made of it."""
        if self.outcome.standing or self._differs() or not audit.is_due(self._replica, self._peer):
            return
        self.outcome.audited = True
        self.outcome.differing = audit.compare(self._replica, self._peer, self.ask)

    def _differs(self) -> bool:
        """Whether, by its newest receipt, the peer's frontier is not ours."""
        known = self._replica.receipts.newest(self._peer)
        ours = self._replica.holding.frontier_root()
        return known is None or heads.root(known.frontier) != ours

    def _hello(self) -> Frontier | None:
        """Ask how far the peer is; None where nothing is new and its receipt says so."""
        root = self._replica.holding.frontier_root()
        known = self._replica.receipts.newest(self._peer)
        equal = known is not None and heads.root(known.frontier) == root
        again = snapshot.is_wanted(self._replica)
        if known is not None and equal and not again:
            envelope, _ = self._asker.request(m.Kind.HELLO, self._greeting(root), [])
            if envelope.kind == m.Kind.SAME:
                same = m.decode_body(envelope, Same)
                self.outcome.peer_time_ms = same.time
                self._lacking = same.lacking
                if same.incarnation == known.incarnation and same.relayed == self._heard():
                    return None
            else:
                return self._frontier(envelope)
        envelope, _ = self._asker.request(m.Kind.HELLO, self._greeting(b""), [])
        return self._frontier(envelope)

    def _greeting(self, root: bytes) -> Hello:
        return Hello(root, self._replica.character.wall())

    def _frontier(self, envelope: m.Envelope) -> Frontier:
        if envelope.kind != m.Kind.FRONTIER:
            raise MalformedMessageError("The answer to a greeting is of the wrong kind.")
        body = m.decode_body(envelope, Frontier)
        self.outcome.peer_time_ms = body.time
        self._lacking = body.lacking
        heads.check_frontier(body.staged)
        heads.check_frontier(body.purged)
        self._take_receipts([body.receipt, *body.relayed])
        self._hear(body.relayed)
        return body

    def _heard(self) -> bytes:
        """Return the name of the receipts that the peer relayed last."""
        return self._replica.rooms.log.note(_RELAYED + self._peer.hex()) or b""

    def _hear(self, relayed: Sequence[bytes]) -> None:
        name = receipts_name(relayed)
        store = self._replica.rooms.log
        if name != self._heard():
            with self._replica.lock, store.transaction(durable=False):
                store.put_note(_RELAYED + self._peer.hex(), name)

    def _take_receipts(self, receipts: Sequence[bytes]) -> None:
        with self._replica.lock:
            for raw in receipts:
                if raw:
                    try_take(self._replica.receipts, raw)

    # --- push -------------------------------------------------------------------------------------

    def _push(self, theirs: Frontier, *, unheard: bool = False) -> bool:
        sealed = read_receipt(theirs.receipt).frontier
        marks = [*sealed, *theirs.staged, *theirs.purged]
        moved = False
        for _ in range(limits.REQUESTS_PER_EXCHANGE_MAX):
            bound = limits.EXCHANGE_PAYLOAD_BYTES_MAX
            jobs = self._jobs(sealed, marks, unheard=unheard)
            parts = gather(self._replica.holding, jobs, bound, self._alone)
            if not parts.seals:
                return moved
            relayed = self._replica.receipts.relayed(self._peer)
            body = Push(parts.declarations, parts.seals, parts.ranges, relayed)
            answer, _ = self.ask(m.Kind.PUSH, body, parts.payloads, Pushed)
            self.outcome.entries_sent += parts.entries
            self._take_receipts([answer.receipt, *answer.relayed])
            self._hear(answer.relayed)
            healed = self._take_refusals(
                {FeedId(feed): peer_error(code, text) for feed, code, text in answer.refused}
            )
            sealed = read_receipt(answer.receipt).frontier
            now = [*sealed, *answer.staged, *theirs.purged]
            if now == marks and not healed:
                return moved
            marks, moved = now, True
        raise LimitExceededError("A push did not come to its end; try again later.")

    def _jobs(
        self, sealed: Sequence[Mark], marks: Sequence[Mark], *, unheard: bool
    ) -> list[tuple[Chain, int]]:
        """Return our chains whose head the peer has not `sealed`, with the last seq that it holds.

        Where the peer stands on another branch of a feed we say nothing yet: the pull will show
        where the two part. Where there is no pull, `unheard` sends such a feed from its beginning.
        """
        holding = self._replica.holding
        jobs = []
        for chain in holding.chains.values():
            if chain.feed in self.outcome.refused or not chain.row.seal:
                continue
            stated = [mark for mark in marks if mark.feed == chain.feed and mark.seq]
            known = [self._common(chain, mark) for mark in stated]
            found = [seq for seq in known if seq is not None]
            if stated and not found and not unheard:
                continue
            if any(self._reaches(chain, mark) for mark in sealed):
                continue
            after = max(found, default=0)
            if not chain.purged or after >= chain.row.floor.seq:  # else others must give the rest
                jobs.append((chain, after))
        return jobs

    def _reaches(self, chain: Chain, mark: Mark) -> bool:
        """Whether the peer's sealed head `mark` lies at or beyond our head of this chain."""
        if mark.feed != chain.feed or mark.seq < chain.row.head.seq:
            return False
        owner = self._replica.holding.find(mark)
        return owner is not None and self._common(chain, mark) == chain.row.head.seq

    def _common(self, chain: Chain, mark: Mark) -> int | None:
        """Return the last seq that `chain` shares with the peer's head `mark`; None if unknown."""
        holding = self._replica.holding
        owner = holding.find(mark)
        if owner is None:
            return None
        if holding.short_hash_at(chain, mark.seq) == mark.hash:
            return mark.seq
        seq = mark.seq
        while owner.row.base_chain:
            seq = min(seq, owner.row.base_seq)
            if holding.short_hash_at(chain, seq) == holding.short_hash_at(owner, seq):
                return seq
            owner = holding.chains[owner.row.base_chain]
        while chain.row.base_chain:
            at = min(seq, chain.row.base_seq)
            if holding.short_hash_at(chain, at) == holding.short_hash_at(owner, at):
                return at
            chain = holding.chains[chain.row.base_chain]
        return 0

    # --- pull -------------------------------------------------------------------------------------

    def _pull(self, theirs: Frontier) -> bool:
        moved = False
        frontier = read_receipt(theirs.receipt).frontier
        heads.check_frontier(frontier)
        for _ in range(limits.REQUESTS_PER_EXCHANGE_MAX):
            wants = self._wants(frontier)
            if not wants:
                break
            before = self._position()
            body = Pull(wants, limits.EXCHANGE_PAYLOAD_BYTES_MAX, self._needs_alone())
            answer, payloads = self.ask(m.Kind.PULL, body, [], Pulled)
            refused = take_in(self._replica, self._as_push(answer), payloads)
            healed = self._take_refusals(refused)
            after = self._position()
            self.outcome.entries_received += sum(item.count for item in answer.ranges)
            if after == before and not healed:
                break
            moved = True
        if moved:
            self._take_receipts([theirs.receipt, *theirs.relayed])
        return moved

    def _needs_alone(self) -> bool:
        """Whether we may lack the group heads that ranges are packed against."""
        chains = self._replica.holding.chains.values()
        return bool(self._alone) or any(chain.row.floor.seq for chain in chains)

    def _take_refusals(self, refused: Mapping[FeedId, PeerError]) -> bool:
        """Note refusals; a first gap may be a group head that changed: then try once without."""
        healed = False
        for feed, problem in refused.items():
            if isinstance(problem, FeedGapError) and feed not in self._alone:
                self._alone.add(feed)
                healed = True
            else:
                self.outcome.refused[feed] = problem
        return healed

    @staticmethod
    def _as_push(answer: Pulled) -> Push:
        return Push(answer.declarations, answer.seals, answer.ranges)

    def _position(self) -> tuple[bytes, bytes]:
        return (
            self._replica.holding.frontier_root(),
            heads.root(staged(self._replica)),
        )

    def _wants(self, frontier: Sequence[Mark]) -> list[Want]:
        holding = self._replica.holding
        chains = [
            heads.Chain(chain.feed, chain.row.head.seq, ShortHashes(holding, chain))
            for chain in holding.chains.values()
        ]
        control = holding.roster.control_feeds
        lacking = heads.lacking(chains, frontier)
        lacking = [item for item in lacking if item.feed not in self.outcome.refused]
        lacking = [item for item in lacking if not self._let_go(item)]
        lacking.sort(key=lambda item: (item.feed not in control, item.feed))
        return [Want(item, self._locator(item)) for item in lacking]

    def _let_go(self, mark: Mark) -> bool:
        """Whether a head lies in what was held here and let go of: the peer is behind."""
        chains = self._replica.holding.by_feed.get(mark.feed, ())
        return any(chain.purged and mark.seq <= chain.row.floor.seq for chain in chains)

    def _locator(self, wanted: Mark) -> list[Mark]:
        """Return our marks on that feed: the newest, then ever further back."""
        found = []
        for chain in self._replica.holding.by_feed.get(wanted.feed, ()):
            seq = chain.row.staged.seq
            step = 1
            while seq > chain.row.floor.seq:
                known = self._replica.holding.hash_at(chain, seq)
                if known is not None:
                    found.append(Mark(wanted.feed, seq, known[:SHORT_HASH_BYTES]))
                if seq < wanted.seq and len(found) == 1 and not self._was_parted(wanted):
                    break
                seq, step = seq - step, step * 4
            if chain.row.floor.seq:
                floor = chain.row.floor
                found.append(Mark(wanted.feed, floor.seq, floor.hash[:SHORT_HASH_BYTES]))
        return sorted(found, key=lambda item: -item.seq)

    def _was_parted(self, wanted: Mark) -> bool:
        """Whether this feed is known, or suspected, to have forked."""
        return self._replica.holding.is_forked(wanted.feed) or wanted.feed == self._replica.own.feed
