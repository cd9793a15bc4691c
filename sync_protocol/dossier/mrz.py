"""The machine-readable zone of cards (TD1, three lines of 30) and passports (TD3, two of 44).

Source: ICAO Doc 9303, part 3 (check digits, names, dates), part 4 (TD3) and part 5 (TD1); what the
Vietnamese card makes of it was read off a public specimen: the number is the last nine of the
twelve digits, all twelve stand in the optional data, with a check digit of their own at its end.

What holds: any text gives a `Zone` or an `InputError` that repeats nothing of it. A check digit
that is wrong is no error: the zone says which, and where to look. Names in a zone have no
marks, so they confirm a name and never replace one (`identity_reading`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import cycle

from sync_protocol import limits
from sync_protocol.dossier.identity_document import (
    FEMALE,
    MALE,
    Remark,
    birth_year,
    check_citizen_number,
)
from sync_protocol.dossier.text import refused

VIETNAM = "VNM"
FILLER = "<"

_WEIGHTS = (7, 3, 1)
_CHARACTERS = re.compile(r"[A-Za-z0-9<]*")
_SEXES = {"M": MALE, "F": FEMALE}
_NO_EXPIRY = "991231"
"""Seen where a Vietnamese card has no term: from the age of sixty on."""
_EXPIRY_WINDOW_YEARS = 50
_CENTURY = 100


class Layout(StrEnum):
    """Which kind of document, by the shape of its lines."""

    TD1 = "TD1"
    TD3 = "TD3"


_SHAPES = {(30, 30, 30): Layout.TD1, (44, 44): Layout.TD3}
_FIRST_LETTERS = {Layout.TD1: "ACI", Layout.TD3: "P"}


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """One check digit: of what, where it stands (counted from 1), what is there, what should be."""

    field: str
    line: int
    column: int
    given: str
    wanted: str

    @property
    def right(self) -> bool:
        """Whether the digit is the one that belongs there."""
        return self.given == self.wanted


@dataclass(frozen=True, slots=True)
class Zone:
    """What a machine-readable zone says; absent values are None, absent texts empty.

    `issuer` and `nationality` are codes as printed ("VNM", "D"). Dates are YYYY-MM-DD, or YYYY-MM
    or YYYY where the document knows no more. `name_cut`: the name was too long for its line.
    """

    layout: Layout
    kind: str
    issuer: str
    number: str
    citizen_number: str | None
    nationality: str
    surname: str
    given_names: str
    name_cut: bool
    birth_date: str | None
    sex: str | None
    expires_on: str | None
    optional: str
    checks: tuple[CheckDigit, ...]
    remarks: tuple[Remark, ...]

    @property
    def sound(self) -> bool:
        """Whether every check digit is right."""
        return all(check.right for check in self.checks)


def check_digit(text: str) -> str:
    """Return the check digit of `text`, which holds A-Z, 0-9 and the filler only.

    Doc 9303-3, 4.9: weights 7, 3, 1; letters count from A = 10, the filler is 0; modulo 10.
    """
    values = (0 if character == FILLER else int(character, 36) for character in text)
    return str(sum(value * weight for value, weight in zip(values, cycle(_WEIGHTS))) % 10)


def read_mrz(text: str, today: date) -> Zone:
    """Read the two or three lines of a zone, or all of them in one. Raises `InputError`.

    `today` settles the century of two-digit years: nobody is born tomorrow, and a document ends
    within fifty years of now.
    """
    lines = _lines(text)
    layout = _SHAPES[tuple(map(len, lines))]
    if lines[0][0] not in _FIRST_LETTERS[layout]:
        raise refused("mrz", "is of no identity card and no passport", "mrz-kind")
    read = _card_numbers if layout is Layout.TD1 else _passport_numbers
    return _zone(layout, lines, read(*lines), today)


def _lines(text: str) -> list[str]:
    if len(text) > limits.IDENTITY_TEXT_CHARACTERS_MAX:
        raise refused("mrz", "is longer than any zone", "mrz-length")
    # Readers break lines as they please, and people type spaces.
    lines = [line for line in ("".join(part.split()) for part in text.splitlines()) if line]
    if len(lines) == 1:
        whole = lines[0]
        shape = next((shape for shape in _SHAPES if sum(shape) == len(whole)), (len(whole),))
        lines = [whole[at : at + shape[0]] for at in range(0, len(whole), shape[0])]
    for number, line in enumerate(lines, start=1):
        if not _CHARACTERS.fullmatch(line):
            what = f"has a character in line {number} that is no letter A-Z, no digit and no “<”"
            raise refused("mrz", what, "mrz-character")
    if tuple(map(len, lines)) not in _SHAPES:
        found = " + ".join(str(len(line)) for line in lines[:4]) or "0"
        what = f"must have 3 lines of 30 or 2 lines of 44 characters, and has {found}"
        raise refused("mrz", what, "mrz-shape")
    return [line.upper() for line in lines]


# ------------------------------------------------------------------------------ two layouts

_PLACES = {
    Layout.TD1: {
        "nationality": (1, 15, 18),
        "born": (1, 0, 6),
        "sex": (1, 7, 8),
        "expires": (1, 8, 14),
        "names": (2, 0, 30),
    },
    Layout.TD3: {
        "nationality": (1, 10, 13),
        "born": (1, 13, 19),
        "sex": (1, 20, 21),
        "expires": (1, 21, 27),
        "names": (0, 5, 44),
    },
}
"""Line, first character and end of what both layouts have, counted from 0."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What each layout keeps in its own way."""

    number: str
    citizen_number: str | None
    optional: str
    checks: tuple[CheckDigit, ...]


