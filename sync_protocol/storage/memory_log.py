"""The log in memory: lists, each write with its way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from random import Random

from sync_protocol import limits
from sync_protocol.errors import StorageError
from sync_protocol.log.block import (
    GROUP_BLOCKS,
    block_first,
    block_number,
    group_head_first,
    head_digest,
    is_full_block,
    pack,
    packed_against,
    raw_form,
)
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.memory_transaction import Hook, Transactions
from sync_protocol.storage.store import ChainRow


@dataclass(slots=True)
class _Chain:
    """What one chain holds: a run of entries from `first`, each with the hash after it."""

    row: ChainRow
    first: int = 1
    before: bytes = b""
    entries: list[Entry] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    packed: dict[int, bytes] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1

    def copy(self) -> _Chain:
        return replace(self, entries=[*self.entries], hashes=[*self.hashes], packed={**self.packed})

    def slice(self, first: int, last: int) -> list[Entry]:
        return self.entries[max(0, first - self.first) : max(0, last - self.first + 1)]

    def forget_beyond(self, after: int) -> None:
        count = max(0, after - self.first + 1)
        del self.entries[count:], self.hashes[count:]
        for number in [item for item in self.packed if block_first(item + 1) - 1 > after]:
            del self.packed[number]

    def forget_group(self, seq: int) -> None:
        # Simpler than telling the head from the others: what is gone is packed again when asked.
        group = block_number(group_head_first(seq))
        for number in range(group, group + GROUP_BLOCKS):
            self.packed.pop(number, None)


@dataclass(frozen=True, slots=True)
class LogSnapshot:
    """The image of a log's disk."""

    chains: dict[int, _Chain]
    notes: dict[str, bytes]


