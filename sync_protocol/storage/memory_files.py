"""Scan chunks and the capture journal in memory, with the ways in which files fail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from random import Random

from sync_protocol import limits
from sync_protocol.encoding import checksum
from sync_protocol.errors import BadSignatureError, StorageError, StoreCorruptError
from sync_protocol.storage.memory_transaction import Hook

_PREFIX_BYTES = 8


class MemoryChunks:
    """Ciphertext chunks by address. Durable at once, as a synced file is."""

    def __init__(self, on_write: Hook | None = None) -> None:
        """Begin empty."""
        self.on_write = on_write
        self._chunks: dict[bytes, bytes] = {}

    def put(self, address: bytes, chunk: bytes) -> None:
        """Store a chunk. Raises `BadSignatureError` if it is not what its address says."""
        if hashlib.sha256(chunk).digest() != address:
            raise BadSignatureError("A piece of a scan is not what its address says.")
        self._tell("put")
        self._chunks[address] = bytes(chunk)

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk, verified, or None where it is missing or damaged (then it is dropped)."""
        chunk = self._chunks.get(address)
        if chunk is not None and hashlib.sha256(chunk).digest() != address:
            del self._chunks[address]
            return None
        return chunk

    def has(self, address: bytes) -> bool:
        """Whether a chunk is there (by name; `get` verifies)."""
        return address in self._chunks

    def remove(self, address: bytes) -> None:
        """Remove a chunk, if it is there."""
        self._tell("remove")
        self._chunks.pop(address, None)

    def addresses(self) -> Iterator[bytes]:
        """Yield the address of every chunk."""
        yield from sorted(self._chunks)

    def rot(self, address: bytes, random: Random) -> None:
        """Flip one bit of a chunk."""
        chunk = bytearray(self._chunks[address])
        chunk[random.randrange(len(chunk))] ^= 1 << random.randrange(8)
        self._chunks[address] = bytes(chunk)

    def snapshot(self) -> dict[bytes, bytes]:
        """Return the image of the disk as it is now."""
        return dict(self._chunks)

    def restore(self, image: dict[bytes, bytes]) -> None:
        """Put an image back."""
        self._chunks = dict(image)

    def _tell(self, name: str) -> None:
        if self.on_write is not None:
            self.on_write(name)


class _Segment:
    """One file: framed bytes, how many of them are synced, and the seqs of its frames."""

    __slots__ = ("first", "last", "raw", "synced")

    def __init__(self, first: int) -> None:
        self.raw = bytearray()
        self.synced = 0
        self.first = first
        self.last = first - 1

    @property
    def torn(self) -> bool:
        """Whether bytes lie after the last whole frame."""
        return _unframe(self.raw)[1] < len(self.raw)

    def copy(self) -> _Segment:
        segment = _Segment(self.first)
        segment.raw[:] = self.raw
        segment.synced, segment.last = self.synced, self.last
        return segment


class MemoryJournal:
    """The capture journal: framed bytes in segments, of which an unsynced end may be torn."""

    def __init__(
        self,
        on_write: Hook | None = None,
        segment_bytes_max: int = limits.JOURNAL_SEGMENT_BYTES_MAX,
    ) -> None:
        """Begin empty."""
        self.on_write = on_write
        self.damaged = False
        self._segment_bytes_max = segment_bytes_max
        self._segments: list[_Segment] = []
        self.aside: list[list[_Segment]] = []

    def append(self, first_seq: int, frames: Sequence[bytes]) -> None:
        """Append the sealed frames of consecutive seqs and sync ("append", then "sync")."""
        if self.damaged:
            raise StoreCorruptError(
                "The journal is damaged; it must be set aside before anything is saved."
            )
        if not frames:
            return
        if self._segments and self._segments[-1].last + 1 != first_seq:
            raise AssertionError("The journal's seqs must follow one another.")
        self._tell("append")
        raw = b"".join(map(_frame, frames))
        segment = self._segment_for(len(raw), first_seq)
        segment.raw += raw
        try:
            self._tell("sync")
        except StorageError:
            # A program that lives on takes its half-written frames back; one that died can't.
            del segment.raw[segment.synced :]
            if not segment.raw:
                self._segments.pop()
            raise
        segment.synced = len(segment.raw)
        segment.last = first_seq + len(frames) - 1

    def frames(self, first: int = 0) -> Iterator[bytes]:
        """Yield the frames from the seq `first` on, up to the first damaged one; the newest always.

        In a damaged journal the seqs are not sure, so all its frames come up to the damage.
        """
        segments = list(self._segments)
        first = 0 if self.damaged or not segments else min(first, segments[-1].last)
        for segment in segments:
            frames = _unframe(segment.raw)[0]
            yield from frames[max(0, first - segment.first) :]
            if segment.torn:
                return

    def drop(self, through: int) -> None:
        """Delete the segments, but the newest, whose entries all have a seq up to `through`."""
        self._tell("drop")
        while len(self._segments) > 1 and self._segments[0].last <= through:
            del self._segments[0]

    def restart(self, *, forget: bool = False) -> None:
        """Put the present segments aside as evidence and start anew; `forget` deletes all."""
        self._tell("restart")
        self.aside = [] if forget else [*self.aside, self._segments]
        self._segments = []
        self.damaged = False

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def crash(self, tear: Random | None = None) -> None:
        """Cut the power and open again: unsynced bytes are lost; with `tear`, from any byte on."""
        for segment in self._segments:
            kept = segment.synced
            if tear is not None:
                kept = tear.randint(kept, len(segment.raw))
            del segment.raw[kept:]
        self._open()

    def rot(self, random: Random) -> None:
        """Flip one bit, and open again."""
        segment = random.choice(self._segments)
        segment.raw[random.randrange(len(segment.raw))] ^= 1 << random.randrange(8)
        self._open()

    def snapshot(self) -> list[_Segment]:
        """Return the image of the disk as it is now."""
        return [segment.copy() for segment in self._segments]

    def restore(self, image: list[_Segment]) -> None:
        """Put an image back: a clone starts, or a backup was restored."""
        self._segments = [segment.copy() for segment in image]
        self._open()

    def _open(self) -> None:
        self.damaged = False
        for segment in self._segments:
            frames, end = _unframe(segment.raw)
            # What follows the last synced byte was never acknowledged; before it, nothing may miss.
            if end < segment.synced:
                self.damaged = True
                return
            del segment.raw[end:]
            segment.synced, segment.last = end, segment.first + len(frames) - 1
        self._segments = [segment for segment in self._segments if segment.raw]

    def _segment_for(self, size: int, first_seq: int) -> _Segment:
        if not self._segments or len(self._segments[-1].raw) + size > self._segment_bytes_max:
            self._segments.append(_Segment(first_seq))
        return self._segments[-1]

    def _tell(self, name: str) -> None:
        if self.on_write is not None:
            self.on_write(name)


def _frame(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + checksum(frame).to_bytes(4, "big") + frame


def _unframe(raw: bytes | bytearray) -> tuple[list[bytes], int]:
    """Return the sound frames from the start, and where they end."""
    frames, at = [], 0
    while at + _PREFIX_BYTES <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        frame = bytes(raw[at + _PREFIX_BYTES : at + _PREFIX_BYTES + size])
        if len(frame) < size or checksum(frame) != int.from_bytes(raw[at + 4 : at + 8], "big"):
            break
        frames.append(frame)
        at += _PREFIX_BYTES + size
    return frames, at
