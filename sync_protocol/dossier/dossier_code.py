"""The codes of the national system: of dossiers and of procedures.

A dossier's code is AGENCY-DATE-SEQUENCE, such as 000.00.01.H26-260930-0012: who received it, on
which day, and its number among those of that day there. Source: circular 01/2018/TT-VPCP,
article 19. The circular 03/2025/TT-VPCP, in force since 15 September 2025, sets the code anew; its
wording was not at hand, so the shapes that are seen in use are read: up to four levels, the
agency's letter first or last (H55.242, 000.00.00.H26), dates of six or eight digits, sequences of
four to seven.

What holds: there is no check digit, so a slip of the pen may give somebody else's code. Codes are
kept as they were read; nothing is renumbered. The date is the day of reception at the counter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sync_protocol.dossier.text import refused

_CHARACTERS_MAX = 40
"""What the field of a dossier's record holds."""
_DOSSIER = re.compile(
    r"(?P<agency>[0-9A-Z]+(?:\.[0-9A-Z]+){0,3})-(?P<day>[0-9]{6}|[0-9]{8})-(?P<number>[0-9]{4,7})"
)
_AGENCY = re.compile(r"(?:[0-9A-Z]+\.){0,3}[0-9A-Z]+")
_ROOT = re.compile(r"[HG][0-9]{2}")
_SHORT_DATE_DIGITS = 6
_YEARS = range(2000, 2100)
"""Of both forms: the short one has two digits for the year."""
_NUMBER_DIGITS = range(4, 8)
_PROCEDURE = re.compile(
    r"(?P<code>[1-9]\.[0-9]{6})(?:\.(?P<case>[0-9]{2}))?"
    r"(?:\.(?P<agency>(?:[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.)?[HG][0-9]{2}))?"
)


@dataclass(frozen=True, slots=True)
class DossierCode:
    """An official code in its parts; `str()` gives it as it is printed.

    `number_digits` and `long_date` keep the form: both forms are in use at once.
    """

    agency: str
    received_on: date
    number: int
    number_digits: int = 4
    long_date: bool = False

    def __post_init__(self) -> None:
        """Refuse parts that make no code. Raises `InputError`."""
        roots = [level for level in self.agency.split(".") if _ROOT.fullmatch(level)]
        if not _AGENCY.fullmatch(self.agency) or len(roots) != 1:
            raise refused("code", "names no agency such as 000.00.01.H26 or H55.242", "agency")
        if self.received_on.year not in _YEARS:
            raise refused("code", "names no day on which a dossier came in", "day")
        if self.number_digits not in _NUMBER_DIGITS:
            raise refused("code", "must have a number of 4 to 7 digits", "number")
        if not 0 <= self.number < 10**self.number_digits:
            raise refused("code", "has a number that is too long for its form", "number")
        if len(str(self)) > _CHARACTERS_MAX:
            raise refused("code", f"is longer than {_CHARACTERS_MAX} characters", "length")

    def __str__(self) -> str:
        """Return the code as it is printed."""
        form = "%Y%m%d" if self.long_date else "%y%m%d"
        day = self.received_on.strftime(form)
        return f"{self.agency}-{day}-{self.number:0{self.number_digits}d}"


def read_dossier_code(text: str) -> DossierCode:
    """Read an official code as people type it. Raises `InputError`."""
    found = _DOSSIER.fullmatch(text.strip().upper()) if len(text) <= 2 * _CHARACTERS_MAX else None
    if found is None:
        raise refused("code", "is no dossier code such as 000.00.01.H26-260930-0012", "shape")
    day, number = found["day"], found["number"]
    long_date = len(day) > _SHORT_DATE_DIGITS
    try:
        received_on = date.fromisoformat(day if long_date else f"20{day}")
    except ValueError:
        raise refused("code", "names a day that does not exist", "day") from None
    return DossierCode(found["agency"], received_on, int(number), len(number), long_date)


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """A procedure's code in its parts: 1.001193, its case 01, and whose variant it is."""

    code: str
    case: str | None
    agency: str | None


def read_procedure_code(text: str) -> ProcedureCode | None:
    """Read a code with its case and agency, or return None.

    The national database itself holds codes that have no such form ("1.0133611"): what is not
    understood is to be warned of, and kept.
    """
    found = _PROCEDURE.fullmatch(text.strip())
    return ProcedureCode(found["code"], found["case"], found["agency"]) if found else None
