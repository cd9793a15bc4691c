"""The capture journal in files: the other half of "acknowledged means safe".

What holds:
* When `append` returns, its frames survive a power cut: the file is synced, and its folder too
  when the segment is new. When it raises, none of its frames is there, and a later one may work.
* Frames lie in segments `<first seq>.journal`, each frame as u32 length, u32 CRC-32 over length
  and bytes, bytes (big-endian). The bytes are opaque here: the caller encrypts. Set in stone.
* At open, a torn tail (an append that never returned) is cut off. Damage anywhere before is kept
  as it is: `frames()` ends there, `damaged` is true, and `append` refuses until `restart()`.
* `drop` never removes the newest segment: its end is the head that an opening compares with the
  database.
"""

from __future__ import annotations

import os
import shutil
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.encoding import checksum
from sync_protocol.errors import StoreCorruptError
from sync_protocol.storage.files import (
    FILE_MODE,
    disk_errors,
    make_folder,
    sync_folder,
    write_all,
)

SUFFIX = ".journal"
FRAME_BYTES_MAX = 4 * limits.ENTRY_BODY_BYTES_MAX
"""A body of 256 KiB, a context of 4,096 x 40 B = 160 KiB, and the cipher's 28 B; rounded up."""
_HEAD = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


class _Scan(NamedTuple):
    """What a segment holds: its frames, where the sound ones end, whether that is the end."""

    frames: list[memoryview]
    end: int
    size: int


@dataclass(slots=True)
class _Segment:
    """A segment file: the seqs [first, first + count) in `size` bytes."""

    path: Path
    first: int
    count: int
    size: int

    @property
    def next(self) -> int:
        return self.first + self.count


