"""Our own feed: writing, and the capture journal that survives what a database does not notice.

What holds:
* An entry is in the journal, fsynced, before the store commits it and before anybody hears "saved".
* At open the journal's end must be the head. Entries that the store lost (SQLite drops the tail of
  a damaged WAL without a word) are put back, byte for byte. Where the two can't be brought
  together, a new incarnation opens at once and capture goes on.
* After a write whose outcome is unknown the two are brought together before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sync_protocol import limits
from sync_protocol.clock import HybridLogicalClock, millis
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import LimitExceededError, PeerError
from sync_protocol.identity import INCARNATION_BYTES, Dot, FeedId, OfficerId, RecordId
from sync_protocol.log.entry import (
    CHANGESET,
    CONTROL,
    SHORT_HASH_BYTES,
    Entry,
    Header,
    Mark,
    digest,
    read_header,
)
from sync_protocol.log.feed import Head, SignedDeclaration, declare, follow, read_declaration
from sync_protocol.log.journal import JournalFrame, open_frame, seal_frame
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.membership.grant import Statement, encode_statements, read_dots
from sync_protocol.record.change import (
    SALT_BYTES,
    Changeset,
    encode_changeset,
    new_record_ids,
)
from sync_protocol.replica.holding import Chain, Holding, control_key
from sync_protocol.storage.store import Journal

OWN_NOTE = "own"
NOTICE_NOTE = "notice"
STATED_NOTE = "stated"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did: a changeset, or control statements."""

    officer: OfficerId
    changeset: Changeset | None = None
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """An act that is saved: the entry's name, and the records it speaks of."""

    dot: Dot
    records: tuple[RecordId, ...]


