"""Rules for the numbers of identity documents: what can't be a number, and what only looks odd.

The 12-digit number is PPP G YY NNNNNN: place of birth registration, century and sex, year of birth,
six random digits; there is no check digit. Birth years and sexes were corrected for some people, so
only its shape is refused; whatever else does not fit is a remark for the officer to look at.
Provinces merged in 2025, the numbers did not change. 097, 098 and 099 were never issued: they are
for tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sync_protocol.dossier.text import refused

PROVINCE_CODES = frozenset(
    f"{code:03d}"
    for code in (
        *(
            1,
            2,
            4,
            6,
            8,
            10,
            11,
            12,
            14,
            15,
            17,
            19,
            20,
            22,
            24,
            25,
            26,
            27,
            30,
            31,
            33,
            34,
            35,
            36,
        ),
        *(37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72),
        *(74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96),
    )
)
"""The 63 provinces of 2004 to 2025; from 100 on, births registered abroad."""
TEST_CODES = frozenset({"097", "098", "099"})
MALE = "male"
FEMALE = "female"

_CITIZEN = re.compile(r"[0-9]{12}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,15}")
_PASSPORT_LENGTHS = range(6, 10)
"""The machine-readable line has room for nine."""
_ISSUER = re.compile(r"[A-Z]{3}|D")
_BIRTH_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_SEPARATORS = re.compile(r"[ .\-]")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should look at, and that blocks nothing.

    `code` has its words in `labels`; `field` is where to look.
    """

    code: str
    field: str


def check_citizen_number(
    text: str, *, birth_date: str | None = None, sex: str | None = None, field: str = "identity"
) -> tuple[str, list[Remark]]:
    """Return the twelve digits and the remarks on them. Raises `InputError`."""
    number = _SEPARATORS.sub("", text)
    if not _CITIZEN.fullmatch(number):
        raise refused(field, "must have 12 digits and nothing else", "citizen-number")
    place = number[:3]
    codes = []
    if place in TEST_CODES:
        codes.append("citizen-number-for-tests")
    elif place < "100" and place not in PROVINCE_CODES:
        codes.append("citizen-number-place")
    if birth_date is not None and birth_date[:4] != str(birth_year(number)):
        codes.append("citizen-number-birth-year")
    if sex is not None and sex != (FEMALE if int(number[3]) % 2 else MALE):
        codes.append("citizen-number-sex")
    return number, [Remark(code, field) for code in codes]


def birth_year(number: str) -> int:
    """Return the year of birth that twelve digits speak of: the fourth has century and sex."""
    return 1900 + int(number[3]) // 2 * 100 + int(number[4:6])


def check_passport(
    number: str, issuer: str, *, field: str = "identity"
) -> tuple[str, str, list[Remark]]:
    """Return number and issuer in their one form, and the remarks. Raises `InputError`.

    `issuer` is the code of the passport's machine-readable line: three letters, or "D" for Germany.
    """
    number = _SEPARATORS.sub("", number).upper()
    issuer = issuer.upper()
    if not _PASSPORT.fullmatch(number) or not any(digit.isdigit() for digit in number):
        raise refused(field, "must have 5 to 15 letters and digits as printed", "passport-number")
    if not _ISSUER.fullmatch(issuer):
        raise refused(
            field, "needs the issuer's code as printed, such as USA or D", "passport-issuer"
        )
    codes = []
    if len(number) not in _PASSPORT_LENGTHS:
        codes.append("passport-number-length")
    if issuer == "VNM":
        codes.append("passport-vietnamese")
    return number, issuer, [Remark(code, field) for code in codes]


@dataclass(frozen=True, slots=True)
class ForeignerKey:
    """By what a foreigner is known again: one passport, and the date of birth beside it.

    Source: none; the national list of identifiers has no code for passports. Numbers are unique
    within their issuer only, and the date of birth tells a misread one. A renewed passport is a
    new key: that both are one person is said by an officer, never concluded.
    """

    issuer: str
    number: str
    birth_date: str


def foreigner_key(issuer: str, number: str, birth_date: str) -> ForeignerKey:
    """Return the key, its parts in their one form. Raises `InputError`.

    `birth_date` is YYYY-MM-DD; YYYY-MM or YYYY where the passport knows no more.
    """
    number, issuer, _ = check_passport(number, issuer)
    if not _BIRTH_DATE.fullmatch(birth_date):
        raise refused("birth_date", "must be YYYY-MM-DD, YYYY-MM or YYYY", "birth-date")
    return ForeignerKey(issuer, number, birth_date)
