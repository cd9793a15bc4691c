"""One entry: a header, a body, and their place in the chain. Set in stone.

* The **header** says when, who, under which schema, what kind, and the **context**: the head of
  each other feed that moved in the writer's views since its previous entry.
* The **body** starts with 8 random bytes, so that its hash can stay in the chain after the body
  was lawfully erased, and can't be guessed.
* `H(i) = SHA-256(H(i-1) || SHA-256(body) || header)`; H(0) is the hash of the feed's declaration.
  The previous hash is recomputed by every reader and never sent.
"""

from __future__ import annotations

import hashlib

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import ID_BYTES, FeedId, OfficerId

HASH_BYTES = 32
SHORT_HASH_BYTES = 16
CHANGESET = 0
CONTROL = 1
TIMESTAMP_MAX = 2**64 - 1
SEQ_MAX = 2**63 - 1


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """A head: this feed, so far, with the first 16 bytes of its chain hash there."""

    feed: FeedId
    seq: int
    hash: bytes


class Header(msgspec.Struct, array_like=True, frozen=True):
    """Who said when, under which schema, having folded what.

    `officer` is empty where the device itself speaks. `kind` is CHANGESET or CONTROL; others come
    from newer versions and are kept.
    """

    timestamp: int
    officer: OfficerId
    schema: int
    kind: int
    context: list[Mark] = []


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry as it is stored and sent. `body` is None once it was erased."""

    header: bytes
    body: bytes | None
    body_hash: bytes

    @classmethod
    def of(cls, header: Header, body: bytes) -> Entry:
        """Make an entry from its parts."""
        return cls(encode(msgspec.to_builtins(header, builtin_types=(bytes,))), body, digest(body))

    def follow(self, before: bytes) -> bytes:
        """Return the chain's 32-byte hash after this entry, given the one before it."""
        return hashlib.sha256(before + self.body_hash + self.header).digest()

    def erased(self) -> Entry:
        """Return the same link of the chain without its body."""
        return Entry(self.header, None, self.body_hash)


def digest(body: bytes) -> bytes:
    """Return the 32-byte hash of a body."""
    return hashlib.sha256(body).digest()


def read_header(raw: bytes) -> Header:
    """Read and check a header. Raises `PeerError` kinds only."""
    header = decode(raw, Header)
    if not 0 <= header.timestamp <= TIMESTAMP_MAX or len(header.officer) not in (0, ID_BYTES):
        raise MalformedMessageError("An entry's header is out of range.")
    if len(header.context) > limits.ENTRY_CONTEXT_FEEDS_MAX:
        raise LimitExceededError("An entry's context is larger than its bound.")
    for mark in header.context:
        check_mark(mark)
    return header


def check_mark(mark: Mark) -> None:
    """Check the shape of a mark. Raises `MalformedMessageError`."""
    shaped = len(mark.feed) == ID_BYTES and len(mark.hash) == SHORT_HASH_BYTES
    if not shaped or not 0 <= mark.seq <= SEQ_MAX:
        raise MalformedMessageError("A frontier mark is out of shape.")
