"""What the city has published for this installation: one edition for a process, as for a city.

What holds: nothing is read before somebody asks, and then once, until there is something new.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

Files = tuple[tuple[str, str], ...]
"""The files of an edition, sorted by name; none where the city has published nothing."""
Source = Callable[[], Mapping[str, str]]


class _Published:
    """Where the edition comes from, and what came from there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._source: Source = dict
        self._files: Files | None = None

    def go_by(self, source: Source) -> None:
        with self._lock:
            self._source, self._files = source, None

    def ask_again(self) -> None:
        with self._lock:
            self._files = None

    def files(self) -> Files:
        with self._lock:
            if self._files is None:
                self._files = tuple(sorted(self._source().items()))
            return self._files


_PUBLISHED = _Published()


def go_by(source: Source) -> None:
    """Ask `source` from now on; it returns the texts of an edition's files by name."""
    _PUBLISHED.go_by(source)


def ask_again() -> None:
    """Ask the same source anew: something may have come."""
    _PUBLISHED.ask_again()


def published() -> Files:
    """Return the edition that the city has published. Raises what its source raises."""
    return _PUBLISHED.files()
