"""The wards' views follow their logs: a few threads for all wards, woken by news.

What holds: a ward is followed by one thread at a time, in slices, so that a ward with much to fold
does not keep the others waiting. A ward that fails is tried again later and stops no other.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import OrderedDict

from central_hub.city import City
from sync_protocol.errors import SyncError
from sync_protocol.identity import WardId

THREADS = 2
"""Folding is Python's own work: more threads than cores only wait for each other."""
SLICE_ENTRIES = 4096
"""Entries of one ward before the next one has its turn: about 200 ms."""
RETRY_S = 10.0
_WAIT_S = 5.0
_log = logging.getLogger("motcua")


class Followers:
    """Threads from `start` to `stop`; `wake` says that a ward has news."""

    def __init__(self, city: City) -> None:
        """Prepare."""
        self._city = city
        self._changed = threading.Condition()
        self._waiting: OrderedDict[WardId, None] = OrderedDict()
        self._busy: set[WardId] = set()
        self._ended = False
        self._retries: set[threading.Timer] = set()
        self._threads = [
            threading.Thread(target=self._run, name=f"follower-{index}", daemon=True)
            for index in range(THREADS)
        ]

    def start(self) -> None:
        """Begin; a ward that is opened later is looked at once."""
        self._city.on_opened = self.wake
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """End after the slices at hand."""
        self._city.on_opened = lambda _ward: None
        with self._changed:
            self._ended = True
            for timer in self._retries:
                timer.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def wake(self, ward: WardId) -> None:
        """This ward has news."""
        with self._changed:
            self._waiting[ward] = None
            self._changed.notify()

    def _next(self) -> WardId | None:
        """Return a ward that nobody is at; None when it is time to end."""
        with self._changed:
            while not self._ended:
                for ward in self._waiting:
                    if ward not in self._busy:
                        del self._waiting[ward]
                        self._busy.add(ward)
                        return ward
                self._changed.wait(_WAIT_S)
            return None

    def _run(self) -> None:
        while (ward := self._next()) is not None:
            try:
                more = self._follow(ward)
            except SyncError as problem:
                _log.warning("following a ward: %s", problem.code)
                more = self._again_later(ward)
            except Exception as error:  # noqa: BLE001 - its words may quote what a person wrote
                place = traceback.extract_tb(error.__traceback__)[-1]
                broke = (type(error).__name__, place.filename, place.lineno)
                _log.error("following a ward: broke: %s at %s:%s", *broke)
                more = self._again_later(ward)
            finally:
                with self._changed:
                    self._busy.discard(ward)
                    self._changed.notify()
            if more:
                self.wake(ward)

    def _follow(self, ward: WardId) -> bool:
        with self._city.visit(ward) as office:
            count = office.replica.follow(SLICE_ENTRIES)
            office.registrar.countersign()
            return count >= SLICE_ENTRIES

    def _again_later(self, ward: WardId) -> bool:
        """Try again after a while; return that there is nothing to go on with now."""

        def wake() -> None:
            self.wake(ward)
            with self._changed:
                self._retries.discard(timer)

        timer: threading.Timer = threading.Timer(RETRY_S, wake)
        timer.daemon = True
        with self._changed:
            if not self._ended:
                self._retries.add(timer)
                timer.start()
        return False
