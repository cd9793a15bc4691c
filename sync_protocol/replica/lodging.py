"""Chunks of scans that devices left here and no dossier names (yet): bounded, and not for ever.

A scan comes after its text, but its text may wait for a grant, or for review; so chunks are taken
in before anything here names them. What holds:

* A device has so much of them at most (`limits.LODGED_BYTES_MAX`), until a dossier names
  them.
* What was left in pieces and never named goes after a time. A chunk of a scan that was receipted
  stays whatever happens: the receipt said that it is held.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import LimitExceededError
from sync_protocol.identity import AttachmentId, DeviceKey
from sync_protocol.replica.replica import Replica

_NOTE = "lodged:"
_DAY_MS = 86_400_000
_LOOK_AGAIN_MS = 60_000


class Lodged(msgspec.Struct, array_like=True, frozen=True):
    """Who left a chunk, as part of which scan (empty: none), when, and whether it was receipted."""

    device: bytes
    scan: bytes
    at_ms: int
    size: int
    promised: bool = False


class Lodging:
    """What each device has left here. Safe for threads; its lock is taken before the replica's."""

    def __init__(self, replica: Replica) -> None:
        """Attach to a replica."""
        self._replica = replica
        self._bytes: dict[bytes, int] | None = None
        self._looked_ms: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def take(self, address: bytes, chunk: bytes, sender: DeviceKey, scan: AttachmentId) -> None:
        """Store a chunk. Raises `LimitExceededError` where nothing names it and it is too much."""
        replica = self._replica
        if replica.rooms.chunks.has(address):
            return
        if not (scan and replica.rooms.views.owners(scan)):
            with self._lock:
                self._lodge(address, len(chunk), sender, scan)
        replica.rooms.chunks.put(address, chunk)

    def _lodge(self, address: bytes, size: int, sender: DeviceKey, scan: AttachmentId) -> None:
        charged = max(size, limits.LODGED_CHUNK_BYTES_MIN)
        if self._of(sender) + charged > limits.LODGED_BYTES_MAX:
            self._look_again(sender)
        if self._of(sender) + charged > limits.LODGED_BYTES_MAX:
            raise LimitExceededError(
                "This device has left more scans here than wait for their dossiers. They are safe "
                "on it; they are taken in once their dossiers count here."
            )
        row = Lodged(sender, scan, self._replica.character.wall(), charged)
        _keep(self._replica, {address: row})
        self._bytes = {**self._all(), sender: self._of(sender) + charged}

    def _all(self) -> dict[bytes, int]:
        if self._bytes is None:
            self._bytes = {}
            for row in lodged(self._replica).values():
                self._bytes[row.device] = self._bytes.get(row.device, 0) + row.size
        return self._bytes

    def _of(self, sender: DeviceKey) -> int:
        return self._all().get(sender, 0)

    def _look_again(self, sender: DeviceKey) -> None:
        """Count anew, now that views may have taken in what names them; now and then only."""
        now = self._replica.character.wall()
        if abs(now - self._looked_ms.get(sender, 0)) >= _LOOK_AGAIN_MS:
            self._looked_ms[sender] = now
            self._replica.follow()
            forget_named(self._replica)
            self._bytes = None


def lodged(replica: Replica) -> dict[bytes, Lodged]:
    """Return what was left here, by address."""
    notes = replica.rooms.log.notes(_NOTE)
    return {bytes.fromhex(key[len(_NOTE) :]): decode(raw, Lodged) for key, raw in notes.items()}


def promise(replica: Replica, scan: AttachmentId, chunks: Iterable[bytes]) -> None:
    """Remember, before a scan is receipted, that its chunks stay."""
    found = {}
    for address in chunks:
        raw = replica.rooms.log.note(_NOTE + address.hex())
        row = None if raw is None else decode(raw, Lodged)
        if row is not None and not row.promised:
            found[address] = Lodged(row.device, scan, row.at_ms, row.size, True)
    if found:
        _keep(replica, dict(found))


def forget_named(replica: Replica) -> int:
    """What some dossier names is left by nobody; return how many chunks that are."""
    rows = lodged(replica)
    scans = {row.scan for row in rows.values() if row.scan}
    named = {scan for scan in scans if replica.rooms.views.owners(AttachmentId(scan))}
    found = [address for address, row in rows.items() if row.scan in named]
    _keep(replica, dict.fromkeys(found))
    return len(found)


def sweep_lodged(replica: Replica) -> int:
    """Remove what was left long ago, never named and never receipted; return how many chunks."""
    replica.follow()
    forget_named(replica)
    before = replica.character.wall() - limits.LODGED_DAYS * _DAY_MS
    with replica.lock:  # nobody is promised meanwhile what goes
        rows = lodged(replica)
        old = [at for at, row in rows.items() if row.at_ms < before and not row.promised]
        for address in old:
            replica.rooms.chunks.remove(address)
        _keep(replica, dict.fromkeys(old))
    return len(old)


def _keep(replica: Replica, rows: dict[bytes, Lodged] | dict[bytes, None]) -> None:
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        for address, row in rows.items():
            fields = None if row is None else msgspec.to_builtins(row, builtin_types=(bytes,))
            store.put_note(_NOTE + address.hex(), None if fields is None else encode(fields))