class FileJournal:
    """The `Journal` port over segment files in one folder. Safe to use from several threads."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Open the journal, making it if need be. Raises `StorageError` kinds."""
        self._folder = Path(directory)
        self._lock = threading.Lock()
        self._handle = -1
        self._segments: list[_Segment] = []
        self.damaged = False
        with disk_errors("opening the journal"):
            make_folder(self._folder)
            self._load()

    def append(self, first_seq: int, frames: Sequence[bytes]) -> None:
        """Add the frames of the seqs from `first_seq` on, and fsync. Raises `StorageError` kinds.

        `first_seq` must follow the journal's last seq unless the journal is empty. A journal that
        fell behind the database (its last frame rotted and looked torn) is mended by appending
        the missing entries again, or by `restart()`.
        """
        if not frames:
            return
        packed = b"".join(_pack(frame) for frame in frames)
        with self._lock, disk_errors("saving to the journal"):
            if self.damaged:
                raise StoreCorruptError(
                    "The journal is damaged; it must be set aside before anything is saved.",
                    segment=self._segments[-1].first if self._segments else 0,
                )
            if self._segments and self._segments[-1].next != first_seq:
                raise AssertionError("the journal's seqs must follow one another")
            if self._handle >= 0 and not self._fits(len(packed)):
                self._close_handle()
            if self._handle < 0:
                self._append_new(first_seq, packed, len(frames))
            else:
                self._append_here(packed, len(frames))

    def frames(self, first: int = 0) -> Iterator[bytes]:
        """Yield the frames from the seq `first` on, up to the first damaged one or the first gap.

        The newest frame comes in any case. Segments before `first` are not read; in a damaged
        journal, whose seqs are not sure, all are.
        """
        with self._lock:
            segments = list(self._segments)
        first = 0 if self.damaged or not segments else min(first, segments[-1].next - 1)
        segments = [item for item in segments if item.next > first]
        expected = segments[0].first if segments else 0
        for segment in segments:
            if segment.first != expected:
                return
            with disk_errors("reading the journal"):
                scan = _scan(segment.path.read_bytes()[: segment.size])
            for frame in scan.frames[max(0, first - segment.first) :]:
                yield bytes(frame)
            expected = segment.first + len(scan.frames)
            if scan.end < scan.size:
                return

    def drop(self, through: int) -> None:
        """Delete the segments, but the newest, whose entries all have a seq up to `through`."""
        with self._lock, disk_errors("clearing the journal"):
            dropped = False
            while len(self._segments) > 1 and self._segments[1].first <= through + 1:
                self._segments[0].path.unlink(missing_ok=True)
                del self._segments[0]
                dropped = True
            if dropped:
                sync_folder(self._folder)

    def restart(self, *, forget: bool = False) -> None:
        """Move the present segments to `damaged-<n>` as evidence and start anew.

        `forget` deletes them, and what was moved aside before: after an erasure.
        """
        with self._lock, disk_errors("setting the damaged journal aside"):
            self._close_handle()
            if self._segments:
                aside = self._new_aside()
                for segment in self._segments:
                    segment.path.rename(aside / segment.path.name)
                sync_folder(aside)
            for aside in self._folder.glob("damaged-*") if forget else ():
                shutil.rmtree(aside)
            sync_folder(self._folder)
            self._segments = []
            self.damaged = False

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._close_handle()

    def _load(self) -> None:
        found = (path for path in self._folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
        paths = sorted(found, key=_first_seq)
        for index, path in enumerate(paths):
            scan = _scan(path.read_bytes())
            segment = _Segment(path, _first_seq(path), len(scan.frames), scan.size)
            follows = not self._segments or self._segments[-1].next == segment.first
            last = index == len(paths) - 1
            if scan.end < scan.size and last and not _has_frame_after(path, scan.end):
                os.truncate(path, scan.end)
                segment.size = scan.end
            elif scan.end < scan.size:
                self.damaged = True
            self.damaged = self.damaged or not follows
            self._segments.append(segment)
        if self._segments and not self.damaged:
            if self._segments[-1].count == 0:
                # Nothing in it was ever acknowledged. The next append makes it again.
                self._segments.pop().path.unlink()
                return
            self._handle = os.open(self._segments[-1].path, _flags())
            # The cut must be durable before a new frame is written after it.
            os.fsync(self._handle)

    def _fits(self, count: int) -> bool:
        return self._segments[-1].size + count <= limits.JOURNAL_SEGMENT_BYTES_MAX

    def _append_new(self, first_seq: int, packed: bytes, count: int) -> None:
        path = self._folder / f"{first_seq:016d}{SUFFIX}"
        handle = os.open(path, _flags() | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            write_all(handle, packed)
            os.fsync(handle)
            sync_folder(self._folder)
        except BaseException:
            os.close(handle)
            with suppress(OSError):
                path.unlink()
            raise
        self._handle = handle
        self._segments.append(_Segment(path, first_seq, count, len(packed)))

    def _append_here(self, packed: bytes, count: int) -> None:
        segment = self._segments[-1]
        written = False
        try:
            write_all(self._handle, packed)
            written = True
            os.fdatasync(self._handle)  # the new length counts as what is needed to read
        except BaseException:
            self._cut(segment)
            if written:
                # After a failed sync nothing is known of this file's pages but that the earlier
                # frames were synced before: the next append opens a new segment.
                self._close_handle()
            raise
        segment.count += count
        segment.size += len(packed)

    def _cut(self, segment: _Segment) -> None:
        """Cut off what a failed append left."""
        try:
            os.ftruncate(self._handle, segment.size)
            os.fsync(self._handle)
        except OSError:
            # What can't be cut may look like frames at the next open; this process trusts none.
            self.damaged = True

    def _new_aside(self) -> Path:
        number = 1
        while (aside := self._folder / f"damaged-{number}").exists():
            number += 1
        make_folder(aside)
        return aside

    def _close_handle(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _flags() -> int:
    return os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


def _first_seq(path: Path) -> int:
    return int(path.stem)


def _pack(frame: bytes) -> bytes:
    if not 0 < len(frame) <= FRAME_BYTES_MAX:
        raise AssertionError("a frame of the journal is empty or larger than its bound")
    length = _LENGTH.pack(len(frame))
    return length + _LENGTH.pack(checksum(length + frame)) + frame


def _frame_at(raw: memoryview, offset: int) -> memoryview | None:
    """Return the sound frame that starts at `offset`, or None."""
    if offset + _HEAD.size > len(raw):
        return None
    length, check = _HEAD.unpack_from(raw, offset)
    start = offset + _HEAD.size
    if not 0 < length <= FRAME_BYTES_MAX or start + length > len(raw):
        return None
    frame = raw[start : start + length]
    if checksum(frame, checksum(raw[offset : offset + _LENGTH.size])) != check:
        return None
    return frame


def _scan(content: bytes) -> _Scan:
    raw = memoryview(content)
    frames: list[memoryview] = []
    offset = 0
    while (frame := _frame_at(raw, offset)) is not None:
        frames.append(frame)
        offset += _HEAD.size + len(frame)
    return _Scan(frames, offset, len(raw))


def _has_frame_after(path: Path, offset: int) -> bool:
    """Whether a sound frame lies anywhere beyond a bad one: then it is damage, not a torn tail."""
    raw = memoryview(path.read_bytes())
    return any(_frame_at(raw, place) is not None for place in range(offset + 1, len(raw)))