def _card_numbers(first: str, second: str, _names: str) -> _Numbers:
    number, number_check = _card_number(first)
    optional = first[15:30]
    citizen_number, citizen_checks = None, []
    if _plain(first[2:5]) == VIETNAM and optional[:12].isdigit():
        citizen_number = optional[:12]
        digit = check_digit(citizen_number)
        citizen_checks = [CheckDigit("citizen-number", 1, 30, first[29], digit)]
    whole = first[5:30] + second[0:7] + second[8:15] + second[18:29]
    checks = (
        number_check,
        *citizen_checks,
        CheckDigit("birth-date", 2, 7, second[6], check_digit(second[0:6])),
        CheckDigit("expiry", 2, 15, second[14], _optional_digit(second[8:15])),
        CheckDigit("composite", 2, 30, second[29], check_digit(whole)),
    )
    return _Numbers(number, citizen_number, _plain(optional), checks)


def _card_number(first: str) -> tuple[str, CheckDigit]:
    """Return the number of a card, which may run over into the optional data (9303-5, 4.2.4)."""
    number, tail = first[5:14], first[15:30].partition(FILLER)[0]
    if first[14] == FILLER and tail:
        number += tail[:-1]
        return number, CheckDigit("number", 1, 15 + len(tail), tail[-1], check_digit(number))
    return _plain(number), CheckDigit("number", 1, 15, first[14], check_digit(number))


def _passport_numbers(first: str, second: str) -> _Numbers:
    optional = second[28:42]
    whole = second[0:10] + second[13:20] + second[21:43]
    checks = (
        CheckDigit("number", 2, 10, second[9], check_digit(second[0:9])),
        CheckDigit("birth-date", 2, 20, second[19], check_digit(second[13:19])),
        CheckDigit("expiry", 2, 28, second[27], _optional_digit(second[21:28])),
        CheckDigit("optional", 2, 43, second[42], _optional_digit(second[28:43])),
        CheckDigit("composite", 2, 44, second[43], check_digit(whole)),
    )
    citizen = _plain(first[2:5]) == VIETNAM and optional[:12].isdigit()
    citizen_number = optional[:12] if citizen and not optional[12:].strip(FILLER) else None
    return _Numbers(_plain(second[0:9]), citizen_number, _plain(optional), checks)


