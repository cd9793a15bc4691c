"""The views on SQLCipher: merged records, lists, search, quarantine.

What holds:
* Lists come from indexes that cover all that a list filters by, so no record is unfolded to be
  left out. A search that finds few takes them by row; one that finds many walks the list's index.
* No answer asks more of the disk than one index, whatever the text of a search.
"""

# ruff: noqa: S608  # every name in a statement is our own; values are bound

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from sync_protocol import limits
from sync_protocol.identity import ID_BYTES, AttachmentId, RecordId
from sync_protocol.storage import search
from sync_protocol.storage.sqlite import Connection, SqliteFile
from sync_protocol.storage.sqlite_records import (
    COLUMNS,
    SCHEMA,
    SHIFT,
    Known,
    find_known,
    insert,
    record_of,
    rows_by_ids,
    unlink,
    update,
)
from sync_protocol.storage.store import Claim, Counts, Held, Query, StoredRecord

_FEW = 1000
"""A search with at most so many hits takes them by row (10 us each), else it walks the index."""
_PAGE_ROWS = 256
_LIST = "order by ord desc, id desc limit ?"


class SqliteViews:
    """The views of one replica in one encrypted file."""

    def __init__(self, path: str, key: bytes, timeout_s: float = limits.STORE_TIMEOUT_S) -> None:
        """Open it, or create it, under a 32-byte key."""
        self._file = SqliteFile(path, key, SCHEMA, timeout_s)

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction."""
        return self._file.transaction(durable=False)

    def cursors(self) -> dict[str, int]:
        """Return every cursor by name."""
        with self._file.reading() as connection:
            return dict(connection.execute("select name, value from cursor order by name"))

    def put_cursor(self, name: str, value: int) -> None:
        """Write a cursor."""
        with self._file.writing() as connection:
            connection.execute("insert or replace into cursor values (?, ?)", (name, value))

    def load(self, ids: Sequence[RecordId]) -> dict[RecordId, StoredRecord]:
        """Return those of the records that exist."""
        with self._file.reading() as connection:
            rows = rows_by_ids(connection, COLUMNS, ids)
            return {record.id: record for record in map(record_of, rows)}

    def save(self, records: Sequence[StoredRecord]) -> None:
        """Insert or replace records."""
        latest = {record.id: record for record in records}
        with self._file.writing() as connection:
            known = find_known(connection, list(latest))
            number = connection.execute("select max(number) from record").fetchone()[0] or 0
            fresh: list[tuple[int, StoredRecord]] = []
            stale: list[tuple[Known, StoredRecord]] = []
            for key, record in latest.items():
                old = known.get(key)
                if old is None:
                    number += 1
                    fresh.append((number, record))
                else:
                    stale.append((old, record))
            insert(connection, fresh)
            update(connection, stale)

    def remove(self, ids: Sequence[RecordId]) -> None:
        """Remove records."""
        with self._file.writing() as connection:
            known = find_known(connection, ids)
            numbers = [(old.number,) for old in known.values()]
            for old in known.values():
                unlink(connection, old.number, old.extra)
            connection.executemany("delete from words where rowid = ?", numbers)
            connection.executemany("delete from record where number = ?", numbers)

    def scan(self) -> Iterator[StoredRecord]:
        """Yield every record by id, a page at a time."""
        after = b""
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(
                    f"select {COLUMNS} from record where id > ? order by id limit ?",
                    (after, _PAGE_ROWS),
                ).fetchall()
            for row in rows:
                yield record_of(row)
            if len(rows) < _PAGE_ROWS:
                return
            after = rows[-1][0]

    def ids(self, first: RecordId, last: RecordId, limit: int) -> list[RecordId]:
        """Return the ids that exist from `first` to `last`, in order, at most `limit`."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "select id from record where id between ? and ? order by id limit ?",
                (first, last, limit),
            ).fetchall()
        return [RecordId(row[0]) for row in rows]

    def find(self, query: Query) -> list[StoredRecord]:
        """Return one page, newest `order` first."""
        wanted = search.wanted(query.text)
        if query.text and not wanted:
            return []
        with self._file.reading() as connection:
            if not wanted:
                return _page(connection, query, _index(query), "", ())
            match = " ".join(f'"{word}"*' for word in wanted)
            hits = connection.execute(
                "select rowid from words where words match ? limit ?", (match, _FEW + 1)
            ).fetchall()
            if len(hits) <= _FEW:
                return _few(connection, query, [row[0] for row in hits])
            within = "number in (select rowid from words where words match ?)"
            return _page(connection, query, _index(query), within, (match,))

    def clashes(self) -> dict[Claim, tuple[RecordId, ...]]:
        """Return the numbers claimed by more than one record."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "select c.type, c.field, c.value, r.id from ("
                "select type, field, value from claim group by 1, 2, 3 having count(*) > 1) c "
                "join claim using (type, field, value) join record r on r.number = claim.record "
                "order by c.type, c.field, c.value, r.id"
            ).fetchall()
        found: dict[Claim, tuple[RecordId, ...]] = {}
        for kind, field, value, record in rows:
            claim = Claim(kind, field, value)
            found[claim] = (*found.get(claim, ()), RecordId(record))
        return found

    def owners(self, attachment: AttachmentId) -> tuple[RecordId, ...]:
        """Return the records that refer to a scan."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "select id from scan join record on number = record where attachment = ? "
                "order by id",
                (attachment,),
            ).fetchall()
        return tuple(RecordId(row[0]) for row in rows)

    def attachments(self) -> Iterator[AttachmentId]:
        """Yield every scan that some record refers to, each once, a page at a time."""
        after = b""
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(
                    "select distinct attachment from scan where attachment > ? "
                    "order by attachment limit ?",
                    (after, _PAGE_ROWS),
                ).fetchall()
            for row in rows:
                yield AttachmentId(row[0])
            if len(rows) < _PAGE_ROWS:
                return
            after = rows[-1][0]

    def hold(self, rows: Sequence[Held]) -> None:
        """Put entries into quarantine (again: replaces the reason)."""
        with self._file.writing() as connection:
            connection.executemany(
                "insert or replace into held (chain, seq, reason, records) values (?, ?, ?, ?)",
                [(row.chain, row.seq, row.reason, b"".join(row.records)) for row in rows],
            )

    def release(self, chain: int, seqs: Iterable[int]) -> None:
        """Take entries out of quarantine."""
        with self._file.writing() as connection:
            connection.executemany(
                "delete from held where chain = ? and seq = ?", [(chain, seq) for seq in seqs]
            )

    def held(self) -> list[Held]:
        """Return the quarantine, by chain and seq."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "select chain, seq, reason, records from held order by chain, seq"
            ).fetchall()
        return [
            Held(
                chain,
                seq,
                reason,
                tuple(
                    RecordId(records[at : at + ID_BYTES]) for at in range(0, len(records), ID_BYTES)
                ),
            )
            for chain, seq, reason, records in rows
        ]

    def counts(self) -> Counts:
        """Count what is there, from indexes only."""
        with self._file.reading() as connection:
            by_facet: dict[str, int] = dict(
                connection.execute(
                    "select facet, count(*) from record indexed by record_facet "
                    "group by facet order by facet"
                )
            )
            disputed, oldest = connection.execute(
                "select count(*), min(since) from record indexed by record_disputed "
                "where disputes > 0"
            ).fetchone()
            held = connection.execute("select count(*) from held").fetchone()[0]
            clashes = connection.execute(
                "select count(*) from (select 1 from claim group by type, field, value "
                "having count(*) > 1)"
            ).fetchone()[0]
        return Counts(
            records=sum(by_facet.values()),
            disputed=disputed,
            oldest_dispute=oldest + SHIFT if disputed else 0,
            held=held,
            clashes=clashes,
            by_facet={facet: count for facet, count in by_facet.items() if facet},
        )

    def reset(self) -> None:
        """Forget everything, cursors too."""
        with self._file.writing() as connection:
            connection.execute("insert into words (words) values ('delete-all')")
            for table in ("record", "claim", "scan", "held", "cursor"):
                connection.execute(f"delete from {table}")

    def check(self) -> list[str]:
        """Check every page; return a sentence for each damage found."""
        return self._file.check()

    def close(self) -> None:
        """Close; further use is a mistake."""
        self._file.close()


def _index(query: Query) -> str:
    if query.disputed:
        return "indexed by record_disputed"
    return "indexed by record_facet" if query.facet else "indexed by record_order"


def _page(
    connection: Connection,
    query: Query,
    index: str,
    within: str,
    values: tuple[object, ...],
) -> list[StoredRecord]:
    tests, wanted = [within] if within else [], list(values)
    for test, value, asked in (
        ("type = ?", query.type, bool(query.type)),
        ("facet = ?", query.facet, bool(query.facet)),
    ):
        if asked:
            tests.append(test)
            wanted.append(value)
    if query.disputed:
        tests.append("disputes > 0")
    if query.before is not None:
        tests.append("(ord, id) < (?, ?)")
        wanted += [query.before[0] - SHIFT, query.before[1]]
    where = " and ".join(tests) or "true"
    limit = max(0, min(query.limit, limits.SEARCH_RESULTS_MAX))
    # The inner select reads the index alone; only the page's own records are fetched.
    rows = connection.execute(
        f"select {COLUMNS} from record where number in ("
        f"select number from record {index} where {where} {_LIST}) order by ord desc, id desc",
        [*wanted, limit],
    ).fetchall()
    return [record_of(row) for row in rows]


def _few(connection: Connection, query: Query, numbers: list[int]) -> list[StoredRecord]:
    within = f"number in ({','.join(map(str, numbers))})"
    return _page(connection, query, "not indexed", within, ())
