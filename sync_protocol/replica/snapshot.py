"""A snapshot, made by a whole replica and loaded by a partial one.

What holds:
* It is taken where the views stand: what is folded is in the records, what is not comes as entries.
* A partial replica folds, judges and writes from there on as a whole one does. What it can't judge
  anew from what it holds (a cut or an adoption below a floor) is left as it is, and a new snapshot
  is asked for: never half a record.
* Nothing that a device holds unsent is lost by loading one: a feed of which we hold more goes on
  from where the snapshot folded it. A snapshot older than what was let go of here is refused.
* Chunks are kept, encrypted, as they arrive. Loading is taken up again after a kill at any point,
  without the peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from sync_protocol import limits
from sync_protocol.errors import (
    BadSignatureError,
    FeedForkError,
    FeedGapError,
    MalformedMessageError,
    PeerError,
    WrongWardError,
)
from sync_protocol.identity import FeedId, RecordId
from sync_protocol.log.entry import SHORT_HASH_BYTES, Mark
from sync_protocol.log.feed import Head, SignedDeclaration, read_declaration
from sync_protocol.log.seal import check_seal, decode_seal
from sync_protocol.merge.state import decode_state
from sync_protocol.replica.holding import CONTROL_NOTE, Chain, Holding, control_key, kept_control
from sync_protocol.storage.store import ChainRow, Held, StoredRecord
from sync_protocol.wire.snapshot import (
    Manifest,
    Preface,
    Quarantined,
    Row,
    Start,
    address_of,
    check_chunk,
    read_manifest,
    read_preface,
    read_rows,
    write_manifest,
    write_preface,
    write_rows,
)

if TYPE_CHECKING:
    from sync_protocol.replica.replica import Replica

READY_NOTE = "snapshot-ready"
WANTED_NOTE = "snapshot-wanted"
_CHUNK_NOTE = "snapshot-chunk:"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A manifest, signed, and the chunks that it names."""

    manifest: bytes
    chunks: dict[bytes, bytes]

    @property
    def size(self) -> int:
        """All its bytes."""
        return len(self.manifest) + sum(map(len, self.chunks.values()))


# --- making one ---------------------------------------------------------------------------------


def make_snapshot(replica: Replica) -> Snapshot:
    """Take a snapshot of what the views show now. Holds the view lock: 0.3 s per 10,000 records."""
    with replica.view_lock:
        replica.follow()
        chunks: dict[bytes, bytes] = {}
        preface = _add(chunks, write_preface(_preface(replica)))
        names = [_add(chunks, write_rows(rows)) for rows in _groups(replica)]
        roster = replica.holding.roster
        manifest = Manifest(
            replica.keys.public,
            replica.holding.ward,
            replica.schema.version,
            roster.merge_version,
            replica.character.wall(),
            preface,
            names,
            replica.rooms.views.counts().records,
        )
    return Snapshot(write_manifest(replica.keys.signing, manifest), chunks)


def _add(chunks: dict[bytes, bytes], chunk: bytes) -> bytes:
    address = address_of(chunk)
    chunks[address] = chunk
    return address


def _groups(replica: Replica) -> Iterator[list[Row]]:
    """Yield the records in groups that are bounded by number and by bytes."""
    rows: list[Row] = []
    size = 0
    for stored in replica.rooms.views.scan():
        rows.append(Row(stored.id, stored.state, stored.pending))
        size += len(stored.state) + len(stored.pending)
        if len(rows) >= limits.SNAPSHOT_CHUNK_RECORDS or size >= limits.SNAPSHOT_CHUNK_FILL_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _preface(replica: Replica) -> Preface:
    holding, follower = replica.holding, replica.follower
    folded = {
        chain.number: (chain, follower.cursor(chain))
        for chain in holding.chains.values()
        if follower.cursor(chain)
    }
    index = {number: place for place, number in enumerate(folded)}
    starts = [_start(replica, chain, seq, index) for chain, seq in folded.values()]
    held = [
        Quarantined(index[row.chain], row.seq, row.reason, [bytes(item) for item in row.records])
        for row in replica.rooms.views.held()
    ]
    return Preface(starts, held)


