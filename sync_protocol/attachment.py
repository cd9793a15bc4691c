"""A scan as sealed, content-addressed chunks and a manifest. Set in stone.

* Each scan has a random 32-byte key; each 256 KiB chunk is AES-256-GCM under it, bound to its place
  and to how many there are. A chunk's address is the SHA-256 of its ciphertext, so that equal scans
  can't be tested for by an outsider.
* The key is sealed (HPKE) to the ward's key and to the offline recovery key, not to the hub.
* The manifest travels in the dossier's entry; the chunks follow when the line allows. The
  attachment's id is the first 16 bytes of the hash of its chunk addresses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from sync_protocol import limits
from sync_protocol.crypto import seal
from sync_protocol.crypto.key import AgreementKey, random_bytes
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    AttachmentRefusedError,
    BadSignatureError,
    MalformedMessageError,
    WrongKeyError,
)
from sync_protocol.identity import AttachmentId

ADDRESS_BYTES = 32
KEY_NAME_BYTES = 8
_PURPOSE = b"motcua/scan/1"


class Manifest(msgspec.Struct, array_like=True, frozen=True):
    """What a scan is made of.

    `keys` maps the first 8 bytes of a public key's hash to the scan key sealed to it.
    """

    media_type: str
    size: int
    chunks: list[bytes]
    keys: list[tuple[bytes, bytes]]

    @property
    def id(self) -> AttachmentId:
        """The attachment's id."""
        return attachment_id(self.chunks)


@dataclass(frozen=True, slots=True)
class SealedScan:
    """A manifest as bytes, the ciphertext chunks by address, and the scan's key (a secret)."""

    manifest: bytes
    key: bytes
    chunks: dict[bytes, bytes]


def attachment_id(chunks: Sequence[bytes]) -> AttachmentId:
    """Return the id of the attachment that has these chunk addresses."""
    return AttachmentId(hashlib.sha256(b"motcua/attachment/1" + b"".join(chunks)).digest()[:16])


def key_name(public: bytes) -> bytes:
    """Return the 8 bytes by which sealed things name a public key."""
    return hashlib.sha256(b"motcua/key/1" + public).digest()[:KEY_NAME_BYTES]


def seal_scan(plain: bytes, media_type: str, readers: Iterable[bytes]) -> SealedScan:
    """Seal a scan to the public keys of `readers`. Raises `AttachmentRefusedError`."""
    if not plain or len(plain) > limits.ATTACHMENT_BYTES_MAX:
        raise AttachmentRefusedError(
            f"A scan must have between 1 byte and {limits.ATTACHMENT_BYTES_MAX >> 20} MiB.",
            bytes=len(plain),
        )
    key = random_bytes(seal.KEY_BYTES)
    step = limits.CHUNK_BYTES
    count = -(-len(plain) // step)
    chunks: dict[bytes, bytes] = {}
    for index in range(count):
        part = plain[index * step : (index + 1) * step]
        sealed = seal.encrypt(key, part, _place(index, count))
        chunks[hashlib.sha256(sealed).digest()] = sealed
    keys = [[key_name(public), seal.seal_to(public, key, _PURPOSE)] for public in readers]
    return SealedScan(encode([media_type, len(plain), list(chunks), keys]), key, chunks)


def _place(index: int, count: int) -> bytes:
    return _PURPOSE + index.to_bytes(4, "big") + count.to_bytes(4, "big")


def read_manifest(raw: bytes) -> Manifest:
    """Read a manifest. Raises `MalformedMessageError`."""
    manifest = decode(raw, Manifest)
    shaped = all(len(address) == ADDRESS_BYTES for address in manifest.chunks)
    shaped = shaped and 0 < manifest.size <= limits.ATTACHMENT_BYTES_MAX
    if not shaped or not 0 < len(manifest.chunks) <= limits.CHUNKS_PER_ATTACHMENT_MAX:
        raise MalformedMessageError("A scan's manifest is out of shape.")
    return manifest


def scan_key(manifest: Manifest, key: AgreementKey) -> bytes:
    """Open the scan's key with a reader's private key. Raises `WrongKeyError`."""
    name = key_name(key.public)
    for reader, sealed in manifest.keys:
        if reader == name:
            return seal.open_sealed(key, sealed, _PURPOSE)
    raise WrongKeyError("This scan is not sealed to the key at hand.")


def open_scan(
    manifest: Manifest, key: bytes, chunk: Callable[[bytes], bytes | None]
) -> bytes | None:
    """Return the scan, or None where a chunk is missing. Raises `BadSignatureError`."""
    parts = []
    for index, address in enumerate(manifest.chunks):
        sealed = chunk(address)
        if sealed is None:
            return None
        if hashlib.sha256(sealed).digest() != address:
            raise BadSignatureError("A chunk of a scan is damaged.")
        parts.append(seal.decrypt(key, sealed, _place(index, len(manifest.chunks))))
    return b"".join(parts)
