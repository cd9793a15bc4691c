"""Bundles: the parts of a push as files, for a stick or a shared folder. Set in stone.

A bundle is cut into **pieces**, each of use by itself, and a **manifest** that is written last and
lists them. Both are 64 bytes of signature, then MessagePack:

    piece      [version, 1, ward, sender, recipient, bundle, index, time, sealed]
    manifest   [version, 2, ward, sender, recipient, bundle, time, [[size, SHA-256], …]]

`sender` is the device key that signs (over the SHA-256 of all that follows), `recipient` the 8-byte
name of the agreement key that `sealed` is sealed to (HPKE, bound to all items before it), `bundle`
16 random bytes, `time` the sender's clock in ms, for order only. What is sealed is a `Content`.

What holds: every flipped, missing or added byte of a file is seen; nothing that is carried shows;
what a piece says of itself is believed only after its signature was checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from sync_protocol import limits
from sync_protocol.attachment import KEY_NAME_BYTES, key_name
from sync_protocol.crypto import seal, signature
from sync_protocol.crypto.key import AgreementKey, SigningKey
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    BadSignatureError,
    LimitExceededError,
    MalformedMessageError,
    UnsupportedVersionError,
    WrongKeyError,
)
from sync_protocol.identity import ID_BYTES, KEY_BYTES, DeviceKey, WardId
from sync_protocol.wire.message import Body
from sync_protocol.wire.push import RangeItem

VERSION = 1
PIECE = 1
MANIFEST = 2
BUNDLE_ID_BYTES = 16
DIGEST_BYTES = 32
TIME_MAX = 2**48
_PURPOSE = b"motcua/bundle/1"


class Content(Body, frozen=True):
    """What a piece carries: the parts of a push, receipts, and chunks of scans.

    `payloads` are the packed ranges, in the order of `ranges`. `scans` are the attachments, each
    [id, chunk addresses], of which chunks are carried: the recipient receipts those that are whole.
    """

    declarations: list[bytes] = []
    seals: list[bytes] = []
    ranges: list[RangeItem] = []
    payloads: list[bytes] = []
    receipts: list[bytes] = []
    scans: list[tuple[bytes, list[bytes]]] = []
    chunks: list[bytes] = []


class Address(msgspec.Struct, frozen=True):
    """From whom, to which key, which bundle of theirs."""

    ward: WardId
    sender: DeviceKey
    recipient: bytes
    bundle: bytes
    time: int


class Piece(msgspec.Struct, frozen=True):
    """A piece whose signature was checked; its content is still sealed."""

    address: Address
    index: int
    purpose: bytes
    sealed: bytes


class Manifest(msgspec.Struct, frozen=True):
    """Which pieces make up a bundle: size and SHA-256 of each, by index."""

    address: Address
    pieces: list[tuple[int, bytes]]


class _WirePiece(Body, frozen=True):
    version: int
    kind: int
    ward: bytes
    sender: bytes
    recipient: bytes
    bundle: bytes
    index: int
    time: int
    sealed: bytes


class _WireManifest(Body, frozen=True):
    version: int
    kind: int
    ward: bytes
    sender: bytes
    recipient: bytes
    bundle: bytes
    time: int
    pieces: list[tuple[int, bytes]]


def write_piece(
    key: SigningKey, address: Address, recipient_public: bytes, index: int, content: Content
) -> bytes:
    """Seal and sign a piece. Raises `LimitExceededError`."""
    head = [VERSION, PIECE, *_head(address)[:-1], index, address.time]
    plain = encode(msgspec.to_builtins(content, builtin_types=(bytes,)))
    sealed = seal.seal_to(recipient_public, plain, _PURPOSE + encode(head))
    return _signed(key, encode([*head, sealed]))


def write_manifest(key: SigningKey, address: Address, pieces: list[tuple[int, bytes]]) -> bytes:
    """Sign the list of a bundle's pieces. Raises `LimitExceededError`."""
    rows = [[size, digest] for size, digest in pieces]
    return _signed(key, encode([VERSION, MANIFEST, *_head(address), rows]))


