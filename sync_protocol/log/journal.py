"""The frames of the capture journal: each own entry with its place in the chain, encrypted."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sync_protocol.crypto import seal
from sync_protocol.encoding import decode, encode
from sync_protocol.identity import FeedId
from sync_protocol.log.entry import Entry, digest

_PURPOSE = b"motcua/journal/1"


class _Frame(msgspec.Struct, array_like=True):
    feed: FeedId
    seq: int
    header: bytes
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class JournalFrame:
    """One own entry; `hash` is the chain's hash after it."""

    feed: FeedId
    seq: int
    entry: Entry
    hash: bytes


def seal_frame(key: bytes, feed: FeedId, seq: int, entry: Entry, hash_after: bytes) -> bytes:
    """Return an encrypted frame."""
    body = entry.body or b""
    return seal.encrypt(key, encode([feed, seq, entry.header, body, hash_after]), _PURPOSE)


def open_frame(key: bytes, frame: bytes) -> JournalFrame:
    """Read a frame. Raises `PeerError` kinds for damage or a wrong key."""
    wire = decode(seal.decrypt(key, frame, _PURPOSE), _Frame)
    entry = Entry(wire.header, wire.body, digest(wire.body))
    return JournalFrame(wire.feed, wire.seq, entry, wire.hash)
