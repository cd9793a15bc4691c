"""`officer add|list|reset|disable`.

What holds: an officer belongs to one ward and has one id there for ever; what changes is stated
anew with a higher version. A name is said to the ward's devices only, never to a log file.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Sequence
from typing import Any

from central_hub.city import City, Office
from device_home.command import DONE, Command, Output
from device_home.officers import (
    list_officers,
    officer_row,
    officers_called,
    officers_of,
    one_officer,
)
from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import ID_BYTES, NO_OFFICER, OfficerId
from sync_protocol.membership import grant as g

ROLES = (g.CLERK, g.SUPERVISOR, g.ADMINISTRATOR)
_NAME_CHARS_MAX = 100


def _row(office: Office, officer: OfficerId) -> dict[str, Any]:
    known = office.replica.holding.roster.officer_now(officer)
    return {} if known is None else officer_row(known, office.ward.code)


def find_officer(offices: Sequence[Office], text: str, output: Output) -> tuple[Office, g.Officer]:
    """Return the one officer of these wards who is called so. Raises `InputError`."""
    found = [
        (office, item)
        for office in offices
        for item in officers_called(office.replica.holding.roster, text)
    ]
    one_officer([officer_row(item, office.ward.code) for office, item in found], output)
    return found[0]


def supervising(office: Office, text: str, output: Output) -> g.Officer:
    """Return an officer who may decide. Raises `InputError`, `NotAllowedError`."""
    _, found = find_officer([office], text, output)
    if found.role not in g.SUPERVISING:
        raise NotAllowedError("Only a supervisor or an administrator may do that.")
    return found


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
    output.data(_row(office, officer))
    return DONE


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [
        officer_row(item, office.ward.code)
        for office in city.chosen(arguments.ward)
        for item in officers_of(office.replica.holding.roster)
    ]
    list_officers(rows, output.say)
    output.data(rows)
    return DONE


def _configure_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the officer's name or part of it, or id")
    parser.add_argument("--ward", metavar="CODE")


def _configure_reset(parser: argparse.ArgumentParser) -> None:
    _configure_one(parser)
    parser.add_argument("--role", choices=ROLES, help="a new role (default: the last one)")


def _disable(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, known = find_officer(city.chosen(arguments.ward), arguments.id, output)
    if known.role == g.DISABLED:
        raise NotAllowedError("That officer is disabled already. Nothing was changed.")
    _state(office, known, g.DISABLED)
    output.say("The officer is disabled. What they wrote stays.")
    output.data(_row(office, known.officer))
    return DONE


def _reset(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, known = find_officer(city.chosen(arguments.ward), arguments.id, output)
    role = arguments.role or _last_role(office, known.officer)
    _state(office, known, role)
    output.say(f"The officer stands anew as {role}. Devices hear it at their next exchange.")
    output.data(_row(office, known.officer))
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
