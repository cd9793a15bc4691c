"""One process owns a home, and so its feed.

The lock is the system's (flock): it goes with the process, however that ends, so a file left
behind by a kill locks nobody out. A command that finds the home owned hands its work over instead
(`transport.handover`).
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sync_protocol.errors import StoreBusyError
from sync_protocol.storage.files import FILE_MODE, disk_errors, make_folder, write_all

NAME = "owner.lock"
_HELD = frozenset({errno.EAGAIN, errno.EACCES})


class OwnerLock:
    """Held from the call until `close`, the end of a `with`, or the end of the process."""

    def __init__(self, home: str | os.PathLike[str]) -> None:
        """Take the lock. Raises `StoreBusyError` if another holds it, or `StorageError`."""
        folder = Path(home)
        with disk_errors("opening the home folder"):
            make_folder(folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._handle = os.open(folder / NAME, flags, FILE_MODE)
            try:
                self._take()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let go. Calling it again changes nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        """Return the lock, which is already held."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self.close()

    def _take(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as cause:
            if cause.errno not in _HELD:
                raise
            raise StoreBusyError(
                "Another program is working with this folder. Nothing was changed; "
                "close it first, or let it do the work.",
                process=_process(self._handle),
            ) from cause
        with suppress(OSError):  # who holds it is told for people only
            os.ftruncate(self._handle, 0)
            write_all(self._handle, b"%d\n" % os.getpid())


def _process(handle: int) -> int:
    try:
        text = os.pread(handle, 20, 0).strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
