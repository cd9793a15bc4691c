"""Whether two dossiers may be one that was captured twice: by two desks, or at two visits.

Source: the same citizen and service captured at two points is a conflict that really occurs; the
answer is a warning with both side by side, never a block, for two dossiers may both be meant.

What holds:
* The same procedure, received within `WINDOW_DAYS`, for the same person.
* Two citizen's numbers decide, one way or the other, but for children entered under a parent's
  number: then the given names must be the same as well.
* Else name and birth date, or name and phone, must be. A name alone is no person, nor is a phone:
  households share one.
* Names are compared as they are searched, without marks, where one was typed without them. Where
  both have marks these count, wherever the tone stands: “hoà” is “hòa”, but An and Ân are twins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sync_protocol.dossier import record_type
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.folding import fold, name_key
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.status import Status

WINDOW_DAYS = 30
"""A month: the longest time of the everyday procedures, within which one would ask again."""
CAPTURED_TWICE = Remark("captured-twice", "applicant")
_ENDED = frozenset({Status.REFUSED, Status.STOPPED})
"""Whoever was refused may file again: that is no duplicate."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What of a dossier tells whether it was captured twice; "" for what it lacks.

    `citizen_number` is empty for a foreigner, `number` is of whatever document there is.
    """

    procedure: str
    received_on: str
    status: str
    name: str
    citizen_number: str
    number: str
    birth_date: str
    phone: str

    @property
    def is_open(self) -> bool:
        """Whether it may stand beside another one at all."""
        return self.status not in _ENDED

    @property
    def searches(self) -> list[str]:
        """Return the folded texts by which those like it are searched."""
        return [text for text in (fold(self.number), fold(self.name)) if text]


def read_capture(values: Mapping[int, object]) -> Capture:
    """Read displayed values by field id; those of an unexpected shape are left out."""

    def text(field: int, part: int | None = None) -> str:
        value = values.get(field)
        if part is not None:
            value = value[part] if isinstance(value, list | tuple) and len(value) > part else None
        return value if isinstance(value, str) else ""

    code = text(record_type.PROCEDURE)
    known = catalogue().find(code)
    number = text(record_type.IDENTITY, 1)
    is_citizen = text(record_type.IDENTITY, 0) == record_type.CITIZEN
    return Capture(
        procedure=known.code if known else code,
        received_on=text(record_type.RECEIVED_ON),
        status=text(record_type.STATUS),
        name=text(record_type.NAME),
        citizen_number=number if is_citizen else "",
        number=number,
        birth_date=text(record_type.BIRTH, 0),
        phone=text(record_type.PHONE),
    )


def may_be_one(one: Capture, other: Capture) -> bool:
    """Whether two captures may be one dossier. It does not matter which is which."""
    return (
        one.is_open
        and other.is_open
        and one.procedure == other.procedure
        and _days_apart(one.received_on, other.received_on) <= WINDOW_DAYS
        and _same_person(one, other)
    )


def _same_person(one: Capture, other: Capture) -> bool:
    if one.citizen_number and other.citizen_number:
        same = one.citizen_number == other.citizen_number
        return same and same_name(one.name, other.name, given=True)
    if not same_name(one.name, other.name):
        return False
    born = (one.birth_date, other.birth_date)
    if all(born):
        short, long = sorted(born, key=len)  # old papers know the year alone
        return long.startswith(short)
    return bool(one.phone) and one.phone == other.phone


def same_name(one: str, other: str, *, given: bool = False) -> bool:
    """Whether two names, or the given names of two, may be one, typed by different people."""
    words = slice(-1, None) if given else slice(None)
    folded = [fold(name).split()[words] for name in (one, other)]
    if not folded[0] or folded[0] != folded[1]:
        return False
    if one.isascii() or other.isascii():
        return True  # typed without marks
    first = slice(1) if given else slice(None)  # the key begins with the given name
    keys = [name_key(name).split()[first] for name in (one, other)]
    return keys[0] == keys[1]


def _days_apart(one: str, other: str) -> int:
    try:
        return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)
    except ValueError:
        return WINDOW_DAYS + 1