def _optional_digit(text: str) -> str:
    """Return the digit at the end of a field that may be empty: then it may be left out as well."""
    return check_digit(text[:-1]) if text.strip(FILLER) else FILLER


def _zone(layout: Layout, lines: list[str], numbers: _Numbers, today: date) -> Zone:
    text = {name: lines[at][start:end] for name, (at, start, end) in _PLACES[layout].items()}
    issuer, sex = _plain(lines[0][2:5]), _SEXES.get(text["sex"])
    born, born_remarks = _birth(text["born"], numbers.citizen_number, today)
    expires, expiry_remarks = _expiry(text["expires"], issuer, today)
    remarks = [*born_remarks, *expiry_remarks]
    if numbers.citizen_number:
        where = "citizen_number"
        remarks += check_citizen_number(
            numbers.citizen_number, birth_date=born, sex=sex, field=where
        )[1]
        if layout is Layout.TD1 and not numbers.citizen_number.endswith(numbers.number):
            remarks.append(Remark("mrz-two-numbers", where))
    surname, _, given = text["names"].strip(FILLER).partition(FILLER * 2)
    return Zone(
        layout=layout,
        kind=_plain(lines[0][:2]),
        issuer=issuer,
        number=numbers.number,
        citizen_number=numbers.citizen_number,
        nationality=_plain(text["nationality"]),
        surname=_plain(surname),
        given_names=_plain(given),
        name_cut=not text["names"].endswith(FILLER),
        birth_date=born,
        sex=sex,
        expires_on=expires,
        optional=numbers.optional,
        checks=numbers.checks,
        remarks=tuple(remarks),
    )


def _plain(text: str) -> str:
    """Return a field without its fillers; those between words are spaces."""
    return " ".join(text.replace(FILLER, " ").split())


# ------------------------------------------------------------------------------------ dates


def _birth(text: str, citizen_number: str | None, today: date) -> tuple[str | None, list[Remark]]:
    """Return the date of birth: unknown months and days are fillers (9303-3, 4.8)."""
    years = []
    if text[:2].isdigit():
        newest = today.year - (today.year - int(text[:2])) % _CENTURY
        years = [newest, newest - _CENTURY]
        # The twelve digits know the century: some people are older than a hundred.
        if citizen_number and birth_year(citizen_number) % _CENTURY == int(text[:2]):
            years.insert(0, birth_year(citizen_number))
    for year in years:
        day = _day(year, text[2:4], text[4:6])
        if day and day <= today.isoformat():
            return day, []
    unknown = not text.strip(FILLER)
    return None, [] if unknown else [Remark("mrz-birth-date", "birth_date")]


def _expiry(text: str, issuer: str, today: date) -> tuple[str | None, list[Remark]]:
    if not text.strip(FILLER) or (issuer == VIETNAM and text == _NO_EXPIRY):
        return None, []
    if not text[:2].isdigit():
        return None, [Remark("mrz-expiry", "expires_on")]
    oldest = today.year - _EXPIRY_WINDOW_YEARS
    day = _day(oldest + (int(text[:2]) - oldest) % _CENTURY, text[2:4], text[4:6])
    if day is None:
        return None, [Remark("mrz-expiry", "expires_on")]
    ended = day < today.isoformat()[: len(day)]
    return day, [Remark("document-expired", "expires_on")] if ended else []


def _day(year: int, month: str, day: str) -> str | None:
    """Return a date as far as it is known, or None where there is no such day."""
    if month == FILLER * 2 and day == FILLER * 2:
        return f"{year:04d}"
    if not month.isdigit() or not (day.isdigit() or day == FILLER * 2):
        return None
    try:
        whole = date(year, int(month), int(day) if day.isdigit() else 1).isoformat()
    except ValueError:
        return None
    return whole if day.isdigit() else whole[:7]
