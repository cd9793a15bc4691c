"""What both ends of an HTTP line agree on: paths, framing, errors. No I/O but the given stream.

* `POST /sync/v1` and `POST /enrol/v1` take a parcel and answer with one, as MEDIA_TYPE with a
  Content-Length. `GET /ca` gives the private authority's certificate (PEM) to whoever asks: the
  invitation's fingerprint decides whether to believe it.
* A parcel is a sequence of frames, each u32 length (big-endian) and so many bytes: the envelope,
  then the payloads in the order in which it names them. The body's length ends it. Set in stone.
* An error is a status and ERROR_TYPE: MessagePack [code, diagnosis, retry_after_s]. The status is
  decided here only.
* Every length is checked against `limits` before a byte of it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    AccessError,
    BusyError,
    InputError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    StaleNonceError,
    StorageError,
    StoreBusyError,
    StoreFullError,
    SyncError,
    TransportError,
    UnsupportedVersionError,
)
from sync_protocol.transport.carrier import Parcel

SYNC_PATH = "/sync/v1"
ENROL_PATH = "/enrol/v1"
CA_PATH = "/ca"
MEDIA_TYPE = "application/vnd.motcua.parcel"
ERROR_TYPE = "application/vnd.motcua.error"
PEM_TYPE = "application/x-pem-file"
BODY_BYTES_MAX = limits.EXCHANGE_PAYLOAD_BYTES_MAX + limits.MESSAGE_BYTES_MAX
"""A whole body, framing included."""
ERROR_BYTES_MAX = 4 * limits.KIB
DIAGNOSIS_CHARS_MAX = 500
STATUS_OK = 200
STATUS_BUSY = 503
STATUS_TOO_MANY = 429
_LENGTH = struct.Struct(">I")
_READ_BYTES = 64 * limits.KIB

_STATUSES: tuple[tuple[type[SyncError], int], ...] = (
    (StaleNonceError, 409),
    (LimitExceededError, 413),
    (UnsupportedVersionError, 426),
    (NotAdmittedError, 403),
    (PeerError, 400),
    (InputError, 400),
    (AccessError, 403),
    (BusyError, STATUS_BUSY),
    (TransportError, 502),
    (StoreBusyError, STATUS_BUSY),
    (StoreFullError, 507),
    (StorageError, 500),
)


class Readable(Protocol):
    """Bytes from the line: `wsgi.input`, or a reply's raw stream."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; fewer or none where the line ended."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A parcel that is arriving: its envelope is here, its payloads come as they are asked for.

    `payloads` raises `TransportError` where the line is cut, and `PeerError` kinds.
    """

    envelope: bytes
    payloads: Iterator[bytes]


class _Error(msgspec.Struct, array_like=True):
    code: str
    diagnosis: str
    retry_after_s: int | None = None


# ----------------------------------------------------------------------------- parcels


def parcel_bytes(parcel: Parcel) -> int:
    """Return the length of a parcel's body."""
    frames = 1 + len(parcel.payload_sizes)
    return frames * _LENGTH.size + len(parcel.envelope) + sum(parcel.payload_sizes)


def check_parcel(parcel: Parcel) -> None:
    """Check a parcel that is to be sent against the bounds of whoever reads it."""
    sizes = parcel.payload_sizes
    fits = (
        len(parcel.envelope) <= limits.MESSAGE_BYTES_MAX
        and len(sizes) <= limits.PAYLOADS_PER_MESSAGE_MAX
        and all(0 <= size <= limits.RANGE_PACKED_BYTES_MAX for size in sizes)
        and parcel_bytes(parcel) <= BODY_BYTES_MAX
    )
    if not fits:
        raise LimitExceededError("A message of ours is larger than its bound; nothing was sent.")


def write_parcel(parcel: Parcel) -> Iterator[bytes]:
    """Yield a parcel's body piece by piece. Its length is `parcel_bytes`."""
    yield _LENGTH.pack(len(parcel.envelope)) + parcel.envelope
    sizes = iter(parcel.payload_sizes)
    for payload in parcel.payloads:
        if next(sizes, None) != len(payload):
            raise AssertionError("a payload is not as long as it was announced")
        yield _LENGTH.pack(len(payload))
        yield payload
    if next(sizes, None) is not None:
        raise AssertionError("a payload that was announced is missing")


