"""`officer add|list|reset|disable`.

What holds: an officer belongs to one ward and has one id there for ever; what changes is stated
anew with a higher version. A name is said to the ward's devices only, never to a log file.
"""

from __future__ import annotations

import argparse
import unicodedata

from central_hub.city import City, Office
from device_home.command import DONE, Command, Output
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.folding import fold
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import ID_BYTES, NO_OFFICER, OfficerId
from sync_protocol.membership import grant as g

ROLES = (g.CLERK, g.SUPERVISOR, g.ADMINISTRATOR)
_NAME_CHARS_MAX = 100


def officer_row(office: Office, officer: OfficerId) -> dict[str, object]:
    """Return an officer as lists show them to machines."""
    known = office.replica.holding.roster.officer_now(officer)
    return {
        "id": officer.hex(),
        "ward": office.ward.code,
        "name": "" if known is None else known.name,
        "role": "" if known is None else known.role,
        "version": 0 if known is None else known.version,
    }


def officers_of(office: Office) -> list[g.Officer]:
    """Return a ward's officers as they stand now, by name."""
    roster = office.replica.holding.roster
    known = (roster.officer_now(officer) for officer in roster.officers)
    return sorted(
        (item for item in known if item), key=lambda item: (fold(item.name), item.officer)
    )


def find_officer(office: Office, text: str) -> g.Officer:
    """Return the one officer of a ward whose id begins so, or whose name does.

    Raises `InputError`.
    """
    wanted = text.strip()
    found = [
        item
        for item in officers_of(office)
        if wanted
        and (
            item.officer.hex().startswith(wanted.lower())
            or fold(item.name).startswith(fold(wanted))
        )
    ]
    if len(found) != 1:
        raise InputError(
            f"Ward {office.ward.code} has no officer called so. “officer list” shows them."
            if not found
            else f"Several officers of ward {office.ward.code} are called so: give the id."
        )
    return found[0]


def supervising(office: Office, text: str) -> g.Officer:
    """Return an officer who may decide. Raises `InputError`, `NotAllowedError`."""
    found = find_officer(office, text)
    if found.role not in g.SUPERVISING:
        raise NotAllowedError("Only a supervisor or an administrator may do that.")
    return found


def _anywhere(city: City, text: str, code: str | None) -> tuple[Office, g.Officer]:
    found = []
    for office in city.chosen(code):
        try:
            found.append((office, find_officer(office, text)))
        except InputError:
            continue  # another ward's officer, or nobody's
    if len(found) != 1:
        raise InputError(
            "No officer is called so. “officer list” shows them all."
            if not found
            else "Several officers are called so: give the id, or --ward."
        )
    return found[0]


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the officer's full name")
    parser.add_argument("--ward", required=True, metavar="CODE")
    parser.add_argument("--role", required=True, choices=ROLES)


def _add(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office = city.office(city.ward(arguments.ward).id)
    name = unicodedata.normalize("NFC", " ".join(arguments.name.split()))
    if not name or len(name) > _NAME_CHARS_MAX or not name.isprintable():
        raise InputError(f"An officer's name has 1 to {_NAME_CHARS_MAX} characters.")
    officer = OfficerId(random_bytes(ID_BYTES))
    office.replica.say([g.Officer(officer, name, arguments.role)], NO_OFFICER)
    output.say(f"{officer.hex()}  {name}, {arguments.role} in ward {office.ward.code}.")
    output.data(officer_row(office, officer))
    return DONE


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [
        officer_row(office, item.officer)
        for office in city.chosen(arguments.ward)
        for item in officers_of(office)
    ]
    for row in rows:
        output.say(f"{row['id']}  {row['ward']:<10} {row['role']:<13} {row['name']}")
    if not rows:
        output.say("No officer yet. Add one with “officer add”.")
    output.data(rows)
    return DONE


def _configure_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the officer's id, or how it or the name begins")
    parser.add_argument("--ward", metavar="CODE")


def _configure_reset(parser: argparse.ArgumentParser) -> None:
    _configure_one(parser)
    parser.add_argument("--role", choices=ROLES, help="a new role (default: the last one)")


def _disable(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, known = _anywhere(city, arguments.id, arguments.ward)
    if known.role == g.DISABLED:
        raise NotAllowedError("That officer is disabled already. Nothing was changed.")
    _state(office, known, g.DISABLED)
    output.say("The officer is disabled. What they wrote stays.")
    output.data(officer_row(office, known.officer))
    return DONE


def _reset(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, known = _anywhere(city, arguments.id, arguments.ward)
    role = arguments.role or _last_role(office, known.officer)
    _state(office, known, role)
    output.say(f"The officer stands anew as {role}. Devices hear it at their next exchange.")
    output.data(officer_row(office, known.officer))
    return DONE


def _state(office: Office, known: g.Officer, role: str) -> None:
    statement = g.Officer(known.officer, known.name, role, known.version + 1)
    office.replica.say([statement], NO_OFFICER)


def _last_role(office: Office, officer: OfficerId) -> str:
    """Return the last role before the officer was disabled."""
    stated = [item for _, _, item in office.replica.holding.roster.officers.get(officer, [])]
    active = [item for item in stated if item.role != g.DISABLED]
    return max(active, key=lambda item: item.version).role if active else g.CLERK


COMMANDS: tuple[Command[City], ...] = (
    Command("officer add", "add an officer of a ward", _add, _configure_add),
    Command("officer list", "list the officers", _list, _configure_list),
    Command("officer reset", "let an officer begin anew", _reset, _configure_reset),
    Command("officer disable", "take an officer's rights away", _disable, _configure_one),
)
