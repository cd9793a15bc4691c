"""The names of things: typed, parsed once, opaque.

All ids are bytes. A ward, feed, record and officer id is 16 bytes; a device is named by its
32-byte Ed25519 public key, or in messages by the first 16 bytes of that key's SHA-256.

* A **feed id** is the hash of the feed's declaration, so a feed can't be claimed by another key.
* A **record id** is derived from the entry that made it (its time, then a hash): it costs no bytes
  on the wire, sorts by time of capture (page locality under SQLCipher) and can't be chosen.
* A **dot** names one entry: (feed, seq, branch). `branch` is empty unless the feed forked; then it
  is the first 8 bytes of the hash of the entry with which the branch begins.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple, NewType

from sync_protocol.errors import InputError

WardId = NewType("WardId", bytes)
FeedId = NewType("FeedId", bytes)
RecordId = NewType("RecordId", bytes)
OfficerId = NewType("OfficerId", bytes)
DeviceKey = NewType("DeviceKey", bytes)
DeviceId = NewType("DeviceId", bytes)
AttachmentId = NewType("AttachmentId", bytes)

ID_BYTES = 16
KEY_BYTES = 32
INCARNATION_BYTES = 8
BRANCH_BYTES = 8
NO_OFFICER = OfficerId(b"")


class Dot(NamedTuple):
    """The name of one entry, and so of what it wrote."""

    feed: FeedId
    seq: int
    branch: bytes = b""


def device_id(key: DeviceKey) -> DeviceId:
    """Return the 16-byte name under which messages name a device."""
    return DeviceId(hashlib.sha256(b"motcua/device/1" + key).digest()[:ID_BYTES])


def feed_id(declaration: bytes) -> FeedId:
    """Return the id of the feed that `declaration` (its signed bytes) opens."""
    return FeedId(hashlib.sha256(b"motcua/feed/1" + declaration).digest()[:ID_BYTES])


def record_id(millis: int, feed: FeedId, seq: int, salt: bytes, index: int) -> RecordId:
    """Return the id of the `index`-th record that an entry makes.

    `millis` is the entry's time, `salt` the 8 random bytes that its body starts with.
    """
    tail = hashlib.sha256(
        b"motcua/record/1" + feed + seq.to_bytes(8, "big") + salt + index.to_bytes(4, "big")
    ).digest()[:10]
    return RecordId(millis.to_bytes(6, "big") + tail)


def parse_id(text: str) -> bytes:
    """Read a 16-byte id from the 32 hexadecimal digits that people and files carry.

    Raises `InputError`.
    """
    try:
        value = bytes.fromhex(text.strip())
    except ValueError as cause:
        raise InputError("That id is not hexadecimal. Copy it again from the list.") from cause
    if len(value) != ID_BYTES:
        raise InputError("An id has 32 hexadecimal digits. Copy it again from the list.")
    return value
