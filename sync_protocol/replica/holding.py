"""The log as this replica holds it: chains in memory over the store, and the roster they give.

A feed is usually one chain. A forked feed is several: each branch starts after (chain, seq) of
another. `path` and `hash_at` see through that; `label` names a branch by the first 8 bytes of the
hash with which it begins, which is the same on every replica that holds the same chains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from sync_protocol.encoding import decode, encode
from sync_protocol.errors import PeerError
from sync_protocol.identity import BRANCH_BYTES, DeviceKey, Dot, FeedId, OfficerId, WardId
from sync_protocol.log import frontier as heads
from sync_protocol.log.entry import CONTROL, SHORT_HASH_BYTES, Entry, Mark, digest, read_header
from sync_protocol.log.feed import Head, SignedDeclaration, mark, read_declaration
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster, Spoken, build
from sync_protocol.storage.store import ChainRow, LogStore

CONTROL_NOTE = "control:"
_FLUSHED_NOTE = "flushed"
_FLOOR_SEEN = "floor-seen:"


@dataclass(slots=True)
class Chain:
    """A chain and its feed's declaration."""

    row: ChainRow
    declared: SignedDeclaration

    @property
    def number(self) -> int:
        """The store's number of the chain."""
        return self.row.number

    @property
    def feed(self) -> FeedId:
        """The feed that it belongs to."""
        return self.declared.feed

    @property
    def is_proved(self) -> bool:
        """Whether a seal proves an entry of its own; a branch that anybody may claim is none."""
        return not self.row.base_chain or self.row.head.seq > self.row.base_seq

    @property
    def is_empty_branch(self) -> bool:
        """Whether nothing is left of a branch: what it began with was disproved."""
        return not self.is_proved and self.row.staged.seq == self.row.base_seq

    @property
    def device(self) -> DeviceKey:
        """The key that seals it."""
        return self.declared.declaration.device

    @property
    def purged(self) -> bool:
        """Whether its beginning is not held any more: a tablet after a snapshot, or a clean-up."""
        return self.row.floor.seq > self.row.base_seq

    @property
    def mark(self) -> Mark:
        """Its sealed head as frontiers state it."""
        return mark(self.feed, self.row.head)


def control_key(chain: int, seq: int) -> str:
    """Return the note under which a control entry is found again.

    Its value is empty; below a chain's floor it is the entry itself (`kept_control`).
    """
    return f"{CONTROL_NOTE}{chain:08d}:{seq:016d}"


def kept_control(header: bytes, body: bytes) -> bytes:
    """Return a control entry as it is kept below a floor; its body is empty if it was erased."""
    return encode([header, body])


def _kept_entry(kept: bytes) -> Entry:
    header, body = decode(kept, tuple[bytes, bytes])
    return Entry(header, body or None, digest(body))


