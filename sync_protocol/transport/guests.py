"""Whom the server's workers serve: no address holds them all.

One address, however many slow connections it opens, leaves workers to all others. Wards behind one
address of their provider have three in four, 24 of 32: twice what a city's 10 requests a second
need.
"""

from __future__ import annotations

import threading
from collections import Counter


class Guests:
    """How many workers each address holds now; at most as many addresses as there are workers."""

    def __init__(self, each: int) -> None:
        """`each` address may hold so many."""
        self.each = each
        self._lock = threading.Lock()
        self._held: Counter[str | None] = Counter()

    def enter(self, address: str | None) -> bool:
        """Take a place; False where the address has all that it may have."""
        with self._lock:
            if self._held[address] >= self.each:
                return False
            self._held[address] += 1
            return True

    def leave(self, address: str | None) -> None:
        """Give the place back."""
        with self._lock:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
