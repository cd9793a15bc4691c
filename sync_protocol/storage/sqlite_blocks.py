"""Packed blocks as rows of SQLCipher, alone or against the head of their group.

What holds:
* A block packed against its group's head is readable as long as it is here: whoever changes the
  head (an erasure) or takes it away (a floor) packs the others of its group anew.
* Only a full block that this chain itself holds is a head. Where there is none, blocks are packed
  alone; so is the head itself.
* What came packed against another head than ours is packed anew, never kept unreadable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sync_protocol import limits
from sync_protocol.errors import PeerError, StoreCorruptError
from sync_protocol.log.block import (
    GROUP_BLOCKS,
    Range,
    block_number,
    head_digest,
    is_full_block,
    pack,
    packed_against,
    raw_form,
    unpack,
)
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.sqlite import Connection
from sync_protocol.storage.sqlite_chains import (
    BlockRow,
    block_numbers,
    empty_tail,
    find_block,
    packed_block,
    put_block,
    repack_block,
)

K = TypeVar("K")
V = TypeVar("V")
_KEPT_MAX = 16
_KEPT_BYTES_MAX = limits.MIB
"""At worst 16 MiB of heads are remembered, and 16 MiB of blocks that were read last; real ones have
100 KiB. Larger ones are read again."""


class Blocks:
    """The blocks of a log. What it remembers is named by its content, so it is never stale."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._heads: dict[tuple[int, bytes], bytes] = {}
        self._hashes: dict[BlockRow, list[bytes]] = {}
        self._read: dict[bytes, Range] = {}

    def unpack(self, connection: Connection, chain: int, number: int) -> Range:
        """Read a block that is there. Raises `StoreCorruptError`."""
        packed = packed_block(connection, chain, number)
        known = self._read.get(packed)
        if known is not None:
            return known
        head: bytes | None = None
        if packed_against(packed) is not None:
            head = self.head(connection, chain, number)
        try:
            found = unpack(packed, head)
        except PeerError as cause:
            raise StoreCorruptError(
                "A stored block can't be read. “repair” mends it, or at the city a backup.",
                chain=chain,
                block=number,
            ) from cause
        size = sum(len(entry.header) + len(entry.body or b"") for entry in found.entries)
        if size <= _KEPT_BYTES_MAX:
            _remember(self._read, packed, found)
        return found

    def head(self, connection: Connection, chain: int, number: int) -> bytes | None:
        """Return the raw form of the group's head, None where `number` has none here."""
        row = _head_row(connection, chain, number)
        if row is None:
            return None
        raw = self._heads.get((chain, row.digest))
        if raw is None:
            raw = raw_form(row.first, self.unpack(connection, chain, row.number).entries)
            if len(raw) <= _KEPT_BYTES_MAX:
                _remember(self._heads, (chain, row.digest), raw)
        return raw

    def hash_at(self, connection: Connection, chain: int, block: BlockRow, seq: int) -> bytes:
        """Return the chain's hash after an entry of a block."""
        if seq == block.last:
            return block.after
        hashes = self._hashes.get(block)
        if hashes is None:
            entries = self.unpack(connection, chain, block.number).entries
            hashes = follow(Head(block.first - 1, block.before), entries)
            _remember(self._hashes, block, hashes)
        return hashes[seq - block.first]

    def complete(
        self, connection: Connection, chain: int, before: Head, part: Sequence[Entry], packed: bytes
    ) -> Head:
        """Store the block that `part` completes, with what the tail held of it; return its end.

        `packed` is kept as it came where it is the whole block and readable here.
        """
        number = block_number(before.seq + 1)
        begin, tail = empty_tail(connection, chain, before)
        entries = [*tail, *part]
        first, after = begin.seq + 1, follow(before, part)[-1]
        digest = b""
        if number % GROUP_BLOCKS == 0 and is_full_block(first, len(entries)):
            digest = head_digest(raw_form(first, entries))
        if tail or len(part) < limits.BLOCK_ENTRIES or not _fits(connection, chain, number, packed):
            packed = pack(first, entries, self.head(connection, chain, number))
        row = BlockRow(number, first, begin.hash, after, digest)
        put_block(connection, chain, row, packed)
        return Head(row.last, after)

    def erase(self, connection: Connection, chain: int, number: int, seqs: set[int]) -> None:
        """Forget the bodies of some entries of a block, if it is there."""
        row = find_block(connection, chain, number)
        if row is None:
            return
        held = self.unpack(connection, chain, number)
        kept = [
            entry.erased() if seq in seqs else entry
            for seq, entry in enumerate(held.entries, held.first)
        ]
        if not row.digest:
            packed = pack(held.first, kept, self.head(connection, chain, number))
            repack_block(connection, chain, row, packed)
            self._forget()
            return
        others = self._others(connection, chain, number)
        head = raw_form(held.first, kept)
        repack_block(
            connection,
            chain,
            row._replace(digest=head_digest(head)),
            pack(held.first, kept),
        )
        for other, entries in others:
            repack_block(connection, chain, other, pack(other.first, entries, head))
        self._forget()  # the old head names nothing any more, and held the bodies

    def _forget(self) -> None:
        """An erased body must not live on in memory."""
        self._heads.clear()
        self._read.clear()

    def part_from_head(self, connection: Connection, chain: int, first_kept: int) -> None:
        """Pack alone what is packed against a head below the block `first_kept`."""
        number = first_kept - first_kept % GROUP_BLOCKS
        if number == first_kept:
            return
        for row, entries in self._others(connection, chain, number):
            if row.number >= first_kept:
                repack_block(connection, chain, row, pack(row.first, entries))

    def _others(
        self, connection: Connection, chain: int, head: int
    ) -> list[tuple[BlockRow, list[Entry]]]:
        """Return the blocks that are packed against a head, unpacked."""
        found = []
        for number in block_numbers(connection, chain, head + 1, head + GROUP_BLOCKS - 1):
            row = find_block(connection, chain, number)
            against = packed_against(packed_block(connection, chain, number))
            if row is not None and against is not None:
                found.append((row, self.unpack(connection, chain, number).entries))
        return found


def _head_row(connection: Connection, chain: int, number: int) -> BlockRow | None:
    head = number - number % GROUP_BLOCKS
    row = None if head == number else find_block(connection, chain, head)
    return row if row is not None and row.digest else None


def _fits(connection: Connection, chain: int, number: int, packed: bytes) -> bool:
    """Whether a whole block can be kept as it came."""
    against = packed_against(packed)
    if not packed or against is None:
        return bool(packed)
    row = _head_row(connection, chain, number)
    return row is not None and row.digest == against


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    # Emptied when full: simple, and safe where several threads read.
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[key] = value
