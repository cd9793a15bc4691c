"""A feed: one device key, in one ward, in one incarnation; and what may follow what.

What holds:
* A feed opens with a **declaration**, signed by the device key; the feed's id is the hash of those
  bytes. A fresh incarnation opens a new feed after an install, a restore, a detected copy or a
  failed self-check, and says what it supersedes. A feed is never resumed after a restore.
* Entries follow one another without a gap; the chain's hash after the last must equal the seal's.
* Two different entries after one and the same entry are a **fork**. Both chains are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sync_protocol.crypto import signature
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import (
    ID_BYTES,
    INCARNATION_BYTES,
    KEY_BYTES,
    DeviceKey,
    FeedId,
    WardId,
    feed_id,
)
from sync_protocol.log.entry import SHORT_HASH_BYTES, Entry, Mark, check_mark


class Head(NamedTuple):
    """How far a chain goes: the last seq (0: none yet) and the chain's 32-byte hash there."""

    seq: int
    hash: bytes


class Declaration(msgspec.Struct, array_like=True, frozen=True):
    """What opens a feed. `supersedes` is the head of the feed that this one replaces."""

    device: DeviceKey
    agreement: bytes
    ward: WardId
    incarnation: bytes
    supersedes: Mark | None = None


class SignedDeclaration(NamedTuple):
    """A declaration, the bytes that were signed, and all as it is sent."""

    declaration: Declaration
    feed: FeedId
    raw: bytes

    @property
    def start(self) -> Head:
        """The head of the feed before its first entry."""
        return Head(0, hashlib.sha256(b"motcua/chain/1" + self.raw).digest())


def declare(
    keys: DeviceKeys, ward: WardId, incarnation: bytes, supersedes: Mark | None = None
) -> SignedDeclaration:
    """Open a feed."""
    mark = None if supersedes is None else [supersedes.feed, supersedes.seq, supersedes.hash]
    body = encode([keys.public, keys.agreement.public, ward, incarnation, mark])
    proof = signature.sign(keys.signing, signature.DECLARATION, body)
    return read_declaration(proof + body)


def read_declaration(raw: bytes) -> SignedDeclaration:
    """Read and verify a signed declaration. Raises `PeerError` kinds only."""
    proof, body = raw[: signature.SIGNATURE_BYTES], raw[signature.SIGNATURE_BYTES :]
    declaration = decode(body, Declaration)
    sizes = (
        (declaration.device, KEY_BYTES),
        (declaration.agreement, KEY_BYTES),
        (declaration.ward, ID_BYTES),
        (declaration.incarnation, INCARNATION_BYTES),
    )
    if any(len(value) != size for value, size in sizes):
        raise MalformedMessageError("A feed's declaration is out of shape.")
    if declaration.supersedes is not None:
        check_mark(declaration.supersedes)
    signature.check(declaration.device, proof, signature.DECLARATION, body)
    return SignedDeclaration(declaration, feed_id(raw), raw)


def follow(head: Head, entries: Sequence[Entry]) -> list[bytes]:
    """Return the chain's hash after each of `entries`, which come right after `head`."""
    hashes = []
    before = head.hash
    for entry in entries:
        before = entry.follow(before)
        hashes.append(before)
    return hashes


def mark(feed: FeedId, head: Head) -> Mark:
    """Return a head as frontiers state it."""
    return Mark(feed, head.seq, head.hash[:SHORT_HASH_BYTES])
