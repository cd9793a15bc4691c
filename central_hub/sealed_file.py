"""A backup as a file: sealed to the recovery key, in frames, so that any cut or flip is noticed.

    "MCBACKUP", u16 version, u32 length, MessagePack [name of the recovery key, sealed key],
    then frames: u8 last, u32 length, AES-256-GCM of up to 4 MiB

What holds: each frame is bound to the header's hash, to its index and to whether it is the last, so
that frames can't be dropped, doubled, exchanged or taken from another backup. Written and read in
bounded memory. The file appears under its name only once it is whole and on the disk.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from sync_protocol import limits
from sync_protocol.attachment import key_name
from sync_protocol.crypto import seal
from sync_protocol.crypto.key import AgreementKey, random_bytes
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    BadSignatureError,
    InputError,
    MalformedMessageError,
    NewerStoreError,
    NotAllowedError,
    StoreCorruptError,
    WrongKeyError,
)
from sync_protocol.storage.files import FILE_MODE, disk_errors, sync_folder

MAGIC = b"MCBACKUP"
VERSION = 1
FRAME_BYTES = 4 * limits.MIB
_PURPOSE = b"motcua/backup/1"
_VERSION = struct.Struct(">H")
_LENGTH = struct.Struct(">I")
_FRAME = struct.Struct(">BI")
_HEADER_BYTES_MAX = 4 * limits.KIB
_SEALED_BYTES_MAX = FRAME_BYTES + seal.NONCE_BYTES + seal.TAG_BYTES


class _Header(NamedTuple):
    key_name: bytes
    sealed: bytes


def _bound(header: bytes, index: int, last: int) -> bytes:
    return _PURPOSE + hashlib.sha256(header).digest() + index.to_bytes(8, "big") + bytes([last])


class SealedWriter:
    """Writes a sealed file. `finish` makes it whole; without it nothing appears."""

    def __init__(self, path: Path, recovery: bytes) -> None:
        """Begin a file. Raises `NotAllowedError` where there is one, `StorageError` kinds."""
        if path.exists():
            raise NotAllowedError("There is a file of that name already. Nothing was written.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}. Nothing was written.")
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._key = random_bytes(seal.KEY_BYTES)
        sealed = encode([key_name(recovery), seal.seal_to(recovery, self._key, _PURPOSE)])
        self._header = MAGIC + _VERSION.pack(VERSION) + _LENGTH.pack(len(sealed)) + sealed
        self._buffer = bytearray()
        self._index = 0
        self.bytes_written = 0
        with disk_errors("writing a backup"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._part, flags, FILE_MODE), "wb")
            self._put(self._header)

    def write(self, content: bytes) -> None:
        """Add bytes. Raises `StorageError` kinds."""
        self._buffer += content
        while len(self._buffer) > FRAME_BYTES:
            self._frame(bytes(self._buffer[:FRAME_BYTES]), last=0)
            del self._buffer[:FRAME_BYTES]

    def finish(self) -> None:
        """Write the last frame, sync, and let the file appear. Raises `StorageError` kinds."""
        self._frame(bytes(self._buffer), last=1)
        self._buffer.clear()
        with disk_errors("writing a backup"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self._path)
            sync_folder(self._path.parent)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not finished."""
        if not self._file.closed:
            with suppress(OSError):
                self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _frame(self, plain: bytes, last: int) -> None:
        sealed = seal.encrypt(self._key, plain, _bound(self._header, self._index, last))
        with disk_errors("writing a backup"):
            self._put(_FRAME.pack(last, len(sealed)) + sealed)
        self._index += 1

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self.bytes_written += len(content)


def _opened(header: _Header, recovery: AgreementKey) -> bytes:
    if header.key_name != key_name(recovery.public):
        raise WrongKeyError("This backup is sealed to another recovery key. Nothing was restored.")
    return seal.open_sealed(recovery, header.sealed, _PURPOSE)


class SealedReader:
    """Reads a sealed file from its beginning to its end, checking every frame."""

    def __init__(self, path: Path, recovery: AgreementKey) -> None:
        """Open a file.

        Raises `InputError` where it is no backup, `NewerStoreError`, `WrongKeyError`.
        """
        with disk_errors("reading a backup"):
            if not path.is_file():
                raise InputError(f"There is no backup {path}.")
            self._file: BinaryIO = path.open("rb")
        try:
            self._header, header = self._read_header()
            self._key = _opened(header, recovery)
        except BaseException:
            self._file.close()
            raise
        self._index = 0
        self._ended = False
        self._buffer = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes. Raises `StoreCorruptError` where there are fewer."""
        parts = []
        while size:
            if not self._buffer:
                if self._ended:
                    raise StoreCorruptError("The backup ends too early. Nothing was restored.")
                self._next()
            part = self._buffer[:size]
            self._buffer = self._buffer[size:]
            size -= len(part)
            parts.append(bytes(part))
        return b"".join(parts)

    def finish(self) -> None:
        """Check that everything was read. Raises `StoreCorruptError`."""
        if not self._ended and not self._buffer:
            self._next()
        if not self._ended or self._buffer or self._take(1):
            raise StoreCorruptError("The backup goes on after its end. Nothing was restored.")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, size: int) -> bytes:
        with disk_errors("reading a backup"):
            return self._file.read(size)

    def _exactly(self, size: int) -> bytes:
        found = self._take(size)
        if len(found) != size:
            raise StoreCorruptError(
                "The backup is cut off. Nothing was restored; take another copy of it."
            )
        return found

    def _read_header(self) -> tuple[bytes, _Header]:
        start = self._take(len(MAGIC))
        if start != MAGIC:
            if MAGIC.startswith(start):
                raise StoreCorruptError("The backup is cut off. Nothing was restored.")
            raise InputError("That file is no backup of a hub. Nothing was restored.")
        version = self._exactly(_VERSION.size)
        if _VERSION.unpack(version)[0] > VERSION:
            raise NewerStoreError(
                "A newer version of the program made this backup: update the program first."
            )
        length = self._exactly(_LENGTH.size)
        if _LENGTH.unpack(length)[0] > _HEADER_BYTES_MAX:
            raise StoreCorruptError("The backup's first bytes are damaged. Nothing was restored.")
        sealed = self._exactly(_LENGTH.unpack(length)[0])
        try:
            header = _Header(*decode(sealed, tuple[bytes, bytes]))
        except MalformedMessageError as cause:
            raise StoreCorruptError("The backup's first bytes are damaged.") from cause
        return start + version + length + sealed, header

    def _next(self) -> None:
        last, length = _FRAME.unpack(self._exactly(_FRAME.size))
        if last > 1 or length > _SEALED_BYTES_MAX:
            raise StoreCorruptError("The backup is damaged. Nothing was restored.")
        sealed = self._exactly(length)
        try:
            plain = seal.decrypt(self._key, sealed, _bound(self._header, self._index, last))
        except BadSignatureError as cause:
            raise StoreCorruptError(
                "The backup is damaged. Nothing was restored; take another copy of it.",
                frame=self._index,
            ) from cause
        self._index += 1
        self._ended = bool(last)
        self._buffer = memoryview(plain)
