"""Who else holds what: receipts kept, and what they allow.

What holds: a receipt counts only if its holder has a role in this ward and its incarnation was not
superseded; the newest of each holder is kept, and relayed. One that counts replaces one that does
not, whatever the holder's clock says. A copy may be deleted only when an edge
and the hub hold it, or the hub says that it is backed up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import NotAdmittedError, PeerError, WrongWardError
from sync_protocol.identity import AttachmentId, DeviceKey
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.replica.holding import Chain, Holding
from sync_protocol.wire.receipt import (
    HELD_SHOWN_MAX,
    Receipt,
    read_receipt,
    write_receipt,
)

BACKED_UP_NOTE = "backed-up"
"""How far a backup of this replica reaches: a list of marks, written by whoever made it."""
_NOTE = "receipt:"
_SCAN_AT = "scan-at:"
_SCAN_RECEIPT = "scan-receipt:"


@dataclass(frozen=True, slots=True)
class Safety:
    """Where an entry or scan is held besides this device."""

    edges: frozenset[DeviceKey] = frozenset()
    hub: bool = False
    backed_up: bool = False

    @property
    def may_be_deleted(self) -> bool:
        """Whether law 1 allows to delete the copy here."""
        return (self.hub and bool(self.edges)) or self.backed_up


class Receipts:
    """Receipts of other replicas, and ours for them."""

    def __init__(self, holding: Holding, keys: DeviceKeys) -> None:
        """Read what is kept."""
        self._holding = holding
        self._keys = keys
        self._raw: dict[DeviceKey, bytes] = {}
        self._read: dict[DeviceKey, Receipt] = {}
        for raw in holding.store.notes(_NOTE).values():
            self._keep(raw, read_receipt(raw))

    def _keep(self, raw: bytes, receipt: Receipt) -> None:
        self._raw[receipt.holder] = raw
        self._read[receipt.holder] = receipt

    # --- those of others ------------------------------------------------------------------------

    def take(self, raw: bytes) -> Receipt:
        """Keep a receipt if it is the newest of its holder. Raises `PeerError` kinds."""
        receipt = read_receipt(raw)
        if receipt.ward != self._holding.ward:
            raise WrongWardError("A receipt is for another ward.")
        role = self._holding.roster.role_of(receipt.holder)
        if role not in (g.HUB, g.EDGE) or role != receipt.role:
            raise NotAdmittedError("A receipt comes from nobody who may hold this ward.")
        known = self._read.get(receipt.holder)
        store = self._holding.store
        with store.transaction(durable=False):
            if receipt.scans:
                name = hashlib.sha256(raw).digest()[:16]
                store.put_note(_SCAN_RECEIPT + name.hex(), raw)
                for scan in receipt.scans:
                    self._take_scan(scan, receipt, name)
            elif known is None or self._replaces(receipt, known):
                store.put_note(_NOTE + receipt.holder.hex(), raw)
                self._keep(raw, receipt)
        return receipt

    def _replaces(self, receipt: Receipt, known: Receipt) -> bool:
        """Whether a receipt is newer. A restored holder's clock may be behind its former self's."""
        if receipt.incarnation != known.incarnation:
            return receipt.incarnation not in self._superseded(receipt.holder)
        return known.time <= receipt.time

    def _take_scan(self, scan: AttachmentId, receipt: Receipt, name: bytes) -> None:
        where = self._scan_at(scan)
        where[receipt.holder] = [receipt.incarnation, name]
        self._holding.store.put_note(_SCAN_AT + scan.hex(), encode(where))

    def forget_scan(self, scan: AttachmentId, holder: DeviceKey) -> None:
        """The holder says itself that it has the scan no longer."""
        where = self._scan_at(scan)
        if where.pop(holder, None) is not None:
            self._holding.store.put_note(_SCAN_AT + scan.hex(), encode(where))

    def _scan_at(self, scan: AttachmentId) -> dict[bytes, list[bytes]]:
        note = self._holding.store.note(_SCAN_AT + scan.hex())
        return decode(note, dict[bytes, list[bytes]]) if note else {}

    def relayed_scans(self, scans: Iterable[AttachmentId], but: DeviceKey) -> list[bytes]:
        """Return the receipts of others for these scans, for relaying to `but`."""
        names = {
            name
            for scan in scans
            for holder, (_, name) in self._scan_at(scan).items()
            if holder not in (but, self._keys.public)
        }
        notes = (self._holding.store.note(_SCAN_RECEIPT + name.hex()) for name in sorted(names))
        return [raw for raw in notes if raw]

    def relayed(self, but: DeviceKey) -> list[bytes]:
        """Return the newest receipts of all others, for relaying to `but`."""
        return [raw for holder, raw in self._raw.items() if holder not in (but, self._keys.public)]

    def counts(self, receipt: Receipt) -> bool:
        """Whether a receipt's holder still is what it was: same role, incarnation not replaced."""
        if self._holding.roster.role_of(receipt.holder) != receipt.role:
            return False
        if self._holding.roster.revoked(receipt.holder) is not None:
            return False
        return receipt.incarnation not in self._superseded(receipt.holder)

    def _superseded(self, holder: DeviceKey) -> set[bytes]:
        chains = [c for c in self._holding.chains.values() if c.device == holder]
        replaced = {
            c.declared.declaration.supersedes.feed
            for c in chains
            if c.declared.declaration.supersedes is not None
        }
        return {c.declared.declaration.incarnation for c in chains if c.feed in replaced}

    def newest(self, holder: DeviceKey) -> Receipt | None:
        """Return the newest receipt of a holder that counts."""
        found = self._read.get(holder)
        return found if found is not None and self.counts(found) else None

    # --- what they allow ------------------------------------------------------------------------

    def safety(self, chain: Chain, seq: int) -> Safety:
        """Return where an entry is held, by the receipts that count."""
        edges = set()
        hub = backed_up = False
        for receipt in self._read.values():
            if receipt.holder == self._keys.public or not self.counts(receipt):
                continue
            if self._covers(receipt.frontier, chain, seq):
                if receipt.role == g.HUB:
                    hub = True
                    backed_up = backed_up or self._covers(receipt.backed_up, chain, seq)
                else:
                    edges.add(receipt.holder)
        return Safety(frozenset(edges), hub, backed_up)

    def _covers(self, frontier: Iterable[Mark], chain: Chain, seq: int) -> bool:
        return any(
            mark.feed == chain.feed
            and mark.seq >= seq
            and (
                mark.seq > chain.row.head.seq
                or self._holding.short_hash_at(chain, mark.seq) == mark.hash
            )
            for mark in frontier
        )

    def safe_through(self, chain: Chain) -> int:
        """Return the last seq of our own chain that two other holders, or a backup, have."""
        marks = {
            mark.seq
            for r in self._read.values()
            for mark in [*r.frontier, *r.backed_up]
            if mark.feed == chain.feed and mark.seq <= chain.row.head.seq
        }
        for seq in sorted(marks, reverse=True):
            found = self.safety(chain, seq)
            if found.may_be_deleted or len(found.edges) + found.hub > 1:
                return seq
        return 0

    def scan_safety(self, scan: AttachmentId) -> Safety:
        """Return where a scan is held whole, by the receipts that count."""
        edges = set()
        hub = False
        for holder, (incarnation, _) in self._scan_at(scan).items():
            key = DeviceKey(holder)
            role = self._holding.roster.role_of(key)
            if incarnation in self._superseded(key) or self._holding.roster.revoked(key):
                continue
            if role == g.HUB:
                hub = True
            elif role == g.EDGE and key != self._keys.public:
                edges.add(key)
        return Safety(frozenset(edges), hub)

    # --- ours ------------------------------------------------------------------------------------

    def write(
        self,
        own: Chain,
        time: int,
        held: Iterable[tuple[Chain, int]] = (),
        scans: Iterable[AttachmentId] = (),
    ) -> bytes:
        """Return our receipt for what the log holds now, or for `scans` alone.

        What it says must have been made durable before.
        """
        role = self._holding.roster.role_of(self._keys.public) or g.TABLET
        backed = self._holding.store.note(BACKED_UP_NOTE)
        rows = [[chain.feed, seq] for chain, seq in held][:HELD_SHOWN_MAX]
        named = list(scans)
        receipt = Receipt(
            self._keys.public,
            role,
            self._holding.ward,
            own.declared.declaration.incarnation,
            time,
            [] if named else self._holding.frontier(),
            decode(backed, list[Mark]) if backed and not named else [],
            rows,
            named,
        )
        return write_receipt(self._keys.signing, receipt)


def try_take(receipts: Receipts, raw: bytes) -> PeerError | None:
    """Take a relayed receipt; a bad one is returned and harms nothing."""
    try:
        receipts.take(raw)
    except PeerError as problem:
        return problem
    return None
