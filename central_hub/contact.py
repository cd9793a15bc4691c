"""Who was heard when: last contact, last successful sync, and what devices say of themselves.

What holds: these are notes beside the log, never entries. A contact is kept in memory and written
now and then, so that an idle check costs no write; a power cut may lose the last minute of it.
Figures are bounded in number and length, and are numbers and codes only.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from sync_protocol.encoding import decode, encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import DeviceKey
from sync_protocol.replica import Replica
from sync_protocol.wire import message as m

_CONTACTS = "contacts"
_FIGURES = "figures:"
_FIGURES_MAX = 64
_NAME_CHARS_MAX = 64
_SUCCESSES = frozenset({m.Kind.SAME, m.Kind.PUSHED, m.Kind.PULLED})
"""Replies after which entries have moved as far as that message could, or there were none."""
_SAVE_MS = 60_000

Figures = dict[str, int | str]


class Contact(NamedTuple):
    """When a device was heard, and when a message of it last brought the two in step, in ms.

    `entries` is how many of the hub's entries the device held then, as far as its messages show.
    """

    heard_ms: int = 0
    synced_ms: int = 0
    entries: int = 0


class Contacts:
    """The contacts of one ward. Safe for threads."""

    def __init__(self, replica: Replica) -> None:
        """Read what was kept."""
        self._replica = replica
        self._lock = threading.Lock()
        raw = replica.rooms.log.note(_CONTACTS)
        rows = decode(raw, dict[str, tuple[int, int, int]]) if raw else {}
        self._contacts = {name: Contact(*row) for name, row in rows.items()}
        self._saved_ms = 0
        self._dirty = False

    def entries_held(self) -> int:
        """Return how many entries the hub holds of this ward."""
        return sum(chain.row.head.seq for chain in self._replica.holding.chains.values())

    def heard(self, device: bytes, reply_kind: int, brought: int = 0) -> None:
        """A device's message was answered. `device` is its 16-byte id.

        `brought` is how many entries it brought.
        """
        now = self._replica.character.wall()
        with self._lock:
            last = self._contacts.get(device.hex(), Contact())
            synced = now if reply_kind in _SUCCESSES else last.synced_ms
            whole = reply_kind in (m.Kind.SAME, m.Kind.PULLED)
            entries = self.entries_held() if whole else last.entries + brought
            self._contacts[device.hex()] = Contact(now, synced, entries)
            self._dirty = True
            due = now - self._saved_ms >= _SAVE_MS
        if due:
            self.save()

    def save(self) -> None:
        """Write the contacts down, if there is something new."""
        with self._lock:
            if not self._dirty:
                return
            self._dirty = False
            self._saved_ms = self._replica.character.wall()
            rows = {name: list(item) for name, item in self._contacts.items()}
        log = self._replica.rooms.log
        with self._replica.lock, log.transaction(durable=False):
            log.put_note(_CONTACTS, encode(rows))

    def of(self, device: DeviceKey) -> Contact:
        """Return when a device was heard; zeros where it never was."""
        with self._lock:
            return self._contacts.get(short_name(device), Contact())

    def take_figures(self, device: DeviceKey, figures: Figures) -> None:
        """Keep a device's health report. Raises `MalformedMessageError` for more than figures."""
        fits = len(figures) <= _FIGURES_MAX and all(
            len(name) <= _NAME_CHARS_MAX and len(str(value)) <= _NAME_CHARS_MAX
            for name, value in figures.items()
        )
        if not fits:
            raise MalformedMessageError("A health report holds more than figures.")
        row = encode([self._replica.character.wall(), figures])
        log = self._replica.rooms.log
        with self._replica.lock, log.transaction(durable=False):
            log.put_note(_FIGURES + short_name(device), row)

    def figures(self, device: DeviceKey) -> tuple[int, Figures]:
        """Return when a device last reported, in ms, and what; (0, {}) where it never did."""
        raw = self._replica.rooms.log.note(_FIGURES + short_name(device))
        return decode(raw, tuple[int, Figures]) if raw else (0, {})
