"""The frames of the capture journal: one own entry each, encrypted, with its chain hash.

The journal lies outside the database and is written before it: its end is the head. A frame is
`encrypt(key, [feed, seq, header, body, body_hash, hash])`, where `hash` is the chain's 32-byte
hash after the entry, and `body_hash` is empty unless the body was erased. The journal of a feed
opens with seq 0: its body is the feed's declaration, its header is empty, its hash that before the
first entry; so a feed survives the loss of its whole store. Set in stone.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sync_protocol.crypto import seal
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import ID_BYTES, FeedId
from sync_protocol.log.entry import HASH_BYTES, Entry, digest

PURPOSE = b"motcua/journal/1"


class JournalFrame(NamedTuple):
    """One entry as the journal keeps it, and the chain's 32-byte hash after it."""

    feed: FeedId
    seq: int
    entry: Entry
    hash: bytes


class _Frame(msgspec.Struct, array_like=True):
    feed: FeedId
    seq: int
    header: bytes
    body: bytes | None
    body_hash: bytes
    hash: bytes


def seal_frame(key: bytes, feed: FeedId, seq: int, entry: Entry, hash_after: bytes) -> bytes:
    """Return the encrypted frame of an entry."""
    body_hash = entry.body_hash if entry.body is None else b""
    clear = encode([feed, seq, entry.header, entry.body, body_hash, hash_after])
    return seal.encrypt(key, clear, PURPOSE)


def open_frame(key: bytes, frame: bytes) -> JournalFrame:
    """Undo `seal_frame`. Raises `BadSignatureError` or `MalformedMessageError`."""
    read = decode(seal.decrypt(key, frame, PURPOSE), _Frame)
    body_hash = read.body_hash if read.body is None else digest(read.body)
    sizes = ((read.feed, ID_BYTES), (read.hash, HASH_BYTES), (body_hash, HASH_BYTES))
    if read.seq < 0 or any(len(value) != size for value, size in sizes):
        raise MalformedMessageError("A frame of the journal is out of shape.")
    return JournalFrame(read.feed, read.seq, Entry(read.header, read.body, body_hash), read.hash)
