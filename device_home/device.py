"""An edge or a tablet at work: its home, its ward's replica, and its exchanges with its peer.

What holds: the replica is opened once, when it is first needed. One exchange at a time, because a
peer gives each device one nonce. How the last exchanges went is remembered for `health`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from device_home.duties import do_duties
from device_home.enrolment import peer
from device_home.home import Home
from device_home.notes import keep_contact, keep_report, keep_success, last_report_ms
from device_home.publications import go_by_program, go_by_ward
from device_home.upkeep import figures
from sync_protocol.dossier.edition import ask_again
from sync_protocol.errors import BusyError, PeerError, SyncError
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.membership.grant import TABLET
from sync_protocol.replica import Replica

REPORT_S = 600
"""A device says how it is at most so often: apart from the idle check, one request of 400 bytes."""

EXCHANGE_WAIT_S = 600.0
"""Wait for another exchange of this process to end: a whole first one over a village line."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of one exchange."""

    outcome: Outcome
    conflicts_open: int
    duration_ms: int
    cpu_ms: int
    """CPU time of this process meanwhile, all threads; opening the stores included."""


class Device:
    """An opened edge or tablet. Safe for threads."""

    def __init__(self, home: Home) -> None:
        """Take an opened home; the device owns it from here on."""
        self._home = home
        self._replica: Replica | None = None
        self._opening = threading.Lock()
        self._exchange = threading.Lock()
        self.on_capture: Callable[[], None] = lambda: None

    @classmethod
    def open(cls, folder: Path) -> Device:
        """Open a home and own it. Raises what `Home.open` raises."""
        return cls(Home.open(folder))

    @property
    def home(self) -> Home:
        """The home that this process owns."""
        return self._home

    def close(self) -> None:
        """Close what is open, and give the home back."""
        self.close_replica()
        self._home.close()

    def close_replica(self) -> None:
        """Close the replica, if it is open; the next use opens it anew."""
        with self._opening:
            if self._replica is not None:
                go_by_program()  # what is closed is asked no more
                self._replica.close()
                self._replica = None

    def replica(self, arguments: Namespace | None = None) -> Replica:  # noqa: ARG002 - one ward
        """Return this device's ward. Raises `NotEnrolledError` and `StorageError` kinds."""
        with self._opening:
            if self._replica is None:
                place = self._home.place()
                self._replica = self._home.open_replica(place.ward, place.root)
                go_by_ward(self._replica)
            return self._replica

    def replicas(self) -> list[Replica]:
        """Return the one ward of this device; none before it is enrolled."""
        return [] if self._home.enrolment() is None else [self.replica()]

    # --- exchanges --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def conversation(self) -> Iterator[Initiator]:
        """Hold the one conversation with the peer. Raises `BusyError` where another goes on."""
        if not self._exchange.acquire(timeout=EXCHANGE_WAIT_S):
            raise BusyError("Another exchange is still under way. Nothing is lost; try later.")
        try:
            carrier, initiator = peer(self._home, self.replica())
            try:
                yield initiator
            finally:
                carrier.close()
        finally:
            self._exchange.release()

    def sync(self) -> Synced:
        """Exchange everything with the peer, once, and do the duties that follow.

        Raises `TransportError` and `PeerError` kinds; what came until then is kept.
        """
        started, cpu_started = time.monotonic(), time.process_time()
        replica = self.replica()
        total = Outcome()
        with self.conversation() as initiator:
            try:
                news = self._round(initiator, replica, total)
                if do_duties(self._home, replica) or news:
                    self._round(initiator, replica, total)
            except PeerError:
                keep_contact(replica, total.peer_time_ms)
                raise
            finally:
                replica.follow()
            keep_contact(replica, total.peer_time_ms)
            if not total.standing:
                keep_success(replica)
                self._report(initiator, replica, total)
        duration_ms = round((time.monotonic() - started) * 1000)
        cpu_ms = round((time.process_time() - cpu_started) * 1000)
        counts = replica.rooms.views.counts()
        return Synced(total, counts.disputed + counts.clashes, duration_ms, cpu_ms)

    def _report(self, initiator: Initiator, replica: Replica, total: Outcome) -> None:
        """Tell the peer now and then how this device is; that it can't be told harms nothing."""
        last = last_report_ms(replica)
        now = replica.character.wall()
        if last is not None and 0 <= now - last < REPORT_S * 1000:
            return
        try:
            initiator.report(figures(self._home, replica))
        except SyncError:
            return  # it is told next time
        keep_report(replica)
        total.requests += 1

    def _round(self, initiator: Initiator, replica: Replica, total: Outcome) -> bool:
        """Exchange once; return whether scans became known that are to be fetched."""
        fetch = self._home.place().role != TABLET
        before = replica.scans.waiting().keys()
        initiator.outcome = Outcome()
        try:
            initiator.run(fetch_scans=fetch)
        finally:
            _add(total, initiator.outcome)
        replica.follow()
        if initiator.outcome.entries_received:
            ask_again()
        return fetch and not replica.scans.waiting().keys() <= before


def _add(total: Outcome, part: Outcome) -> None:
    for name in (
        "requests",
        "bytes_sent",
        "bytes_received",
        "entries_sent",
        "entries_received",
        "chunks_sent",
        "chunks_received",
    ):
        setattr(total, name, getattr(total, name) + getattr(part, name))
    total.refused.update(part.refused)
    total.standing = part.standing or total.standing
    total.peer_time_ms = part.peer_time_ms or total.peer_time_ms


def first_exchange(device: Device) -> SyncError | None:
    """Pull what a new device needs to begin; return what went wrong, if anything."""
    try:
        device.sync()
    except SyncError as problem:
        return problem
    return None
