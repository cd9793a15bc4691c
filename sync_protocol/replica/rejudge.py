"""When the roster changes its mind: entries already folded are judged again, records made anew.

A revocation that cuts behind what was taken in, an adoption, an erasure, a flag on a clock: each
names feeds or entries. Their verdicts are taken again, and every record that a changed verdict
touches is refolded from the log, so that late statements have the effect they would have had early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sync_protocol.encoding import checksum, encode
from sync_protocol.identity import DeviceKey, Dot, FeedId, RecordId
from sync_protocol.log.entry import Header
from sync_protocol.membership import grant as g
from sync_protocol.membership.judgement import ADMITTED
from sync_protocol.merge.fold import Stamp, refold
from sync_protocol.merge.state import decode_state
from sync_protocol.record.change import RecordChange
from sync_protocol.replica.follow import Follower
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.judging import WaitsError
from sync_protocol.storage.store import Held

_NAMED = "named"


@dataclass(slots=True)
class Affected:
    """What statements may change the verdict on."""

    feeds: set[FeedId] = field(default_factory=set)
    dots: set[Dot] = field(default_factory=set)
    shown: set[FeedId] = field(default_factory=set)
    all: bool = False


class Rejudge:
    """Judges again; shares the follower's cursors and transaction."""

    def __init__(self, follower: Follower) -> None:
        """Attach to the follower."""
        self._follower = follower
        self._holding = follower.holding
        follower.on_statements = self.hear
        follower.on_followed = self.catch_up
        self.on_lost: Callable[[], None] = lambda: None
        self._named: int | None = None

    def hear(self, spoken: list[tuple[Chain, g.Statement]]) -> None:
        """Take new statements, inside the follower's transaction."""
        affected = Affected()
        for _, statement in spoken:
            self._affected(statement, affected)
        feeds = affected.feeds | {dot.feed for dot in affected.dots}
        if affected.all:
            feeds = set(self._holding.by_feed)
        if self._holding.is_partial() and self._beyond_us(feeds, affected):
            self.on_lost()
            self._forget_erased(affected.dots)
        for feed in feeds:
            for chain in list(self._holding.by_feed.get(feed, ())):
                self._judge_chain(chain, affected.dots)
        for feed in affected.shown:
            self._reproject(feed)

    def catch_up(self) -> None:
        """Judge again what statements name, where a name has only now become clear.

        A statement may name an entry by a head of its feed that came later than the statement. And
        a chain may have grown past a cut that turns out to be no place on it.
        """
        views = self._follower.views
        roster = self._holding.roster
        dots = roster.adopted | roster.rejected | roster.erased
        passed = self._passed()
        rows = [*(g.wire_dot(dot) for dot in sorted(dots)), *passed]
        names = checksum(encode(rows)) if rows else 0
        if self._named is None:
            self._named = views.cursors().get(_NAMED, 0)
        if self._named == names:
            return
        with views.transaction():
            feeds = {dot.feed for dot in dots} | {FeedId(feed) for feed, *_ in passed}
            for feed in sorted(feeds):
                for chain in list(self._holding.by_feed.get(feed, ())):
                    self._judge_chain(chain, dots)
            views.put_cursor(_NAMED, names)
        self._named = names

    def _passed(self) -> list[tuple[bytes, int, bytes, int]]:
        """Return the cuts that lie on no chain held, with each chain that holds another there."""
        holding = self._holding
        return sorted(
            (cut.feed, cut.seq, cut.hash, chain.number)
            for feed, chains in holding.by_feed.items()
            for cut in holding.roster.cuts(chains[0].device, feed) or ()
            if holding.find(cut) is None
            for chain in chains
            if holding.short_hash_at(chain, cut.seq) is not None
        )

    def _beyond_us(self, feeds: set[FeedId], affected: Affected) -> bool:
        """Whether verdicts may change on entries that are not held any more."""
        if any(self._holding.is_purged(dot) for dot in affected.dots):
            return True
        for feed in feeds - {dot.feed for dot in affected.dots}:
            for chain in self._holding.by_feed.get(feed, ()):
                cuts = self._holding.roster.cuts(chain.device, feed)
                kept = max((cut.seq for cut in cuts or ()), default=0)
                if chain.purged and (cuts is None or kept < chain.row.floor.seq):
                    return True
        return False

    def _forget_erased(self, dots: set[Dot]) -> None:
        """What is erased goes at once, even where the record can't be made anew without it."""
        for dot in dots & self._holding.roster.erased:
            if self._holding.is_purged(dot):
                self._follower.views.remove(self._touched_by(dot))

    def _affected(self, statement: g.Statement, affected: Affected) -> None:
        match statement:
            case g.Revoke():
                self._device(statement.device, affected)
            case g.Grant():
                self._spoken_by(statement.device, affected)  # under another role it counts for less
                if statement.device in self._holding.roster.unconfirmed:
                    self._device(statement.device, affected)  # what had lapsed may count again
            case g.Adopt() | g.Reject() | g.Erase():
                for dot in g.read_dots(statement.dots):
                    affected.dots.update(self._holding.everywhere(dot))
            case g.Suspect():
                affected.shown.add(statement.feed)
            case g.Certified():
                roster = self._holding.roster
                if roster.certificate is not None and roster.certificate.cuts:
                    affected.all = True

    def _device(self, device: DeviceKey, affected: Affected) -> None:
        """A revoked device's own statements may fall with it."""
        for chain in self._holding.chains.values():
            if chain.device == device and chain.feed not in affected.feeds:
                affected.feeds.add(chain.feed)
                self._said_in(chain, affected)

    def _spoken_by(self, device: DeviceKey, affected: Affected) -> None:
        for chain in self._holding.chains.values():
            if chain.device == device:
                self._said_in(chain, affected)

    def _said_in(self, chain: Chain, affected: Affected) -> None:
        """Take whatever the statements in a chain decide, for it may be decided otherwise now."""
        for key in self._holding.store.notes(f"control:{chain.number:08d}:"):
            seq = int(key.rsplit(":", 1)[1])
            for _, entry in self._holding.entries(chain, seq, seq):
                said = self._holding.read_control(entry, {})
                for statement in said[1] if said else ():
                    if isinstance(statement, g.Grant):
                        self._device(statement.device, affected)
                    else:
                        self._affected(statement, affected)

    # --- one chain ----------------------------------------------------------------------------

    def _judge_chain(self, chain: Chain, named: set[Dot]) -> None:
        """Compare old and new verdicts of a chain; make anew the records where they differ."""
        follower = self._follower
        cursor = follower.cursor(chain)
        old = {row.seq: row for row in follower.views.held() if row.chain == chain.number}
        seen = self._holding.floor_seen(chain)
        now: list[Held] = []
        free: list[int] = []
        records: dict[RecordId, set[Dot]] = {}
        first_own = max(chain.row.base_seq, chain.row.floor.seq) + 1
        begun = self._holding.purged_through(chain) + 1  # a branch has seen what its past had seen
        for seq, entry in self._holding.entries(chain, begun, cursor):
            before = dict(seen)
            try:
                item = follower.judge(chain, seq, entry, seen)
            except WaitsError as reason:
                start = max(seq, first_own)
                free += [at for at in old if at >= start]
                self._take_back(chain, start, records)
                follower.rewind(chain, start - 1, before, str(reason))
                break
            if seq < first_own:
                continue
            dot = self._holding.dot(chain, seq)
            admitted = item.verdict == ADMITTED
            was = old.get(seq)
            if (admitted and was is not None) or (not admitted and item.verdict.reason == "erased"):
                free.append(seq)
            elif not admitted and (was is None or was.reason != item.verdict.reason):
                now.append(Held(chain.number, seq, item.verdict.reason, item.records))
            if admitted == (was is not None) or dot in named:
                touched = item.records or (was.records if was is not None else ())
                for record in touched or self._touched_by(dot):
                    records.setdefault(record, set()).add(dot)
        follower.views.release(chain.number, free)
        if now:
            follower.views.hold(now)
        self.remake(records)

    def _take_back(self, chain: Chain, first: int, records: dict[RecordId, set[Dot]]) -> None:
        """Name the records of entries that must wait again: their grant is gone."""
        follower = self._follower
        for seq, entry in self._holding.entries(chain, first, follower.cursor(chain)):
            item = follower.read(chain, seq, entry, dict(follower.seen.get(chain.number, {})))
            gone = self._touched_by(self._holding.dot(chain, seq)) if item is None else item[2]
            for record in gone:
                records.setdefault(record, set())

    def _touched_by(self, dot: Dot) -> list[RecordId]:
        """Find the records of an entry whose body is gone."""
        return [
            row.id for row in self._follower.views.scan() if dot in decode_state(row.state).dots()
        ]

    # --- one record ---------------------------------------------------------------------------

    def remake(self, records: dict[RecordId, set[Dot]]) -> None:
        """Make records anew from all their admitted entries. `records` maps to dots to consider."""
        follower = self._follower
        stored = follower.views.load(sorted(records))
        out = {(row.chain, row.seq) for row in follower.views.held()}
        rows = []
        gone = []
        with_scans = []
        for record, extra in records.items():
            row = stored.get(record)
            dots = extra | (decode_state(row.state).dots() if row is not None else set())
            if any(self._holding.is_purged(dot) for dot in dots):
                self.on_lost()  # it can't be made anew here: it stays, or goes if it must be erased
                gone += [record] if dots & self._holding.roster.erased else []
                continue
            changes = list(self._changes(record, dots, out))
            if not changes:
                gone.append(record)
                continue
            state = refold(changes[0][1].type, changes, follower.folded)
            if state.made is None:
                follower.note_stubs()
            rows.append(follower.projection.stored(record, state))
            if rows[-1].attachments:
                with_scans.append(state)
        follower.views.save(rows)
        follower.views.remove(gone)
        if with_scans:
            follower.on_scans(with_scans)  # what was held back has not travelled yet

    def _changes(
        self, record: RecordId, dots: Iterable[Dot], out: set[tuple[int, int]]
    ) -> Iterable[tuple[Stamp, RecordChange]]:
        for dot in sorted(dots):
            chain = self._holding.locate(dot)
            if chain is None or (chain.number, dot.seq) in out or not self._follower.folded(dot):
                continue
            for seq, entry in self._holding.entries(chain, dot.seq, dot.seq):
                seen = dict(self._follower.seen.get(chain.number, {}))
                item = self._follower.read(chain, seq, entry, seen)
                if item is None:
                    continue
                header, changeset, records = item
                for known, change in zip(records, changeset.records, strict=True):
                    if known == record:
                        yield _stamp(dot, header), change

    def _reproject(self, feed: FeedId) -> None:
        """Choose again which value is displayed where a clock was flagged."""
        follower = self._follower
        rows = []
        for row in follower.views.scan():
            state = decode_state(row.state, row.pending)
            if any(dot.feed == feed for dot in state.dots()):
                rows.append(follower.projection.stored(row.id, state))
        follower.views.save(rows)


def _stamp(dot: Dot, header: Header) -> Stamp:
    return Stamp(dot, header.timestamp, header.officer)
