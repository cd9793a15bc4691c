"""The ports: what a replica asks of a disk. One conformance suite holds for every store.

The **log** is the truth: chains of entries with their seals, and small named notes. The **views**
follow it from a cursor per chain and can always be rebuilt; they live in a store of their own, so
that a slow or failing view never blocks sync. One writer at a time per store; readers may be many.

Laws (tests/conformance/store_suite.py):
* A transaction lands whole or not at all; leaving it by an exception undoes it.
* After a transaction with `durable=True` has returned, its effects survive a power cut. One with
  `durable=False` may be lost by a power cut, but only together with all that came after it.
* Reads inside a transaction see its writes; other threads see what was committed last.
* A write outside a transaction is a mistake (`AssertionError`), and so is a nested transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from sync_protocol.identity import AttachmentId, RecordId
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One chain of one feed as the log keeps it.

    `number` is local to the store (0: not stored yet). `declaration` is the signed declaration.
    A branch starts after (`base_chain`, `base_seq`); a trunk has base_chain 0. `head` is sealed;
    `staged` is at or beyond it: entries that chain up but whose seal has not come. `floor` is the
    last entry that is not held any more (a tablet after a snapshot or a purge). `seal` is the
    newest seal's bytes, empty before the first.
    """

    number: int
    declaration: bytes
    base_chain: int
    base_seq: int
    head: Head
    staged: Head
    floor: Head
    seal: bytes


class LogStore(Protocol):
    """Chains of entries and named notes."""

    def transaction(self, *, durable: bool) -> AbstractContextManager[None]:
        """Open a transaction. Only one at a time per store; nested use is a mistake."""

    def chains(self) -> list[ChainRow]:
        """Return every chain, by number."""

    def put_chain(self, row: ChainRow) -> int:
        """Insert (number 0) or replace a chain; return its number."""

    def append(self, chain: int, before: Head, entries: Sequence[Entry], packed: bytes) -> Head:
        """Store `entries` right after `before` and return the new head.

        `packed` is their packed form as it came, kept as it is where they are one full block that
        is packed alone or against our own head of the group (empty: pack here). A tail is kept
        entry by entry, and packed once its block is full.
        """

    def entries(self, chain: int, first: int, last: int) -> Iterator[tuple[int, Entry]]:
        """Yield (seq, entry) for those of [first, last] that this chain itself holds, in order."""

    def packed(self, chain: int, first: int, last: int, *, alone: bool = False) -> bytes:
        """Return the packed form of a range within one block, as stored where it is a block.

        Against its group's head where this chain holds that one, unless it is asked for `alone`:
        for a peer that does not hold the head as it is here (erased, or below its floor).
        """

    def group_head(self, chain: int, seq: int) -> bytes | None:
        """Return the raw form of the head block of the group of `seq` (`log.block`).

        None where this chain does not hold that block whole, or where `seq` lies in it.
        """

    def hash_at(self, chain: int, seq: int) -> bytes | None:
        """Return the chain's 32-byte hash after `seq`, or None where this chain does not hold it.

        Known for every held entry, for the entry just before the first held one, and for the floor.
        """

    def truncate(self, chain: int, after: int) -> None:
        """Forget the entries beyond `after` (staged ones whose seal did not match)."""

    def drop(self, chain: int, through: int) -> None:
        """Forget whole blocks whose last entry is at or before `through`, keeping the chain."""

    def erase(self, chain: int, seqs: Iterable[int]) -> None:
        """Forget the bodies of these entries; their headers and hashes stay."""

    def note(self, key: str) -> bytes | None:
        """Return a named note."""

    def put_note(self, key: str, value: bytes | None) -> None:
        """Write a named note; None removes it."""

    def notes(self, prefix: str) -> dict[str, bytes]:
        """Return the notes whose key starts with `prefix`, by key."""

    def check(self) -> list[str]:
        """Check the pages of the store; return a sentence for each damage found."""

    def copy_to(self, path: str) -> None:
        """Write a consistent copy, under the same key, to a new file."""

    def close(self) -> None:
        """Close; further use is a mistake."""


class Claim(NamedTuple):
    """A number bound by a record: unique by law, so a second claim is a conflict."""

    type: int
    field: int
    value: str


