"""Admission control: how many requests the hub works on at the same time.

What holds: at most `AT_ONCE_MAX` requests of the city, and `PER_WARD_MAX` of one ward, are under
way. Who finds no place waits a moment, then is asked for patience, each for another number of
seconds, so that 579 wards that return at once come back spread out.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sync_protocol.errors import BusyError

AT_ONCE_MAX = 24
"""Of the server's 32 workers: eight stay free to answer “busy”, health checks and enrolments."""
PER_WARD_MAX = 8
"""One ward's tablets and edges may not take the whole city's places."""
WAIT_S = 2.0
PATIENCE_S = (5, 30)
"""The least and most seconds of patience asked for: 579 wards within 25 s are 23 a second."""


class Admission:
    """Places for requests. Safe for threads."""

    def __init__(
        self, at_once: int = AT_ONCE_MAX, per_ward: int = PER_WARD_MAX, wait_s: float = WAIT_S
    ) -> None:
        """Begin with every place free."""
        self._at_once = at_once
        self._per_ward = per_ward
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._under_way: dict[bytes, int] = {}
        self.refused = 0

    @contextmanager
    def place(self, ward: bytes) -> Iterator[None]:
        """Hold a place while a request is worked on. Raises `BusyError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(ward), self._wait_s):
                self.refused += 1
                least, most = PATIENCE_S
                raise BusyError(
                    "The city is busy and asks for patience. Nothing is lost.",
                    retry_after_s=least + secrets.randbelow(most - least + 1),
                )
            self._under_way[ward] = self._under_way.get(ward, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way[ward] -= 1
                if not self._under_way[ward]:
                    del self._under_way[ward]
                self._changed.notify_all()

    def _is_free(self, ward: bytes) -> bool:
        under_way = sum(self._under_way.values())
        return under_way < self._at_once and self._under_way.get(ward, 0) < self._per_ward
