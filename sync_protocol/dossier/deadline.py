"""When a dossier is due, and how that was counted.

The rules, from the procedures' own texts and the practice of provincial systems:

1. A working day is eight hours, 7:00-11:30 and 13:30-17:00. What comes in after the cut-off (17:00
   unless the procedure says otherwise), or on a day off, counts as of the next working day.
2. "n working days": the day of reception is not counted; due at 17:00 of the n-th working day
   after it. Nought of them is "the same day", with the cut-off of 15:00 in civil status matters.
3. "n days" are calendar days; should the last be off, the next working day stands for it.
4. "n hours" are hours of work.

What holds: never due on a day off or outside hours; who comes later is never due earlier, and a
longer time never ends earlier. Times are local and have no zone. Every step of the count is kept,
so that it can be read out to whoever doubts it. A count over days that no decided table speaks for
is `provisional` and must be shown as such.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from sync_protocol.dossier.text import refused
from sync_protocol.dossier.working_calendar import HOLIDAY, SWAPPED, WorkingCalendar
from sync_protocol.errors import SchemaError

OFFICE_HOURS = ((time(7), time(11, 30)), (time(13, 30), time(17)))
"""When offices work."""
CLOSING = OFFICE_HOURS[-1][1]

_AMOUNT_MAX = 400
"""The longest time of the national catalogue is under a year."""
_YEARS = range(2000, 2200)
_ONE_DAY = timedelta(days=1)


class Unit(StrEnum):
    """In what a time limit is given."""

    HOUR = "hour"
    WORKING_DAY = "working-day"
    DAY = "day"


class TimeLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a procedure may take. Nought working days: the same day."""

    amount: int
    unit: Unit
    cut_off: time = CLOSING

    def __post_init__(self) -> None:
        """Refuse what can't be counted. Raises `SchemaError`."""
        least = 0 if self.unit is Unit.WORKING_DAY else 1
        if not least <= self.amount <= _AMOUNT_MAX:
            raise SchemaError(f"A time limit must be {least} to {_AMOUNT_MAX}.")
        if not OFFICE_HOURS[0][0] <= self.cut_off <= CLOSING:
            raise SchemaError("A cut-off must lie within the hours of work.")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a count: what happened (a key of `STEP_WORDS`), when, and the number of it.

    `count` is a number of days, or of minutes where hours are counted. `vi` and `en` name the
    holiday, if it is one.
    """

    code: str
    at: datetime
    count: int = 0
    vi: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a dossier is due, in local time, and why."""

    received: datetime
    due: datetime
    steps: tuple[Step, ...]
    provisional: bool
    calendar_version: date | None


def count_deadline(limit: TimeLimit, received: datetime, calendar: WorkingCalendar) -> Deadline:
    """Count a deadline from local time without a zone, to the minute. Raises `InputError`."""
    if received.tzinfo is not None:
        raise refused("received", "must be local time, without a zone", "zone")
    if received.year not in _YEARS:
        raise refused("received", "is in no year that dossiers are received in", "year")
    # Receipts show minutes: what says 15:00 must not be late for a cut-off at 15:00.
    received = received.replace(second=0, microsecond=0)
    steps = list(_counted(limit, received, calendar))
    due = steps[-1].at
    return Deadline(
        received=received,
        due=due,
        steps=tuple(steps),
        provisional=not calendar.is_decided(received.date(), due.date()),
        calendar_version=calendar.version,
    )


def _counted(
    limit: TimeLimit, received: datetime, calendar: WorkingCalendar
) -> Generator[Step, None, None]:
    yield Step("received", received)
    start = yield from _start(limit, received, calendar)
    if limit.unit is Unit.HOUR:
        due = yield from _hours(limit.amount, max(received, _at(start, time.min)), calendar)
    elif limit.unit is Unit.DAY:
        due = yield from _days(limit.amount, start, calendar)
    else:
        due = yield from _working_days(limit.amount, start, calendar)
    yield Step("due", due)


def _start(
    limit: TimeLimit, received: datetime, calendar: WorkingCalendar
) -> Generator[Step, None, date]:
    """Find the day that counts as the day of reception."""
    day = received.date()
    if calendar.is_working(day):
        # Hours run until the office closes, whatever the cut-off of a whole day is.
        if received.time() <= (CLOSING if limit.unit is Unit.HOUR else limit.cut_off):
            return day
        yield Step("after-cut-off", received)
        day += _ONE_DAY
    day = yield from _skip(day, calendar)
    yield Step("starts", _at(day, OFFICE_HOURS[0][0]))
    return day


