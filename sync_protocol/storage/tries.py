"""Wrong PINs, counted where no restore of a database resets them.

One small file per officer: the count and its CRC. It is counted up and synced *before* each
attempt, so pulling the plug in the middle of one gains nothing. A missing or damaged file counts
as locked: deleting it opens no door. The file must stay out of backups of the home.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sync_protocol import limits
from sync_protocol.encoding import checksum
from sync_protocol.storage.files import FILE_MODE, disk_errors, make_folder, replace

FOLDER = "pin-tries"
_BYTES = 4


class PinTries:
    """The count of one officer, held against other attempts while the `with` lasts."""

    def __init__(self, home: Path, officer: bytes) -> None:
        """Name the count; nothing is opened yet."""
        self._folder = home / FOLDER
        self._path = self._folder / officer.hex()
        self._handle = -1

    def __enter__(self) -> Self:
        """Wait for other attempts of this device to end. Raises `StorageError` kinds."""
        with disk_errors("counting PIN attempts"):
            make_folder(self._folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._handle = os.open(self._folder / "lock", flags, FILE_MODE)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the next attempt begin."""
        os.close(self._handle)
        self._handle = -1

    @property
    def left(self) -> int:
        """How many attempts remain; 0 or less is locked."""
        with disk_errors("counting PIN attempts"):
            try:
                raw = self._path.read_bytes()
            except FileNotFoundError:
                return 0
        count = raw[:_BYTES]
        if len(raw) != 2 * _BYTES or raw[_BYTES:] != _check(count):
            return 0
        return limits.PIN_TRIES_MAX - int.from_bytes(count, "big")

    def count_up(self) -> None:
        """Count one attempt, durably."""
        self._write(limits.PIN_TRIES_MAX - self.left + 1)

    def reset(self) -> None:
        """Begin again at nothing."""
        self._write(0)

    def forget(self) -> None:
        """Remove the count of an officer who has no slot any more."""
        with disk_errors("counting PIN attempts"):
            self._path.unlink(missing_ok=True)

    def _write(self, count: int) -> None:
        raw = count.to_bytes(_BYTES, "big")
        with disk_errors("counting PIN attempts"):
            replace(self._path, raw + _check(raw))


def _check(raw: bytes) -> bytes:
    return checksum(raw).to_bytes(_BYTES, "big")
