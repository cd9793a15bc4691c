"""A folder as a carrier: a USB stick, a shared drive. Files come whole or not at all.

What holds:
* A file is written under a temporary name, synced, and renamed: what carries a name of ours is
  complete, as far as the medium keeps its word. (What is read is checked as if it did not.)
* Names suit FAT32 and every system: `motcua-<time>-<bundle>-0001.piece` and `….manifest`, in small
  letters. They serve people and the order of reading only: what a file is, its bytes say, and no
  name from inside a file is ever followed. A file that was copied, renamed or doubled is used.
* Only plain files directly in the folder are read, never links; nothing larger than its bound.
* Old files are removed only by whoever wrote them, after what replaces them is complete.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from sync_protocol import limits
from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import InputError, LimitExceededError
from sync_protocol.storage.files import TEMPORARY_SUFFIX, disk_errors, write_all

PIECE_SUFFIX = ".piece"
MANIFEST_SUFFIX = ".manifest"
_NO_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EISDIR})
"""What shared drives answer to the fsync of a folder; the file itself was synced before."""


class Folder:
    """One folder of bundle files."""

    def __init__(self, path: Path) -> None:
        """Use a folder that is there. Raises `InputError`."""
        if not path.is_dir():
            raise InputError(f"There is no folder {path}. Put the stick in and name its folder.")
        self._path = path

    def names(self, suffix: str) -> list[str]:
        """Return the names that end in `suffix` (in any letters), sorted: older bundles first.

        Raises `LimitExceededError`, `StorageError`.
        """
        with disk_errors("reading the folder"):
            found = sorted(
                entry.name
                for entry in os.scandir(self._path)
                if entry.name.lower().endswith(suffix) and entry.is_file(follow_symlinks=False)
            )
        if len(found) > limits.BUNDLE_FILES_MAX:
            raise LimitExceededError("The folder holds more bundle files than the bound allows.")
        return found

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises `LimitExceededError`, `StorageError`."""
        with disk_errors("reading a bundle"):
            handle = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                kind = os.fstat(file.fileno())
                if not stat.S_ISREG(kind.st_mode) or kind.st_size > limits.BUNDLE_FILE_BYTES_MAX:
                    raise LimitExceededError("A file is larger than a piece of a bundle can be.")
                return file.read(limits.BUNDLE_FILE_BYTES_MAX + 1)

    def write(self, name: str, content: bytes) -> None:
        """Write a file: when this returns it is whole, and named. Raises `StorageError` kinds."""
        with disk_errors("writing a bundle"):
            temporary = self._path / f"{random_bytes(8).hex()}{TEMPORARY_SUFFIX}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            handle = os.open(temporary, flags, 0o600)
            try:
                try:
                    write_all(handle, content)
                    os.fsync(handle)
                finally:
                    os.close(handle)
                temporary.replace(self._path / name)
            except BaseException:
                with suppress(OSError):
                    temporary.unlink()
                raise
            self._sync()

    def remove(self, name: str) -> None:
        """Remove a file of ours. Raises `StorageError`."""
        with disk_errors("removing an old bundle"):
            (self._path / name).unlink(missing_ok=True)

    def _sync(self) -> None:
        handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        except OSError as problem:
            if problem.errno not in _NO_SYNC:
                raise
        finally:
            os.close(handle)


def piece_name(time: int, bundle: bytes, index: int) -> str:
    """Return the name of a piece: sorted by name, pieces lie in the order of writing."""
    return f"{_stem(time, bundle)}-{index + 1:05d}{PIECE_SUFFIX}"


def manifest_name(time: int, bundle: bytes) -> str:
    """Return the name of a manifest."""
    return f"{_stem(time, bundle)}{MANIFEST_SUFFIX}"


def _stem(time: int, bundle: bytes) -> str:
    return f"motcua-{time:013d}-{bundle[:6].hex()}"
