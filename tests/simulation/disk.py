"""The disk of one life of one device, and the ways in which it betrays.

A life ends with its disk: once a `PowerCut` was raised, every later write raises it again, so that
no `finally` of a dead process writes on. What survives is an `Image`; the next life begins from it
on stores of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from sync_protocol.errors import StoreFullError
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews

KILL, POWER, TAIL = "kill", "power", "tail"
_TAKES_ROOM = frozenset(
    {"append", "sync", "put_chain", "put_note", "save", "hold", "put", "commit"}
)


class PowerCut(BaseException):
    """The process is dead. Nothing of ours may catch it; the world does."""

    def __init__(self, disk: Disk) -> None:
        """Say whose."""
        super().__init__("power cut")
        self.disk = disk


@dataclass(frozen=True, slots=True)
class Image:
    """What lies on the platters."""

    log: Any
    views: Any
    journal: Any
    chunks: Any


class Disk:
    """Four stores in memory that die together."""

    def __init__(self, image: Image | None = None) -> None:
        """Begin empty, or from an image."""
        self._begin()
        self.log = MemoryLog()
        self.views = MemoryViews()
        self.journal = MemoryJournal(segment_bytes_max=4096)
        self.chunks = MemoryChunks()
        if image is not None:
            self.log.restore(image.log)
            self.views.restore(image.views)
            self.journal.restore(image.journal)
            self.chunks.restore(image.chunks)
        self.log.transactions.on_write = self._hook("log")
        self.views.transactions.on_write = self._hook("views")
        self.journal.on_write = self._hook("journal")
        self.chunks.on_write = self._hook("chunks")
        self._checkpoint = self.log.snapshot()

    def _begin(self) -> None:
        self.dead = False
        self.bomb: int | None = None
        self.full: Random | None = None
        self.writes = 0
        self.fired: dict[str, int] = {}

    def from_image(self, image: Any) -> Disk:
        """Return a disk that begins from an image of this kind of disk."""
        return Disk(image)

    def mark(self) -> None:
        """Remember the log as it is: what comes after it may get lost."""
        self._checkpoint = self.log.snapshot()

    def _hook(self, room: str) -> Any:
        def tell(name: str) -> None:
            if self.dead:
                raise PowerCut(self)
            self.writes += 1
            if self.bomb is not None:
                self.bomb -= 1
                if self.bomb < 0:
                    self._fire(f"cut at {room}.{name}")
                    self.dead = True
                    raise PowerCut(self)
            if self.full is not None and name in _TAKES_ROOM and self.full.random() < 0.3:
                self._fire(f"full at {room}.{name}")
                raise StoreFullError("The disk is full.")

        return tell

    def _fire(self, what: str) -> None:
        self.fired[what] = self.fired.get(what, 0) + 1

    def image(self) -> Image:
        """Return what a copy of the disk would show: a clone, or a backup."""
        return Image(
            self.log.snapshot(),
            self.views.snapshot(),
            self.journal.snapshot(),
            self.chunks.snapshot(),
        )

    def aftermath(self, how: str, random: Random) -> Disk:
        """End this life; return the disk as the next one finds it.

        kill: the process alone is gone. power: what was not synced is lost or torn. tail: the log's
        database silently lost the end of its write-ahead log, the journal is whole.
        """
        self.dead = True
        for store in (self.log, self.views):
            store.transactions.on_write = None
        self.journal.on_write = self.chunks.on_write = None
        if how == POWER:
            tear = random if random.random() < 0.5 else None
            self.log.crash(random if random.random() < 0.5 else None)
            self.views.crash(random if random.random() < 0.7 else None)
            self.journal.crash(tear)
        elif how == TAIL:
            self.log.restore(self._checkpoint)
        image = self.image()
        for room in (self.log, self.views):
            room.transactions.on_write = self._hook("dead")
        self.journal.on_write = self.chunks.on_write = self._hook("dead")
        return Disk(image)
