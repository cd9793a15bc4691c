"""The floor's store, the same on the edge and on the hub: SQLCipher, a log of entries, rows.

An entry is one changeset as msgpack: `[dossier_id, values, stamp]`; a whole dossier is the list of
its columns, an edit is a map of fields. Entries of a device form a SHA-256 chain; the device signs
its head (Ed25519) once per batch. Entries, rows, three indexes and the full-text index are
committed together with `synchronous=FULL` before anything is acknowledged.

What the floor leaves out on purpose (it is a floor, not a system): conflicts (the later stamp wins
each field, silently), grants, revocation, forks, audit, schema checks, key management.
"""

# ruff: noqa: S608 - the names in the statements are the columns of our own workload.
import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlcipher3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benchmarks.workload import Dossier, canonical_digest

INDEXED = ("citizen_number", "received_on", "status")
SEARCHED = ("name", "address_line", "phone")
INDEX_COUNT = 3

Change = tuple[str, list[Any] | dict[str, Any], int]

_change_in = msgspec.msgpack.Decoder(Change)
_out = msgspec.msgpack.Encoder()


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """A range of one device's log, proved by one signature over its end."""

    device: bytes
    first: int
    entries: list[bytes]
    seal: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a device's chain."""

    seq: int = 0
    chain: bytes = bytes(32)
    seal: bytes = b""


class FloorError(Exception):
    """A batch did not prove itself, or has a gap."""


