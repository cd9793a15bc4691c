"""Entries packed for the disk and the wire: one range of one feed, within one block. Set in stone.

A **block** is the 256 entries with seqs 256n+1 … 256n+256; once full it is packed and compressed,
and stored and relayed as the same bytes. A range never crosses a block's border. Hashes cover the
entries, not the compression, so replicas may compress differently.

Packed form: one byte FORMAT, then zstd of MessagePack [first, headers, bodies, erased], where an
erased body is nil and `erased` lists the hashes of those bodies in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import compress, decode, decompress, encode
from sync_protocol.errors import (
    LimitExceededError,
    MalformedMessageError,
    UnsupportedVersionError,
)
from sync_protocol.log.entry import HASH_BYTES, Entry, digest

FORMAT = 1


class _Packed(msgspec.Struct, array_like=True):
    first: int
    headers: list[bytes]
    bodies: list[bytes | None]
    erased: list[bytes]


@dataclass(frozen=True, slots=True)
class Range:
    """Consecutive entries of one feed; `first` is the seq of the first."""

    first: int
    entries: list[Entry]

    @property
    def last(self) -> int:
        """The seq of the last entry."""
        return self.first + len(self.entries) - 1


def block_number(seq: int) -> int:
    """Return the number of the block in which the entry `seq` (from 1) lies."""
    return (seq - 1) // limits.BLOCK_ENTRIES


def block_first(number: int) -> int:
    """Return the seq of the first entry of a block."""
    return number * limits.BLOCK_ENTRIES + 1


def spans(first: int, last: int) -> list[tuple[int, int]]:
    """Cut [first, last] at the borders of blocks."""
    found = []
    while first <= last:
        end = min(last, block_first(block_number(first) + 1) - 1)
        found.append((first, end))
        first = end + 1
    return found


def is_full_block(first: int, count: int) -> bool:
    """Whether `count` entries from `first` are exactly one block."""
    return count == limits.BLOCK_ENTRIES and first == block_first(block_number(first))


def pack(first: int, entries: Sequence[Entry]) -> bytes:
    """Return the packed form of a range."""
    headers = [entry.header for entry in entries]
    bodies = [entry.body for entry in entries]
    erased = [entry.body_hash for entry in entries if entry.body is None]
    return bytes([FORMAT]) + compress(encode([first, headers, bodies, erased]))


def unpack(packed: bytes | memoryview) -> Range:
    """Read a packed range. Raises `PeerError` kinds only."""
    if len(packed) > limits.RANGE_PACKED_BYTES_MAX:
        raise LimitExceededError("A block is larger than its bound.")
    if not len(packed):
        raise MalformedMessageError("A block is empty.")
    if packed[0] != FORMAT:
        raise UnsupportedVersionError("A block is of a newer form: update the program.")
    wire = decode(decompress(memoryview(packed)[1:], limits.RANGE_BYTES_MAX), _Packed)
    count = len(wire.headers)
    if not 0 < count == len(wire.bodies) <= limits.BLOCK_ENTRIES or wire.first < 1:
        raise MalformedMessageError("A block's columns do not match.")
    if len(spans(wire.first, wire.first + count - 1)) != 1:
        raise MalformedMessageError("A range crosses the border of a block.")
    if wire.bodies.count(None) != len(wire.erased) or any(
        len(item) != HASH_BYTES for item in wire.erased
    ):
        raise MalformedMessageError("A block's erased bodies do not match.")
    return Range(wire.first, _entries(wire))


def _entries(wire: _Packed) -> list[Entry]:
    erased = iter(wire.erased)
    entries = []
    for header, body in zip(wire.headers, wire.bodies, strict=True):
        if body is not None and len(body) > limits.ENTRY_BODY_BYTES_MAX:
            raise LimitExceededError("An entry is larger than its bound.")
        entries.append(Entry(header, body, next(erased) if body is None else digest(body)))
    return entries
