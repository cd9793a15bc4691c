"""The opened hub: its home, its wards, and one replica per ward.

What holds:
* A ward's replica is opened when it is needed; two threads that need it at the same time get the
  same one. While it is visited it stays open; one that nobody has visited for a while is closed,
  and before too many are open the one that was visited longest ago. Nothing is closed while a
  command runs, nor opened again before it is closed.
* The hub's feed in a ward opens with the city root's certificate and the ward's profile.
* `close` closes every replica and gives the home back.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import unicodedata
from argparse import Namespace
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from central_hub.charter import WardRow, load_charter, load_wards, save_wards
from central_hub.contact import Contacts
from device_home.home import HUB_SETTINGS, Home
from device_home.publications import go_by_program, publication
from sync_protocol import limits
from sync_protocol.clock import WallClock, wall_ms
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.edition import go_by
from sync_protocol.dossier.publication import EDITION, files_of
from sync_protocol.errors import InputError, NotAllowedError, SyncError, WrongWardError
from sync_protocol.exchange.enrol import Registrar, short_name
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import ID_BYTES, NO_OFFICER, WardId
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted
from sync_protocol.replica import Replica

CERTIFICATE_NOTE = "certificate"
_CODE = re.compile(r"[0-9]{5}")
"""As the national list of administrative units has it, leading zeros and all."""
_NAME_CHARS_MAX = 100
_log = logging.getLogger("motcua")


class Office(NamedTuple):
    """One ward at the hub: its row, its replica, and those who answer for it."""

    ward: WardRow
    replica: Replica
    responder: Responder
    registrar: Registrar
    contacts: Contacts


class City:
    """The hub, opened. Safe for threads."""

    def __init__(self, home: Home) -> None:
        """Not for callers: use `open`."""
        self.home = home
        self.charter = load_charter(home.vault)
        self.on_opened: Callable[[WardId], None] = lambda _ward: None
        self._nonces = Nonces()
        self._lock = threading.RLock()
        self._rows = {row.id: row for row in load_wards(home.vault)}
        self._offices: OrderedDict[WardId, Office] = OrderedDict()  # longest unvisited first
        self._visits: Counter[WardId] = Counter()
        self._visited_s: dict[WardId, float] = {}
        self._commands = 0
        self._opening: dict[WardId, threading.Lock] = {}

    @classmethod
    def open(cls, folder: Path, wall: WallClock = wall_ms) -> City:
        """Open a hub's home and own it. Raises `StoreBusyError`, `InputError`, `AccessError`."""
        home = Home.open(folder, wall, HUB_SETTINGS)
        try:
            city = cls(home)
            city.go_by_its_wards()
            return city
        except BaseException:
            home.close()
            raise

    def go_by_its_wards(self) -> None:
        """Let this process go by the city's own edition of the catalogue, from now on."""
        go_by(self._published)

    def _published(self) -> dict[str, str]:
        rows = [office.ward for office in self.offices_open()] or self.wards()[:1]
        found = []
        for row in rows:
            with self.visit(row.id) as office:
                view = publication(office.replica)
            if view is not None:
                found.append(view)
        newest = max(found, key=lambda view: int(view.value(EDITION) or 0), default=None)
        return {} if newest is None else files_of(newest)

    def close(self) -> None:
        """Close every ward and give the home back. What fails to close is logged by its code."""
        go_by_program()  # what is closed is asked no more
        with self._lock:
            offices, self._offices = list(self._offices.values()), OrderedDict()
        for office in offices:
            _close(office)
        self.home.close()

    # --- wards --------------------------------------------------------------------------------

    def wards(self) -> list[WardRow]:
        """Return the register, by code."""
        with self._lock:
            return sorted(self._rows.values(), key=lambda row: row.code)

    def ward(self, code: str) -> WardRow:
        """Return the ward of an official code or an id. Raises `InputError`."""
        wanted = code.strip()
        for row in self.wards():
            if wanted in (row.code, row.id.hex()):
                return row
        raise InputError(f"No ward has the code “{wanted}”. “ward list” shows them all.")

    def chosen(self, code: str | None) -> list[Office]:
        """Return the office of one ward, or of all where no code is given."""
        rows = self.wards() if code is None else [self.ward(code)]
        return [self.office(row.id) for row in rows]

    def replica(self, arguments: Namespace) -> Replica:
        """Return the ward that a shared command speaks of, by `--ward`. Raises `InputError`."""
        return self.office(self.ward(arguments.ward).id).replica

    def replicas(self) -> list[Replica]:
        """Return every ward."""
        return [office.replica for office in self.chosen(None)]

    def offices_open(self) -> list[Office]:
        """Return the offices that are open now."""
        with self._lock:
            return list(self._offices.values())

    @contextmanager
    def visit(self, ward: WardId) -> Iterator[Office]:
        """Hold a ward's office open, opening it if need be. Raises `WrongWardError`."""
        with self._lock:
            self._visits[ward] += 1
        try:
            yield self.office(ward)
        finally:
            with self._lock:
                self._visits -= Counter((ward,))  # strangers name wards that there are not
                if ward in self._offices:
                    self._visited_s[ward] = time.monotonic()
                    self._offices.move_to_end(ward)

    @contextmanager
    def command(self) -> Iterator[None]:
        """Hold every office open: a command may go from ward to ward."""
        with self._lock:
            self._commands += 1
        try:
            yield
        finally:
            with self._lock:
                self._commands -= 1
                now = time.monotonic()
                self._visited_s.update(dict.fromkeys(self._offices, now))

    def close_idle(self) -> int:
        """Close wards that nobody uses; return how many."""
        return sum(self._close_if_idle(ward) for ward in list(self._offices))

    def _close_if_idle(self, ward: WardId) -> bool:
        gate = self._opening[ward]
        if not gate.acquire(blocking=False):
            return False  # it is being opened
        try:
            with self._lock:
                idle_s = time.monotonic() - self._visited_s.get(ward, 0.0)
                spare = len(self._offices) - limits.WARDS_OPEN_MAX
                in_use = self._commands or self._visits[ward] or ward not in self._offices
                if in_use or (idle_s < limits.WARD_IDLE_S and spare <= 0):
                    return False
                office = self._offices.pop(ward)
            _close(office)  # at the gate: nobody opens it before it is closed
            return True
        finally:
            gate.release()

    def office(self, ward: WardId) -> Office:
        """Return a ward's office, opening it if need be. Raises `WrongWardError`.

        Where wards may be closed meanwhile (`serve`), within `visit` or `command` only.
        """
        found = self._offices.get(ward)
        if found is not None:
            return found
        with self._lock:
            row = self._rows.get(ward)
            if row is None:
                raise WrongWardError("This ward is not known here. Nothing was taken in.")
            gate = self._opening.setdefault(ward, threading.Lock())
        with gate:
            found = self._offices.get(ward)
            if found is None:
                found = self._open(row)
                with self._lock:
                    self._offices[ward] = found
                    self._visited_s[ward] = time.monotonic()
        self.on_opened(ward)
        return found

    def _open(self, row: WardRow) -> Office:
        replica = self.home.open_replica(row.id, self.charter.root)
        try:
            if not replica.is_hub():
                self._introduce(replica, row, [])
            contacts = Contacts(replica)
            responder = Responder(replica, self._nonces, contacts.take_figures)
            return Office(row, replica, responder, Registrar(replica), contacts)
        except BaseException:
            replica.close()
            raise

    def _introduce(self, replica: Replica, row: WardRow, successors: list[bytes]) -> None:
        """Begin the hub's feed in a ward: who speaks, and which ward this is."""
        with replica.lock, replica.rooms.log.transaction(durable=True):
            replica.rooms.log.put_note(CERTIFICATE_NOTE, self.charter.certificate)
        profile = g.Profile(row.code, row.name, successors)
        replica.say([g.Certified(self.charter.certificate), profile], NO_OFFICER)

    def add_ward(self, code: str, name: str, succeeds: list[str]) -> WardRow:
        """Add a ward. `succeeds` are the codes of wards that it takes over from.

        Raises `InputError` for a bad code or name, `NotAllowedError` for a code in use.
        """
        code, name = code.strip(), unicodedata.normalize("NFC", " ".join(name.split()))
        if not _CODE.fullmatch(code):
            raise InputError(
                "A ward's code is its five digits in the national list of units, such as 00070. "
                "No ward was added."
            )
        if not name or len(name) > _NAME_CHARS_MAX or not name.isprintable():
            raise InputError(f"A ward's name has 1 to {_NAME_CHARS_MAX} characters.")
        before = [self.ward(item) for item in succeeds]
        with self._lock:
            if any(row.code == code for row in self._rows.values()):
                raise NotAllowedError(f"There is a ward with the code “{code}” already.")
            row = WardRow(WardId(random_bytes(ID_BYTES)), code, name)
            save_wards(self.home.vault, [*self._rows.values(), row])
            self._rows[row.id] = row
        self.office(row.id)
        for old in before:
            self._add_successor(old, row)
        return row

    def _add_successor(self, old: WardRow, new: WardRow) -> None:
        replica = self.office(old.id).replica
        known = replica.holding.roster.profile or g.Profile(old.code, old.name)
        heirs = [*known.successors, bytes(new.id)]
        statement = g.Profile(known.code, known.name, heirs, known.version + 1)
        replica.say([statement], NO_OFFICER)

    # --- devices ------------------------------------------------------------------------------

    def devices(self, code: str | None = None) -> Iterator[tuple[Office, Granted]]:
        """Yield every device of one ward or of all, the ward's order, then by label."""
        for office in self.chosen(code):
            grants = office.replica.holding.roster.grants.values()
            for item in sorted(grants, key=lambda one: (one.role, one.label, one.device)):
                yield office, item

    def device(self, text: str, code: str | None = None) -> tuple[Office, Granted]:
        """Find the one device whose id begins with `text`, or that is called so.

        Raises `InputError`.
        """
        wanted = text.strip()
        found = [
            (office, item)
            for office, item in self.devices(code)
            if wanted
            and (short_name(item.device).startswith(wanted.lower()) or item.label == wanted)
        ]
        if len(found) != 1:
            raise InputError(
                "No device has that id or name. “device list” shows them all."
                if not found
                else "Several devices fit. Give more of the id, or --ward."
            )
        return found[0]


def _close(office: Office) -> None:
    """Close a ward; what fails is logged by its code."""
    try:
        office.contacts.save()
        office.replica.close()
    except SyncError as problem:
        _log.warning("closing a ward: %s", problem.code)