def read_piece(raw: bytes) -> Piece:
    """Read a piece and check its signature by the sender it names. Raises `PeerError` kinds."""
    wire = decode(_body(raw), _WirePiece)
    address = _address(wire)
    if wire.kind != PIECE or not 0 <= wire.index < limits.BUNDLE_FILES_MAX:
        raise MalformedMessageError("A piece of a bundle is out of shape.")
    _check(raw, address.sender)
    head = [wire.version, wire.kind, *_head(address)[:-1], wire.index, wire.time]
    return Piece(address, wire.index, _PURPOSE + encode(head), wire.sealed)


def read_manifest(raw: bytes) -> Manifest:
    """Read a manifest and check its signature. Raises `PeerError` kinds only."""
    wire = decode(_body(raw), _WireManifest)
    address = _address(wire)
    shaped = all(
        0 < size <= limits.BUNDLE_FILE_BYTES_MAX and len(digest) == DIGEST_BYTES
        for size, digest in wire.pieces
    )
    if wire.kind != MANIFEST or not shaped or len(wire.pieces) > limits.BUNDLE_FILES_MAX:
        raise MalformedMessageError("The manifest of a bundle is out of shape.")
    _check(raw, address.sender)
    return Manifest(address, wire.pieces)


def open_piece(piece: Piece, keys: Iterable[AgreementKey]) -> Content:
    """Open a piece with whichever of our keys it names; old keys are tried like new ones.

    Raises `WrongKeyError` where it is for somebody else, and `PeerError` kinds.
    """
    for key in keys:
        if key_name(key.public) == piece.address.recipient:
            try:
                plain = seal.open_sealed(key, piece.sealed, piece.purpose)
            except WrongKeyError as cause:  # it names our key, and its sender signed it
                raise BadSignatureError("A piece of a bundle was sealed badly.") from cause
            return _content(plain)
    raise WrongKeyError("This bundle is for another device. Nothing was taken in.")


def file_digest(raw: bytes) -> bytes:
    """Return the hash under which a manifest names a piece."""
    return hashlib.sha256(raw).digest()


def _content(plain: bytes) -> Content:
    content = decode(plain, Content)
    if len(content.ranges) != len(content.payloads):
        raise MalformedMessageError("A piece of a bundle is out of shape.")
    if any(
        len(chunk) > limits.CHUNK_BYTES + seal.NONCE_BYTES + seal.TAG_BYTES
        for chunk in content.chunks
    ):
        raise LimitExceededError("A chunk of a scan is larger than its bound.")
    return content


def _head(address: Address) -> list[object]:
    return [address.ward, address.sender, address.recipient, address.bundle, address.time]


def _address(wire: _WirePiece | _WireManifest) -> Address:
    sizes = (
        (wire.ward, ID_BYTES),
        (wire.sender, KEY_BYTES),
        (wire.recipient, KEY_NAME_BYTES),
        (wire.bundle, BUNDLE_ID_BYTES),
    )
    if wire.version != VERSION:
        raise UnsupportedVersionError(
            "A bundle was written by another version of the program: update the older one."
        )
    if any(len(value) != size for value, size in sizes) or not 0 <= wire.time < TIME_MAX:
        raise MalformedMessageError("A bundle's address is out of shape.")
    return Address(
        WardId(wire.ward), DeviceKey(wire.sender), wire.recipient, wire.bundle, wire.time
    )


def _signed(key: SigningKey, body: bytes) -> bytes:
    raw = signature.sign(key, signature.BUNDLE, hashlib.sha256(body).digest()) + body
    if len(raw) > limits.BUNDLE_FILE_BYTES_MAX:
        raise LimitExceededError("A piece of a bundle would be larger than its bound.")
    return raw


def _body(raw: bytes) -> memoryview:
    if len(raw) > limits.BUNDLE_FILE_BYTES_MAX:
        raise LimitExceededError("A piece of a bundle is larger than its bound.")
    return memoryview(raw)[signature.SIGNATURE_BYTES :]


def _check(raw: bytes, sender: DeviceKey) -> None:
    proof, body = raw[: signature.SIGNATURE_BYTES], raw[signature.SIGNATURE_BYTES :]
    signature.check(sender, proof, signature.BUNDLE, hashlib.sha256(body).digest())