def _start(replica: Replica, chain: Chain, seq: int, index: dict[int, int]) -> Start:
    holding = replica.holding
    known = holding.hash_at(chain, seq)
    if known is None:
        raise AssertionError("the views are at an entry that the log does not know")
    whole = chain.feed in holding.roster.control_feeds or holding.is_forked(chain.feed)
    seen = replica.follower.seen.get(chain.number, {})
    control = [] if whole else list(_control_entries(holding, chain, seq))
    return Start(
        chain.declared.raw,
        seq,
        known,
        chain.row.seal if seq == chain.row.head.seq else b"",
        whole,
        [(index[other], at) for other, at in sorted(seen.items()) if other in index and at],
        control,
    )


def _control_entries(
    holding: Holding, chain: Chain, through: int
) -> Iterator[tuple[int, bytes, bytes]]:
    for key in holding.store.notes(f"{CONTROL_NOTE}{chain.number:08d}:"):
        seq = int(key.rsplit(":", 1)[1])
        if seq <= through:
            for _, entry in holding.entries(chain, seq, seq):
                yield seq, entry.header, entry.body or b""


# --- keeping what arrives -----------------------------------------------------------------------


def kept_chunk(replica: Replica, address: bytes) -> bytes | None:
    """Return a chunk that came before."""
    return replica.rooms.log.note(_CHUNK_NOTE + address.hex())


def keep_chunk(replica: Replica, address: bytes, chunk: bytes) -> None:
    """Keep a chunk that came, durably. Raises `BadSignatureError`."""
    check_chunk(address, chunk)
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=True):
        store.put_note(_CHUNK_NOTE + address.hex(), chunk)


def forget_chunks(replica: Replica, but: frozenset[bytes] = frozenset()) -> None:
    """Forget chunks that no snapshot at hand names."""
    store = replica.rooms.log
    names = {_CHUNK_NOTE + address.hex() for address in but}
    with replica.lock, store.transaction(durable=True):
        for key in store.notes(_CHUNK_NOTE).keys() - names:
            store.put_note(key, None)


def is_wanted(replica: Replica) -> bool:
    """Whether something can't be judged from what is held, so that a new snapshot is needed."""
    return replica.rooms.log.note(WANTED_NOTE) is not None


def want(replica: Replica) -> None:
    """Ask for a new snapshot at the next exchange."""
    if not is_wanted(replica):
        store = replica.rooms.log
        with replica.lock, store.transaction(durable=False):
            store.put_note(WANTED_NOTE, b"1")


# --- loading one --------------------------------------------------------------------------------


def begin(replica: Replica, manifest: bytes) -> None:
    """Load a snapshot of which every chunk is kept. Raises `PeerError` kinds; then it is forgotten.

    `FeedGapError`: a feed that must be whole has not come so far yet.
    """
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=True):
        store.put_note(READY_NOTE, manifest)
    finish(replica)


def finish(replica: Replica) -> None:
    """Go on loading where a kill broke it off, if it did. Raises `PeerError` kinds."""
    raw = replica.rooms.log.note(READY_NOTE)
    if raw is None:
        return
    try:
        manifest = read_manifest(raw)
        preface = read_preface(_chunk(replica, manifest.preface))
        with replica.view_lock, replica.lock:
            chains = _Placing(replica.holding, replica.own).place(preface)
            _show(replica, manifest, preface, chains)
    except PeerError:
        _end(replica)
        raise
    _end(replica, done=True)
    replica.follow()


def _end(replica: Replica, *, done: bool = False) -> None:
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=True):
        store.put_note(READY_NOTE, None)
        if done:
            store.put_note(WANTED_NOTE, None)
    if done:
        forget_chunks(replica)


def _chunk(replica: Replica, address: bytes) -> bytes:
    chunk = kept_chunk(replica, address)
    if chunk is None:
        raise FeedGapError("A chunk of a snapshot is missing.")
    return chunk