class FloorStore:
    """Rows and the log they came from, in one encrypted file."""

    def __init__(self, home: Path, fields: Sequence[str]) -> None:
        """Open or create the store; `fields` are the columns."""
        home.mkdir(parents=True, exist_ok=True)
        self._fields = [name for name in fields if name != "id"]
        self._searched = [name for name in SEARCHED if name in fields]
        indexed = [name for name in INDEXED if name in fields]
        self._indexed = (indexed or self._fields)[:INDEX_COUNT]
        self._key = _device_key(home)
        self.device = self._key.public_key().public_bytes_raw()
        self._db = sqlcipher3.connect(
            str(home / "floor.db"), isolation_level=None, check_same_thread=False
        )
        self._open(_database_key(home))
        self._heads = self._stored_heads()

    def _open(self, key: str) -> None:
        run = self._db.execute
        run(f"PRAGMA key = \"x'{key}'\"")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA cache_size = -64000")
        columns = ", ".join(f'"{name}"' for name in self._fields)
        run(
            f"CREATE TABLE IF NOT EXISTS dossier (n INTEGER PRIMARY KEY, id TEXT UNIQUE, {columns})"
        )
        for name in self._indexed:
            run(f'CREATE INDEX IF NOT EXISTS dossier_{name} ON dossier ("{name}")')
        run("CREATE TABLE IF NOT EXISTS stamp (cell TEXT PRIMARY KEY, stamp INT) WITHOUT ROWID")
        run("CREATE TABLE IF NOT EXISTS entry (n INTEGER PRIMARY KEY, device BLOB, seq, body)")
        run("CREATE INDEX IF NOT EXISTS entry_seq ON entry (device, seq)")
        run("CREATE TABLE IF NOT EXISTS head (device BLOB PRIMARY KEY, seq, chain, seal)")
        if self._searched:
            found = ", ".join(self._searched)
            run(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5({found}, content='',"
                " contentless_delete=1, tokenize='unicode61 remove_diacritics 2')"
            )

    def intake(self, rows: Iterable[Dossier]) -> None:
        """Whole dossiers in one durable local transaction."""
        self._write((row["id"], [_cell(row.get(name)) for name in self._fields]) for row in rows)

    def edit(self, one: str, name: str, value: str) -> None:
        """One field, durably."""
        self._write([(one, {name: value})])

    def _write(self, changes: Iterable[tuple[str, list[Any] | dict[str, Any]]]) -> None:
        stamp = time.time_ns()
        bodies = [_out.encode((one, values, stamp)) for one, values in changes]
        head = self._heads.get(self.device, Head())
        chain = _chain(head.chain, bodies)
        seq = head.seq + len(bodies)
        self._commit(self.device, head.seq + 1, bodies, Head(seq, chain, self._key.sign(chain)))

    def ingest(self, batches: Iterable[Batch]) -> int:
        """Verify and store what came from elsewhere; a repeated entry is skipped."""
        taken = 0
        for batch in batches:
            head = self._heads.get(batch.device, Head())
            if batch.first > head.seq + 1:
                raise FloorError("a gap before the batch")
            fresh = batch.entries[head.seq + 1 - batch.first :]
            if not fresh:
                continue
            chain = _chain(head.chain, fresh)
            Ed25519PublicKey.from_public_bytes(batch.device).verify(batch.seal, chain)
            end = Head(head.seq + len(fresh), chain, batch.seal)
            self._commit(batch.device, head.seq + 1, fresh, end)
            taken += len(fresh)
        return taken

    def _commit(self, device: bytes, first: int, bodies: Sequence[bytes], head: Head) -> None:
        changes = [_change_in.decode(body) for body in bodies]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT INTO entry (device, seq, body) VALUES (?, ?, ?)",
                [(device, first + step, body) for step, body in enumerate(bodies)],
            )
            self._apply(changes)
            self._db.execute(
                "INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)",
                (device, head.seq, head.chain, head.seal),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._heads[device] = head

    def _apply(self, changes: Sequence[Change]) -> None:
        whole = [(one, *values) for one, values, _ in changes if isinstance(values, list)]
        if whole:
            self._insert(whole)
        for one, values, stamp in changes:
            if isinstance(values, dict):
                self._update(one, values, stamp)

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        last = self._db.execute("SELECT COALESCE(MAX(n), 0) FROM dossier").fetchone()[0]
        marks = ", ".join("?" * (len(self._fields) + 2))
        self._db.executemany(
            f"INSERT INTO dossier VALUES ({marks})",
            [(number, *row) for number, row in enumerate(rows, last + 1)],
        )
        if self._searched:
            columns = ", ".join(self._searched)
            marks = ", ".join("?" * (len(self._searched) + 1))
            places = [self._fields.index(name) + 1 for name in self._searched]
            self._db.executemany(
                f"INSERT INTO search (rowid, {columns}) VALUES ({marks})",
                [
                    (number, *[row[place] for place in places])
                    for number, row in enumerate(rows, last + 1)
                ],
            )

    def _update(self, one: str, fields: Mapping[str, Any], stamp: int) -> None:
        for name, value in fields.items():
            cell = f"{one}/{name}"
            known = self._db.execute("SELECT stamp FROM stamp WHERE cell = ?", (cell,)).fetchone()
            if known and known[0] > stamp:
                continue
            self._db.execute("INSERT OR REPLACE INTO stamp VALUES (?, ?)", (cell, stamp))
            self._db.execute(f'UPDATE dossier SET "{name}" = ? WHERE id = ?', (value, one))
            if name in self._searched:
                self._search_again(one)

    def _search_again(self, one: str) -> None:
        columns = ", ".join(self._searched)
        row = self._db.execute(f"SELECT n, {columns} FROM dossier WHERE id = ?", (one,)).fetchone()
        marks = ", ".join("?" * len(row))
        self._db.execute("DELETE FROM search WHERE rowid = ?", row[:1])
        self._db.execute(f"INSERT INTO search (rowid, {columns}) VALUES ({marks})", row)

    def frontier(self) -> dict[bytes, int]:
        """How far each device's log is held here."""
        return {device: head.seq for device, head in self._heads.items()}

    def beyond(self, frontier: Mapping[bytes, int]) -> list[Batch]:
        """What a peer with this frontier does not hold."""
        found = []
        for device, head in self._heads.items():
            known = frontier.get(device, 0)
            if known < head.seq:
                query = "SELECT body FROM entry WHERE device = ? AND seq > ? ORDER BY seq"
                bodies = [body for (body,) in self._db.execute(query, (device, known))]
                found.append(Batch(device, known + 1, bodies, head.seal))
        return found

    def dossiers(self) -> list[Dossier]:
        """All rows as they would be shown."""
        names = ["id", *self._fields]
        columns = ", ".join(f'"{name}"' for name in names)
        rows = self._db.execute(f"SELECT {columns} FROM dossier")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def digest(self) -> str:
        """The digest of all rows."""
        return canonical_digest(self.dossiers())

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _stored_heads(self) -> dict[bytes, Head]:
        rows = self._db.execute("SELECT device, seq, chain, seal FROM head")
        return {device: Head(seq, chain, seal) for device, seq, chain, seal in rows}


def _chain(chain: bytes, bodies: Iterable[bytes]) -> bytes:
    for body in bodies:
        chain = hashlib.sha256(chain + body).digest()
    return chain


def _cell(value: object) -> object:
    """A column's value; what SQLite has no type for is kept as JSON text."""
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return value


def _database_key(home: Path) -> str:
    path = home / "database.key"
    if not path.exists():
        path.write_text(secrets.token_hex(32))
    return path.read_text()


def _device_key(home: Path) -> Ed25519PrivateKey:
    path = home / "device.key"
    if not path.exists():
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
