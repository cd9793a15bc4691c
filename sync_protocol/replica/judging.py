"""One entry read and judged: by whom, having seen what, and so whether it counts.

What holds: the verdict is a function of the chains and the roster held. An entry whose writer had
seen a control head that we do not hold yet, or whose device has no grant yet, waits
(`WaitsError`); one that can't be read or is not allowed is held back with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.identity import Dot, FeedId, RecordId
from sync_protocol.log.entry import CHANGESET, CONTROL, Entry, Header, read_header
from sync_protocol.membership.grant import Statement, decode_statements, wire_dot
from sync_protocol.membership.judgement import (
    ADMITTED,
    Author,
    Standing,
    Verdict,
    held,
    judge_author,
    judge_changeset,
)
from sync_protocol.merge.conflict import listed_dots
from sync_protocol.record.change import (
    SALT_BYTES,
    CellWrite,
    Changeset,
    RecordChange,
    decode_changeset,
    new_record_ids,
)
from sync_protocol.record.schema import RETRACTION, FieldKind, RecordType, Schema
from sync_protocol.replica.holding import Chain, Holding


class WaitsError(Exception):
    """Inside the fold: this entry must wait, and the rest of its feed with it."""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One entry, read and judged."""

    verdict: Verdict
    header: Header | None = None
    changeset: Changeset | None = None
    statements: tuple[Statement, ...] = ()
    records: tuple[RecordId, ...] = ()


