"""Officers' PINs on this device: a code for the first use, the officer's own PIN, and signing in.

A PIN is a slot of the vault (`storage.vault`): Argon2id over the PIN and a secret of this device,
and wrong tries counted durably outside any database. Nothing else is kept of it.

What holds:
* A first-use code opens nothing but the choice of a PIN, for `CODE_HOURS`. Whoever hands it out
  never learns the PIN, and an officer whose PIN was replaced notices, since the old one is void.
* Who signs in is an active officer of the ward, as far as this device has heard.
* A wrong name costs the time that a wrong PIN does.
"""

from __future__ import annotations

import argparse
import secrets
import unicodedata
from argparse import Namespace
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.home import Home
from device_home.officers import officer_row, officers_called, one_officer
from sync_protocol.crypto.key import random_bytes
from sync_protocol.crypto.seal import KEY_BYTES, key_from_pin
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, NotAllowedError, WrongKeyError
from sync_protocol.identity import OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.storage.vault import SALT_BYTES, Vault

CODE_HOURS = 24
"""A first-use code: a shift, and the morning after."""
PIN_CHARS_MIN = 6
"""With a secret of the device and ten tries: one guess in 100,000 (NIST 800-63B asks for six)."""
PIN_CHARS_MAX = 64
_CODE_DIGITS = 8
_FIRST_USE = "first-use:"
_HOUR_MS = 3_600_000


class SignedIn(NamedTuple):
    """Who has shown to be whom; `chooses_pin`: by a code for the first use."""

    officer: g.Officer
    chooses_pin: bool


def pin_commands() -> Sequence[Command[App]]:
    """Return the command of a station: whoever may run it holds the machine's keys anyway."""
    return [Command("officer pin", "give an officer a code for the first use", _run, _options)]


def _run(app: App, arguments: Namespace, output: Output) -> int:
    replica = app.replica(arguments)
    found = officers_called(replica.holding.roster, arguments.who)
    one_officer([officer_row(item, app.home.place().code) for item in found], output)
    code = issue_code(app.home, found[0])
    output.data({"officer": found[0].officer.hex(), "code": code, "hours": CODE_HOURS})
    output.say(f"{code}\nFor {found[0].name}, once, within {CODE_HOURS} hours.")
    output.say("The old PIN is void.")
    return DONE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("who", metavar="WHO", help="the officer's name or part of it, or id")


def issue_code(home: Home, officer: g.Officer) -> str:
    """Return a fresh first-use code; it takes the place of the officer's PIN, and unlocks.

    Raises `NotAllowedError` for an officer who is disabled.
    """
    if officer.role == g.DISABLED:
        raise NotAllowedError("That officer is disabled. Nothing was changed.")
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
    until = home.wall() + CODE_HOURS * _HOUR_MS
    home.vault.put_secret(_first_use(officer.officer), encode(until))
    home.vault.put_officer(officer.officer, code)
    return code


def sign_in(home: Home, replica: Replica, name: str, pin: str) -> SignedIn:
    """Return who it is. Raises `WrongKeyError` (`tries_left`, if known) and `SlotLockedError`."""
    found = [
        item for item in officers_called(replica.holding.roster, name) if item.role != g.DISABLED
    ]
    pin = unicodedata.normalize("NFC", pin.strip())[:PIN_CHARS_MAX]
    if len(found) != 1 or found[0].officer not in home.vault.officers():
        key_from_pin(pin, random_bytes(SALT_BYTES), random_bytes(KEY_BYTES))
        raise WrongKeyError("Nobody signs in here with this name and PIN.")
    officer = found[0]
    Vault.open_officer(home.folder, officer.officer, pin)
    raw = home.vault.secret(_first_use(officer.officer))
    if raw is not None and home.wall() > decode(raw, int):
        raise WrongKeyError("This code for the first use is too old: ask for another.")
    return SignedIn(officer, raw is not None)


def has_pin(home: Home, officer: OfficerId) -> bool:
    """Whether an officer has a PIN or a code on this device."""
    return officer in home.vault.officers()


def choose_pin(home: Home, officer: OfficerId, pin: str) -> None:
    """Set the officer's own PIN. Raises `InputError` for one that is too easily guessed."""
    pin = unicodedata.normalize("NFC", pin.strip())
    if not PIN_CHARS_MIN <= len(pin) <= PIN_CHARS_MAX or _is_easy(pin):
        raise InputError(
            f"A PIN has at least {PIN_CHARS_MIN} digits or letters, not all alike and not in a "
            "row. Nothing was changed.",
            reason="pin",
        )
    home.vault.put_officer(officer, pin)
    home.vault.put_secret(_first_use(officer), None)


def _is_easy(pin: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    return len(set(pin)) == 1 or steps in ({1}, {-1})


def _first_use(officer: OfficerId) -> str:
    return _FIRST_USE + officer.hex()
