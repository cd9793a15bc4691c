"""The provisional code ("mã tạm") of a dossier that was received with the line cut.

    MT-260930-7K3QD9X
       │      │     └ check character
       │      └ six characters of chance
       └ day of reception

It begins like no official code, so nobody takes it for one; it stays searchable for ever beside the
official code that is bound later.

What holds: it is written in the 31 signs of `signs`. The check character is a weighted sum modulo
31, a prime: every single wrong sign and every swap of two signs is noticed, in the date too. Six
signs of chance are 887 million a day: among the 400 dossiers of a busy ward, two meet once in forty
years, and are then seen as a clash of numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sync_protocol.dossier.signs import SIGNS, read_signs, signs_of
from sync_protocol.dossier.text import refused

PREFIX = "MT"
ENTROPY_BYTES = 8

_CHANCE_SIGNS = 6
_SHAPE = re.compile(r"MT(?P<day>[0-9]{6})(?P<chance>[0-9A-Y]{6})(?P<check>[0-9A-Y])")
_CHARACTERS_MAX = 40
_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class ProvisionalCode:
    """A provisional code: `text` is as printed."""

    text: str
    received_on: date


def make_provisional_code(received_on: date, entropy: bytes) -> ProvisionalCode:
    """Make a code from the day of reception and eight random bytes of the caller."""
    if len(entropy) < ENTROPY_BYTES:
        raise AssertionError(f"a provisional code needs {ENTROPY_BYTES} random bytes")
    if received_on.year not in _YEARS:
        raise refused("received_on", "is no day on which a dossier comes in", "day")
    return _written(received_on, signs_of(entropy, _CHANCE_SIGNS))


def read_provisional_code(text: str) -> ProvisionalCode:
    """Read a code as people type it: any case, with or without hyphens. Raises `InputError`."""
    found = _SHAPE.fullmatch(read_signs(text) if len(text) <= _CHARACTERS_MAX else "")
    if found is None:
        raise refused("code", "is no provisional code such as MT-260930-7K3QD9X", "shape")
    try:
        received_on = date.fromisoformat("20" + found["day"])
    except ValueError:
        raise refused("code", "names a day that does not exist", "day") from None
    code = _written(received_on, found["chance"])
    if code.text[-1] != found["check"]:
        raise refused("code", "was misread: its last character does not fit the rest", "check")
    return code


def _written(received_on: date, signs: str) -> ProvisionalCode:
    day = received_on.strftime("%y%m%d")
    return ProvisionalCode(f"{PREFIX}-{day}-{signs}{_check(day + signs)}", received_on)


def _check(signs: str) -> str:
    """Return the check character; the weights 2, 3, … are all different modulo 31."""
    total = sum(weight * SIGNS.index(sign) for weight, sign in enumerate(signs, start=2))
    return SIGNS[-total % len(SIGNS)]
