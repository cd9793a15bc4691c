"""Who sits at the desk: sessions in memory, never on a disk, each for one officer.

What holds: a session is named by 32 random bytes, of which only the hash is kept; it ends after
`IDLE_S` without a request, after `SHIFT_S` in all, when the officer is stated anew or disabled, and
when the station restarts. A form that is sent after a pause is kept for the same officer's return.
All is bounded. Wrong PINs are counted per address as well, because the vault counts per officer
only: one machine must not lock out a whole office.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from sync_protocol.membership import grant as g

T = TypeVar("T")
IDLE_S = 15 * 60
SHIFT_S = 12 * 3600
SESSIONS_MAX = 200
"""Four for each of fifty officers."""
KEPT_MAX = 50
"""Searches, and settled conflicts, that one session remembers."""
FAILURES_MAX = 30
"""Of one address within `FAILURES_S`: it locks three officers at most, and is told to wait."""
FAILURES_S = 10 * 60
ADDRESSES_MAX = 1000
_TOKEN_BYTES = 32


class Typed(NamedTuple):
    """A form that was sent after its session had ended: where to, and what stood in it."""

    path: str
    form: dict[str, str]


@dataclass(slots=True)
class Session:
    """One officer at one browser. `searches` hold words that must not stand in an address."""

    officer: g.Officer
    chooses_pin: bool
    csrf: str
    begun_s: float
    seen_s: float
    searches: OrderedDict[str, str] = field(default_factory=OrderedDict)
    settled: OrderedDict[str, list[object]] = field(default_factory=OrderedDict)
    saved: OrderedDict[str, str] = field(default_factory=OrderedDict)
    typed: Typed | None = None
    saving: threading.Lock = field(default_factory=threading.Lock)
    """Held while a form is saved, so that a second tap finds what the first one saved."""

    def keep_search(self, words: str) -> str:
        """Keep what was searched for; return the name under which an address may speak of it."""
        name = secrets.token_urlsafe(6)
        _keep(self.searches, name, words)
        return name

    def keep_settled(self, what: str, values: list[object]) -> None:
        """Keep the values that stood side by side, so that a choice can be made again."""
        _keep(self.settled, what, values)

    def keep_saved(self, form: str, record: str) -> None:
        """Keep what a form was saved as."""
        _keep(self.saved, form, record)


def _keep(kept: OrderedDict[str, T], name: str, value: T) -> None:
    kept[name] = value
    while len(kept) > KEPT_MAX:
        kept.popitem(last=False)


class Sessions:
    """All sessions of a station. Safe for threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody."""
        self._now_s = now_s
        self._lock = threading.Lock()
        self._open: OrderedDict[bytes, Session] = OrderedDict()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._typed: OrderedDict[str, Typed] = OrderedDict()
        self.knocking = threading.Lock()
        """Held while a PIN is tried: each takes 64 MiB and a core, and all count."""

    def begin(self, officer: g.Officer, *, chooses_pin: bool) -> str:
        """Begin a session; return its token, which is kept by the browser alone."""
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._now_s()
        session = Session(officer, chooses_pin, secrets.token_urlsafe(_TOKEN_BYTES), now, now)
        with self._lock:
            if not chooses_pin:
                session.typed = self._typed.pop(officer.officer.hex(), None)
            self._open[_hash(token)] = session
            while len(self._open) > SESSIONS_MAX:
                self._open.popitem(last=False)
        return token

    def find(self, token: str, *, wakes: bool = True) -> Session | None:
        """Return the session of a token; count this as a sign of life, unless no person asks."""
        now = self._now_s()
        with self._lock:
            session = self._open.get(_hash(token))
            if session is None:
                return None
            if now - session.begun_s > SHIFT_S:
                del self._open[_hash(token)]
                return None
            if now - session.seen_s > IDLE_S:
                return None  # it sleeps, and is woken by nothing
            if wakes:
                session.seen_s = now
            return session

    def asleep(self, token: str) -> Session | None:
        """Return a session that ended because nobody was there, if its shift goes on."""
        now = self._now_s()
        with self._lock:
            session = self._open.get(_hash(token))
        if session is None or now - session.begun_s > SHIFT_S:
            return None
        return session if now - session.seen_s > IDLE_S else None

    def keep_typed(self, officer: bytes, typed: Typed) -> None:
        """Keep the last form that an officer sent too late, until they sign in again."""
        with self._lock:
            _keep(self._typed, officer.hex(), typed)

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(_hash(token), None)

    def end_of(self, officer: bytes) -> None:
        """End every session of an officer."""
        with self._lock:
            for name in [n for n, s in self._open.items() if s.officer.officer == officer]:
                del self._open[name]

    # --- wrong PINs, by address -------------------------------------------------------------------

    def may_try(self, address: str) -> bool:
        """Whether this address has wrong PINs left for now."""
        with self._lock:
            return len(self._recent(address)) < FAILURES_MAX

    def failed(self, address: str) -> None:
        """Count a wrong PIN."""
        with self._lock:
            self._failures[address] = [*self._recent(address), self._now_s()]
            self._failures.move_to_end(address)
            while len(self._failures) > ADDRESSES_MAX:
                self._failures.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        after = self._now_s() - FAILURES_S
        return [moment for moment in self._failures.get(address, []) if moment > after]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
