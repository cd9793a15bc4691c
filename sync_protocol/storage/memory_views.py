"""The views in memory: dictionaries, each write with its way back. Lists sort all there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from random import Random
from typing import TypeVar

from sync_protocol import limits
from sync_protocol.identity import AttachmentId, RecordId
from sync_protocol.storage import search
from sync_protocol.storage.memory_transaction import Hook, Transactions
from sync_protocol.storage.store import Claim, Counts, Held, Query, StoredRecord

K = TypeVar("K")
V = TypeVar("V")

_LOOSE_COMMITS = 256
"""Older commits are taken for written: a real disk folds its write-ahead log by itself."""


class _State:
    """All that the views hold."""

    __slots__ = ("cursors", "held", "records")

    def __init__(self) -> None:
        self.records: dict[RecordId, StoredRecord] = {}
        self.cursors: dict[str, int] = {}
        self.held: dict[tuple[int, int], Held] = {}

    def copy(self) -> _State:
        state = _State()
        state.records.update(self.records)
        state.cursors.update(self.cursors)
        state.held.update(self.held)
        return state


class MemoryViews:
    """The views of one replica, in memory."""

    def __init__(self, on_write: Hook | None = None) -> None:
        """Begin empty."""
        self.transactions = Transactions(on_write, _LOOSE_COMMITS)
        self._state = _State()

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction."""
        return self.transactions.transaction(durable=False)

    def cursors(self) -> dict[str, int]:
        """Return every cursor by name."""
        with self.transactions.lock:
            return dict(sorted(self._state.cursors.items()))

    def put_cursor(self, name: str, value: int) -> None:
        """Write a cursor."""
        self._put("put_cursor", self._state.cursors, {name: value})

    def load(self, ids: Sequence[RecordId]) -> dict[RecordId, StoredRecord]:
        """Return those of the records that exist."""
        with self.transactions.lock:
            records = self._state.records
            return {key: records[key] for key in ids if key in records}

    def save(self, records: Sequence[StoredRecord]) -> None:
        """Insert or replace records."""
        self._put("save", self._state.records, {record.id: record for record in records})

    def remove(self, ids: Sequence[RecordId]) -> None:
        """Remove records."""
        self._put("remove", self._state.records, dict.fromkeys(ids))

    def scan(self) -> Iterator[StoredRecord]:
        """Yield every record by id."""
        for key in sorted(self._state.records):
            record = self._state.records.get(key)
            if record is not None:
                yield record

    def ids(self, first: RecordId, last: RecordId, limit: int) -> list[RecordId]:
        """Return the ids that exist from `first` to `last`, in order, at most `limit`."""
        with self.transactions.lock:
            return sorted(key for key in self._state.records if first <= key <= last)[:limit]

    def find(self, query: Query) -> list[StoredRecord]:
        """Return one page, newest `order` first."""
        wanted = search.wanted(query.text)
        if query.text and not wanted:
            return []
        with self.transactions.lock:
            found = [
                record
                for record in self._state.records.values()
                if query.type in (0, record.type)
                and query.facet in ("", record.facet)
                and (record.disputes > 0 or not query.disputed)
                and (query.before is None or (record.order, record.id) < query.before)
                and search.matches(record.text, wanted)
            ]
        found.sort(key=lambda record: (record.order, record.id), reverse=True)
        return found[: max(0, min(query.limit, limits.SEARCH_RESULTS_MAX))]

    def clashes(self) -> dict[Claim, tuple[RecordId, ...]]:
        """Return the numbers claimed by more than one record."""
        claimed: dict[Claim, list[RecordId]] = {}
        for record in self.scan():
            for claim in set(record.claims):
                claimed.setdefault(claim, []).append(record.id)
        return {claim: tuple(ids) for claim, ids in sorted(claimed.items()) if len(ids) > 1}

    def owners(self, attachment: AttachmentId) -> tuple[RecordId, ...]:
        """Return the records that refer to a scan."""
        return tuple(record.id for record in self.scan() if attachment in record.attachments)

    def attachments(self) -> Iterator[AttachmentId]:
        """Yield every scan that some record refers to, each once."""
        yield from sorted({item for record in self.scan() for item in record.attachments})

    def hold(self, rows: Sequence[Held]) -> None:
        """Put entries into quarantine (again: replaces the reason)."""
        self._put("hold", self._state.held, {(row.chain, row.seq): row for row in rows})

    def release(self, chain: int, seqs: Iterable[int]) -> None:
        """Take entries out of quarantine."""
        self._put("release", self._state.held, dict.fromkeys((chain, seq) for seq in seqs))

    def held(self) -> list[Held]:
        """Return the quarantine, by chain and seq."""
        with self.transactions.lock:
            return [row for _, row in sorted(self._state.held.items())]

    def counts(self) -> Counts:
        """Count what is there."""
        with self.transactions.lock:
            records = list(self._state.records.values())
            disputed = [record.since for record in records if record.disputes > 0]
            facets = Counter(record.facet for record in records if record.facet)
            return Counts(
                records=len(records),
                disputed=len(disputed),
                oldest_dispute=min(disputed, default=0),
                held=len(self._state.held),
                clashes=len(self.clashes()),
                by_facet=dict(sorted(facets.items())),
            )

    def reset(self) -> None:
        """Forget everything, cursors too."""
        old = self._state
        self.transactions.write("reset", lambda: setattr(self, "_state", old))
        self._state = _State()

    def check(self) -> list[str]:
        """Return nothing: memory has no pages."""
        return []

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def crash(self, keep: Random | None = None) -> None:
        """End the process; with `keep`, cut the power: a random number of commits is lost."""
        if keep is None:
            self.transactions.forget()
        else:
            self.transactions.crash(keep)

    def snapshot(self) -> _State:
        """Return the image of the disk as it is now."""
        with self.transactions.lock:
            return self._state.copy()

    def restore(self, image: _State) -> None:
        """Put an image back: a clone starts, or a backup was restored."""
        with self.transactions.lock:
            self._state = image.copy()
            self.transactions.forget()

    def _put(self, name: str, table: dict[K, V], rows: Mapping[K, V | None]) -> None:
        old = {key: table.get(key) for key in rows}
        self.transactions.write(name, lambda: _assign(table, old))
        _assign(table, rows)


def _assign(table: dict[K, V], rows: Mapping[K, V | None]) -> None:
    """Write the rows; None removes."""
    for key, value in rows.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
