"""Synthetic dossiers in the intake format: realistic in shape, and nobody's.

What holds: the same count and seed give the same dossiers; every one passes `intake`; citizen
numbers start with 097 to 099, which were never issued, and phones have 000 after their prefix.
About 3 % of the applicants are foreigners with a passport. The words are data (`sample_words`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.sample_words import Foreigner, Service, Urn, words
from sync_protocol.dossier.unit import COMMUNE, hanoi_units
from sync_protocol.dossier.working_calendar import calendar_with

FIRST_DAY = date(2026, 9, 3)
DAYS = 80
"""The dossiers are received on the working days of so many days."""
FOREIGNERS_SHARE = 0.03
_AGES = range(18, 86)
_WITHOUT_MIDDLE_SHARE = 0.05


def sample(count: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield `count` dossiers, each ready to be written as one line of an intake file."""
    source = _Source(seed)
    for _ in range(count):
        yield source.dossier()


class _Source:
    """Draws dossiers; one stream of chance feeds them all, so their order is part of the result."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # synthetic data, repeatable on purpose
        self._words = words()
        self._calendar = calendar_with()
        self._surnames = Urn.of(self._words.surnames)
        self._middle = (Urn.of(self._words.male_middle), Urn.of(self._words.female_middle))
        self._status = Urn.of(self._words.status)
        self._units = tuple(hanoi_units().items())
        self._services, self._service_ends = _services(self._words.service)
        self._days = [day for day in _days(FIRST_DAY, DAYS) if self._is_working(day)]

    def dossier(self) -> dict[str, object]:
        """Draw one dossier."""
        chance = self._chance
        received = chance.choice(self._days)
        foreign = chance.random() < FOREIGNERS_SHARE
        service: Service | Foreigner = self._words.foreigner
        if not foreign:
            service = chance.choices(self._services, cum_weights=self._service_ends)[0]
        due = self._working_day_after(received, service.days)
        applicant = self._foreigner(received) if foreign else self._citizen(received)
        papers = sorted(chance.sample(range(len(service.papers)), chance.choice((2, 3, 3))))
        return {
            "procedure": chance.choice(service.codes),
            "applicant": applicant,
            "status": self._status.draw(chance),
            "received_on": received.isoformat(),
            "due_on": due.isoformat(),
            "fee": {"amount": chance.choice(service.fees), "currency": "VND"},
            "notes": self._notes(due, foreign=foreign),
            "papers": [
                {
                    "type": service.papers[at][0],
                    "name": service.papers[at][1],
                    "state": chance.choice(("submitted", "submitted", "compared")),
                }
                for at in papers
            ],
        }

    def _citizen(self, received: date) -> dict[str, object]:
        chance = self._chance
        female = chance.random() < 0.5  # noqa: PLR2004  # one half
        born = self._birthday(received)
        # PPP G YY NNNNNN; see `identity_document`.
        generation = (born.year - 1900) // 100 * 2 + female
        place = 97 + chance.randrange(3)
        number = f"{place:03d}{generation}{born.year % 100:02d}{chance.randrange(10**6):06d}"
        return {
            "name": self._name(female=female),
            "citizen_number": number,
            "birth_date": born.isoformat(),
            "birth_place": chance.choice(self._words.birth_places),
            "address": self._address(),
            "phone": self._phone(),
        }

    def _foreigner(self, received: date) -> dict[str, object]:
        chance = self._chance
        country = chance.choice(self._words.foreigner.countries)
        number = f"{chance.choice('CKMXZ')}{chance.randrange(10**8):08d}"
        return {
            "name": f"{chance.choice(country.given)} {chance.choice(country.family)}",
            "passport": {"number": number, "issuer": country.issuer},
            "birth_date": self._birthday(received).isoformat(),
            "birth_place": country.place,
            "address": self._address(),
            "phone": self._phone(),
        }

    def _name(self, *, female: bool) -> str:
        chance = self._chance
        given = chance.choice(self._words.female_given if female else self._words.male_given)
        surname = self._surnames.draw(chance)
        if chance.random() < _WITHOUT_MIDDLE_SHARE:
            return f"{surname} {given}"
        return f"{surname} {self._middle[female].draw(chance)} {given}"

    def _birthday(self, received: date) -> date:
        age_days = self._chance.randrange(_AGES.start * 366, _AGES.stop * 365)
        return received - timedelta(days=age_days)

    def _address(self) -> dict[str, str]:
        chance = self._chance
        code, unit = chance.choice(self._units)
        if unit.startswith(COMMUNE):
            village = chance.choice(self._words.villages)
            line = f"Xóm {chance.randrange(1, 13)}, thôn {village}"
        else:
            street = chance.choice(self._words.streets)
            line = f"Số {chance.randrange(1, 200)} ngõ {chance.randrange(1, 400)} phố {street}"
        return {"line": line, "unit": unit, "unit_code": code}

    def _phone(self) -> str:
        chance = self._chance
        return f"{chance.choice(self._words.phone_prefixes)}000{chance.randrange(10**4):04d}"

    def _notes(self, due: date, *, foreign: bool) -> list[str]:
        chance = self._chance
        notes = self._words.notes
        texts = chance.sample(notes.foreigner if foreign else notes.everyday, chance.choice((1, 2)))
        return [self._filled(text, due) for text in texts]

    def _filled(self, text: str, due: date) -> str:
        chance = self._chance
        who = chance.choice(self._words.notes.relatives)
        filled = text.format(
            who=who,
            name=self._name(female=chance.random() < 0.5),  # noqa: PLR2004  # one half
            n=chance.randrange(1, 9),
            hour=f"{chance.randrange(8, 17)} giờ {chance.randrange(60):02d}",
            day=f"{due.day:02d}/{due.month:02d}/{due.year}",
            phone=self._phone(),
        )
        return filled[0].upper() + filled[1:]

    def _is_working(self, day: date) -> bool:
        return self._calendar.is_working(day)

    def _working_day_after(self, day: date, count: int) -> date:
        for later in _days(day + timedelta(days=1), count * 3 + 14):
            count -= self._is_working(later)
            if count <= 0:
                return later
        return day


def _days(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range(count))


def _services(services: tuple[Service, ...]) -> tuple[tuple[Service, ...], list[int]]:
    """Return the services with codes filled in, and where each one's share ends."""
    named = {code for service in services for code in service.codes}
    others = tuple(code for code in catalogue().procedures if code not in named)
    filled = tuple(
        service
        if service.codes
        else Service(others, service.share, service.days, service.fees, service.papers)
        for service in services
    )
    ends: list[int] = []
    for service in filled:
        ends.append(service.share + (ends[-1] if ends else 0))
    return filled, ends
