"""Records as rows of SQLCipher: how one is written, indexed, read again.

What holds:
* Claims and scans have rows of their own only where a record has some; the record's row repeats
  them (`extra`), so that loading asks one table.
* The search index is contentless FTS5 over words as `search` cuts them: no text, no positions.
* Times may use all 64 bits without sign; SQLite's integers have a sign, so they are stored shifted.
"""

# ruff: noqa: S608  # every name in a statement is our own; values are bound

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from sync_protocol.encoding import decode, encode
from sync_protocol.identity import AttachmentId, RecordId
from sync_protocol.storage import search
from sync_protocol.storage.migration import Schema
from sync_protocol.storage.sqlite import Connection
from sync_protocol.storage.store import Claim, StoredRecord

if TYPE_CHECKING:
    from sqlite_utils import Database

SHIFT = 2**63
_IDS_MAX = 512
_FTS_PAGE_BYTES = 3950
"""What fits on one 4096-byte page of SQLCipher (80 bytes of it are its own) without overflow."""

_FTS = "prefix='1 2', content='', contentless_delete=1, detail=none, tokenize='ascii'"
_CLAIM = (
    "type integer, field integer, value text, record integer, "
    "primary key (type, field, value, record)"
)
_SCAN = "attachment blob, record integer, primary key (attachment, record)"

COLUMNS = "id, type, facet, text, ord, disputes, since, extra, pending, state"


def _first_version(db: Database) -> None:
    db.table("record").create(
        {
            "number": int,
            "id": bytes,
            "type": int,
            "ord": int,
            "disputes": int,
            "since": int,
            "facet": str,
            "text": str,
            "extra": bytes,
            "pending": bytes,
            "state": bytes,
        },
        pk="number",
        strict=True,
    )
    for sql in (
        "create unique index record_id on record (id)",
        "create index record_order on record (ord, id, type)",
        "create index record_facet on record (facet, ord, id, type)",
        "create index record_disputed on record (ord, id, type, facet, since) where disputes > 0",
        f"create virtual table words using fts5 (text, {_FTS})",
        f"insert into words (words, rank) values ('pgsz', {_FTS_PAGE_BYTES})",
        f"create table claim ({_CLAIM}) strict, without rowid",
        f"create table scan ({_SCAN}) strict, without rowid",
    ):
        db.execute(sql)
    db.table("held").create(
        {"chain": int, "seq": int, "reason": str, "records": bytes},
        pk=("chain", "seq"),
        strict=True,
    )
    db.table("cursor").create({"name": str, "value": int}, pk="name", strict=True)


SCHEMA = Schema(mark=0x4D435657, steps=(_first_version,))


class _Extra(msgspec.Struct, array_like=True):
    """A record's claims and scans, in its own order."""

    claims: list[tuple[int, int, str]]
    attachments: list[bytes]


class Known(NamedTuple):
    """What saving needs to know of a record that is there."""

    number: int
    text: str
    extra: bytes


def record_of(row: tuple[bytes, int, str, str, int, int, int, bytes, bytes, bytes]) -> StoredRecord:
    """Read a record from the columns `COLUMNS`."""
    key, kind, facet, text, order, disputes, since, extra, pending, state = row
    claims, attachments = _unfold(extra)
    return StoredRecord(
        RecordId(key),
        kind,
        state,
        pending,
        facet,
        text,
        order + SHIFT,
        disputes,
        since + SHIFT,
        claims,
        attachments,
    )


def _fold(record: StoredRecord) -> bytes:
    if not record.claims and not record.attachments:
        return b""
    return encode([[list(claim) for claim in record.claims], list(record.attachments)])


def _unfold(extra: bytes) -> tuple[tuple[Claim, ...], tuple[AttachmentId, ...]]:
    if not extra:
        return (), ()
    kept = decode(extra, _Extra)
    return (
        tuple(Claim(*claim) for claim in kept.claims),
        tuple(AttachmentId(item) for item in kept.attachments),
    )


def _row(record: StoredRecord, extra: bytes) -> tuple[object, ...]:
    return (
        record.id,
        record.type,
        record.facet,
        record.text,
        record.order - SHIFT,
        record.disputes,
        record.since - SHIFT,
        extra,
        record.pending,
        record.state,
    )


def rows_by_ids(connection: Connection, columns: str, ids: Sequence[RecordId]) -> list[Any]:
    """Return the rows of those of the records that exist, in no order."""
    rows: list[Any] = []
    for at in range(0, len(ids), _IDS_MAX):
        part = ids[at : at + _IDS_MAX]
        # Padded to a power of two, so that the driver meets few different statements.
        size = 1 << (len(part) - 1).bit_length()
        rows += connection.execute(
            f"select {columns} from record where id in ({','.join('?' * size)})",
            [*part, *[None] * (size - len(part))],
        )
    return rows


def find_known(connection: Connection, ids: Sequence[RecordId]) -> dict[RecordId, Known]:
    """Return what saving needs to know of those of the records that exist."""
    rows = rows_by_ids(connection, "id, number, text, extra", ids)
    return {key: Known(number, text, extra) for key, number, text, extra in rows}


def insert(connection: Connection, fresh: list[tuple[int, StoredRecord]]) -> None:
    """Insert records under new numbers."""
    rows = []
    for number, record in fresh:
        extra = _fold(record)
        rows.append((number, *_row(record, extra)))
        if extra:
            _link(connection, number, record)
    connection.executemany(
        f"insert into record (number, {COLUMNS}) values (?,?,?,?,?,?,?,?,?,?,?)", rows
    )
    _index_words(connection, fresh)


def update(connection: Connection, stale: list[tuple[Known, StoredRecord]]) -> None:
    """Replace records that are there; the search index only where the text changed."""
    rows = []
    reworded = []
    for old, record in stale:
        extra = _fold(record)
        rows.append((*_row(record, extra), old.number))
        if extra != old.extra:
            unlink(connection, old.number, old.extra)
            _link(connection, old.number, record)
        if record.text != old.text:
            reworded.append((old.number, record))
    connection.executemany(
        "update record set (id, type, facet, text, ord, disputes, since, extra, pending, state) "
        "= (?,?,?,?,?,?,?,?,?,?) where number = ?",
        rows,
    )
    connection.executemany(
        "delete from words where rowid = ?", [(number,) for number, _ in reworded]
    )
    _index_words(connection, reworded)


def _index_words(connection: Connection, records: list[tuple[int, StoredRecord]]) -> None:
    connection.executemany(
        "insert into words (rowid, text) values (?, ?)",
        [
            # The tokenizer cuts ASCII as `search` does, and takes all else for letters.
            (number, record.text if record.text.isascii() else " ".join(search.words(record.text)))
            for number, record in records
            if record.text
        ],
    )


def _link(connection: Connection, number: int, record: StoredRecord) -> None:
    connection.executemany(
        "insert or ignore into claim values (?, ?, ?, ?)",
        [(*claim, number) for claim in record.claims],
    )
    connection.executemany(
        "insert or ignore into scan values (?, ?)", [(item, number) for item in record.attachments]
    )


def unlink(connection: Connection, number: int, extra: bytes) -> None:
    """Take a record out of the tables of claims and scans."""
    claims, attachments = _unfold(extra)
    connection.executemany(
        "delete from claim where (type, field, value, record) = (?, ?, ?, ?)",
        [(*claim, number) for claim in claims],
    )
    connection.executemany(
        "delete from scan where (attachment, record) = (?, ?)",
        [(item, number) for item in attachments],
    )
