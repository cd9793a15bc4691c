"""Bugs put into the real engine one at a time: the simulation must find every one of them.

Each is a patch of one place, the kind of slip that a tired hand makes. `FOUND_BY` names
a seed that finds it, tried before the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from sync_protocol import view
from sync_protocol.exchange.scans import ScanCourier
from sync_protocol.log import frontier as frontiers
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster
from sync_protocol.merge import fold
from sync_protocol.record.change import Changeset, RecordChange
from sync_protocol.replica import Replica, follow, ingest, judging, projection, rejudge
from sync_protocol.replica.author import Act, Author
from sync_protocol.replica.holding import Chain, Holding
from sync_protocol.replica.scan_queue import ScanQueue
from sync_protocol.storage.memory import MemoryJournal, MemoryViews

Patch = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug, and how it is put in."""

    name: str
    plant: Patch

    @property
    def first(self) -> int:
        """A seed that is known to find it (if it still does)."""
        return FOUND_BY.get(self.name, 1)


def _over(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """Return a patch that replaces `owner.name` with what `make` makes of it."""
    return lambda: mock.patch.object(owner, name, make(getattr(owner, name)))


def _receipt_before_fsync(finish: Any) -> Any:
    def loose(self: Any) -> Any:
        transaction = self._holding.transaction

        def not_synced(*, durable: bool) -> Any:
            return transaction(durable=False)

        with mock.patch.object(self._holding, "transaction", not_synced):
            return finish(self)

    return loose


def _staged_in_frontier(_: Any) -> Any:
    def frontier(self: Any, _device: Any = None) -> Any:
        return [ingest_mark(chain) for chain in self.chains.values() if chain.row.staged.seq]

    def ingest_mark(chain: Any) -> Any:
        return Mark(chain.feed, chain.row.staged.seq, chain.row.staged.hash[:16])

    return frontier


def _any_hash_leads_to_the_seal(seal_proved: Any) -> Any:
    def trusting(self: Any, feed: Any) -> None:
        for stamp, raw in self._seals.get(feed, ()):
            for chain in list(self._holding.by_feed[feed]):
                if chain.row.head.seq < stamp.seq <= chain.row.staged.seq:
                    staged = chain.row.staged
                    row = replace(chain.row, head=staged, seal=raw)
                    self._holding.put(Chain(row, chain.declared))
                    self.admission.moved.add(feed)

    return trusting


def _last_write_wins(write: Any) -> Any:
    def clocked(cell: Any, dead: Any, dot: Any, sibling: Any, parents: Any, folded: Any) -> None:
        write(cell, dead, dot, sibling, parents, folded)
        newest = max(cell, key=lambda d: cell[d].timestamp, default=None)
        for other in [d for d in cell if d != newest]:
            del cell[other]

    return clocked


def _parents_of_now(write_many: Any) -> Any:
    def overwriting(self: Replica, acts: Any) -> Any:
        return write_many(self, [_with_parents_of_now(self, act) for act in acts])

    return overwriting


def _with_parents_of_now(replica: Replica, act: Act) -> Act:
    if act.changeset is None:
        return act
    records = []
    for change in act.changeset.records:
        view = replica.read(change.record) if change.record else None
        cells = {(f.field, f.element): f.dots for f in view.fields} if view else {}
        writes = tuple(
            replace(item, parents=cells.get((item.field, item.element), item.parents))
            for item in change.writes
        )
        records.append(RecordChange(change.record, change.type, change.values, writes))
    return Act(act.officer, Changeset(tuple(records)), act.statements)


def _only_the_first_conflict(conflicts: Any) -> Any:
    return lambda kind, state: conflicts(kind, state)[:-1]


def _unsynced(append: Any) -> Any:
    def lazy(self: MemoryJournal, first_seq: int, frames: Any) -> None:
        before = {id(segment): segment.synced for segment in self._segments}
        append(self, first_seq, frames)
        if self._segments:
            segment = self._segments[-1]
            segment.synced = before.get(id(segment), 0)

    return lazy


def _journal_after_the_answer(write: Any) -> Any:
    def late(self: Any, acts: Any, folded: Any) -> Any:
        journal = self._journal
        for frames in vars(self).pop("held_back", []):
            journal.append(*frames)
        held: list[Any] = []
        with mock.patch.object(journal, "append", lambda *frames: held.append(frames)):
            written = write(self, acts, folded)
        self.held_back = held
        return written

    return late


def _deaf_to_adoptions(affected: Any) -> Any:
    def deaf(self: Any, statement: Any, found: Any) -> None:
        if not isinstance(statement, g.Adopt):
            affected(self, statement, found)

    return deaf


@contextmanager
def _adoption_ignored() -> Iterator[None]:
    with (
        _over(rejudge.Rejudge, "_affected", _deaf_to_adoptions)(),
        _over(rejudge.Rejudge, "catch_up", lambda _: lambda _self: None)(),
    ):
        yield


@contextmanager
def _receipt_first() -> Iterator[None]:
    with (
        _over(ingest.Intake, "finish", _receipt_before_fsync)(),
        _over(Holding, "make_durable", lambda _: lambda _self: None)(),
    ):
        yield


def _rows_skipped(save: Any) -> Any:
    return lambda self, records: save(self, records[:-1] if len(records) > 1 else records)


def _last_chunk_dropped(bring: Any) -> Any:
    return lambda self, group, lacking: bring(self, group, lacking[:-1])


def _whole_without_the_last(has: Any) -> Any:
    return lambda self, chunks: has(self, chunks[:-1] or chunks)


@contextmanager
def _drop_last_chunk() -> Iterator[None]:
    with (
        _over(ScanCourier, "_bring", _last_chunk_dropped)(),
        _over(ScanQueue, "holds", _whole_without_the_last)(),
    ):
        yield


@contextmanager
def _no_reload() -> Iterator[None]:
    with mock.patch.object(
        Holding, "transaction", lambda self, *, durable: self.store.transaction(durable=durable)
    ):
        yield


def _first_branch_only(_: Any) -> Any:
    return lambda self, chain, at, entries: None


@contextmanager
def _two_conflicts() -> Iterator[None]:
    with (
        _over(view, "conflicts", _only_the_first_conflict)(),
        _over(projection, "conflicts", _only_the_first_conflict)(),
    ):
        yield


FOUND_BY = {
    "a receipt before the fsync": 7,
    "staged entries receipted": 5,
    "a conflict skipped": 2,
    "a bad hash admitted": 13,
    "a seal not checked": 2,
    "a clock trusted to decide a value": 2,
    "dead dots forgotten": 5,
    "the journal not synced": 9,
    "the journal after the answer": 9,
    "a branch dropped": 2,
    "a late adoption ignored": 44,
    "memory ahead of a full disk": 10,
    "views that never look back": 14,
    "a role judged by now, not by what was seen": 4,
}

BUGS = (
    Bug("a receipt before the fsync", _receipt_first),
    Bug("staged entries receipted", _over(Holding, "frontier", _staged_in_frontier)),
    Bug("a conflict skipped", _two_conflicts),
    Bug("a bad hash admitted", _over(ingest.Intake, "_seal_proved", _any_hash_leads_to_the_seal)),
    Bug("a seal not checked", _over(ingest, "check_seal", lambda _: lambda *_: None)),
    Bug("the last chunk dropped", _drop_last_chunk),
    Bug("a clock trusted to decide a value", _over(fold, "write", _last_write_wins)),
    Bug("parents from the replica, not the form", _over(Replica, "write_many", _parents_of_now)),
    Bug("a cut ignored", _over(judging.Judge, "within_cut", lambda _: lambda *_: True)),
    Bug("dead dots forgotten", _over(projection, "encode_pending", lambda _: lambda _s: b"")),
    Bug("the journal not synced", _over(MemoryJournal, "append", _unsynced)),
    Bug("the journal after the answer", _over(Author, "write", _journal_after_the_answer)),
    Bug("a branch dropped", _over(ingest.Intake, "_branch", _first_branch_only)),
    Bug("a late adoption ignored", _adoption_ignored),
    Bug("a cursor ahead of its rows", _over(MemoryViews, "save", _rows_skipped)),
    Bug("memory ahead of a full disk", _no_reload),
    Bug(
        "views that never look back",
        _over(follow.Follower, "is_ahead", lambda _: lambda _self: False),
    ),
    Bug(
        "a role judged by now, not by what was seen",
        _over(
            Roster,
            "officer_role",
            lambda _: (
                lambda self, officer, _seen: (
                    None if (now := self.officer_now(officer)) is None else now.role
                )
            ),
        ),
    ),
    Bug("a peer taken to lack nothing", _over(frontiers, "lacking", lambda _: lambda *_: [])),
)
