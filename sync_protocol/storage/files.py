"""How a file reaches the disk: whole or not at all, and only then acknowledged.

What holds:
* `replace` leaves the old bytes or the new ones under a name, never a mixture; when it returns,
  the new ones survive a power cut (fsync of the file, rename, fsync of its folder).
* No `OSError` leaves `disk_errors`: no room becomes `StoreFullError`, all else `StorageError`.
* Files are 0600 and folders 0700: another account of the same machine reads nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import StorageError, StoreFullError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
TEMPORARY_SUFFIX = ".part"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn what the system says into our errors; `doing` says what was being done.

    Raises `StoreFullError` or `StorageError`.
    """
    try:
        yield
    except OSError as cause:
        if cause.errno in _NO_ROOM:
            raise StoreFullError(
                f"No room is left on the disk while {doing}. What was saved before is safe; "
                "free some space and try again.",
                errno=cause.errno,
            ) from cause
        raise StorageError(
            f"The disk failed while {doing}. What was saved before is safe; check the disk.",
            errno=cause.errno,
        ) from cause


def make_folder(path: Path) -> None:
    """Make a private folder durably, with its parents, if it is not there."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=FOLDER_MODE)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write every byte, however few the system takes at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def replace(path: Path, content: bytes, scratch: Path | None = None) -> None:
    """Put `content` under `path`, atomically and durably.

    The unfinished file lies in `scratch` (default: the same folder) and ends in `.part`. On any
    failure it is removed, and what stood under `path` still stands there. Raises `OSError`.
    """
    name = f"{path.name}.{random_bytes(6).hex()}{TEMPORARY_SUFFIX}"
    temporary = (scratch or path.parent) / name
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def remove_temporaries(folder: Path) -> None:
    """Remove what a kill left unfinished in a folder."""
    for stray in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        stray.unlink(missing_ok=True)
