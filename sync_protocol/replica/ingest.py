"""What others bring: verified, stored as it came, made durable; never judged by its time.

What holds:
* A payload is stored as soon as its entries chain up (*staged*); what a seal proves becomes the
  head in one durable transaction, with the roster that it changes. Only then is it receipted.
* One bad feed is refused by name and stops no other.
* Entries whose author has no grant yet are kept, within a bound: they wait, they are not refused.
* A feed that goes on in two ways is kept in both.
* Of somebody who may lie (`doubted`: no hub and no edge) nothing is kept that a seal does not
  announce, nor more feeds and branches of one device than its bound: so nobody can fill a ward
  with what nobody wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.clock import HybridLogicalClock
from sync_protocol.errors import (
    BadSignatureError,
    FeedForkError,
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    WrongWardError,
)
from sync_protocol.identity import DeviceKey, Dot, FeedId, feed_id
from sync_protocol.log.block import (
    Range,
    group_head_first,
    head_digest,
    is_full_block,
    packed_against,
    unpack,
)
from sync_protocol.log.entry import CONTROL, SHORT_HASH_BYTES, Entry, read_header
from sync_protocol.log.feed import Head, follow, read_declaration
from sync_protocol.log.seal import Seal, check_seal, decode_seal
from sync_protocol.replica.holding import Chain, Holding, control_key


class Offer(NamedTuple):
    """One packed range of a feed; `before` is the 16-byte hash just before its first entry."""

    feed: FeedId
    first: int
    before: bytes
    packed: bytes


@dataclass(slots=True)
class Admission:
    """What became of what was brought: how many entries are new, and why which feed was refused."""

    entries: int = 0
    refused: dict[FeedId, PeerError] = field(default_factory=dict)
    forked: set[FeedId] = field(default_factory=set)
    moved: set[FeedId] = field(default_factory=set)


class Intake:
    """Takes in what one message brings. Use `take` per payload, then `finish`."""

    def __init__(
        self,
        holding: Holding,
        clock: HybridLogicalClock,
        declarations: Sequence[bytes],
        seals: Sequence[bytes],
        after_seal: Callable[[], None] = lambda: None,
        *,
        doubted: bool = False,
    ) -> None:
        """Keep the declarations and check the seals; bad ones are refused by feed.

        `doubted`: it was brought by somebody who may not speak for others.
        """
        self._holding = holding
        self._doubted = doubted
        self._clock = clock
        self._touched: dict[int, int] = {}
        self._after_seal = after_seal
        self.admission = Admission()
        self._declare(declarations)
        self._seals: dict[FeedId, list[tuple[Seal, bytes]]] = {}
        for raw in seals:
            self._take_seal(raw)

    def _declare(self, declarations: Iterable[bytes]) -> None:
        known = self._holding.by_feed
        fresh = {feed: raw for raw in declarations if (feed := feed_id(raw)) not in known}
        if not fresh:
            return
        with self._holding.transaction(durable=False):
            for feed, raw in fresh.items():
                try:
                    self._declare_one(raw)
                except PeerError as problem:
                    self.admission.refused[feed] = problem
        # An erasure may have waited to know whose feed this is, and its entries wait for it.
        self._holding.hear()

    def _declare_one(self, raw: bytes) -> None:
        declared = read_declaration(raw)
        if declared.declaration.ward != self._holding.ward:
            raise WrongWardError("A feed of another ward; it was not taken in.")
        self._bound_chains(declared.declaration.device)
        self._holding.declare(declared)

    def _bound_chains(self, device: DeviceKey) -> None:
        """Check that one more feed or branch of a device is within the bounds."""
        chains = self._holding.chains.values()
        if len(chains) >= limits.FEEDS_PER_WARD_MAX:
            raise LimitExceededError("The ward has more feeds than its bound.")
        if not self._doubted:
            return
        roster = self._holding.roster
        if roster.role_of(device) is None:  # keys cost nothing: all strangers share one bound
            count = sum(roster.role_of(chain.device) is None for chain in chains)
        else:
            count = sum(chain.device == device for chain in chains)
        if count >= limits.FEEDS_PER_DEVICE_MAX:
            raise LimitExceededError("A device has more feeds than its bound.")

    def _take_seal(self, raw: bytes) -> None:
        feed = FeedId(b"")  # whose an unreadable seal is, nobody can tell
        try:
            seal = decode_seal(raw)
            feed = seal.feed
            if feed not in self.admission.refused:
                check_seal(seal, self._declared(feed)[0].device)
                self._seals.setdefault(feed, []).append((seal, raw))
        except PeerError as problem:
            self.admission.refused[feed] = problem

    def _declared(self, feed: FeedId) -> list[Chain]:
        chains = self._holding.by_feed.get(feed)
        if not chains:
            raise NotAdmittedError("A feed came without its declaration.")
        return chains

    # --- one payload ----------------------------------------------------------------------------

    def take(self, offer: Offer) -> None:
        """Store one payload, staged. What is wrong with it refuses its feed only."""
        if offer.feed in self.admission.refused:
            return
        try:
            self._take(offer)
        except PeerError as problem:
            self.admission.refused[offer.feed] = problem

    def _take(self, offer: Offer) -> None:
        chains = self._declared(offer.feed)
        self._bound_pending(chains[0].device, offer.feed)
        found = unpack(offer.packed, self._head_for(chains, offer))
        if found.first != offer.first:
            raise MalformedMessageError("A payload is not what its message says.")
        for chain in chains:
            staged = chain.row.staged
            if chain.is_empty_branch:
                continue  # what comes may be what its trunk holds
            if staged.seq + 1 == found.first and staged.hash[:SHORT_HASH_BYTES] == offer.before:
                self._extend(chain, found.entries, offer.packed)
                return
        self._overlap(chains, found, offer)

    def _head_for(self, chains: list[Chain], offer: Offer) -> bytes | None:
        """Return the group head that a payload was packed against, if some chain holds it."""
        wanted = packed_against(offer.packed)
        if wanted is None:
            return None
        for chain in chains:
            owner = self._holding.owner(chain, group_head_first(offer.first)) or chain
            head = self._holding.store.group_head(owner.number, offer.first)
            if head is not None and head_digest(head) == wanted:
                return head
        return None

    def _bound_pending(self, device: DeviceKey, feed: FeedId) -> None:
        if self._holding.roster.role_of(device) is None:
            waiting = sum(
                chain.row.staged.seq
                for chain in self._holding.chains.values()
                if self._holding.roster.role_of(chain.device) is None
            )
            if waiting > limits.PENDING_ENTRIES_MAX:
                raise LimitExceededError(
                    "Too much is waiting for its grant.", feed=feed.hex(), entries=waiting
                )

    def _overlap(self, chains: list[Chain], found: Range, offer: Offer) -> None:
        """Skip what is held already; extend a chain, or begin a branch where it parts from ours."""
        if chains[0].purged:
            found, offer = _above_floor(chains[0], found, offer)
            if not found.entries:
                return
        best: tuple[int, Chain] | None = None
        for chain in chains:
            before = self._holding.hash_at(chain, found.first - 1)
            if before is not None and before[:SHORT_HASH_BYTES] == offer.before:
                same = self._same(chain, Head(found.first - 1, before), found.entries)
                if best is None or same > best[0]:
                    best = (same, chain)
        if best is None:
            gap = min(chain.row.staged.seq for chain in chains) < found.first - 1
            error = FeedGapError if gap else FeedForkError
            raise error("Entries are missing in between; they will be asked for.", seq=found.first)
        same, chain = best
        if same == len(found.entries):
            return
        at = found.first - 1 + same
        if at == chain.row.staged.seq:
            self._extend(chain, found.entries[same:], b"")
        elif at >= chain.row.head.seq and not self._must_stay(chain, at):
            self._check_announced(chain)
            with self._holding.transaction(durable=False):
                self._holding.store.truncate(chain.number, chain.row.head.seq)
                row = replace(chain.row, staged=chain.row.head)
                chain = self._holding.put(Chain(row, chain.declared))
            at_head = found.entries[max(0, chain.row.head.seq + 1 - found.first) :]
            self._extend(chain, at_head, b"")
        else:
            self._branch(chain, at, found.entries[same:])

    def _must_stay(self, chain: Chain, at: int) -> bool:
        """Whether staged entries after `at` are proved by what came with them, or lent a branch."""
        proved = any(
            at < seal.seq <= chain.row.staged.seq
            and self._holding.hash_at(chain, seal.seq) == seal.hash
            for seal, _ in self._seals.get(chain.feed, ())
        )
        return proved or any(
            other.row.base_chain == chain.number and other.row.base_seq > chain.row.head.seq
            for other in self._holding.by_feed[chain.feed]
        )

    def _check_announced(self, chain: Chain) -> None:
        """Refuse what no seal of this message can prove: its feed's device alone makes seals."""
        if not self._doubted:
            return
        for seal, _ in self._seals.get(chain.feed, ()):
            if not any(
                seal.seq <= other.row.head.seq
                and self._holding.hash_at(other, seal.seq) in (None, seal.hash)
                for other in self._holding.by_feed[chain.feed]
            ):
                return
        raise BadSignatureError("Entries came that no seal proves; they were not taken in.")

    def _same(self, chain: Chain, before: Head, entries: Sequence[Entry]) -> int:
        """Count how many of `entries` this chain already holds."""
        for index, after in enumerate(follow(before, entries)):
            seq = before.seq + 1 + index
            if seq > chain.row.staged.seq or self._holding.hash_at(chain, seq) != after:
                return index
        return len(entries)

    def _branch(self, chain: Chain, at: int, entries: Sequence[Entry]) -> None:
        base = self._holding.owner(chain, at) or chain
        start = self._holding.hash_at(chain, at)
        if start is None:
            raise FeedGapError("The common past of a fork is not held here.", seq=at)
        self._check_announced(chain)
        self._bound_chains(chain.device)
        head = Head(at, start)
        empty = [
            item.number
            for item in self._holding.by_feed[chain.feed]
            if item.is_empty_branch and item.row.head == head
        ]
        with self._holding.transaction(durable=False):
            row = replace(
                chain.row,
                number=min(empty, default=0),  # a liar may try again and again
                base_chain=base.number,
                base_seq=at,
                head=head,
                staged=head,
                floor=head,
                seal=b"",
            )
            branch = self._holding.put(Chain(row, chain.declared))
        self._extend(branch, entries, b"")

    def _extend(self, chain: Chain, entries: Sequence[Entry], packed: bytes) -> None:
        self._check_announced(chain)
        staged = chain.row.staged
        kept = [self._lawful(chain, staged.seq + 1 + i, e) for i, e in enumerate(entries)]
        whole = (
            packed if is_full_block(staged.seq + 1, len(entries)) and kept == list(entries) else b""
        )
        store = self._holding.store
        with self._holding.transaction(durable=False):
            head = store.append(chain.number, staged, kept, whole)
            for index, entry in enumerate(kept):
                if _is_control(entry):
                    store.put_note(control_key(chain.number, staged.seq + 1 + index), b"")
            self._holding.put(Chain(replace(chain.row, staged=head), chain.declared))
        self._touched[chain.number] = self._touched.get(chain.number, 0) + len(kept)

    def _lawful(self, chain: Chain, seq: int, entry: Entry) -> Entry:
        """Drop a body that was erased; refuse one that is missing without an erasure."""
        erased = self._holding.roster.erased
        if entry.body is None:
            if not any(dot.feed == chain.feed and dot.seq == seq for dot in erased):
                raise BadSignatureError("An entry came without its body.", seq=seq)
            return entry
        dot = Dot(chain.feed, seq, self._holding.label(chain, seq))
        # Where the one that is named is here already, this is another branch's.
        named = dot in erased and self._holding.locate(dot) is None
        return entry.erased() if named else entry

    # --- what seals prove -----------------------------------------------------------------------

    def _seal_proved(self, feed: FeedId) -> None:
        """Make what a feed's seals prove its head, inside a transaction."""
        for seal, raw in self._seals.get(feed, ()):
            for chain in list(self._holding.by_feed[feed]):
                row = chain.row
                proved = row.head.seq < seal.seq <= row.staged.seq
                if proved and self._holding.hash_at(chain, seal.seq) == seal.hash:
                    new = replace(row, head=Head(seal.seq, seal.hash), seal=raw)
                    self._holding.put(Chain(new, chain.declared))
                    if not chain.is_proved:
                        self.admission.forked.add(feed)
                    self.admission.entries += seal.seq - row.head.seq
                    self.admission.moved.add(feed)

    def finish(self) -> Admission:
        """Make durable what the seals prove; forget what they disprove. Then receipts may go.

        Heads, roster and erasures move in one transaction: nobody sees the one without the other,
        and no receipt names what is not durable yet.
        """
        with self._holding.transaction(durable=True):
            for feed in self._seals:  # entries may have been here, waiting for their seal
                self._seal_proved(feed)
            self._holding.store.put_note("clock", self._clock.last.to_bytes(8, "big"))
            if self.admission.moved:
                self._hear_control()
        self._forget_disproved()
        if self.admission.moved:
            self._after_seal()
        return self.admission

    def _forget_disproved(self) -> None:
        for number in self._touched:
            chain = self._holding.chains.get(number)
            if chain is None:
                continue  # the store had no room for it
            seals = [seal for seal, _ in self._seals.get(chain.feed, ())]
            if (
                chain.row.staged.seq > chain.row.head.seq
                and any(seal.seq <= chain.row.staged.seq for seal in seals)
                and chain.feed not in self.admission.moved
                and not self._must_stay(chain, chain.row.staged.seq)
            ):
                self._disprove(chain)

    def _disprove(self, chain: Chain) -> None:
        with self._holding.transaction(durable=False):
            self._holding.store.truncate(chain.number, chain.row.head.seq)
            row = replace(chain.row, staged=chain.row.head)
            self._holding.put(Chain(row, chain.declared))
        self.admission.refused[chain.feed] = BadSignatureError(
            "A feed's entries do not lead to its seal; they were not taken in."
        )

    def _hear_control(self) -> None:
        self._holding.hear()
        for feed in self.admission.moved:
            for chain in self._holding.by_feed[feed]:
                head = chain.row.head.seq
                for _, entry in self._holding.store.entries(chain.number, head, head):
                    with suppress(PeerError):  # an unreadable header moves no clock
                        self._clock.hear(read_header(entry.header).timestamp)


def _is_control(entry: Entry) -> bool:
    try:
        return read_header(entry.header).kind == CONTROL
    except PeerError:
        return False  # unreadable: proved by its seal, held back by the fold


def _above_floor(chain: Chain, found: Range, offer: Offer) -> tuple[Range, Offer]:
    """Leave what lies above a floor: what was let go of was verified once, and may come again."""
    floor = chain.row.floor
    if found.first > floor.seq:
        return found, offer
    rest = found.entries[floor.seq + 1 - found.first :]
    before = floor.hash[:SHORT_HASH_BYTES]
    return Range(floor.seq + 1, rest), offer._replace(first=floor.seq + 1, before=before)