class _Placing:
    """Sets chains where a snapshot begins."""

    def __init__(self, holding: Holding, own: Chain) -> None:
        self._holding = holding
        self._own = own

    def place(self, preface: Preface) -> list[Chain]:
        """Return the chain of each start; all in one durable transaction, or nothing."""
        declared = [read_declaration(start.declaration) for start in preface.starts]
        if any(item.declaration.ward != self._holding.ward for item in declared):
            raise WrongWardError("A snapshot is of another ward. Nothing was changed.")
        plan = [
            (self._check(start, item), start, item)
            for start, item in zip(preface.starts, declared, strict=True)
        ]
        self._check_rest({item.feed for item in declared})
        try:
            with self._holding.store.transaction(durable=True):
                chains = [
                    chain if chain is not None else self._jump(start, item)
                    for chain, start, item in plan
                ]
                for chain, start in zip(chains, preface.starts, strict=True):
                    if chain.purged and chain.row.floor.seq == start.seq:
                        seen = {chains[other].number: seq for other, seq in start.seen}
                        self._holding.put_floor_seen(chain, seen)
                self._check_hubs(chains)
        except BaseException:
            self._holding.reload()
            raise
        self._holding.hear()
        return chains

    def _check(self, start: Start, declared: SignedDeclaration) -> Chain | None:
        """Return the chain, where we hold it so far; None where it begins at the snapshot."""
        mark = Mark(declared.feed, start.seq, start.hash[:SHORT_HASH_BYTES])
        if start.seal:
            seal = decode_seal(start.seal)
            check_seal(seal, declared.declaration.device)
            if (seal.feed, seal.seq, seal.hash) != (declared.feed, start.seq, start.hash):
                raise MalformedMessageError("A snapshot's seal is not that of its feed.")
        found = self._holding.find(mark)
        if found is not None:
            return found
        known = self._holding.by_feed.get(declared.feed, [])
        if start.whole or (known and known[0].feed == self._own.feed):
            raise FeedGapError("A feed that must be whole has not come so far yet.")
        for chain in known:
            if chain.row.base_chain or start.seq <= chain.row.head.seq:
                older = start.seq < chain.row.floor.seq
                error = FeedGapError if older else FeedForkError
                raise error("A snapshot does not fit what is held here. Nothing was changed.")
        return None

    def _check_hubs(self, chains: list[Chain]) -> None:
        """What a hub says must come as entries, which prove it: no signer may speak for it."""
        self._holding.hear()
        hubs = self._holding.roster.hubs
        if any(chain.purged and chain.device in hubs for chain in chains):
            raise BadSignatureError("A snapshot lets its signer speak for the hub; it was refused.")

    def _check_rest(self, placed: set[FeedId]) -> None:
        """A feed that the snapshot does not know must be here whole, to be folded anew."""
        for chain in self._holding.chains.values():
            if chain.feed not in placed and chain.purged:
                raise FeedGapError("A snapshot is older than what is held here.")

    def _jump(self, start: Start, declared: SignedDeclaration) -> Chain:
        """Begin a feed at the snapshot; what was held of it before is let go of."""
        holding, store = self._holding, self._holding.store
        head = Head(start.seq, start.hash)
        known = holding.by_feed.get(declared.feed)
        if known:
            store.truncate(known[0].number, known[0].row.floor.seq)
        number = known[0].number if known else 0
        row = ChainRow(number, declared.raw, 0, 0, head, head, head, start.seal)
        chain = holding.put(Chain(row, declared))
        for seq, header, body in start.control:
            if not 0 < seq <= start.seq:
                raise MalformedMessageError("A snapshot's control entry is out of place.")
            store.put_note(control_key(chain.number, seq), kept_control(header, body))
        return chain


def _show(replica: Replica, manifest: Manifest, preface: Preface, chains: list[Chain]) -> None:
    """Put the views where the snapshot stands, in one transaction."""
    views, follower = replica.rooms.views, replica.follower
    stubs = False
    with views.transaction():
        views.reset()
        for address in manifest.chunks:
            rows = [stored_row(replica, row) for row in read_rows(_chunk(replica, address))]
            views.save([row for row, _ in rows])
            stubs = stubs or any(not made for _, made in rows)
        views.hold(
            [
                Held(chains[i.start].number, i.seq, i.reason, tuple(map(RecordId, i.records)))
                for i in preface.held
            ]
        )
        for start, chain in zip(preface.starts, chains, strict=True):
            seen = {chains[other].number: seq for other, seq in start.seen}
            follower.put_position(chain, start.seq, seen)
        follower.note_branches()
        if stubs:
            follower.note_stubs()
    follower.load()


def stored_row(replica: Replica, row: Row) -> tuple[StoredRecord, bool]:
    """Return what is stored of a record, and whether the entry that made it is known."""
    state = decode_state(row.state, row.pending)
    stored = replica.follower.projection.stored(row.id, state)
    return structs.replace(stored, state=row.state, pending=row.pending), state.made is not None
