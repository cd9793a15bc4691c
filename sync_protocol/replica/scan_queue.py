"""`ScanQueue`: which scans must still travel, kept until they are where they must be.

What holds: a scan that the views show, and that is not safe, has a note in the log until it is. The
queue counts its changes on both sides, log and views: one that was lost with the log's newest
commits is noticed at the next opening, and the views are made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from sync_protocol.attachment import Manifest, attachment_id
from sync_protocol.encoding import decode, encode
from sync_protocol.identity import AttachmentId, DeviceKey
from sync_protocol.membership.grant import HUB
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica.character import Rooms
from sync_protocol.replica.follow import Follower
from sync_protocol.replica.receipts import Receipts

_NOTE = "scan:"
_COUNT_NOTE = "scans-queued"
_AGAIN_NOTE = "scans-again"
_CURSOR = "scans"


class ScanQueue:
    """The scans of one replica that are not safe yet. As safe for threads as `lock` makes it."""

    def __init__(
        self,
        rooms: Rooms,
        lock: AbstractContextManager[object],
        follower: Follower,
        receipts: Receipts,
        device: DeviceKey,
    ) -> None:
        """Attach to what a replica rests on; the follower's new scans come here from now on."""
        self._rooms = rooms
        self._lock = lock
        self._follower = follower
        self._receipts = receipts
        self._device = device
        follower.on_scans = self.add

    def waiting(self) -> dict[AttachmentId, list[bytes]]:
        """Return the scans that are not yet safe: id to chunk addresses."""
        notes = self._rooms.log.notes(_NOTE)
        found = (decode(value, list[bytes]) for value in notes.values())
        return {attachment_id(chunks): chunks for chunks in found}

    def holds(self, chunks: Sequence[bytes]) -> bool:
        """Whether every chunk is here."""
        return all(self._rooms.chunks.has(address) for address in chunks)

    def was_lost(self) -> bool:
        """Whether the views know of more changes to the queue than the log: it lost its end."""
        return self._rooms.views.cursors().get(_CURSOR, 0) > self._count()

    def add(self, states: Sequence[RecordState]) -> None:
        """Queue the scans of these records that are not safe."""
        schema = self._follower.schema
        queue: dict[AttachmentId, list[bytes]] = {}
        for state in states:
            for manifest in self._follower.projection.manifests(schema.by_id[state.type], state):
                if self._must_travel(manifest):
                    queue[manifest.id] = manifest.chunks
        if queue:
            count = self._count() + 1
            self._put({**_notes(queue), _COUNT_NOTE: encode(count)})
            self._rooms.views.put_cursor(_CURSOR, count)

    def put(self, scans: Mapping[AttachmentId, list[bytes]]) -> None:
        """Queue these scans, whether they are safe or not."""
        self._put(_notes(scans))

    def again(self, scan: AttachmentId, chunks: list[bytes], lacks: DeviceKey) -> None:
        """A scan that is whole here must travel again: `lacks` has it no longer."""
        if not self._is_erased(chunks):
            with self._lock, self._rooms.log.transaction(durable=False):
                self._receipts.forget_scan(scan, lacks)
                self._rooms.log.put_note(_NOTE + scan.hex(), encode(chunks))

    def done(self, scans: Iterable[AttachmentId]) -> None:
        """These are where they must be, or gone for good: they need not travel any more."""
        self._put({_NOTE + scan.hex(): None for scan in scans})

    def doubt_all(self) -> None:
        """See to it that `look_again` looks; inside a transaction of the log."""
        self._rooms.log.put_note(_AGAIN_NOTE, b"")

    def look_again(self) -> None:
        """Queue every scan that is not safe, if `doubt_all` asked; the views must have followed."""
        if self._rooms.log.note(_AGAIN_NOTE) is None:
            return
        rows = [row for row in self._rooms.views.scan() if row.attachments]
        with self._rooms.views.transaction():
            for row in rows:
                self.add([decode_state(row.state, row.pending)])
        self._put({_AGAIN_NOTE: None})

    def _put(self, notes: Mapping[str, bytes | None]) -> None:
        if notes:
            with self._lock, self._rooms.log.transaction(durable=False):
                for key, value in notes.items():
                    self._rooms.log.put_note(key, value)

    def _count(self) -> int:
        note = self._rooms.log.note(_COUNT_NOTE)
        return 0 if note is None else decode(note, int)

    def _must_travel(self, manifest: Manifest) -> bool:
        if self._is_erased(manifest.chunks):
            return False
        if not self.holds(manifest.chunks):
            return True
        is_hub = self._follower.holding.roster.role_of(self._device) == HUB
        return not is_hub and not self._receipts.scan_safety(manifest.id).hub

    def _is_erased(self, chunks: Iterable[bytes]) -> bool:
        return bool(self._follower.holding.roster.erased_chunks.intersection(chunks))


def _notes(scans: Mapping[AttachmentId, list[bytes]]) -> dict[str, bytes | None]:
    return {_NOTE + scan.hex(): encode(chunks) for scan, chunks in scans.items()}