class MemoryLog:
    """The log of one replica, in memory."""

    def __init__(self, on_write: Hook | None = None) -> None:
        """Begin empty."""
        self.transactions = Transactions(on_write)
        self._chains: dict[int, _Chain] = {}
        self._notes: dict[str, bytes] = {}
        self._copies: dict[str, LogSnapshot] = {}

    def transaction(self, *, durable: bool) -> AbstractContextManager[None]:
        """Open a transaction."""
        return self.transactions.transaction(durable=durable)

    def chains(self) -> list[ChainRow]:
        """Return every chain, by number."""
        with self.transactions.lock:
            return [self._chains[number].row for number in sorted(self._chains)]

    def put_chain(self, row: ChainRow) -> int:
        """Insert (number 0) or replace a chain; return its number."""
        number = row.number or max(self._chains, default=0) + 1
        kept = self._chains.get(number)
        if kept is None:
            self.transactions.write("put_chain", lambda: self._chains.__delitem__(number))
            self._chains[number] = _Chain(replace(row, number=number))
        else:
            old = kept.row
            self.transactions.write("put_chain", lambda: self._set_row(number, old))
            kept.row = row
        return number

    def append(self, chain: int, before: Head, entries: Sequence[Entry], packed: bytes) -> Head:
        """Store `entries` right after `before` and return the new head."""
        kept = self._chains[chain]
        if kept.entries and (kept.last, kept.hashes[-1]) != before:
            raise AssertionError("Entries are stored right after the last that is held.")
        count, first, start = len(kept.entries), kept.first, kept.before
        self.transactions.write("append", lambda: self._shorten(chain, count, first, start))
        if not entries:
            return before
        if not kept.entries:
            kept.first, kept.before = before.seq + 1, before.hash
        kept.entries += entries
        kept.hashes += follow(before, entries)
        if packed and is_full_block(before.seq + 1, len(entries)):
            against = packed_against(packed)
            head = None if against is None else self.group_head(chain, before.seq + 1)
            if against is None or (head is not None and head_digest(head) == against):
                kept.packed[block_number(before.seq + 1)] = packed
        return Head(kept.last, kept.hashes[-1])

    def entries(self, chain: int, first: int, last: int) -> Iterator[tuple[int, Entry]]:
        """Yield (seq, entry) for those of [first, last] that are held."""
        seq = max(first, self._chains[chain].first)
        while seq <= min(last, self._chains[chain].last):
            yield seq, self._chains[chain].slice(seq, seq)[0]
            seq += 1

    def packed(self, chain: int, first: int, last: int, *, alone: bool = False) -> bytes:
        """Return the packed form of a range within one block; see the port."""
        with self.transactions.lock:
            kept = self._chains[chain]
            if not kept.first <= first <= last <= kept.last:
                raise AssertionError("A range was asked for that is not held.")
            entries = kept.slice(first, last)
            packed = kept.packed.get(block_number(first), b"")
            readable = not alone or packed_against(packed) is None
            if packed and readable and is_full_block(first, len(entries)):
                return packed
            return pack(first, entries, None if alone else self.group_head(chain, first))

    def group_head(self, chain: int, seq: int) -> bytes | None:
        """Return the raw form of the head of the group in which `seq` lies; see the port."""
        with self.transactions.lock:
            kept = self._chains[chain]
            first = group_head_first(seq)
            last = first + limits.BLOCK_ENTRIES - 1
            if seq <= last or first < kept.first or last > kept.last:
                return None
            return raw_form(first, kept.slice(first, last))

    def hash_at(self, chain: int, seq: int) -> bytes | None:
        """Return the chain's 32-byte hash after `seq`, or None where it is not known here."""
        with self.transactions.lock:
            kept = self._chains.get(chain)
            if kept is None:
                return None
            if kept.entries and kept.first <= seq <= kept.last:
                return kept.hashes[seq - kept.first]
            if kept.entries and seq == kept.first - 1:
                return kept.before
            if seq == kept.row.floor.seq:
                return kept.row.floor.hash
            if not kept.entries and seq == kept.row.head.seq:
                return kept.row.head.hash
            return None

    def truncate(self, chain: int, after: int) -> None:
        """Forget the entries beyond `after`."""
        kept = self._chains[chain]
        self._replaced("truncate", chain, kept)
        kept.forget_beyond(after)

    def drop(self, chain: int, through: int) -> None:
        """Forget whole blocks whose last entry is at or before `through`, keeping the chain."""
        kept = self._chains[chain]
        self._replaced("drop", chain, kept)
        border = min(through, kept.last) // limits.BLOCK_ENTRIES * limits.BLOCK_ENTRIES
        count = border - kept.first + 1
        if count <= 0:
            return
        kept.before, kept.first = kept.hashes[count - 1], border + 1
        del kept.entries[:count], kept.hashes[:count]
        for number in [item for item in kept.packed if block_first(item) <= border]:
            del kept.packed[number]
        kept.forget_group(border + 1)

    def erase(self, chain: int, seqs: Iterable[int]) -> None:
        """Forget the bodies of these entries."""
        kept = self._chains[chain]
        self._replaced("erase", chain, kept)
        for seq in seqs:
            if kept.first <= seq <= kept.last:
                kept.entries[seq - kept.first] = kept.entries[seq - kept.first].erased()
                kept.forget_group(seq)

    def note(self, key: str) -> bytes | None:
        """Return a named note."""
        with self.transactions.lock:
            return self._notes.get(key)

    def put_note(self, key: str, value: bytes | None) -> None:
        """Write a named note; None removes it."""
        old = self._notes.get(key)
        self.transactions.write("put_note", lambda: self._set_note(key, old))
        self._set_note(key, value)

    def notes(self, prefix: str) -> dict[str, bytes]:
        """Return the notes whose key starts with `prefix`, by key."""
        with self.transactions.lock:
            keys = sorted(key for key in self._notes if key.startswith(prefix))
            return {key: self._notes[key] for key in keys}

    def check(self) -> list[str]:
        """Return nothing: memory has no pages."""
        return []

    def copy_to(self, path: str) -> None:
        """Keep a copy under a name; `copy_at` gives it back."""
        if path in self._copies:
            raise StorageError("A copy is written to a new file only; that one exists.")
        self._copies[path] = self.snapshot()

    def copy_at(self, path: str) -> MemoryLog:
        """Open a copy that `copy_to` made."""
        log = MemoryLog()
        log.restore(self._copies[path])
        return log

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def crash(self, keep: Random | None = None) -> None:
        """Cut the power: back to the last durable commit, or to a random one of those after it."""
        self.transactions.crash(keep)

    def snapshot(self) -> LogSnapshot:
        """Return the image of the disk as it is now."""
        with self.transactions.lock:
            chains = {number: chain.copy() for number, chain in self._chains.items()}
            return LogSnapshot(chains, dict(self._notes))

    def restore(self, image: LogSnapshot) -> None:
        """Put an image back: a clone starts, or a backup was restored."""
        with self.transactions.lock:
            self._chains = {number: chain.copy() for number, chain in image.chains.items()}
            self._notes = dict(image.notes)
            self.transactions.forget()

    def _replaced(self, name: str, chain: int, kept: _Chain) -> None:
        old = kept.copy()
        self.transactions.write(name, lambda: self._chains.update({chain: old}))

    def _set_row(self, chain: int, row: ChainRow) -> None:
        self._chains[chain].row = row

    def _shorten(self, chain: int, count: int, first: int, before: bytes) -> None:
        # Written for the commonest write: copying the chain would make each capture cost its past.
        kept = self._chains[chain]
        kept.first, kept.before = first, before
        kept.forget_beyond(first + count - 1)

    def _set_note(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._notes.pop(key, None)
        else:
            self._notes[key] = value