class StoredRecord(msgspec.Struct, frozen=True, gc=False):
    """A record's merged state and what lists and searches need of it.

    `state` is canonical bytes, equal on all replicas of equal frontier; `pending` is what only
    this replica's order of arrival made (dots to be dropped when they come). `text` is folded for
    search. `order` sorts lists (the time of capture). `disputes` counts open conflicts, `since`
    is the timestamp of the oldest. Both times lie in 0 … 2^64-1.
    """

    id: RecordId
    type: int
    state: bytes
    pending: bytes = b""
    facet: str = ""
    text: str = ""
    order: int = 0
    disputes: int = 0
    since: int = 0
    claims: tuple[Claim, ...] = ()
    attachments: tuple[AttachmentId, ...] = ()


class Held(NamedTuple):
    """A quarantined entry: which, why, and which records it speaks of."""

    chain: int
    seq: int
    reason: str
    records: tuple[RecordId, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a list asks for.

    `text` is folded; each of its words must be the start of a word of the record's text (`search`
    says what a word is). `before` is the (order, id) of the last row of the page before.
    """

    type: int = 0
    facet: str = ""
    text: str = ""
    disputed: bool = False
    before: tuple[int, RecordId] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the views hold."""

    records: int = 0
    disputed: int = 0
    oldest_dispute: int = 0
    held: int = 0
    clashes: int = 0
    """Numbers that more than one record claims."""
    by_facet: dict[str, int] = field(default_factory=dict)


class ViewStore(Protocol):
    """Merged records, lists, search, quarantine; and cursors that say how far they follow."""

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction (never durable by itself: views can be rebuilt)."""

    def cursors(self) -> dict[str, int]:
        """Return every cursor by name."""

    def put_cursor(self, name: str, value: int) -> None:
        """Write a cursor."""

    def load(self, ids: Sequence[RecordId]) -> dict[RecordId, StoredRecord]:
        """Return those of the records that exist."""

    def save(self, records: Sequence[StoredRecord]) -> None:
        """Insert or replace records."""

    def remove(self, ids: Sequence[RecordId]) -> None:
        """Remove records."""

    def scan(self) -> Iterator[StoredRecord]:
        """Yield every record by id."""

    def ids(self, first: RecordId, last: RecordId, limit: int) -> list[RecordId]:
        """Return the ids that exist from `first` to `last`, in order, at most `limit`."""

    def find(self, query: Query) -> list[StoredRecord]:
        """Return one page, newest `order` first."""

    def clashes(self) -> dict[Claim, tuple[RecordId, ...]]:
        """Return the numbers claimed by more than one record."""

    def owners(self, attachment: AttachmentId) -> tuple[RecordId, ...]:
        """Return the records that refer to a scan."""

    def attachments(self) -> Iterator[AttachmentId]:
        """Yield every scan that some record refers to, each once."""

    def hold(self, rows: Sequence[Held]) -> None:
        """Put entries into quarantine (again: replaces the reason)."""

    def release(self, chain: int, seqs: Iterable[int]) -> None:
        """Take entries out of quarantine."""

    def held(self) -> list[Held]:
        """Return the quarantine, by chain and seq."""

    def counts(self) -> Counts:
        """Count what is there."""

    def reset(self) -> None:
        """Forget everything, cursors too."""

    def check(self) -> list[str]:
        """Check the pages of the store; return a sentence for each damage found."""

    def close(self) -> None:
        """Close; further use is a mistake."""


class ChunkStore(Protocol):
    """Ciphertext chunks of scans, each named by its SHA-256."""

    def put(self, address: bytes, chunk: bytes) -> None:
        """Store a chunk durably. Raises `BadSignatureError` if it is not what its address says."""

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk, verified, or None where it is missing or damaged (then it is dropped)."""

    def has(self, address: bytes) -> bool:
        """Whether a chunk is there (by name; `get` verifies)."""

    def remove(self, address: bytes) -> None:
        """Remove a chunk, if it is there."""

    def addresses(self) -> Iterator[bytes]:
        """Yield the address of every chunk."""


class Journal(Protocol):
    """The capture journal: own entries, fsynced before the commit, outside the database."""

    def append(self, first_seq: int, frames: Sequence[bytes]) -> None:
        """Append the sealed frames of consecutive seqs and fsync.

        After it returns they survive a power cut; when it raises, none of them is there.
        """

    def frames(self, first: int = 0) -> Iterator[bytes]:
        """Yield the frames from the seq `first` on, in order, up to the first damaged one.

        The newest frame comes in any case: it is the head.
        """

    def drop(self, through: int) -> None:
        """Delete the segments whose entries all have a seq at or before `through`.

        The newest segment always stays: its end is the head.
        """

    def restart(self, *, forget: bool = False) -> None:
        """Put the present segments aside as evidence and start anew.

        `forget` deletes them and all that was put aside: after an erasure.
        """

    def close(self) -> None:
        """Close the files."""
