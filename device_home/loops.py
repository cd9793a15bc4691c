"""The threads of `serve`: work that is done now and then, or when it is called for."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from sync_protocol.errors import SyncError

_log = logging.getLogger("motcua")


class Loop:
    """A thread that calls `work` at once, and again after the seconds that it returns.

    It works sooner when `wake` is called. An error is logged, without its words, and work goes on.
    """

    def __init__(self, name: str, work: Callable[[], float], after_error_s: float = 5.0) -> None:
        """Prepare; `start` begins."""
        self._work = work
        self._after_error_s = after_error_s
        self._called = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Work now."""
        self._called.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End after the work at hand."""
        self._ended.set()
        self._called.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._called.clear()
            try:
                pause_s = self._work()
            except SyncError as problem:
                _log.warning("%s: %s", self._thread.name, problem.code)
                pause_s = self._after_error_s
            except Exception as error:  # noqa: BLE001 - a loop that ends in silence helps nobody
                place = traceback.extract_tb(error.__traceback__)[-1]
                broke = (type(error).__name__, place.filename, place.lineno)
                _log.error("%s: broke: %s at %s:%s", self._thread.name, *broke)
                pause_s = self._after_error_s
            self._called.wait(pause_s)
