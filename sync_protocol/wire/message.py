"""The envelope: each request and reply is signed, and bound to the other side. Set in stone.

A request is signed over the responder's key, so it is worth nothing elsewhere, and carries the
newest nonce that the responder gave; an unknown nonce gets one CHALLENGE with a fresh nonce and the
time. A reply is signed over the hash of the request that it answers. So no message depends on a
right clock. Bytes: 64 of signature, then MessagePack [version, kind, ward, sender, nonce, body].
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import TypeVar

import msgspec

from sync_protocol import limits
from sync_protocol.crypto import signature
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    LimitExceededError,
    MalformedMessageError,
    UnsupportedVersionError,
)
from sync_protocol.identity import ID_BYTES, DeviceId, DeviceKey, WardId, device_id

VERSION = 1
OLDEST = 1
NONCE_BYTES = 16
DIGEST_BYTES = 16

B = TypeVar("B", bound="Body")


class Kind(IntEnum):
    """What a message is. Requests are below 100, replies above."""

    HELLO = 1
    PUSH = 2
    PULL = 3
    CHUNKS_WANTED = 4
    CHUNKS_PUT = 5
    CHUNKS_GET = 6
    SNAPSHOT = 7
    HEALTH = 8
    AUDIT = 9
    SAME = 101
    FRONTIER = 102
    PUSHED = 103
    PULLED = 104
    CHUNKS_ANSWER = 105
    SNAPSHOT_ANSWER = 107
    THANKS = 108
    AUDITED = 109
    CHALLENGE = 120
    REFUSED = 121


class Body(msgspec.Struct, array_like=True, frozen=True):
    """Base of all message bodies."""


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """One message, checked or about to be sent."""

    version: int
    kind: int
    ward: WardId
    sender: DeviceId
    nonce: bytes
    body: bytes


class Challenge(Body, frozen=True):
    """The nonce was not the newest: sign again with the one in this envelope. `time` in ms."""

    time: int


class Refused(Body, frozen=True):
    """The request was not carried out; `code` is that of an error, `diagnosis` is for people."""

    code: str
    diagnosis: str
    retry_after_s: int = 0


def encode_body(body: Body) -> bytes:
    """Return a body's bytes."""
    return encode(msgspec.to_builtins(body, builtin_types=(bytes,)))


def decode_body(envelope: Envelope, kind: type[B]) -> B:
    """Read the body of an envelope. Raises `MalformedMessageError`."""
    return decode(envelope.body, kind)


def payload_digest(payload: bytes) -> bytes:
    """Return the 16 bytes under which an envelope names a payload."""
    return hashlib.sha256(payload).digest()[:DIGEST_BYTES]


def request_digest(raw: bytes) -> bytes:
    """Return the hash by which a reply names its request."""
    return hashlib.sha256(raw).digest()


def write_request(
    key: SigningKey, to: DeviceKey, kind: Kind, ward: WardId, nonce: bytes, body: Body
) -> bytes:
    """Return a signed request."""
    wire = encode([VERSION, int(kind), ward, device_id(key.public), nonce, encode_body(body)])
    return signature.sign(key, signature.MESSAGE, to, wire) + wire


def write_reply(key: SigningKey, request: bytes, kind: Kind, nonce: bytes, body: Body) -> bytes:
    """Return a signed reply; `nonce` is what the next request must carry."""
    wire = encode([VERSION, int(kind), b"", b"", nonce, encode_body(body)])
    return signature.sign(key, signature.REPLY, request_digest(request), wire) + wire


def parse(raw: bytes) -> Envelope:
    """Read an envelope without checking its signature. Raises `PeerError` kinds only."""
    if len(raw) > limits.MESSAGE_BYTES_MAX:
        raise LimitExceededError("A message is larger than its bound.")
    envelope = decode(memoryview(raw)[signature.SIGNATURE_BYTES :], Envelope)
    if not OLDEST <= envelope.version <= VERSION:
        raise UnsupportedVersionError(
            "The other side speaks another version: update the older program.",
            oldest=OLDEST,
            newest=VERSION,
        )
    sizes = (len(envelope.ward), len(envelope.sender))
    if any(size not in (0, ID_BYTES) for size in sizes) or len(envelope.nonce) > NONCE_BYTES:
        raise MalformedMessageError("A message's envelope is out of shape.")
    return envelope


def check_request(raw: bytes, sender: DeviceKey, to: DeviceKey) -> None:
    """Check a request's signature. Raises `BadSignatureError`."""
    proof, wire = raw[: signature.SIGNATURE_BYTES], raw[signature.SIGNATURE_BYTES :]
    signature.check(sender, proof, signature.MESSAGE, to, wire)


def read_reply(raw: bytes, request: bytes, sender: DeviceKey) -> Envelope:
    """Read and check a reply to `request`. Raises `PeerError` kinds only."""
    envelope = parse(raw)
    proof, wire = raw[: signature.SIGNATURE_BYTES], raw[signature.SIGNATURE_BYTES :]
    signature.check(sender, proof, signature.REPLY, request_digest(request), wire)
    return envelope
