"""Versions of a store: forward only, each step whole or not at all.

What holds:
* A store states its kind (`application_id`) and its version (`user_version`) in its first page.
* A store of a newer version is refused before anything of it is written.
* Each step and its new version land in one transaction; a kill in between leaves the old version.

sqlite-utils' own `Migrations` is not used: it writes the wall clock into the store and can't refuse
a store that is newer than the program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync_protocol.errors import NewerStoreError, StorageError

if TYPE_CHECKING:
    from sqlite3 import Connection

    from sqlite_utils import Database

Step = Callable[["Database"], None]


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of store: the mark in its first page, and the steps from version 0 to the newest."""

    mark: int
    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        """The version that this program writes."""
        return len(self.steps)


def check_version(connection: Connection, schema: Schema) -> int:
    """Return the store's version (0: empty). Writes nothing.

    Raises `NewerStoreError`, or `StorageError` where the file is a store of another kind.
    """
    version, mark = _pragma(connection, "user_version"), _pragma(connection, "application_id")
    if mark not in (0, schema.mark):
        raise StorageError("This file is another kind of store than the one asked for.", mark=mark)
    if version > schema.version:
        raise NewerStoreError(
            "This store was written by a newer version of the program. Nothing was changed: "
            "update the program and open it again.",
            store=version,
            program=schema.version,
        )
    return version


def migrate(db: Database, schema: Schema) -> None:
    """Take the store to the newest version, step by step."""
    while True:
        db.execute("begin immediate")
        try:
            # Asked again under the lock: another process may have done the step meanwhile.
            version = check_version(db.conn, schema)
            if version < schema.version:
                schema.steps[version](db)
                db.execute(f"pragma application_id = {schema.mark}")
                db.execute(f"pragma user_version = {version + 1}")
            db.execute("commit")
        except BaseException:
            if db.conn.in_transaction:
                db.execute("rollback")
            raise
        if version >= schema.version:
            return


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])