def _working_days(
    amount: int, start: date, calendar: WorkingCalendar
) -> Generator[Step, None, datetime]:
    day = start
    for number in range(1, amount + 1):
        day = yield from _skip(day + _ONE_DAY, calendar)
        code = "counted-swapped" if calendar.day(day).reason == SWAPPED else "counted"
        yield Step(code, _at(day, CLOSING), number)
    return _at(day, CLOSING)


def _days(amount: int, start: date, calendar: WorkingCalendar) -> Generator[Step, None, datetime]:
    last = start + amount * _ONE_DAY
    yield Step("days", _at(last, CLOSING), amount)
    last = yield from _skip(last, calendar)
    return _at(last, CLOSING)


def _hours(
    amount: int, begin: datetime, calendar: WorkingCalendar
) -> Generator[Step, None, datetime]:
    left = timedelta(hours=amount)
    day = begin.date()
    while True:
        for opens, closes in OFFICE_HOURS:
            from_then, until = max(begin, _at(day, opens)), _at(day, closes)
            if from_then >= until:
                continue
            worked = min(left, until - from_then)
            left -= worked
            yield Step("minutes", from_then + worked, int(worked.total_seconds() // 60))
            if not left:
                return from_then + worked
        day = yield from _skip(day + _ONE_DAY, calendar)


def _skip(day: date, calendar: WorkingCalendar) -> Generator[Step, None, date]:
    """Go on to the first working day from `day` on, and say what was skipped."""
    for off in calendar.off_from(day):
        reason = calendar.day(off)
        code = "holiday" if reason.reason == HOLIDAY else "weekend"
        yield Step(code, _at(off, time.min), 0, reason.vi, reason.en)
        day = off + _ONE_DAY
    return day


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment)


# ------------------------------------------------------------------------------------ words

STEP_WORDS = {
    "received": ("Tiếp nhận lúc {time} ngày {day}.", "Received on {day} at {time}."),
    "after-cut-off": (
        "Sau giờ tiếp nhận trong ngày: tính sang ngày làm việc tiếp theo.",
        "After the cut-off: it counts as of the next working day.",
    ),
    "starts": ("Tính như tiếp nhận ngày {day}.", "Counts as received on {day}."),
    "counted": ("{day}: ngày làm việc thứ {count}.", "{day}: working day {count}."),
    "counted-swapped": (
        "{day}: làm bù, ngày làm việc thứ {count}.",
        "{day}: worked in exchange, working day {count}.",
    ),
    "days": ("{count} ngày, đến {day}.", "{count} days, until {day}."),
    "minutes": (
        "Đến {time} ngày {day}: {count} phút làm việc.",
        "{count} minutes of work until {time} on {day}.",
    ),
    "weekend": ("{day}: cuối tuần, không tính.", "{day}: weekend, not counted."),
    "holiday": ("{day}: nghỉ {name}, không tính.", "{day}: {name}, not counted."),
    "due": ("Hẹn trả lúc {time} ngày {day}.", "Due on {day} at {time}."),
}
"""What happened at each step, in Vietnamese and English."""


_UNIT_WORDS = {
    Unit.HOUR: ("giờ làm việc", "working hour"),
    Unit.WORKING_DAY: ("ngày làm việc", "working day"),
    Unit.DAY: ("ngày", "day"),
}


def limit_text(limit: TimeLimit) -> tuple[str, str]:
    """Return a time limit in words, in Vietnamese and in English."""
    vietnamese, english = _UNIT_WORDS[limit.unit]
    if not limit.amount:
        moment = f"{limit.cut_off:%H:%M}"
        return f"trong ngày (nhận không muộn hơn {moment})", f"the same day (if in by {moment})"
    plural = "" if limit.amount == 1 else "s"
    return f"{limit.amount} {vietnamese}", f"{limit.amount} {english}{plural}"


def step_text(step: Step) -> tuple[str, str]:
    """Return the sentence of a step, in Vietnamese and in English."""
    vietnamese, english = STEP_WORDS[step.code]
    moment = f"{step.at:%H:%M}"
    return (
        vietnamese.format(day=f"{step.at:%d/%m/%Y}", time=moment, count=step.count, name=step.vi),
        english.format(day=step.at.date(), time=moment, count=step.count, name=step.en),
    )
