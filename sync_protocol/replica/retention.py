"""What a tablet lets go of: what is closed, old, and safe elsewhere.

What holds:
* Only a tablet lets go of anything. A copy goes only when an edge and the hub hold it, or the hub's
  receipt says that it is backed up: every entry of the dossier, and every chunk of its scans. A
  receipt of a hub's or edge's older incarnation counts for nothing.
* A closed dossier's scan keys go at once: the ward's key opens its scans, this tablet does not.
* What is let go of is a stub: to be fetched before it is shown, never half a record.
* The log is let go of by whole blocks below a floor, where all entries are folded, old and safe.
  What control entries said stays known; control feeds and forked feeds stay whole.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from msgspec import structs

from sync_protocol import limits
from sync_protocol.attachment import Manifest
from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.log.entry import read_header
from sync_protocol.log.feed import Head
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.merge.stub import is_stub, make_stub
from sync_protocol.replica.fetching import fetched_ms, forget_fetched
from sync_protocol.replica.holding import Chain, control_key, kept_control
from sync_protocol.replica.replica import SCAN_KEY_NOTE, Replica
from sync_protocol.storage.store import StoredRecord

_DAY_MS = 86_400_000


@dataclass(slots=True)
class LetGo:
    """What went: records that became stubs, chunks, scan keys, entries of the log."""

    records: int = 0
    chunks: int = 0
    keys: int = 0
    entries: int = 0


def sweep(replica: Replica, closed: Collection[str], days: int = limits.RETENTION_DAYS) -> LetGo:
    """Let go of what may go. `closed` are the facets (statuses) after which nothing is expected."""
    gone = LetGo()
    if replica.holding.roster.role_of(replica.keys.public) != g.TABLET:
        return gone
    before_ms = replica.character.wall() - days * _DAY_MS
    with replica.view_lock:
        replica.follow()
        for row in list(replica.rooms.views.scan()):
            if row.facet in closed and not row.disputes:
                _sweep_record(replica, row, before_ms, gone)
        for chain in list(replica.holding.chains.values()):
            gone.entries += _raise_floor(replica, chain, before_ms)
    return gone


# --- one record ---------------------------------------------------------------------------------


def _sweep_record(replica: Replica, row: StoredRecord, before_ms: int, gone: LetGo) -> None:
    state = decode_state(row.state, row.pending)
    if is_stub(state):
        return
    kind = replica.schema.by_id.get(state.type)
    manifests: list[Manifest] = []
    if kind is not None:
        manifests = replica.follower.projection.manifests(kind, state)
    gone.keys += _forget_keys(replica, manifests)
    if state.made is None or row.pending or millis(_newest(state)) > before_ms:
        return
    if fetched_ms(replica, row.id) > before_ms:
        return  # somebody asked for it: it stays as long as one that was edited then
    if not _is_safe(replica, state, manifests):
        return
    others = {m.id for m in manifests if set(replica.rooms.views.owners(m.id)) - {row.id}}
    views = replica.rooms.views
    with views.transaction():
        stub = replica.follower.projection.stored(row.id, make_stub(state))
        views.save([structs.replace(stub, facet=row.facet, order=row.order, claims=row.claims)])
    gone.records += 1
    forget_fetched(replica, row.id)
    _forget_scans(replica, [m for m in manifests if m.id not in others], gone)


def _newest(state: RecordState) -> int:
    times = [item.timestamp for cell in state.cells.values() for item in cell.values()]
    return max([state.timestamp, *times])


def _is_safe(replica: Replica, state: RecordState, manifests: list[Manifest]) -> bool:
    for dot in state.dots():
        chain = replica.holding.locate(dot)
        if chain is None or not replica.receipts.safety(chain, dot.seq).may_be_deleted:
            return False
    return all(replica.receipts.scan_safety(item.id).may_be_deleted for item in manifests)


def _forget_keys(replica: Replica, manifests: list[Manifest]) -> int:
    """Forget the scan keys of a closed dossier."""
    store = replica.rooms.log
    names = [SCAN_KEY_NOTE + item.id.hex() for item in manifests]
    found = [name for name in names if store.note(name) is not None]
    if found:
        with replica.lock, store.transaction(durable=False):
            for name in found:
                store.put_note(name, None)
    return len(found)


def _forget_scans(replica: Replica, manifests: list[Manifest], gone: LetGo) -> None:
    replica.scans.done([item.id for item in manifests])
    for item in manifests:
        for address in item.chunks:
            if replica.rooms.chunks.has(address):
                replica.rooms.chunks.remove(address)
                gone.chunks += 1


# --- the log ------------------------------------------------------------------------------------


def _raise_floor(replica: Replica, chain: Chain, before_ms: int) -> int:
    """Let go of the whole blocks of a chain that may go; return how many entries went."""
    holding = replica.holding
    if chain.feed in holding.roster.control_feeds or holding.is_forked(chain.feed):
        return 0
    step = limits.BLOCK_ENTRIES
    low = chain.row.floor.seq // step
    high = min(replica.follower.cursor(chain), chain.row.head.seq - 1) // step
    while low < high:  # safety and age are monotone along a chain
        middle = (low + high + 1) // 2
        if _may_go(replica, chain, middle * step, before_ms):
            low = middle
        else:
            high = middle - 1
    through = low * step
    if through <= chain.row.floor.seq:
        return 0
    return _let_go(replica, chain, through)


def _may_go(replica: Replica, chain: Chain, seq: int, before_ms: int) -> bool:
    if not replica.receipts.safety(chain, seq).may_be_deleted:
        return False
    for _, entry in replica.holding.entries(chain, seq, seq):
        try:
            return millis(read_header(entry.header).timestamp) <= before_ms
        except PeerError:
            return False
    return False


def _let_go(replica: Replica, chain: Chain, through: int) -> int:
    holding, store = replica.holding, replica.rooms.log
    known = holding.hash_at(chain, through)
    if known is None:
        return 0
    floor = chain.row.floor.seq
    seen = holding.floor_seen(chain)
    control = store.notes(control_key(chain.number, 0)[:-16])
    with replica.lock, store.transaction(durable=True):
        for seq, entry in list(holding.entries(chain, floor + 1, through)):
            replica.follower.take_context(entry, seen)
            key = control_key(chain.number, seq)
            if key in control:
                store.put_note(key, kept_control(entry.header, entry.body or b""))
        row = replace(chain.row, floor=Head(through, known))
        kept = holding.put(Chain(row, chain.declared))
        holding.put_floor_seen(kept, seen)
        store.drop(chain.number, through)
    return through - floor
