"""The log on SQLCipher: blocks as the bytes that came, tails entry by entry, notes."""

# ruff: noqa: S608  # every name in a statement is our own; values are bound

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from sync_protocol import limits
from sync_protocol.log.block import Range, block_number, pack, packed_against, spans
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.sqlite import Connection, SqliteFile
from sync_protocol.storage.sqlite_blocks import Blocks
from sync_protocol.storage.sqlite_chains import (
    CHAIN_COLUMNS,
    SCHEMA,
    chain_of,
    end_of,
    erase_in_tail,
    find_block,
    hash_in_tail,
    hash_of_row,
    packed_block,
    put_tail,
    tail_from,
)
from sync_protocol.storage.store import ChainRow


class SqliteLog:
    """The log of one replica in one encrypted file."""

    def __init__(self, path: str, key: bytes, timeout_s: float = limits.STORE_TIMEOUT_S) -> None:
        """Open it, or create it, under a 32-byte key."""
        self._file = SqliteFile(path, key, SCHEMA, timeout_s)
        self._blocks = Blocks()

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
                if last % limits.BLOCK_ENTRIES:
                    hashes = follow(head, part)
                    put_tail(connection, chain, head, part, hashes)
                    head = Head(last, hashes[-1])
                else:
                    as_it_came = packed if len(part) == len(entries) else b""
                    head = self._blocks.complete(connection, chain, head, part, as_it_came)
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

    def packed(self, chain: int, first: int, last: int, *, alone: bool = False) -> bytes:
        """Return the packed form of a range within one block; see the port."""
        number = block_number(first)
        with self._file.reading() as connection:
            block = find_block(connection, chain, number)
            if block is not None and (block.first, block.last) == (first, last):
                packed = packed_block(connection, chain, number)
                if not alone or packed_against(packed) is None:
                    return packed
            held = self._held_from(connection, chain, first)
            if held is None or not held.first <= first <= last <= held.last:
                raise AssertionError("A range was asked for that is not held.")
            head = None if alone else self._blocks.head(connection, chain, number)
        return pack(first, held.entries[first - held.first : last - held.first + 1], head)

    def group_head(self, chain: int, seq: int) -> bytes | None:
        """Return the raw form of the head of the group in which `seq` lies; see the port."""
        with self._file.reading() as connection:
            return self._blocks.head(connection, chain, block_number(seq))

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
                held = self._blocks.unpack(connection, chain, number)
                part = held.entries[: after - held.first + 1]
                before = Head(cut.first - 1, cut.before)
                put_tail(connection, chain, before, part, follow(before, part))
            elif cut is not None and after == cut.last:
                number += 1
            connection.execute("delete from block where chain = ? and number >= ?", (chain, number))

    def drop(self, chain: int, through: int) -> None:
        """Forget whole blocks whose last entry is at or before `through`, keeping the chain."""
        with self._file.writing() as connection:
            first_kept = through // limits.BLOCK_ENTRIES
            self._blocks.part_from_head(connection, chain, first_kept)
            connection.execute(
                "delete from block where chain = ? and number < ?", (chain, first_kept)
            )

    def erase(self, chain: int, seqs: Iterable[int]) -> None:
        """Forget the bodies of these entries; the freed pages are overwritten."""
        by_block: dict[int, set[int]] = {}
        for seq in seqs:
            by_block.setdefault(block_number(seq), set()).add(seq)
        with self._file.writing() as connection:
            connection.execute("pragma secure_delete=on")
            try:
                for number, chosen in by_block.items():
                    erase_in_tail(connection, chain, chosen)
                    self._blocks.erase(connection, chain, number, chosen)
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

    def _held_from(self, connection: Connection, chain: int, seq: int) -> Range | None:
        """Return the block or tail with the first held entry at or after `seq`."""
        row = connection.execute(
            "select number from block where chain = ? and number >= ? order by number limit 1",
            (chain, block_number(seq)),
        ).fetchone()
        if row is not None:
            return self._blocks.unpack(connection, chain, row[0])
        return tail_from(connection, chain, seq)

    def _hash_in_blocks(self, connection: Connection, chain: int, seq: int) -> bytes | None:
        block = find_block(connection, chain, block_number(seq))
        if block is not None and block.first <= seq:
            return self._blocks.hash_at(connection, chain, block, seq)
        following = find_block(connection, chain, block_number(seq + 1))
        if following is not None and following.first == seq + 1:
            return following.before
        return None
