"""The log on SQLCipher: blocks as the bytes that came, tails entry by entry, notes."""

# ruff: noqa: S608  # every name in a statement is our own; values are bound

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from sync_protocol import limits
from sync_protocol.errors import PeerError, StoreCorruptError
from sync_protocol.log.block import (
    GROUP_BLOCKS,
    Range,
    block_first,
    block_number,
    group_head_first,
    is_full_block,
    pack,
    packed_against,
    raw_form,
    spans,
    unpack,
)
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.sqlite import Connection, SqliteFile
from sync_protocol.storage.sqlite_chains import (
    CHAIN_COLUMNS,
    PUT_BLOCK,
    SCHEMA,
    chain_of,
    complete_block,
    end_of,
    find_block,
    hash_in_tail,
    hash_of_row,
    packed_block,
    put_tail,
    tail_from,
)
from sync_protocol.storage.store import ChainRow

HEADS_KEPT_MAX = 8
"""Heads of groups in memory: 8 x 200 KiB; a reader or a push walks one group at a time."""


class SqliteLog:
    """The log of one replica in one encrypted file."""

    def __init__(self, path: str, key: bytes, timeout_s: float = limits.STORE_TIMEOUT_S) -> None:
        """Open it, or create it, under a 32-byte key."""
        self._file = SqliteFile(path, key, SCHEMA, timeout_s)
        self._heads: dict[tuple[int, int], bytes] = {}

    def transaction(self, *, durable: bool) -> AbstractContextManager[None]:
        """Open a transaction; `durable` syncs it to the disk before it returns."""
        return self._file.transaction(durable=durable)

    def chains(self) -> list[ChainRow]:
        """Return every chain, by number."""
        with self._file.reading() as connection:
            rows = connection.execute(
                f"select number, {CHAIN_COLUMNS} from chain order by number"
            ).fetchall()
        return [chain_of(row) for row in rows]

    def put_chain(self, row: ChainRow) -> int:
        """Insert (number 0) or replace a chain; return its number."""
        with self._file.writing() as connection:
            number = row.number
            if not number:
                newest = connection.execute("select max(number) from chain").fetchone()[0]
                number = (newest or 0) + 1
            connection.execute(
                f"insert or replace into chain (number, {CHAIN_COLUMNS}) "
                "values (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    number,
                    row.declaration,
                    row.base_chain,
                    row.base_seq,
                    *row.head,
                    *row.staged,
                    *row.floor,
                    row.seal,
                ),
            )
            return number

    def append(self, chain: int, before: Head, entries: Sequence[Entry], packed: bytes) -> Head:
        """Store `entries` right after `before` and return the new head."""
        with self._file.writing() as connection:
            held = end_of(connection, chain)
            if held is not None and held != before:
                raise AssertionError("Entries are stored right after the last that is held.")
            head = before
            for first, last in spans(before.seq + 1, before.seq + len(entries)):
                part = entries[first - before.seq - 1 : last - before.seq]
                hashes = follow(head, part)
                if last % limits.BLOCK_ENTRIES:
                    put_tail(connection, chain, head, part, hashes)
                else:
                    as_it_came = packed if is_full_block(first, len(entries)) else b""
                    block = complete_block(
                        connection, chain, head, part, self._packer(connection, chain, as_it_came)
                    )
                    connection.execute(PUT_BLOCK, (chain, *block, hashes[-1]))
                head = Head(last, hashes[-1])
            return head

    def entries(self, chain: int, first: int, last: int) -> Iterator[tuple[int, Entry]]:
        """Yield (seq, entry) for those of [first, last] that are held, a block at a time."""
        while first <= last:
            with self._file.reading() as connection:
                held = self._held_from(connection, chain, first)
            if held is None:
                return
            for seq, entry in enumerate(held.entries, held.first):
                if first <= seq <= last:
                    yield seq, entry
            first = held.last + 1

    def packed(self, chain: int, first: int, last: int) -> bytes:
        """Return the packed form of a range within one block, as stored where it is a block."""
        with self._file.reading() as connection:
            block = find_block(connection, chain, block_number(first))
            if block is not None and (block.first, block.last) == (first, last):
                return packed_block(connection, chain, block.number)
            held = self._held_from(connection, chain, first)
            if held is None or not held.first <= first <= last <= held.last:
                raise AssertionError("A range was asked for that is not held.")
            head = self._group_head(connection, chain, first)
        return pack(first, held.entries[first - held.first : last - held.first + 1], head)

    def group_head(self, chain: int, seq: int) -> bytes | None:
        """Return the raw form of the head block of a group, None where it is not held whole."""
        with self._file.reading() as connection:
            return self._group_head(connection, chain, seq)

    def hash_at(self, chain: int, seq: int) -> bytes | None:
        """Return the chain's 32-byte hash after `seq`, or None where it is not known here."""
        with self._file.reading() as connection:
            found = hash_in_tail(connection, chain, seq)
            if found is None:
                found = self._hash_in_blocks(connection, chain, seq)
            if found is None:
                found = hash_of_row(connection, chain, seq)
            return found

    def truncate(self, chain: int, after: int) -> None:
        """Forget the entries beyond `after`."""
        with self._file.writing() as connection:
            number = block_number(after)
            cut = find_block(connection, chain, number)
            connection.execute("delete from tail where chain = ? and seq > ?", (chain, after))
            if cut is not None and cut.first <= after < cut.last:
                held = self._unpack(connection, chain, number)
                part = held.entries[: after - held.first + 1]
                before = Head(cut.first - 1, cut.before)
                put_tail(connection, chain, before, part, follow(before, part))
            elif cut is not None and after == cut.last:
                number += 1
            connection.execute("delete from block where chain = ? and number >= ?", (chain, number))
            self._heads.clear()

    def drop(self, chain: int, through: int) -> None:
        """Forget whole blocks whose last entry is at or before `through`, keeping the chain."""
        kept = through // limits.BLOCK_ENTRIES
        with self._file.writing() as connection:
            if kept % GROUP_BLOCKS:
                self._loosen(connection, chain, kept)
            connection.execute("delete from block where chain = ? and number < ?", (chain, kept))
            self._heads.clear()

    def erase(self, chain: int, seqs: Iterable[int]) -> None:
        """Forget the bodies of these entries; the freed pages are overwritten."""
        by_block: dict[int, set[int]] = {}
        for seq in seqs:
            by_block.setdefault(block_number(seq), set()).add(seq)
        with self._file.writing() as connection:
            connection.execute("pragma secure_delete=on")
            try:
                for number, chosen in by_block.items():
                    self._erase(connection, chain, number, chosen)
            finally:
                connection.execute("pragma secure_delete=off")

    def note(self, key: str) -> bytes | None:
        """Return a named note."""
        with self._file.reading() as connection:
            row = connection.execute("select value from note where key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def put_note(self, key: str, value: bytes | None) -> None:
        """Write a named note; None removes it."""
        with self._file.writing() as connection:
            if value is None:
                connection.execute("delete from note where key = ?", (key,))
            else:
                connection.execute("insert or replace into note values (?, ?)", (key, value))

    def notes(self, prefix: str) -> dict[str, bytes]:
        """Return the notes whose key starts with `prefix`, by key."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "select key, value from note where key >= ? and key < ? order by key",
                (prefix, prefix + "\U0010ffff"),
            ).fetchall()
        return dict(rows)

    def check(self) -> list[str]:
        """Check every page; return a sentence for each damage found."""
        return self._file.check()

    def copy_to(self, path: str) -> None:
        """Write a consistent copy, under the same key, to a new file."""
        self._file.copy_to(path)

    def close(self) -> None:
        """Close; further use is a mistake."""
        self._file.close()

    def _packer(
        self, connection: Connection, chain: int, as_it_came: bytes
    ) -> Callable[[int, Sequence[Entry]], bytes]:
        def packed(first: int, entries: Sequence[Entry]) -> bytes:
            return as_it_came or pack(first, entries, self._group_head(connection, chain, first))

        return packed

    def _group_head(self, connection: Connection, chain: int, seq: int) -> bytes | None:
        first = group_head_first(seq)
        number = block_number(first)
        if number == block_number(seq):
            return None
        known = self._heads.get((chain, number))
        if known is not None:
            return known
        row = find_block(connection, chain, number)
        if row is None or row.first != first:
            return None
        raw = raw_form(first, self._unpack(connection, chain, number).entries)
        if len(self._heads) >= HEADS_KEPT_MAX:
            self._heads.clear()
        self._heads[chain, number] = raw
        return raw

    def _loosen(self, connection: Connection, chain: int, number: int) -> None:
        """Pack the blocks of a group from `number` on alone: its head changes or goes."""
        border = (number // GROUP_BLOCKS + 1) * GROUP_BLOCKS
        rows = connection.execute(
            "select number from block where chain = ? and number >= ? and number < ?",
            (chain, number, border),
        ).fetchall()
        for (at,) in rows:
            held = self._unpack(connection, chain, at)
            connection.execute(
                "update block set packed = ? where chain = ? and number = ?",
                (pack(held.first, held.entries), chain, at),
            )

    def _unpack(self, connection: Connection, chain: int, number: int) -> Range:
        try:
            packed = packed_block(connection, chain, number)
            head = None
            if packed_against(packed) is not None:
                head = self._group_head(connection, chain, block_first(number))
            return unpack(packed, head)
        except PeerError as cause:
            raise StoreCorruptError(
                "A stored block can't be read. Rebuild the store from another copy.",
                chain=chain,
                block=number,
            ) from cause

    def _held_from(self, connection: Connection, chain: int, seq: int) -> Range | None:
        """Return the block or tail with the first held entry at or after `seq`."""
        row = connection.execute(
            "select number from block where chain = ? and number >= ? order by number limit 1",
            (chain, block_number(seq)),
        ).fetchone()
        if row is not None:
            return self._unpack(connection, chain, row[0])
        return tail_from(connection, chain, seq)

    def _hash_in_blocks(self, connection: Connection, chain: int, seq: int) -> bytes | None:
        block = find_block(connection, chain, block_number(seq))
        if block is not None and block.first <= seq:
            if seq == block.last:
                return block.after
            held = self._unpack(connection, chain, block.number)
            before = Head(block.first - 1, block.before)
            return follow(before, held.entries[: seq - block.first + 1])[-1]
        following = find_block(connection, chain, block_number(seq + 1))
        if following is not None and following.first == seq + 1:
            return following.before
        return None

    def _erase(self, connection: Connection, chain: int, number: int, chosen: set[int]) -> None:
        connection.executemany(
            "update tail set body = null where chain = ? and seq = ?",
            [(chain, seq) for seq in sorted(chosen)],
        )
        if find_block(connection, chain, number) is None:
            return
        if number % GROUP_BLOCKS == 0:
            self._loosen(connection, chain, number)
        held = self._unpack(connection, chain, number)
        kept = [
            entry.erased() if seq in chosen else entry
            for seq, entry in enumerate(held.entries, held.first)
        ]
        connection.execute(
            "update block set packed = ? where chain = ? and number = ?",
            (pack(held.first, kept), chain, number),
        )
        self._heads.clear()