def read_parcel(stream: Readable, content_length: int | None) -> Incoming:
    """Read a parcel's envelope and prepare to read its payloads.

    `stream` is `environ["wsgi.input"]`, not a framework's wrapper that raises errors of its own.
    Raises `TransportError` for a cut line, else `PeerError` kinds.
    """
    if content_length is None:
        raise MalformedMessageError("A message must say how long it is.")
    if content_length > BODY_BYTES_MAX:
        raise LimitExceededError("A message is larger than its bound.", bytes=content_length)
    if content_length < _LENGTH.size:
        raise MalformedMessageError("A message has no envelope.")
    size = _frame_size(stream, content_length, limits.MESSAGE_BYTES_MAX)
    envelope = _exactly(stream, size)
    return Incoming(envelope, _payloads(stream, content_length - _LENGTH.size - size))


def _payloads(stream: Readable, rest: int) -> Iterator[bytes]:
    count = 0
    while rest:
        count += 1
        if count > limits.PAYLOADS_PER_MESSAGE_MAX:
            raise LimitExceededError("A message has more payloads than its bound.")
        size = _frame_size(stream, rest, limits.RANGE_PACKED_BYTES_MAX)
        yield _exactly(stream, size)
        rest -= _LENGTH.size + size


def _frame_size(stream: Readable, rest: int, bytes_max: int) -> int:
    if rest < _LENGTH.size:
        raise MalformedMessageError("A message ends within a length.")
    size: int = _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]
    if size > bytes_max:
        raise LimitExceededError("A part of a message is larger than its bound.", bytes=size)
    if size > rest - _LENGTH.size:
        raise MalformedMessageError("A part of a message is longer than the message.")
    return size


def _exactly(stream: Readable, size: int) -> bytes:
    parts = []
    rest = size
    while rest:
        try:
            part = stream.read(min(rest, _READ_BYTES))
        except OSError as cause:
            raise _cut(size - rest, size) from cause
        if not part:
            raise _cut(size - rest, size)
        parts.append(part)
        rest -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _cut(got: int, wanted: int) -> TransportError:
    return TransportError(
        "The line was cut in the middle of a message. Nothing is lost; it goes on from here.",
        got=got,
        wanted=wanted,
    )


# ------------------------------------------------------------------------------ errors


def status_of(error: SyncError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def retry_after_of(error: SyncError) -> int | None:
    """Return how many whole seconds the asker should wait, or None."""
    seconds = error.evidence.get("retry_after_s")
    if isinstance(seconds, int | float):
        return max(1, round(seconds))
    return 1 if status_of(error) == STATUS_BUSY else None


def error_body(error: SyncError) -> bytes:
    """Return the body of an error reply. Nothing but code, diagnosis and patience goes out."""
    text = error.diagnosis[:DIAGNOSIS_CHARS_MAX]
    return encode([error.code, text, retry_after_of(error)])


def read_error(status: int, body: bytes, retry_after: str | None = None) -> SyncError:
    """Return the error that a reply of another status than 200 stands for.

    `body` is empty unless the reply was of ERROR_TYPE; `retry_after` is the header's value.
    """
    told = _told(body)
    if status in (STATUS_BUSY, STATUS_TOO_MANY):
        seconds = _seconds(retry_after, told.retry_after_s)
        return BusyError(
            "The other side is busy and asks for patience. Nothing is lost.", retry_after_s=seconds
        )
    client_errors = range(400, 500)
    if told.code and status in client_errors:
        kind = _peer_errors().get(told.code, PeerError)
        return kind(_printable(told.diagnosis), code=told.code, status=status)
    return TransportError(
        "The other side could not answer. Nothing is lost; try again later.",
        status=status,
        code=_printable(told.code)[:64],
    )


def _told(body: bytes) -> _Error:
    try:
        return decode(body, _Error) if body else _Error("", "")
    except MalformedMessageError:
        return _Error("", "")


def _seconds(header: str | None, told: int | None) -> float:
    seconds = float(told or 0)
    if header is not None and header.isascii() and header.isdigit():
        seconds = float(header[:9])
    return min(max(0.0, seconds), limits.RETRY_AFTER_S_MAX)


def _printable(text: str) -> str:
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return kept[:DIAGNOSIS_CHARS_MAX]


def _peer_errors() -> dict[str, type[PeerError]]:
    kinds: list[type[PeerError]] = [PeerError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return {kind.code: kind for kind in kinds}
