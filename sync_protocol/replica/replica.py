"""`Replica`: one ward as one device holds it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from sync_protocol.attachment import attachment_id, seal_scan
from sync_protocol.clock import HybridLogicalClock
from sync_protocol.errors import AccessError, InputError, NotEnrolledError, PeerError
from sync_protocol.identity import (
    ID_BYTES,
    AttachmentId,
    DeviceKey,
    Dot,
    FeedId,
    OfficerId,
    RecordId,
)
from sync_protocol.log.entry import Mark
from sync_protocol.membership.grant import HUB, Statement
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.merge.stub import state_digest
from sync_protocol.record.change import Changeset, RecordChange
from sync_protocol.replica import snapshot
from sync_protocol.replica.author import Act, Author, Written
from sync_protocol.replica.character import Character, Digest, Rooms
from sync_protocol.replica.fetching import want_records
from sync_protocol.replica.follow import Follower
from sync_protocol.replica.holding import Chain, Holding
from sync_protocol.replica.ingest import Admission, Intake, Offer
from sync_protocol.replica.projection import Projection
from sync_protocol.replica.receipts import Receipts
from sync_protocol.replica.rejudge import Rejudge
from sync_protocol.replica.scan_queue import ScanQueue
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView

SCAN_KEY_NOTE = "scan-key:"
_SUPERSEDED_NOTE = "superseded:"
_ID_DIGITS = 2 * ID_BYTES


class Replica:
    """One ward as one device holds it. `write` and `ingest` are the only entrances.

    Safe for threads. A log lock orders what is written, a view lock orders the fold; whoever needs
    both takes the view lock first.
    """

    def __init__(self, rooms: Rooms, character: Character) -> None:
        """Open: bring journal and log together, apply erasures, read the cursors."""
        self.rooms = rooms
        self.character = character
        self.keys = character.keys
        self.schema = character.schema
        self.lock = threading.RLock()
        self.view_lock = threading.RLock()
        note = rooms.log.note("clock")
        self.clock = HybridLogicalClock(character.wall, int.from_bytes(note or b"", "big"))
        self.holding = Holding(rooms.log, character.ward, character.root)
        self.author = Author(
            self.holding, rooms.journal, rooms.journal_key, self.keys, self.clock, character.random
        )
        self.author.schema = character.schema.version
        self.author.open()
        self.receipts = Receipts(self.holding, self.keys)
        projection = Projection(character.schema, character.fold_text, self._is_suspect)
        self.follower = Follower(self.holding, rooms.views, character.schema, projection)
        self.scans = ScanQueue(rooms, self.lock, self.follower, self.receipts, self.keys.public)
        self.rejudge = Rejudge(self.follower)
        self.rejudge.on_lost = partial(snapshot.want, self)
        self.follower.on_stubs = partial(want_records, self)
        self._erase_again()
        with suppress(PeerError):
            snapshot.finish(self)
        stale = self.follower.is_of_another_schema()
        if self.scans.was_lost() or stale or self.follower.is_ahead():
            self.rebuild()
        elif not rooms.views.cursors():
            with rooms.views.transaction():
                self.follower.note_branches()

    def _is_suspect(self, dot: Dot) -> bool:
        return self.holding.roster.is_suspect(dot)  # of the roster as it is now

    def _erase_again(self) -> None:
        """Carry out every erasure heard of: a crash may have come in between."""
        roster = self.holding.roster
        found = [(dot, self.holding.locate(dot), self.holding.entry(dot)) for dot in roster.erased]
        bodies = [
            (dot, chain)
            for dot, chain, entry in found
            if chain is not None and entry is not None and entry.body is not None
        ]
        if bodies:
            with self.rooms.log.transaction(durable=True):
                for dot, chain in bodies:
                    self.rooms.log.erase(chain.number, [dot.seq])
        if any(chain.number == self.own.number for _, chain in bodies):
            self.author.new_incarnation("erasure", forget=True)
        for address in roster.erased_chunks:
            self.rooms.chunks.remove(address)

    def close(self) -> None:
        """Close what the replica rests on."""
        with self.view_lock, self.lock:
            self.rooms.journal.close()
            self.rooms.views.close()
            self.rooms.log.close()

    # --- writing --------------------------------------------------------------------------------

    @property
    def own(self) -> Chain:
        """Our own feed's chain."""
        return self.author.chain

    def is_enrolled(self) -> bool:
        """Whether this device holds a grant for the ward, as far as it knows."""
        return self.holding.roster.role_of(self.keys.public) is not None

    def is_hub(self) -> bool:
        """Whether this replica is the city's."""
        return self.holding.roster.role_of(self.keys.public) == HUB

    def write(self, changes: Sequence[RecordChange], officer: OfficerId) -> Written:
        """Save one act of capture. When this returns it is safe on this device, and folded.

        Raises `InputError` kinds for what the schema or the role does not allow, `StoreFullError`.
        """
        return self.write_many([Act(officer, Changeset(tuple(changes)))])[0]

    def write_many(self, acts: Sequence[Act]) -> list[Written]:
        """Save many acts in one commit: all are safe when this returns."""
        if not acts:
            return []
        if not self.is_enrolled():
            raise NotEnrolledError(
                "This device is not enrolled yet. Enrol it with an invitation; nothing was saved."
            )
        folded = self.follower.marks()
        with self.lock:
            written = self.author.write(acts, folded)
        with self.view_lock:
            while self.follower.follow_chain(self.own):
                pass
        return written

    def say(self, statements: Sequence[Statement], officer: OfficerId) -> Written:
        """Write control statements into our feed. Whether they count is for the roster to say."""
        folded = self.follower.marks()
        with self.lock:
            written = self.author.write([Act(officer, None, tuple(statements))], folded)[0]
        self.carry_out_erasures()
        self.follow()
        return written

    # --- scans ------------------------------------------------------------------------------------

    def attach(self, plain: bytes, media_type: str) -> bytes:
        """Seal a scan and store its chunks; return the manifest that goes into the dossier.

        Raises `AttachmentRefusedError`, `StoreFullError`, and `AccessError` where the ward has no
        key yet.
        """
        ward_key = self.holding.roster.ward_key()
        if ward_key is None:
            raise AccessError("The ward has no key for scans yet: let this device sync once.")
        sealed = seal_scan(plain, media_type, [ward_key.public, ward_key.recovery])
        for address, chunk in sealed.chunks.items():
            self.rooms.chunks.put(address, chunk)
        key = SCAN_KEY_NOTE + attachment_id(list(sealed.chunks)).hex()
        with self.lock, self.rooms.log.transaction(durable=False):
            self.rooms.log.put_note(key, sealed.key)  # until the dossier is closed and safe
        return sealed.manifest

    # --- taking in --------------------------------------------------------------------------------

    def intake(
        self, declarations: Sequence[bytes], seals: Sequence[bytes], by: DeviceKey | None = None
    ) -> Intake:
        """Begin to take in what a peer brings. Hold `lock` until `finish` has returned.

        `by` names who brings it, where that is not the peer that this device has chosen itself.
        """
        doubted = by is not None and not self.holding.roster.relays(by)
        return Intake(self.holding, self.clock, declarations, seals, doubted=doubted)

    def ingest(
        self, declarations: Sequence[bytes], seals: Sequence[bytes], offers: Sequence[Offer]
    ) -> Admission:
        """Take in a whole message at once."""
        with self.lock:
            intake = self.intake(declarations, seals)
            for offer in offers:
                intake.take(offer)
            return self.after(intake.finish())

    def after(self, admission: Admission) -> Admission:
        """Do what an admission asks for: a fork or a copy of ourselves changes how we go on."""
        own = self.own.feed
        if own in admission.moved or own in admission.forked:
            with self.lock:
                self.author.new_incarnation("copy-of-this-device-seen")
        if admission.moved:
            self.carry_out_erasures()
            self._offer_again(admission.moved)
        return admission

    def _offer_again(self, feeds: Iterable[FeedId]) -> None:
        """A hub that opens a new incarnation may have lost scans that its old receipts spoke of.

        So every scan that is not safe by the receipts that count now travels again. Each such feed
        is heard once; a note sees to it that a crash in between loses nothing.
        """
        fresh = [
            chain.feed
            for feed in feeds
            for chain in self.holding.by_feed.get(feed, ())
            if chain.declared.declaration.supersedes is not None
            and chain.row.head.seq
            and chain.device != self.keys.public
            and self.holding.roster.role_of(chain.device) == HUB
            and self.rooms.log.note(_SUPERSEDED_NOTE + chain.feed.hex()) is None
        ]
        if fresh:
            with self.lock, self.rooms.log.transaction(durable=True):
                self.scans.doubt_all()
                for feed in fresh:
                    self.rooms.log.put_note(_SUPERSEDED_NOTE + feed.hex(), b"")

    def carry_out_erasures(self) -> None:
        """Forget what an erasure names, as soon as it is heard."""
        with self.lock:
            self._erase_again()

    # --- following --------------------------------------------------------------------------------

    def follow(self, entries_max: int = 1 << 60) -> int:
        """Let the views follow the log; return how many entries they took in."""
        with self.view_lock:
            if self.follower.parted():  # a fork gives new names to entries that were folded before
                self.rebuild()
            count = self.follower.follow(entries_max)
            self.scans.look_again()
            return count

    def rebuild(self) -> None:
        """Forget the views and make them anew from the log; a partial log needs a new snapshot."""
        with self.view_lock:
            if self.holding.is_partial():
                snapshot.want(self)
                with self.rooms.views.transaction():
                    self.follower.note_branches()
                return
            with self.rooms.views.transaction():
                self.rooms.views.reset()
                self.follower.note_branches()
            self.follower.load()
            self.follower.follow()

    # --- reading ----------------------------------------------------------------------------------

    def read(self, record: RecordId) -> RecordView | None:
        """Return a record as a person reads it, or None where there is none."""
        stored = self.rooms.views.load([record]).get(record)
        if stored is None:
            return None
        return self.follower.projection.view(record, decode_state(stored.state, stored.pending))

    def find(self, query: Query) -> list[RecordView]:
        """Return one page of records."""
        return [
            self.follower.projection.view(row.id, decode_state(row.state, row.pending))
            for row in self.rooms.views.find(query)
        ]

    def resolve_id(self, prefix: str) -> RecordId:
        """Find the one record whose id begins with `prefix` (hex). Raises `InputError`.

        One that is written out whole need not be here.
        """
        text = prefix.strip().lower()
        if len(text) == _ID_DIGITS:
            return RecordId(bytes.fromhex(text))
        found = self.ids_beginning(text)
        if len(found) != 1:
            raise InputError(
                "No dossier has that id." if not found else "Several dossiers begin with that id."
            )
        return found[0]

    def ids_beginning(self, prefix: str) -> list[RecordId]:
        """Return ids of records that begin with `prefix` (hex): two, where there are more.

        Raises `ValueError` where it is not hexadecimal.
        """
        if len(prefix) > _ID_DIGITS:
            return []
        first, last = (bytes.fromhex(prefix.ljust(_ID_DIGITS, fill)) for fill in "0f")
        return self.rooms.views.ids(RecordId(first), RecordId(last), 2)

    def digest(self) -> Digest:
        """Return frontier, number of records and the hash over their canonical states, by id."""
        total = hashlib.sha256()
        count = 0
        for row in self.rooms.views.scan():
            total.update(row.id + state_digest(row.state))
            count += 1
        return Digest(self.holding.frontier_root().hex(), count, total.hexdigest())

    def receipt(self, scans: Sequence[AttachmentId] = ()) -> bytes:
        """Return our signed receipt for what is durably held now."""
        chains = self.holding.chains
        held = [(chains[row.chain], row.seq) for row in self.rooms.views.held()]
        with self.lock:
            self.holding.make_durable()  # somebody's push may be half way in
            return self.receipts.write(self.own, self.clock.now(), held, scans)

    def marks(self) -> Mapping[FeedId, Mark]:
        """Return the heads that the views show."""
        return self.follower.marks()

    def tidy_journal(self) -> None:
        """Drop from the capture journal what two other holders have receipted."""
        with self.lock:
            through = self.receipts.safe_through(self.own)
            if through:
                self.rooms.journal.drop(through)

    def states(self) -> Iterator[tuple[RecordId, RecordState]]:
        """Yield every record's state, by id."""
        for row in self.rooms.views.scan():
            yield row.id, decode_state(row.state, row.pending)
