"""Hybrid logical clock (Kulkarni et al. 2014): 48 bits of milliseconds, 16 bits of counter.

What holds:
* A timestamp is an order for display, never a verdict: no clock decides a value, and nothing is
  refused for its time.
* Readings of one clock never go back and never repeat, whatever the wall clock does.
* A foreign timestamp is always taken in, but moves our clock forward by at most
  `limits.CLOCK_ADOPT_MS_MAX` beyond the wall: one poisoned tablet can't drag a city a year ahead.

This is the only module of the engine that may read the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sync_protocol import limits

WallClock = Callable[[], int]
COUNTER_BITS = 16
MILLIS_MAX = (1 << 48) - 1


def wall_ms() -> int:
    """Return the system's wall clock in milliseconds since 1970 (never below zero)."""
    return max(0, time.time_ns() // 1_000_000)


def millis(timestamp: int) -> int:
    """Return the milliseconds part of a timestamp."""
    return timestamp >> COUNTER_BITS


def pack(ms: int, counter: int = 0) -> int:
    """Return the timestamp of `ms` milliseconds and `counter`."""
    return (min(max(ms, 0), MILLIS_MAX) << COUNTER_BITS) | counter


class HybridLogicalClock:
    """Gives timestamps that only rise.

    `wall` is the wall clock in milliseconds; `last` the greatest timestamp remembered.
    """

    def __init__(self, wall: WallClock, last: int = 0) -> None:
        """Start from `last`, which the replica keeps in its log."""
        self._wall = wall
        self.last = last

    def wall_ms(self) -> int:
        """Return the wall clock's milliseconds."""
        return self._wall()

    def now(self) -> int:
        """Return the next timestamp: the wall's, or one more than the last if that is behind."""
        self.last = max(pack(self._wall()), self.last + 1)
        return self.last

    def hear(self, timestamp: int) -> None:
        """Take in a foreign timestamp, within the bound."""
        bound = pack(self._wall() + limits.CLOCK_ADOPT_MS_MAX)
        self.last = max(self.last, min(timestamp, bound))