class Judge:
    """Reads and judges entries. Not safe for threads by itself: `Replica` holds the lock."""

    def __init__(self, holding: Holding, schema: Schema) -> None:
        """Judge by what is held and what the schema allows."""
        self.holding = holding
        self.schema = schema
        self._seen_key: tuple[tuple[int, int], ...] = ()
        self._seen_by_feed: dict[FeedId, int] = {}
        self._nothing_seen: dict[FeedId, int] = {}
        self._last_author: tuple[object, ...] = ()
        self._last_verdict = ADMITTED
        self._last_seen: Mapping[FeedId, int] = {}
        self._last_roster = holding.roster

    def judge(self, chain: Chain, seq: int, entry: Entry, seen: dict[int, int]) -> Judged:
        """Read and judge one entry; takes its context into `seen`."""
        roster = self.holding.roster
        dot = self.holding.dot(chain, seq)
        try:
            header = read_header(entry.header)
            self._take_marks(header, seen)
            if entry.body is None or dot in roster.erased:
                return Judged(held("erased"))  # forgotten; what its writer had seen is not
            author = self._author(chain, dot, header, seen)
            verdict = self._judge_author(author)
            if verdict.standing is Standing.PENDING:
                raise WaitsError(verdict.reason)
            if header.kind == CONTROL:
                return Judged(verdict, header, None, tuple(decode_statements(entry.body)))
            if header.kind != CHANGESET:
                return Judged(held("newer-kind"), header)
            changeset, records = self._changeset(chain, seq, header, entry.body, seen)
            if verdict == ADMITTED:
                verdict = judge_changeset(roster, self.schema, author, changeset)
            return Judged(verdict, header, changeset, (), records)
        except PeerError as problem:
            reason = "erased" if entry.body is None else "unreadable-" + problem.code
            return Judged(held(reason))

    def _author(self, chain: Chain, dot: Dot, header: Header, seen: dict[int, int]) -> Author:
        by_feed = self._by_feed(seen) if header.officer else self._nothing_seen
        within = self.within_cut(chain, dot.seq)
        return Author(dot, chain.device, header.officer, by_feed, within)

    def _judge_author(self, author: Author) -> Verdict:
        """Judge the writer; the verdict on one officer's entries in a row is taken once."""
        roster = self.holding.roster
        if author.dot in roster.adopted or author.dot in roster.rejected:
            return judge_author(roster, author)
        if roster is not self._last_roster:
            self._last_roster, self._last_author = roster, ()
        key = (author.device, author.officer, id(author.seen), author.within_cut)
        if self._last_author != key:
            self._last_author, self._last_verdict = key, judge_author(roster, author)
            self._last_seen = author.seen  # keeps its id from being given to another
        return self._last_verdict

    def _by_feed(self, seen: dict[int, int]) -> dict[FeedId, int]:
        """Return what a writer had seen, by feed; remembered, since it seldom moves."""
        key = tuple(seen.items())
        if self._seen_key != key:
            found: dict[FeedId, int] = {}
            for number, at in key:
                feed = self.holding.chains[number].feed
                found[feed] = max(at, found.get(feed, 0))
            self._seen_key, self._seen_by_feed = key, found
        return self._seen_by_feed

    def _changeset(
        self, chain: Chain, seq: int, header: Header, body: bytes, seen: dict[int, int]
    ) -> tuple[Changeset, tuple[RecordId, ...]]:
        changeset = self._resolve(decode_changeset(body, chain.feed), chain, seen)
        made_ms, salt = millis(header.timestamp), body[:SALT_BYTES]
        return changeset, tuple(new_record_ids(changeset, made_ms, chain.feed, seq, salt))

    def read(
        self, chain: Chain, seq: int, entry: Entry, seen: dict[int, int]
    ) -> tuple[Header, Changeset, tuple[RecordId, ...]] | None:
        """Read an admitted entry again; None where its body was erased or it is no changeset."""
        try:
            header = read_header(entry.header)
            if entry.body is None or header.kind != CHANGESET:
                return None
            if self.holding.dot(chain, seq) in self.holding.roster.erased:
                return None  # it was not sealed yet when the erasure came: its body goes next
            return header, *self._changeset(chain, seq, header, entry.body, seen)
        except PeerError:
            return None  # it is held back as unreadable, and says nothing

    def within_cut(self, chain: Chain, seq: int) -> bool:
        """Whether an entry lies before the position at which its feed is cut, on the same chain."""
        cuts = self.holding.roster.cuts(chain.device, chain.feed)
        return cuts is None or any(self.holding.reaches(cut, chain, seq) for cut in cuts)

    def take_context(self, entry: Entry, seen: dict[int, int]) -> None:
        """Take in what the writer of an entry had folded, as far as it can be read."""
        try:
            self._take_marks(read_header(entry.header), seen)
        except (PeerError, WaitsError):
            return  # judged where the entry itself is folded

    def _take_marks(self, header: Header, seen: dict[int, int]) -> None:
        """Take in what the writer had folded. It never goes back."""
        for mark in header.context:
            chain = self.holding.find(mark)
            if chain is not None:
                seen[chain.number] = max(mark.seq, seen.get(chain.number, 0))
            elif mark.feed not in self.holding.by_feed:
                raise WaitsError("unknown-feed-in-context")
            elif mark.feed in self.holding.roster.control_feeds and all(
                mark.seq > item.row.head.seq for item in self.holding.by_feed[mark.feed]
            ):
                raise WaitsError("control-not-here-yet")

    def _resolve(self, changeset: Changeset, chain: Chain, seen: dict[int, int]) -> Changeset:
        """Name the branch of dots in forked feeds: the one that the writer had seen."""
        if not self.holding.has_forks():
            return changeset
        records = []
        for change in changeset.records:
            kind = self.schema.by_id.get(change.type)
            writes = tuple(self._resolve_write(item, kind, chain, seen) for item in change.writes)
            records.append(RecordChange(change.record, change.type, change.values, writes))
        return Changeset(tuple(records))

    def _resolve_write(
        self, item: CellWrite, kind: RecordType | None, chain: Chain, seen: dict[int, int]
    ) -> CellWrite:
        parents = tuple(self._resolve_dot(dot, chain, seen) for dot in item.parents)
        field = None if kind is None else kind.by_id.get(item.field)
        value = item.value
        if item.field == RETRACTION and isinstance(value, list) and len(value) > 1:
            value = [value[0], self._resolve_rows(value, chain, seen), *value[2:]]
        elif field is not None and field.kind is FieldKind.APPROVAL and isinstance(value, list):
            basis = value[1] if len(value) > 1 and isinstance(value[1], list) else []
            rows = [
                [row[0], self._resolve_rows(row, chain, seen)]
                if isinstance(row, list) and len(row) > 1
                else row
                for row in basis
            ]
            value = [*value[:1], *([rows] if len(value) > 1 else []), *value[2:]]
        return CellWrite(item.field, item.element, value, parents, item.op)

    def _resolve_rows(self, value: list[Any], chain: Chain, seen: dict[int, int]) -> list[Any]:
        dots = listed_dots(value, 1)
        return [wire_dot(self._resolve_dot(dot, chain, seen)) for dot in dots]

    def _resolve_dot(self, dot: Dot, chain: Chain, seen: dict[int, int]) -> Dot:
        if dot.branch or not self.holding.is_forked(dot.feed):
            return dot
        if dot.feed == chain.feed:
            return self.holding.dot(chain, dot.seq)
        for other in self.holding.by_feed[dot.feed]:
            if seen.get(other.number, 0) >= dot.seq:
                return self.holding.dot(other, dot.seq)
        return dot
