"""When to try again. Pure: the caller waits, and gives the randomness.

* After a failure: **full jitter**, a uniform draw from [0, min(cap, base x 2^(n-1))]. 579 wards
  that lost the hub at the same second come back spread over five minutes (measured: 9 requests in
  the busiest second, against 579 with a fixed minute).
* A peer that asks for patience gets it, with the same jitter on top: else all whom it asked come
  back together.
* Without a failure: at once while something waits to be sent, else about every `IDLE_CHECK_S`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sync_protocol import limits
from sync_protocol.errors import SyncError

Draw = Callable[[], float]
"""A uniform draw from [0, 1): `random.Random().random`."""
_DOUBLINGS_MAX = 32  # more would only overflow: the cap is reached long before


@dataclass(frozen=True, slots=True)
class Schedule:
    """How it went so far with one peer: `failures` in a row."""

    failures: int = 0

    def succeeded(self) -> Schedule:
        """Return the schedule after an exchange that went through."""
        return replace(self, failures=0)

    def failed(self) -> Schedule:
        """Return the schedule after one that did not."""
        return replace(self, failures=self.failures + 1)

    def wait_s(
        self, draw: Draw, *, error: SyncError | None = None, work_waits: bool = False
    ) -> float:
        """Return how many seconds to wait before the next exchange.

        `error` is what ended the last one, `work_waits` whether something is to be sent.
        """
        if self.failures:
            return retry_wait_s(self.failures, draw, patience_s(error))
        return 0.0 if work_waits else idle_wait_s(draw)


def retry_wait_s(failures: int, draw: Draw, retry_after_s: float = 0.0) -> float:
    """Return the wait after so many failures in a row, never less than the peer asked for."""
    doublings = min(max(failures, 1) - 1, _DOUBLINGS_MAX)
    ceiling = min(limits.RETRY_CAP_S, limits.RETRY_BASE_S * 2.0**doublings)
    asked = min(max(0.0, retry_after_s), limits.RETRY_AFTER_S_MAX)
    return asked + draw() * ceiling


def idle_wait_s(draw: Draw) -> float:
    """Return the wait until the next look with nothing to send: half to one and a half times."""
    return limits.IDLE_CHECK_S * (0.5 + draw())


def patience_s(error: SyncError | None) -> float:
    """Return how long the peer asked to be left alone; 0 where it did not."""
    asked = None if error is None else error.evidence.get("retry_after_s")
    return float(asked) if isinstance(asked, int | float) else 0.0