class Author:
    """Writes our own feed. Not safe for threads by itself: `Replica` holds the lock."""

    def __init__(
        self,
        holding: Holding,
        journal: Journal,
        journal_key: bytes,
        keys: DeviceKeys,
        clock: HybridLogicalClock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Take what the feed is written with; `open` must follow."""
        self._holding = holding
        self._journal = journal
        self._journal_key = journal_key
        self._keys = keys
        self._clock = clock
        self._random = random_bytes
        self._unsure = False
        self._stated: dict[FeedId, int] = {}
        self.notice = ""
        self.put_back = 0  # entries that the journal gave back to a store that had lost them
        self._chain: Chain | None = None

    @property
    def chain(self) -> Chain:
        """Our feed's chain."""
        if self._chain is None:
            raise AssertionError("Author.open was not called")
        return self._holding.chains[self._chain.number]

    # --- opening ------------------------------------------------------------------------------

    def open(self) -> None:
        """Bring journal and store together, or open a new incarnation."""
        note = self._holding.store.note(OWN_NOTE)
        self._chain = None if note is None else self._holding.chains.get(decode(note, int))
        self._adopt_journal()
        if self._chain is None:
            self.new_incarnation("")
            return
        self._reconcile()
        stated = self._holding.store.note(STATED_NOTE)
        self._stated = decode(stated, dict[FeedId, int]) if stated else {}
        head = self.chain.row.head.seq
        for _, entry in self._holding.entries(self.chain, max(head, 1), head):
            self._clock.hear(read_header(entry.header).timestamp)
            self._clock.last = max(self._clock.last, read_header(entry.header).timestamp)

    def _adopt_journal(self) -> None:
        """Take the feed that the journal opens with, where the store has lost its beginning."""
        raw = next(iter(self._journal.frames()), None)
        try:
            frame = None if raw is None else open_frame(self._journal_key, raw)
            if frame is None or frame.seq or frame.entry.body is None:
                return
            declared = read_declaration(frame.entry.body)
        except PeerError:
            return  # damaged: what opens next is a new incarnation
        own = self._chain is not None and self._chain.feed == declared.feed
        if not own and declared.declaration.device == self._keys.public:
            with self._holding.transaction(durable=True):
                self._take_feed(declared)
            self.notice = "feed-from-journal"

    def _take_feed(self, declared: SignedDeclaration) -> None:
        store = self._holding.store
        self._chain = self._holding.declare(declared)
        store.put_note(OWN_NOTE, encode(self._chain.number))
        store.put_note(STATED_NOTE, None)

    def _reconcile(self) -> None:
        chain = self.chain
        try:
            last = self._replay(chain)
        except PeerError as problem:
            self.new_incarnation(f"journal-{problem.code}")
            return
        head = self.chain.row.head
        if head.seq and (last is None or (last.seq, last.hash) != head):
            self.new_incarnation("journal-behind" if last is None else "journal-differs")
        elif self._holding.is_forked(chain.feed):
            self.new_incarnation("forked")
        self._unsure = False

    def _replay(self, chain: Chain) -> JournalFrame | None:
        """Put back what the store lost; return the journal's last frame."""
        last: JournalFrame | None = None
        lost: list[JournalFrame] = []
        for raw in self._journal.frames(chain.row.head.seq):  # what lies before is in the store
            frame = open_frame(self._journal_key, raw)
            if frame.feed == chain.feed:
                last = frame
                if frame.seq > chain.row.head.seq:
                    lost.append(frame)
        if lost:
            self._put_back(chain, lost)
        return last

    def _put_back(self, chain: Chain, lost: Sequence[JournalFrame]) -> None:
        head = chain.row.head
        hashes = follow(head, [frame.entry for frame in lost])
        good = [frame.seq for frame in lost] == list(range(head.seq + 1, head.seq + 1 + len(lost)))
        if not good or hashes != [frame.hash for frame in lost]:
            return  # the two have parted; the caller sees that the ends differ
        store = self._holding.store
        with self._holding.transaction(durable=True):
            if chain.row.staged.seq > head.seq:
                store.truncate(chain.number, head.seq)
            self._append(chain, head, [frame.entry for frame in lost], hashes[-1])
        self._holding.hear()
        self.put_back += len(lost)
        self.notice = f"replayed-{len(lost)}"

    def new_incarnation(self, reason: str, *, forget: bool = False) -> None:
        """Open a new feed for this device, which supersedes the old one.

        `forget` deletes the old feed's journal, whose entries the store must hold durably by then:
        an erased body must not live on there.
        """
        old = None if self._chain is None else self.chain.mark
        if old is not None and old.seq == 0:
            old = None
        declared = declare(self._keys, self._holding.ward, self._random(INCARNATION_BYTES), old)
        start = declared.start.hash
        opening = Entry(b"", declared.raw, digest(declared.raw))
        self._unsure = True  # until the store has it: a full disk must not let the old feed go on
        self._journal.restart(forget=forget)
        self._journal.append(0, [seal_frame(self._journal_key, declared.feed, 0, opening, start)])
        with self._holding.transaction(durable=True):
            self._take_feed(declared)
            if reason:
                note = encode([reason, self._clock.wall_ms()])
                self._holding.store.put_note(NOTICE_NOTE, note)
        self._stated = {}
        self._unsure = False
        if reason:
            self.notice = reason

    def last_notice(self) -> tuple[str, int]:
        """Return why the newest incarnation was opened, and when (ms); ("", 0) if for no reason."""
        note = self._holding.store.note(NOTICE_NOTE)
        return decode(note, tuple[str, int]) if note else ("", 0)

    # --- writing ------------------------------------------------------------------------------

    def write(self, acts: Sequence[Act], folded: Mapping[FeedId, Mark]) -> list[Written]:
        """Write acts as entries of our feed, all in one commit.

        `folded` are the heads of other feeds as our views show them. Raises `StoreFullError`,
        `LimitExceededError`; then nothing was written.
        """
        if self._unsure:
            self._reconcile()
        chain = self.chain
        head = chain.row.head
        entries: list[Entry] = []
        written: list[Written] = []
        stated = dict(self._stated)
        for act in acts:
            context = self._context(act, folded, stated)
            entry, records = self._entry(act, context, head.seq + len(entries) + 1)
            entries.append(entry)
            dot = Dot(chain.feed, head.seq + len(entries))
            written.append(Written(dot, records))
        hashes = follow(head, entries)
        self._journal.append(
            head.seq + 1,
            [
                seal_frame(self._journal_key, chain.feed, head.seq + 1 + index, entry, after)
                for index, (entry, after) in enumerate(zip(entries, hashes, strict=True))
            ],
        )
        self._commit(chain, entries, hashes[-1], stated)
        return written

    def _commit(
        self, chain: Chain, entries: list[Entry], last: bytes, stated: dict[FeedId, int]
    ) -> None:
        store = self._holding.store
        self._unsure = True
        with self._holding.transaction(durable=False):  # the journal has been fsynced
            self._append(chain, chain.row.head, entries, last)
            if stated != self._stated:
                store.put_note(STATED_NOTE, encode(stated))
        self._stated = stated
        self._unsure = False

    def _append(self, chain: Chain, head: Head, entries: list[Entry], last: bytes) -> None:
        store = self._holding.store
        new = Head(head.seq + len(entries), last)
        seal = encode_seal(make_seal(self._keys.signing, chain.feed, new.seq, last))
        store.append(chain.number, head, entries, b"")
        has_control = False
        for index, entry in enumerate(entries):
            if read_header(entry.header).kind == CONTROL:
                store.put_note(control_key(chain.number, head.seq + 1 + index), b"")
                has_control = True
        row = replace(chain.row, head=new, staged=new, seal=seal)
        self._holding.put(Chain(row, chain.declared))
        if has_control:
            self._holding.hear()

    def _context(
        self, act: Act, folded: Mapping[FeedId, Mark], stated: dict[FeedId, int]
    ) -> list[Mark]:
        """State the heads that moved.

        A control entry states those of control feeds again, and those of feeds of which it names
        entries: they may fork later.
        """
        control = self._holding.roster.control_feeds | _named_feeds(act.statements)
        context = []
        for feed, mark in sorted(folded.items()):
            again = bool(act.statements) and feed in control
            if feed != self.chain.feed and (mark.seq > stated.get(feed, 0) or again):
                context.append(Mark(feed, mark.seq, mark.hash[:SHORT_HASH_BYTES]))
                stated[feed] = mark.seq
        return context

    def _entry(self, act: Act, context: list[Mark], seq: int) -> tuple[Entry, tuple[RecordId, ...]]:
        timestamp = self._clock.now()
        salt = self._random(SALT_BYTES)
        feed = self.chain.feed
        if act.changeset is None:
            body = encode_statements(list(act.statements), salt)
            records: tuple[RecordId, ...] = ()
        else:
            body = encode_changeset(act.changeset, salt, feed)
            ids = new_record_ids(act.changeset, millis(timestamp), feed, seq, salt)
            records = tuple(ids)
        if len(body) > limits.ENTRY_BODY_BYTES_MAX:
            raise LimitExceededError("One capture is larger than its bound; split it.")
        kind = CONTROL if act.changeset is None else CHANGESET
        header = Header(timestamp, act.officer, self.schema, kind, context)
        return Entry.of(header, body), records

    schema: int = 1


def _named_feeds(statements: Sequence[Statement]) -> set[FeedId]:
    rows = [row for item in statements for row in getattr(item, "dots", ())]
    return {dot.feed for dot in read_dots(rows)}
