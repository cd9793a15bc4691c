"""Who listens for news: a bounded number of pages, one of each session, until the station stops.

What holds: each listener holds one of the server's workers, so at most `LISTENERS_MAX` are there at
a time, whoever asks; all others look for themselves now and then.
"""

from __future__ import annotations

import threading

LISTENERS_MAX = 8
"""A quarter of the server's 32 workers: a ward has five to eight counters, and 24 are left for
tablets and pages."""


class Listeners:
    """All who listen. Safe for threads."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._newest: dict[str, object] = {}
        self._there = 0

    def enter(self, session: str) -> object | None:
        """Take a place for a session's newest page; None where all are taken."""
        with self._lock:
            if self._there >= LISTENERS_MAX:
                return None
            self._there += 1
            self._newest[session] = place = object()
            return place

    def holds(self, session: str, place: object) -> bool:
        """Whether no newer page of the session has come, which then listens in its stead."""
        with self._lock:
            return self._newest.get(session) is place

    def leave(self, session: str, place: object) -> None:
        """Give the place back."""
        with self._lock:
            self._there -= 1
            if self._newest.get(session) is place:
                del self._newest[session]
