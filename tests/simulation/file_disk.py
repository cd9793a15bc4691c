"""The disk of a life on real SQLCipher files: what is written is really written, and really copied.

A process that dies leaves its files as they are: they are copied, and the next life opens the
copies. What a power cut takes from pages that were never synced can't be shown with real files;
the loss of the end of the write-ahead log can, by cutting the file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from sync_protocol.storage.blob import FileChunks
from sync_protocol.storage.journal import FileJournal
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews
from tests.simulation.disk import TAIL, Disk, PowerCut

KEY = bytes(range(32))
_WRITES = {
    "log": ("put_chain", "append", "truncate", "drop", "erase", "put_note"),
    "views": ("put_cursor", "save", "remove", "hold", "release", "reset"),
    "journal": ("append", "drop", "restart"),
    "chunks": ("put", "remove"),
}


class Tapped:
    """A store whose writes are announced before they are made."""

    def __init__(self, disk: Disk, store: Any, room: str, tell: Callable[[str], None]) -> None:
        """Stand before a store."""
        self._disk = disk
        self._store = store
        self._tell = tell
        self._writes = _WRITES[room]

    def __getattr__(self, name: str) -> Any:
        """Return the store's own, with the announcement where it writes."""
        if self._disk.dead:
            raise PowerCut(self._disk)
        found = getattr(self._store, name)
        if name not in self._writes:
            return found

        def announced(*args: Any, **named: Any) -> Any:
            self._tell(name)
            return found(*args, **named)

        return announced

    @contextmanager
    def transaction(self, **named: bool) -> Iterator[None]:
        """Announce the commit, and that it was made."""
        with self._store.transaction(**named):
            yield
            self._tell("commit")
        self._tell("committed")


class FileDisk(Disk):
    """Four stores in one folder that die together."""

    def __init__(self, shelf: Path, image: Path | None = None) -> None:
        """Begin empty, or from a copied folder. `shelf` holds all folders of a world."""
        self._begin()
        self.shelf = shelf
        self.folder = shelf / f"{len(list(shelf.iterdir())):04d}"
        if image is None:
            self.folder.mkdir()
        else:
            shutil.copytree(image, self.folder)
        self._stores: list[Any] = [
            SqliteLog(str(self.folder / "log.db"), KEY),
            SqliteViews(str(self.folder / "views.db"), KEY),
            FileJournal(self.folder / "journal"),
            FileChunks(self.folder / "chunks"),
        ]
        rooms = ("log", "views", "journal", "chunks")
        tapped = [
            Tapped(self, store, room, self._hook(room))
            for store, room in zip(self._stores, rooms, strict=True)
        ]
        self.log, self.views, self.journal, self.chunks = tapped  # type: ignore[assignment]
        self._wal_bytes = 0

    def image(self) -> Path:  # type: ignore[override]
        """Copy the folder as it is, without what only a living process uses."""
        copy = self.shelf / f"{len(list(self.shelf.iterdir())):04d}"
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("*-shm"))
        return copy

    def from_image(self, image: Any) -> Disk:
        """Return a disk that begins from an image of this kind of disk."""
        return FileDisk(self.shelf, image)

    def mark(self) -> None:
        """Remember how long the log's write-ahead log is: what comes after it may get lost."""
        self._wal_bytes = self._wal().stat().st_size if self._wal().exists() else 0

    def _wal(self, folder: Path | None = None) -> Path:
        return (folder or self.folder) / "log.db-wal"

    def aftermath(self, how: str, random: Random) -> Disk:
        """End this life; return the disk as the next one finds it."""
        self.dead = True
        image = self.image()
        if how == TAIL and self._wal(image).exists():
            with self._wal(image).open("r+b") as wal:
                wal.truncate(max(self._wal_bytes, 32))
        for store in self._stores[:3]:
            store.close()
        shutil.rmtree(self.folder)
        self.folder.mkdir()  # its number stays taken
        return self.from_image(image)
