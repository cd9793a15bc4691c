"""The plumbing of the stores in memory: transactions that can be undone, even after a commit.

What holds: every write leaves its way back. A commit that was not durable can be undone by `crash`,
newest first, so that what is lost is always lost together with all that came after it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

Hook = Callable[[str], None]
Undo = Callable[[], None]


class Transactions:
    """One transaction at a time, and the way back from each that is not durable yet."""

    def __init__(self, on_write: Hook | None, kept: int | None = None) -> None:
        """Begin with nothing to undo; `kept` commits at most can be lost (None: all)."""
        self.on_write = on_write
        self.lock = threading.RLock()
        self._open: list[Undo] | None = None
        self._loose: deque[list[Undo]] = deque(maxlen=kept)

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """Commit, or undo where an exception leaves."""
        with self.lock:
            if self._open is not None:
                raise AssertionError("This thread has a transaction open already.")
            self._open = []
            try:
                yield
                self._tell("commit")
            except BaseException:
                _rewind(self._open)
                self._open = None
                raise
            self._loose.append(self._open)
            self._open = None
            if durable:
                self._loose.clear()
            self._tell("committed")

    def write(self, name: str, undo: Undo) -> None:
        """Announce a write, and keep the way back from it. Called before the write is made."""
        if self._open is None:
            raise AssertionError("A store is written within a transaction only.")
        self._tell(name)
        self._open.append(undo)

    def crash(self, keep: Random | None) -> None:
        """Undo all that is not durable; with `keep`, all after a random number of its commits."""
        with self.lock:
            if self._open is not None:
                raise AssertionError("Leave the transaction first; an exception does.")
            kept = 0 if keep is None else keep.randint(0, len(self._loose))
            while len(self._loose) > kept:
                _rewind(self._loose.pop())
            self._loose.clear()

    def forget(self) -> None:
        """Take the present state for durable."""
        self._loose.clear()

    def _tell(self, name: str) -> None:
        if self.on_write is not None:
            self.on_write(name)


def _rewind(undos: list[Undo]) -> None:
    for undo in reversed(undos):
        undo()
