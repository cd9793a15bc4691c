"""The only door for SQLCipher and sqlite-utils: opening, one writer, many readers, our own errors.

What holds:
* It fails closed: a SQLite that can't encrypt, or is too old, is refused; so is a key that is not
  32 bytes. Nothing is ever written in clear, temporary files included.
* One transaction at a time per store (a lock), on one connection. A read outside the transaction's
  thread has a connection of its own while it reads, and sees one committed state.
* No cursor stays open between two steps of a caller, so no reader holds the write-ahead log back.
* The driver's errors never leave raw: each comes out as an `AccessError` or a `StorageError`.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sync_protocol import limits
from sync_protocol.errors import (
    StorageError,
    StoreBusyError,
    StoreCorruptError,
    StoreFullError,
    SyncError,
    WrongKeyError,
)
from sync_protocol.storage.migration import Schema, check_version, migrate

if TYPE_CHECKING:
    import sqlite3 as driver

    from sqlite_utils import Database
else:
    try:
        driver = importlib.import_module("sqlcipher3.dbapi2")
        # sqlite-utils looks for `pysqlite3` first and catches that module's errors.
        sys.modules["pysqlite3"] = importlib.import_module("sqlcipher3")
        sys.modules["pysqlite3.dbapi2"] = driver
    except ImportError:  # Android: the system's libsqlite3 is SQLCipher, or opening refuses it.
        driver = importlib.import_module("sqlite3")

KEY_BYTES = 32
SQLITE_VERSION_MIN = (3, 51, 3)
"""Older ones can lose a write-ahead log when two connections checkpoint at once."""
PAGE_BYTES = 4096

Connection = driver.Connection
connect = driver.connect

_FULL = 13
_IO = 10
_NOT_A_DATABASE = 26
_BUSY = (5, 6)
_CORRUPT = (11, _NOT_A_DATABASE)
_ROOM_BYTES_MIN = 64 * limits.KIB
"""The shared index of a write-ahead log grows by 32 KiB at a time."""


def translate(cause: driver.Error, path: str) -> SyncError:
    """Return our own error for one of the driver's."""
    # Some drivers give the extended code; its lowest byte is the one that all give.
    code = (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF
    evidence = {"store": Path(path).name, "sqlite": code}
    if code == _FULL or (code == _IO and _is_full(path)):
        return StoreFullError(
            "The disk is full. What was acknowledged before is safe; make room and try again.",
            **evidence,
        )
    if code in _BUSY:
        return StoreBusyError("Another process is writing to this store. Try again.", **evidence)
    if code in _CORRUPT:
        return StoreCorruptError(
            "The store has damaged pages. Nothing was changed. On a station or a tablet “repair” "
            "mends it; a city is restored from its backup. Then check the disk.",
            **evidence,
        )
    return StorageError(
        f"The store could not be used ({cause}). What was acknowledged before is safe.", **evidence
    )


def _is_full(path: str) -> bool:
    # Where the shared index can't grow, SQLite says "I/O error" of a disk that is only full.
    with suppress(OSError):
        return shutil.disk_usage(Path(path).absolute().parent).free < _ROOM_BYTES_MIN
    return False


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Let no error of the driver out as it is."""
    try:
        yield
    except driver.Error as cause:
        raise translate(cause, path) from cause


def open_database(
    path: str, key: bytes, schema: Schema, timeout_s: float = limits.STORE_TIMEOUT_S
) -> Connection:
    """Open (or create) the store at `path` for writing, at the newest version of `schema`.

    Raises `WrongKeyError`, `NewerStoreError`, `StoreCorruptError`, `StoreBusyError`,
    `StoreFullError`, or `StorageError` where this computer's SQLite can't do what must be done.
    """
    with translated(path):
        connection = _unlock(path, key, timeout_s)
        try:
            version = check_version(connection, schema)
            _log_ahead(connection)
            _settle(connection)
            if version < schema.version:
                migrate(_database(connection), schema)
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(path: str, key: bytes, timeout_s: float) -> Connection:
    """Open a store that exists already, for reading only."""
    connection = _unlock(path, key, timeout_s)
    try:
        _settle(connection)
        connection.execute("pragma query_only=on")
    except BaseException:
        connection.close()
        raise
    return connection


def _database(connection: Connection) -> Database:
    # Late, since few openings migrate; and here only: imported before the aliases above,
    # sqlite-utils misses the driver's errors.
    from sqlite_utils import Database

    # Without plugins: what else is installed on the computer has no business in the store.
    return Database(connection, execute_plugins=False, recursive_triggers=False)


def _unlock(path: str, key: bytes, timeout_s: float) -> Connection:
    if len(key) != KEY_BYTES:
        raise AssertionError("A store's key has 32 bytes.")
    if driver.sqlite_version_info < SQLITE_VERSION_MIN:
        raise StorageError(
            f"SQLite {driver.sqlite_version} is too old: 3.51.3 or newer is needed. Nothing was "
            "opened; update the program."
        )
    connection = connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        _check_cipher(connection)
        connection.execute("pragma cipher_log_level=NONE")
        connection.execute(f"pragma key=\"x'{key.hex()}'\"")
        connection.execute(f"pragma cipher_page_size={PAGE_BYTES}")
        _prove_key(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_cipher(connection: Connection) -> None:
    if not connection.execute("pragma cipher_version").fetchone():
        raise StorageError(
            "The SQLite on this computer can't encrypt. Nothing was opened or written; "
            "install the program's own SQLCipher."
        )


def _log_ahead(connection: Connection) -> None:
    if connection.execute("pragma journal_mode=wal").fetchone()[0] != "wal":
        raise StorageError("This disk can't hold a store: it does not share memory.")


def _prove_key(connection: Connection, path: str) -> None:
    # A wrong key shows at the first read only. A file shorter than a page reads as an empty store,
    # and would be written over.
    cause: driver.DatabaseError | None = None
    try:
        connection.execute("select count(*) from sqlite_master").fetchone()
        if not 0 < Path(path).stat().st_size < PAGE_BYTES:
            return
    except driver.DatabaseError as refusal:
        if getattr(refusal, "sqlite_errorcode", 0) != _NOT_A_DATABASE:
            raise
        cause = refusal
    raise WrongKeyError(
        "The key does not open this store, or the store's first page is damaged. Nothing was "
        "changed.",
        store=Path(path).name,
    ) from cause


def _settle(connection: Connection) -> None:
    for setting in (
        "foreign_keys=on",
        "trusted_schema=off",
        "temp_store=memory",  # a file would hold plain text
        "fullfsync=on",  # macOS: fsync alone does not reach the disk
        f"cache_size=-{limits.STORE_CACHE_BYTES // limits.KIB}",
        f"journal_size_limit={limits.STORE_WAL_BYTES_MAX}",
    ):
        connection.execute("pragma " + setting)


class SqliteFile:
    """One encrypted database: one writer, as many readers as read."""

    def __init__(self, path: str, key: bytes, schema: Schema, timeout_s: float) -> None:
        """Open it, or create it."""
        self.path = path
        self._key = key
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._idle: list[Connection] = []
        self._closed = False
        self._durable: bool | None = None
        self._writer = open_database(path, key, schema, timeout_s)

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """Hold the one writing connection; commit, or undo where an exception leaves."""
        self._check_open()
        if self._owner == threading.get_ident():
            raise AssertionError("This thread has a transaction open already.")
        if not self._lock.acquire(timeout=self._timeout_s):
            raise StoreBusyError("Another task is writing to this store. Try again.")
        try:
            self._begin(durable)
            try:
                yield
                with translated(self.path):
                    self._writer.execute("commit")
            except BaseException:
                self._undo()
                raise
            finally:
                self._owner = None
        finally:
            self._lock.release()

    def _begin(self, durable: bool) -> None:
        self._check_open()
        with translated(self.path):
            if durable is not self._durable:
                # FULL syncs the write-ahead log at the commit; NORMAL before a checkpoint only.
                # It can't be changed within a transaction.
                self._writer.execute(f"pragma synchronous={'full' if durable else 'normal'}")
                self._durable = durable
            self._writer.execute("begin immediate")
        self._owner = threading.get_ident()

    def _undo(self) -> None:
        # SQLite may have undone it already (disk full); the first error is the one to tell.
        with suppress(driver.Error):
            if self._writer.in_transaction:
                self._writer.execute("rollback")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the connection of the transaction that this thread has open."""
        if self._owner != threading.get_ident():
            raise AssertionError("A store is written within a transaction only.")
        with translated(self.path):
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state: the open transaction's, or a committed one."""
        if self._owner == threading.get_ident():
            with translated(self.path):
                yield self._writer
            return
        with translated(self.path):
            connection = self._borrow()
            try:
                connection.execute("begin")
                yield connection
            finally:
                self._give_back(connection)

    def _borrow(self) -> Connection:
        self._check_open()
        try:
            return self._idle.pop()
        except IndexError:
            return open_reader(self.path, self._key, self._timeout_s)

    def _give_back(self, connection: Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("rollback")
        except driver.Error:
            connection.close()
            return
        if self._closed or len(self._idle) >= limits.STORE_READERS_KEPT_MAX:
            connection.close()
        else:
            self._idle.append(connection)

    def check(self) -> list[str]:
        """Check every page on a fresh connection; return a sentence for each damage found."""
        self._check_open()
        try:
            with translated(self.path):
                connection = open_reader(self.path, self._key, self._timeout_s)
                try:
                    found = [row[0] for row in connection.execute("pragma cipher_integrity_check")]
                    rows = connection.execute("pragma integrity_check").fetchall()
                    return found + [row[0] for row in rows if row[0] != "ok"]
                finally:
                    connection.close()
        except (StoreCorruptError, WrongKeyError) as damage:
            return [damage.diagnosis]

    def copy_to(self, path: str) -> None:
        """Write a consistent copy, under the same key, to a new file, and sync it."""
        self._check_open()
        if Path(path).exists():
            raise StorageError("A copy is written to a new file only; that one exists.")
        try:
            with translated(self.path):
                connection = open_reader(self.path, self._key, self._timeout_s)
                try:
                    connection.execute("pragma query_only=off")
                    connection.execute("vacuum into ?", (path,))
                finally:
                    connection.close()
            _sync(path)
            _sync(str(Path(path).absolute().parent))
        except BaseException:
            with suppress(OSError):
                Path(path).unlink()
            raise

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        with self._lock, translated(self.path):
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise AssertionError("This store was closed.")


def _sync(path: str) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no directories
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
