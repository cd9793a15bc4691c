"""Views that follow the log: from a cursor per chain, in batches, never in the way of sync.

What holds:
* The result is a function of the set of entries and statements held; `rejudge` sees to it that a
  statement that comes late has the effect it would have had early.
* Cursors, records and quarantine change in one transaction, so a crash repeats work and loses none.
* An entry whose writer had seen a control head that we do not hold yet, or whose device has no
  grant yet, waits, and with it the rest of its own feed only.
* An entry that can't be read or is not allowed is held back with its reason, and the feed goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sync_protocol import limits
from sync_protocol.identity import Dot, FeedId, RecordId
from sync_protocol.log.entry import Entry, Header, Mark
from sync_protocol.membership.grant import Statement
from sync_protocol.membership.judgement import ADMITTED
from sync_protocol.merge.fold import Stamp, fold
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.merge.stub import is_stub
from sync_protocol.record.change import Changeset
from sync_protocol.record.schema import Schema
from sync_protocol.replica.holding import Chain, Holding
from sync_protocol.replica.judging import Judge, Judged, WaitsError
from sync_protocol.replica.projection import Projection
from sync_protocol.storage.store import Held, ViewStore

_CHAIN = "chain:"
_SEEN = "seen:"
_BRANCHES = "branches"
_SCHEMA = "schema"
_STUBS = "stubs"


@dataclass(slots=True)
class Batch:
    """What one transaction will change."""

    states: dict[RecordId, RecordState | None] = field(default_factory=dict)
    touched: set[RecordId] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    spoken: list[tuple[Chain, Statement]] = field(default_factory=list)


class Follower:
    """Moves the views along the log. Not safe for threads by itself: `Replica` holds the lock."""

    def __init__(
        self, holding: Holding, views: ViewStore, schema: Schema, projection: Projection
    ) -> None:
        """Start from the views' cursors."""
        self.holding = holding
        self.views = views
        self.schema = schema
        self.projection = projection
        self.on_scans: Callable[[list[RecordState]], None] = lambda _: None
        self.on_stubs: Callable[[list[RecordId]], None] = lambda _: None
        self.on_followed: Callable[[], None] = lambda: None
        self.on_statements: Callable[[list[tuple[Chain, Statement]]], None] = lambda _: None
        self.cursors: dict[int, int] = {}
        self.seen: dict[int, dict[int, int]] = {}
        self.waiting: dict[int, str] = {}
        self._stubs = False
        self._judge = Judge(holding, schema)
        self.load()

    def load(self) -> None:
        """Read the cursors: how far each chain is folded, and what its writer had seen."""
        self.cursors.clear()
        self.seen.clear()
        cursors = self.views.cursors()
        self._stubs = bool(cursors.get(_STUBS))
        for name, value in cursors.items():
            if name.startswith(_CHAIN):
                self.cursors[int(name[len(_CHAIN) :])] = value
            elif name.startswith(_SEEN):
                chain, other = name[len(_SEEN) :].split(":")
                self.seen.setdefault(int(chain), {})[int(other)] = value

    def branches(self) -> int:
        """Return how many branches the log holds."""
        chains = self.holding.chains.values()
        return sum(1 for chain in chains if chain.row.base_chain and chain.is_proved)

    def parted(self) -> bool:
        """Whether a feed has forked since the views were last made anew."""
        return self.views.cursors().get(_BRANCHES, 0) != self.branches()

    def is_ahead(self) -> bool:
        """Whether the views show what the log has lost: a damaged disk, or an unsynced commit."""
        chains = self.holding.chains
        return any(
            number not in chains or seq > chains[number].row.head.seq
            for number, seq in self.cursors.items()
        )

    def note_branches(self) -> None:
        """Remember, inside a transaction, which forks the views know, and by which schema."""
        self.views.put_cursor(_BRANCHES, self.branches())
        self.views.put_cursor(_SCHEMA, self.schema.version)

    def is_of_another_schema(self) -> bool:
        """Whether the views were made by another version: it judged by other rights."""
        cursors = self.views.cursors()
        return bool(cursors) and cursors.get(_SCHEMA, self.schema.version) != self.schema.version

    def note_stubs(self) -> None:
        """Remember, inside a transaction, that some records wait for the entry that made them."""
        self._stubs = True
        self.views.put_cursor(_STUBS, 1)

    def rewind(self, chain: Chain, seq: int, seen: Mapping[int, int], reason: str) -> None:
        """Let a chain wait, inside a transaction, from after `seq` on, as if not folded."""
        for other in self.seen.get(chain.number, {}):
            self.views.put_cursor(f"{_SEEN}{chain.number}:{other}", seen.get(other, 0))
        self.put_position(chain, seq, dict(seen))
        self.cursors[chain.number] = seq
        self.seen[chain.number] = dict(seen)
        self.waiting[chain.number] = reason

    def put_position(self, chain: Chain, seq: int, seen: dict[int, int]) -> None:
        """Say, inside a transaction, how far a chain is folded, and what its writer had seen."""
        self.views.put_cursor(f"{_CHAIN}{chain.number}", seq)
        for other, at in seen.items():
            self.views.put_cursor(f"{_SEEN}{chain.number}:{other}", at)

    # --- how far ------------------------------------------------------------------------------

    def cursor(self, chain: Chain) -> int:
        """Return the last seq of a chain that was folded or judged."""
        start = max(chain.row.base_seq, chain.row.floor.seq)
        return max(self.cursors.get(chain.number, 0), start)

    def lag(self) -> int:
        """Return how many entries of the log the views have not taken in."""
        chains = self.holding.chains.values()
        return sum(chain.row.head.seq - self.cursor(chain) for chain in chains)

    def folded(self, dot: Dot) -> bool:
        """Whether the views are past this entry."""
        chain = self.holding.locate(dot)
        return chain is not None and dot.seq <= self.cursor(chain)

    def marks(self) -> dict[FeedId, Mark]:
        """Return the heads of other feeds as the views show them; control feeds as the roster."""
        found: dict[FeedId, Mark] = {}
        for chain in self.holding.chains.values():
            control = chain.feed in self.holding.roster.control_feeds
            seq = chain.row.head.seq if control else self.cursor(chain)
            short = self.holding.short_hash_at(chain, seq)
            if (
                seq
                and short is not None
                and (chain.feed not in found or found[chain.feed].seq < seq)
            ):
                found[chain.feed] = Mark(chain.feed, seq, short)
        return found

    # --- following ----------------------------------------------------------------------------

    def follow(self, entries_max: int = 1 << 60) -> int:
        """Fold what is new, control feeds first; return how many entries were taken in."""
        total = 0
        moved = True
        while moved and total < entries_max:
            moved = False
            for chain in self._order():
                while total < entries_max and (count := self.follow_chain(chain)):
                    total += count
                    moved = True
        self.on_followed()
        return total

    def _order(self) -> list[Chain]:
        control = self.holding.roster.control_feeds
        chains = self.holding.chains.values()
        return sorted(chains, key=lambda chain: (chain.feed not in control, chain.number))

    def follow_chain(self, chain: Chain) -> int:
        """Fold one batch of one chain; return how many entries were taken in."""
        chain = self.holding.chains[chain.number]
        first = self.cursor(chain) + 1
        last = min(chain.row.head.seq, first + limits.FOLD_BATCH_ENTRIES - 1)
        self.waiting.pop(chain.number, None)
        if last < first:
            return 0
        try:
            with self.views.transaction():
                return self._follow_range(chain, first, last)
        except Exception:
            self.load()  # the cursors in memory were ahead of what was undone
            raise

    def _follow_range(self, chain: Chain, first: int, last: int) -> int:
        seen = dict(self._seen(chain))
        batch = Batch()
        done = first - 1
        rows = list(self.holding.entries(chain, first, last))
        judged = self._judge_all(chain, rows, seen)
        self._load(batch, judged)
        for (seq, _), item in zip(rows, judged, strict=False):
            self._take(batch, chain, seq, item)
            done = seq
        if done >= first:
            self._save(batch, chain, done, seen)
        return done - first + 1

    def _seen(self, chain: Chain) -> dict[int, int]:
        known = self.seen.get(chain.number)
        if known is None:
            base = self.holding.chains.get(chain.row.base_chain)
            known = self.holding.floor_seen(chain)
            if base is not None:  # a branch has seen what its past had seen
                for _, entry in self.holding.entries(base, 1, chain.row.base_seq):
                    self._judge.take_context(entry, known)
        return known

    def _judge_all(
        self, chain: Chain, rows: Sequence[tuple[int, Entry]], seen: dict[int, int]
    ) -> list[Judged]:
        judged: list[Judged] = []
        for seq, entry in rows:
            try:
                judged.append(self.judge(chain, seq, entry, seen))
            except WaitsError as reason:
                self.waiting[chain.number] = str(reason)
                break
        return judged

    def judge(self, chain: Chain, seq: int, entry: Entry, seen: dict[int, int]) -> Judged:
        """Read and judge one entry; takes its context into `seen`. Raises `WaitsError`."""
        return self._judge.judge(chain, seq, entry, seen)

    def read(
        self, chain: Chain, seq: int, entry: Entry, seen: dict[int, int]
    ) -> tuple[Header, Changeset, tuple[RecordId, ...]] | None:
        """Read an admitted entry again; None where its body was erased or it is no changeset."""
        return self._judge.read(chain, seq, entry, seen)

    def within_cut(self, chain: Chain, seq: int) -> bool:
        """Whether an entry lies before the position at which its feed is cut."""
        return self._judge.within_cut(chain, seq)

    def take_context(self, entry: Entry, seen: dict[int, int]) -> None:
        """Take what an entry's writer had folded into `seen`."""
        self._judge.take_context(entry, seen)

    # --- one batch ----------------------------------------------------------------------------

    def _load(self, batch: Batch, judged: Sequence[Judged]) -> None:
        wanted = {
            change.record
            for item in judged
            if item.verdict == ADMITTED and item.changeset is not None
            for change in item.changeset.records
            if change.record is not None
        }
        fresh = {
            record
            for item in judged
            if item.changeset is not None
            for record, change in zip(item.records, item.changeset.records, strict=True)
            if change.record is None
        }
        self._want(batch, wanted | (fresh if self._may_be_there() else set()))

    def _may_be_there(self) -> bool:
        """Whether some record exists without the entry that makes it: its edits came first."""
        return self._stubs

    def _want(self, batch: Batch, records: set[RecordId]) -> None:
        stored = self.views.load(sorted(records)) if records else {}
        for record in records:
            row = stored.get(record)
            batch.states[record] = None if row is None else decode_state(row.state, row.pending)

    def _take(self, batch: Batch, chain: Chain, seq: int, item: Judged) -> None:
        if item.verdict != ADMITTED or item.header is None:
            if item.verdict.reason != "erased":
                batch.held.append(Held(chain.number, seq, item.verdict.reason, item.records))
            return
        batch.spoken.extend((chain, statement) for statement in item.statements)
        if item.changeset is None:
            return
        dot = self.holding.dot(chain, seq)
        stamp = Stamp(dot, item.header.timestamp, item.header.officer)
        for record, change in zip(item.records, item.changeset.records, strict=True):
            state = batch.states.get(record)
            if state is None:
                state = batch.states[record] = RecordState(change.type)
            fold(state, stamp, change, lambda parent: self._is_past(parent, chain, seq))
            batch.touched.add(record)

    def _is_past(self, dot: Dot, chain: Chain, seq: int) -> bool:
        if dot.feed == chain.feed and not dot.branch:
            return dot.seq <= seq
        return self.folded(dot)

    def _save(self, batch: Batch, chain: Chain, done: int, seen: dict[int, int]) -> None:
        rows = []
        stubs = []
        with_scans = []
        for record in batch.touched:
            state = batch.states[record]
            if state is not None:
                rows.append(self.projection.stored(record, state))
                if is_stub(state):
                    stubs.append(record)
                if state.made is None and not self._stubs:
                    self._stubs = True
                    self.views.put_cursor(_STUBS, 1)
                if rows[-1].attachments:
                    with_scans.append(state)
        rows.sort(key=lambda row: row.id)  # neighbours on the page: worth 3x under SQLCipher
        self.views.save(rows)
        if batch.held:
            self.views.hold(batch.held)
        before = self.seen.get(chain.number, {})
        for other, at in seen.items():
            if before.get(other) != at:
                self.views.put_cursor(f"{_SEEN}{chain.number}:{other}", at)
        self.views.put_cursor(f"{_CHAIN}{chain.number}", done)
        self.cursors[chain.number] = done
        self.seen[chain.number] = seen
        if with_scans:
            self.on_scans(with_scans)
        if stubs:
            self.on_stubs(stubs)
        if batch.spoken:
            self.on_statements(batch.spoken)
