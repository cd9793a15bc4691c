"""Chunks of scans as files, each named by the SHA-256 of its ciphertext.

What holds:
* When `put` returns, the chunk survives a power cut; until then no reader sees any of it.
* `get` gives the bytes that the address names, or nothing: a damaged chunk is dropped, so that it
  is fetched again like a missing one.
* The bytes are ciphertext already; the store knows no key.
* Layout: `ab/cd/<64 hex digits>`, so that a million chunks make folders of about 16 files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sync_protocol.errors import BadSignatureError
from sync_protocol.storage.files import (
    disk_errors,
    make_folder,
    remove_temporaries,
    replace,
)

ADDRESS_BYTES = hashlib.sha256().digest_size
_INCOMING = "incoming"


class FileChunks:
    """The `ChunkStore` port over one folder. Safe to use from several threads."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Open the folder, making it if need be, and clear what a kill left unfinished.

        Raises `StorageError` kinds.
        """
        self._folder = Path(directory)
        self._incoming = self._folder / _INCOMING
        with disk_errors("opening the store of scans"):
            make_folder(self._incoming)
            remove_temporaries(self._incoming)

    def put(self, address: bytes, chunk: bytes) -> None:
        """Store a chunk durably. Raises `BadSignatureError` or `StorageError` kinds."""
        if hashlib.sha256(chunk).digest() != address:
            raise BadSignatureError("A piece of a scan is not what its address says.")
        path = self._path(address)
        with disk_errors("saving a scan"):
            if self.get(address) is not None:
                return
            make_folder(path.parent)
            replace(path, chunk, self._incoming)

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk, verified, or None where it is missing or damaged (then it is dropped).

        Raises `StorageError` where the disk can't be read.
        """
        if len(address) != ADDRESS_BYTES:
            return None
        path = self._path(address)
        with disk_errors("reading a scan"):
            try:
                chunk = path.read_bytes()
            except FileNotFoundError:
                return None
            if hashlib.sha256(chunk).digest() == address:
                return chunk
            path.unlink(missing_ok=True)
        return None

    def has(self, address: bytes) -> bool:
        """Whether a chunk is there (by name; `get` verifies)."""
        return len(address) == ADDRESS_BYTES and self._path(address).is_file()

    def remove(self, address: bytes) -> None:
        """Remove a chunk, if it is there. Raises `StorageError`."""
        if len(address) == ADDRESS_BYTES:
            with disk_errors("removing a scan"):
                self._path(address).unlink(missing_ok=True)

    def addresses(self) -> Iterator[bytes]:
        """Yield the address of every chunk. Files that are no chunks are passed over."""
        for path in self._folder.glob("??/??/*"):
            try:
                address = bytes.fromhex(path.name)
            except ValueError:
                continue
            if len(address) == ADDRESS_BYTES and path == self._path(address):
                yield address

    def _path(self, address: bytes) -> Path:
        name = address.hex()
        return self._folder / name[:2] / name[2:4] / name