class Holding:
    """Chains, and what they say about who may write."""

    def __init__(self, store: LogStore, ward: WardId, root: bytes) -> None:
        """Open over a store. `root` is the city root's public key."""
        self.store = store
        self.ward = ward
        self.root = root
        self.chains: dict[int, Chain] = {}
        self.by_feed: dict[FeedId, list[Chain]] = {}
        self.roster = Roster()
        self._is_loose = False
        self._forks: dict[int, list[int]] = {}
        for row in store.chains():
            self._keep(Chain(row, read_declaration(row.declaration)))
        self.hear()

    def _keep(self, chain: Chain) -> None:
        """Keep a chain. New maps replace the old ones: readers may be walking those."""
        self.chains = {**self.chains, chain.number: chain}
        siblings = [c for c in self.by_feed.get(chain.feed, ()) if c.number != chain.number]
        siblings = sorted([*siblings, chain], key=lambda c: c.number)
        self.by_feed = {**self.by_feed, chain.feed: siblings}
        if len(siblings) > 1:
            self._mark_forks([item for item in siblings if item.is_proved])

    def _mark_forks(self, siblings: list[Chain]) -> None:
        """Note, per chain, the seqs that begin a branch: each has a sibling with the same past."""
        forks: dict[int, list[int]] = {chain.number: [] for chain in siblings}
        for chain in siblings:
            if chain.row.base_chain:
                first = chain.row.base_seq + 1
                forks[chain.number].append(first)
                owner = self.owner(self.chains[chain.row.base_chain], first)
                if owner is not None:
                    forks[owner.number].append(first)
        self._forks = {**self._forks, **forks}

    # --- reading chains -----------------------------------------------------------------

    def owner(self, chain: Chain, seq: int) -> Chain | None:
        """Return the chain that itself holds `seq` on the path of `chain`."""
        while chain.row.base_chain and seq <= chain.row.base_seq:
            chain = self.chains[chain.row.base_chain]
        return chain if seq <= chain.row.staged.seq else None

    def hash_at(self, chain: Chain, seq: int) -> bytes | None:
        """Return the 32-byte hash after `seq` on the path of `chain`, None where it is not held."""
        row = chain.row
        if seq == row.head.seq:
            return row.head.hash
        if seq == row.staged.seq:
            return row.staged.hash
        if row.base_chain and seq <= row.base_seq:
            return self.hash_at(self.chains[row.base_chain], seq)
        if seq == 0:
            return chain.declared.start.hash
        return self.store.hash_at(row.number, seq) if 0 < seq < row.staged.seq else None

    def short_hash_at(self, chain: Chain, seq: int) -> bytes | None:
        """Return the 16-byte hash as marks state it; sealed entries only."""
        found = self.hash_at(chain, seq) if seq <= chain.row.head.seq else None
        return None if found is None else found[:SHORT_HASH_BYTES]

    def find(self, wanted: Mark) -> Chain | None:
        """Return a chain on which `wanted` lies, None where it is not held."""
        for chain in self.by_feed.get(wanted.feed, ()):
            if self.short_hash_at(chain, wanted.seq) == wanted.hash:
                return chain
        return None

    def purged_through(self, chain: Chain) -> int:
        """Return the last seq on the path of `chain` that is not held any more, 0 for none."""
        while chain.row.base_chain and chain.row.floor.seq <= chain.row.base_seq:
            chain = self.chains[chain.row.base_chain]
        return chain.row.floor.seq

    def entries(self, chain: Chain, first: int, last: int) -> Iterator[tuple[int, Entry]]:
        """Yield the entries [first, last] on the path of `chain`, in order."""
        if chain.row.base_chain and first <= chain.row.base_seq:
            base = self.chains[chain.row.base_chain]
            yield from self.entries(base, first, min(last, chain.row.base_seq))
            first = chain.row.base_seq + 1
        if first <= last:
            yield from self.store.entries(chain.number, first, last)

    def entry(self, dot: Dot) -> Entry | None:
        """Return the entry that a dot names."""
        chain = self.locate(dot)
        if chain is None:
            return None
        return next((entry for _, entry in self.entries(chain, dot.seq, dot.seq)), None)

    def locate(self, dot: Dot) -> Chain | None:
        """Return the chain that itself holds the entry which a dot names."""
        for chain in self.by_feed.get(dot.feed, ()):
            own = dot.seq > chain.row.base_seq and dot.seq <= chain.row.head.seq
            if own and self.label(chain, dot.seq) == dot.branch:
                return chain
        return None

    def is_partial(self) -> bool:
        """Whether the beginning of some feed is not held: records can't all be made anew."""
        return any(chain.purged for chain in self.chains.values())

    def is_purged(self, dot: Dot) -> bool:
        """Whether an entry lies before what is held of its feed."""
        chain = self.locate(dot)
        return chain is not None and chain.purged and dot.seq <= chain.row.floor.seq

    def floor_seen(self, chain: Chain) -> dict[int, int]:
        """Return what the writer of a chain had folded of others by its floor: chain to seq."""
        note = self.store.note(f"{_FLOOR_SEEN}{chain.number}") if chain.purged else None
        return decode(note, dict[int, int]) if note else {}

    def put_floor_seen(self, chain: Chain, seen: dict[int, int]) -> None:
        """Remember, inside a transaction, what `floor_seen` says."""
        self.store.put_note(f"{_FLOOR_SEEN}{chain.number}", encode(dict(sorted(seen.items()))))

    def is_forked(self, feed: FeedId) -> bool:
        """Whether a feed goes on in more than one way."""
        return sum(chain.is_proved for chain in self.by_feed.get(feed, ())) > 1

    def has_forks(self) -> bool:
        """Whether any feed goes on in more than one way."""
        return bool(self._forks)

    def label(self, chain: Chain, seq: int) -> bytes:
        """Return the branch part of the dot of entry `seq`: empty unless the feed forked before."""
        if not self._forks:
            return b""
        walk: Chain | None = chain
        while walk is not None:
            begins = [first for first in self._forks.get(walk.number, ()) if first <= seq]
            if begins:
                found = self.hash_at(walk, max(begins))
                return b"" if found is None else found[:BRANCH_BYTES]
            seq = min(seq, walk.row.base_seq)
            walk = self.chains.get(walk.row.base_chain)
        return b""

    def dot(self, chain: Chain, seq: int) -> Dot:
        """Return the dot of an entry on the path of `chain`."""
        return Dot(chain.feed, seq, self.label(chain, seq))

    def reaches(self, cut: Mark, chain: Chain, seq: int) -> bool:
        """Whether an entry on the path of `chain` lies at or before `cut`.

        An entry before the place where a feed parted lies before the cuts of all its branches.
        """
        if seq > cut.seq or cut.feed != chain.feed:
            return False
        owner = self.find(cut)
        if owner is None:  # the cut names what is not held here
            known = self.short_hash_at(chain, cut.seq)
            return known is None
        return self.hash_at(owner, seq) == self.hash_at(chain, seq)

    def frontier(self, device: DeviceKey | None = None) -> list[Mark]:
        """Return the sealed heads of all chains, or of a device's: one for each branch."""
        chains = (c for c in self.chains.values() if device in (None, c.device))
        return [c.mark for c in chains if c.row.head.seq and c.is_proved]

    def frontier_root(self) -> bytes:
        """Return the 32 bytes that stand for the frontier."""
        return heads.root(self.frontier())

    # --- changing chains (inside a transaction of the store) -------------------------------

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """Open a transaction of the store; where it is undone, what memory holds is undone too."""
        try:
            with self.store.transaction(durable=durable):
                yield
        except Exception:
            self.reload()
            raise
        self._is_loose = not durable

    def make_durable(self) -> None:
        """Flush what the chains say, where a power cut could still take it back."""
        if self._is_loose:
            with self.transaction(durable=True):
                self.store.put_note(_FLUSHED_NOTE, b"")

    def declare(self, declared: SignedDeclaration) -> Chain:
        """Keep a feed's declaration; a feed that is known already stays as it is."""
        known = self.by_feed.get(declared.feed)
        if known:
            return known[0]
        start = declared.start
        row = ChainRow(0, declared.raw, 0, 0, start, start, Head(0, start.hash), b"")
        return self.put(Chain(row, declared))

    def put(self, chain: Chain) -> Chain:
        """Store a chain's row and keep it."""
        number = self.store.put_chain(chain.row)
        kept = Chain(replace(chain.row, number=number), chain.declared)
        self._keep(kept)
        return kept

    def reload(self) -> None:
        """Read every chain again: after a transaction was undone."""
        self.chains = {}
        self.by_feed = {}
        self._forks = {}
        for row in self.store.chains():
            self._keep(Chain(row, read_declaration(row.declaration)))
        self.hear()

    # --- the roster ---------------------------------------------------------------------------

    def hear(self) -> None:
        """Build the roster anew from every control entry held and sealed."""
        self.roster = build(self.root, list(self._spoken()))

    def _spoken(self) -> Iterator[Spoken]:
        seen_by_chain: dict[int, dict[FeedId, int]] = {}
        for key, kept in sorted(self.store.notes(CONTROL_NOTE).items()):
            _, number, text = key.split(":")
            chain, seq = self.chains[int(number)], int(text)
            if seq > chain.row.head.seq:
                continue
            found = [_kept_entry(kept)] if kept else [e for _, e in self.entries(chain, seq, seq)]
            for entry in found:
                seen = seen_by_chain.setdefault(chain.number, {})
                said = self.read_control(entry, seen)
                if said is not None:
                    officer, statements = said[0], self._named(said[1], entry)
                    dot, agrees = self.dot(chain, seq), partial(self._keeps, chain, seq)
                    heads, lacking = dict(seen), self._lacking(seen)
                    yield Spoken(dot, chain.device, officer, heads, statements, agrees, lacking)

    def _lacking(self, seen: dict[FeedId, int]) -> frozenset[DeviceKey | None]:
        """Return whose feeds are held less far than `seen`; None for feeds that are not known."""
        found = {feed: self.by_feed.get(feed, []) for feed in seen}
        return frozenset(
            chains[0].device if chains else None
            for feed, chains in found.items()
            if all(chain.row.head.seq < seen[feed] for chain in chains)
        )

    def _named(self, statements: Sequence[g.Statement], entry: Entry) -> list[g.Statement]:
        """Name the branch of entries that statements spoke of before their feed forked."""
        return [
            msgspec.structs.replace(item, dots=self._branches_of(item, entry))
            if isinstance(item, g.Adopt | g.Reject | g.Erase)
            else item
            for item in statements
        ]

    def _branches_of(self, item: g.Adopt | g.Reject | g.Erase, entry: Entry) -> list[list[Any]]:
        """Return its dots on the branch that the speaker had folded (its context says which).

        Where that branch is not held here, the dot is given a name that no entry here has.
        """
        try:
            dots = g.read_dots(item.dots)
            stated = {mark.feed: mark for mark in read_header(entry.header).context}
        except PeerError:
            return item.dots
        found = []
        for dot in dots:
            mark = stated.get(dot.feed)
            if not dot.branch and mark is not None:
                path = self.find(mark)
                if path is not None:
                    dot = self.dot(path, dot.seq)  # noqa: PLW2901
                elif not self._is_below_floor(mark):
                    dot = dot._replace(branch=mark.hash[:BRANCH_BYTES])  # noqa: PLW2901
            found.append(g.wire_dot(dot))
        return found

    def _is_below_floor(self, mark: Mark) -> bool:
        return any(mark.seq < chain.row.floor.seq for chain in self.by_feed.get(mark.feed, ()))

    def everywhere(self, dot: Dot) -> set[Dot]:
        """Return a dot under each name that it may have, now that its feed has forked."""
        if dot.branch or not self.is_forked(dot.feed):
            return {dot}
        owners = [self.owner(chain, dot.seq) for chain in self.by_feed[dot.feed]]
        return {dot, *(self.dot(owner, dot.seq) for owner in owners if owner is not None)}

    def _keeps(self, chain: Chain, seq: int, cut: Mark) -> bool:
        return self.reaches(cut, chain, seq)

    def read_control(
        self, entry: Entry, seen: dict[FeedId, int]
    ) -> tuple[OfficerId, list[g.Statement]] | None:
        """Return officer and statements of a control entry, taking its context into `seen`."""
        try:
            header = read_header(entry.header)
            for item in header.context:
                seen[item.feed] = max(item.seq, seen.get(item.feed, 0))
            if header.kind != CONTROL or entry.body is None:
                return None
            return header.officer, g.decode_statements(entry.body)
        except PeerError:
            return None  # unreadable: held back by the fold, says nothing here
