"""Which days an office works: weekends, holidays, and the Saturdays that are worked in exchange.

The days are data (`working_calendar.toml`, each table with its source and period). Tables that the
city publishes later are laid over those that came with the program: of two that name one day, the
one issued later counts. A day that no decided table speaks for is counted all the same, by what is
expected, and whatever is counted over it is provisional.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import resources

import msgspec

from sync_protocol.dossier.edition import Files, published
from sync_protocol.errors import SchemaError

CALENDAR_FILE = "working_calendar.toml"
WEEKEND = "weekend"
HOLIDAY = "holiday"
SWAPPED = "swapped"

_SATURDAY = 5
_DAYS_MAX = 400
"""Named days of one table: no table speaks of more than a year."""
_OFF_RUN_MAX = 60
"""Days off in a row; the longest Tết has nine."""


class DayOff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day off, and what it is called."""

    day: date
    vi: str
    en: str


class WorkedDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day that would be off and is worked, perhaps in exchange for another."""

    day: date
    instead_of: date | None = None


class CalendarTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one source says of a period, its first and last day included."""

    issued_on: date
    source: str
    valid_from: date
    valid_until: date
    decided: bool = True
    off: tuple[DayOff, ...] = ()
    worked: tuple[WorkedDay, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table that contradicts itself. msgspec makes it a `ValidationError`."""
        days = [row.day for row in self.off] + [row.day for row in self.worked]
        if len(days) > _DAYS_MAX:
            raise ValueError("a table names too many days")
        if len(days) != len(set(days)):
            raise ValueError("a table names a day twice")
        if any(not self.valid_from <= day <= self.valid_until for day in days):
            raise ValueError("a table names a day outside its period")


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: tuple[CalendarTable, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """How a day counts, and why: `WEEKEND`, `HOLIDAY`, `SWAPPED`, or "" for an ordinary one.

    `vi` and `en` name a holiday.
    """

    working: bool
    reason: str = ""
    vi: str = ""
    en: str = ""


class WorkingCalendar:
    """Several tables, read as one."""

    def __init__(self, tables: Iterable[CalendarTable]) -> None:
        self._tables = sorted(tables, key=lambda table: table.issued_on)
        self._days: dict[date, Day] = {}
        for table in self._tables:
            self._days |= {row.day: Day(False, HOLIDAY, row.vi, row.en) for row in table.off}
            self._days |= {row.day: Day(True, SWAPPED) for row in table.worked}

    @property
    def version(self) -> date | None:
        """When the newest table was issued; a dossier keeps it beside its due date."""
        return self._tables[-1].issued_on if self._tables else None

    def day(self, day: date) -> Day:
        """Return how a day counts."""
        named = self._days.get(day)
        if named is not None:
            return named
        return Day(False, WEEKEND) if day.weekday() >= _SATURDAY else Day(True)

    def is_working(self, day: date) -> bool:
        """Whether offices work on this day."""
        return self.day(day).working

    def is_decided(self, first: date, last: date) -> bool:
        """Whether decided tables speak for every day from `first` to `last`."""
        decided = [table for table in self._tables if table.decided]
        while True:
            ends = [row.valid_until for row in decided if row.valid_from <= first]
            until = max(ends, default=date.min)
            if until < first or until >= last:
                return until >= last >= first
            first = until + timedelta(days=1)

    def off_from(self, day: date) -> list[date]:
        """Return the days off in a row that begin with `day`; empty if it is worked.

        Raises `SchemaError` where they do not end within sixty days.
        """
        run: list[date] = []
        while not self.is_working(day):
            if len(run) >= _OFF_RUN_MAX:
                raise SchemaError("The calendar has sixty days off in a row: look at its tables.")
            run.append(day)
            day += timedelta(days=1)
        return run


def read_tables(text: str) -> tuple[CalendarTable, ...]:
    """Read tables in the form of `working_calendar.toml`. Raises `SchemaError`."""
    try:
        return msgspec.convert(tomllib.loads(text), _Tables).table
    except (ValueError, RecursionError, msgspec.ValidationError) as cause:
        raise SchemaError(f"This is no table of days off: {cause}.") from cause


def shipped_calendar() -> str:
    """Return the text of the tables that came with the program."""
    return resources.files("sync_protocol.dossier").joinpath(CALENDAR_FILE).read_text("utf-8")


@cache
def known_tables() -> tuple[CalendarTable, ...]:
    """Return the tables that came with the program."""
    return read_tables(shipped_calendar())


def calendar_with(added: Sequence[CalendarTable] = ()) -> WorkingCalendar:
    """Return the calendar in force: the known tables, what the city published, what is added."""
    return WorkingCalendar((*known_tables(), *_of_the_city(published()), *added))


@lru_cache(maxsize=2)
def _of_the_city(files: Files) -> tuple[CalendarTable, ...]:
    text = dict(files).get(CALENDAR_FILE)
    try:
        return () if text is None else read_tables(text)
    except SchemaError:
        return ()  # of a newer form; the catalogue beside it tells of that
