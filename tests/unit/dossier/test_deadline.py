"""Due dates: the known cases by hand, and the laws for whatever calendar there may be."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sync_protocol.dossier.deadline import (
    CLOSING,
    OFFICE_HOURS,
    STEP_WORDS,
    Deadline,
    TimeLimit,
    Unit,
    count_deadline,
    step_text,
)
from sync_protocol.dossier.local_time import HANOI, as_local, local_time
from sync_protocol.dossier.working_calendar import (
    CalendarTable,
    DayOff,
    WorkedDay,
    WorkingCalendar,
    calendar_with,
    known_tables,
    read_tables,
)
from sync_protocol.errors import InputError, SchemaError

SAME_DAY = TimeLimit(0, Unit.WORKING_DAY, time(15))


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def due(limit: TimeLimit, received: str) -> str:
    found = count_deadline(limit, at(received), calendar_with())
    return found.due.isoformat(" ", "minutes")


def days(amount: int, unit: Unit = Unit.WORKING_DAY) -> TimeLimit:
    return TimeLimit(amount, unit)


@pytest.mark.parametrize(
    ("limit", "received", "wanted"),
    [
        # The Saturday is worked for the Monday before National Day.
        (days(3), "2026-08-20T14:30", "2026-08-24 17:00"),
        (days(3), "2026-08-20T17:00", "2026-08-24 17:00"),
        (days(3), "2026-08-20T17:01", "2026-08-25 17:00"),
        (days(3), "2026-08-28T09:00", "2026-09-07 17:00"),
        (days(1), "2026-11-23T16:00", "2026-11-25 17:00"),
        (days(7), "2026-02-13T08:00", "2026-03-03 17:00"),
        # Filed online on a Sunday: received on Monday.
        (days(1), "2026-11-15T10:00", "2026-11-17 17:00"),
        (SAME_DAY, "2026-11-20T14:59", "2026-11-20 17:00"),
        (SAME_DAY, "2026-11-20T15:00", "2026-11-20 17:00"),
        (SAME_DAY, "2026-11-20T15:00:59", "2026-11-20 17:00"),
        (SAME_DAY, "2026-11-20T15:01", "2026-11-23 17:00"),
        (SAME_DAY, "2026-11-20T15:20", "2026-11-23 17:00"),
        (SAME_DAY, "2026-11-23T15:20", "2026-11-25 17:00"),
        (SAME_DAY, "2026-11-21T09:00", "2026-11-23 17:00"),
        (days(10, Unit.DAY), "2026-11-13T09:00", "2026-11-23 17:00"),
        (days(10, Unit.DAY), "2026-11-11T09:00", "2026-11-23 17:00"),
        (days(11, Unit.DAY), "2026-11-13T09:00", "2026-11-25 17:00"),
        (days(20, Unit.DAY), "2026-11-13T17:30", "2026-12-07 17:00"),
        (days(1, Unit.HOUR), "2026-11-20T10:30", "2026-11-20 11:30"),
        (days(1, Unit.HOUR), "2026-11-20T11:00", "2026-11-20 14:00"),
        (days(1, Unit.HOUR), "2026-11-20T16:30", "2026-11-23 07:30"),
        (days(1, Unit.HOUR), "2026-11-20T22:50", "2026-11-23 08:00"),
        (days(1, Unit.HOUR), "2026-11-20T05:00", "2026-11-20 08:00"),
        (days(8, Unit.HOUR), "2026-11-20T07:00", "2026-11-20 17:00"),
        (days(8, Unit.HOUR), "2026-11-20T13:30", "2026-11-23 11:30"),
    ],
)
def test_known_cases(limit: TimeLimit, received: str, wanted: str) -> None:
    assert due(limit, received) == wanted


def test_every_step_is_told() -> None:
    found = count_deadline(days(3), at("2026-08-20T17:30"), calendar_with())
    assert [(step.code, step.at.date().isoformat(), step.count) for step in found.steps] == [
        ("received", "2026-08-20", 0),
        ("after-cut-off", "2026-08-20", 0),
        ("starts", "2026-08-21", 0),
        ("counted-swapped", "2026-08-22", 1),
        ("weekend", "2026-08-23", 0),
        ("counted", "2026-08-24", 2),
        ("counted", "2026-08-25", 3),
        ("due", "2026-08-25", 0),
    ]
    assert step_text(found.steps[0]) == (
        "Tiếp nhận lúc 17:30 ngày 20/08/2026.",
        "Received on 2026-08-20 at 17:30.",
    )
    cultural = count_deadline(days(1), at("2026-11-23T09:00"), calendar_with()).steps[1]
    assert step_text(cultural)[1] == "2026-11-24: Vietnam Cultural Day, not counted."


def test_a_count_over_days_that_are_not_decided_is_provisional() -> None:
    def found(received: datetime) -> Deadline:
        return count_deadline(days(3), received, calendar_with())

    assert not found(at("2026-12-28T09:00")).provisional
    assert found(at("2026-12-29T09:00")).provisional
    assert found(at("2027-03-01T09:00")).provisional
    assert found(at("2029-03-01T09:00")).provisional
    assert found(at("2024-12-31T09:00")).provisional
    assert found(at("2026-03-02T09:00")).calendar_version == date(2026, 7, 31)


def test_what_the_city_publishes_later_is_laid_over() -> None:
    (table,) = read_tables(
        """
        [[table]]
        issued_on = 2026-12-10
        source = "Decision on the days off of 2027"
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        off = [{ day = 2027-02-11, vi = "Tết Nguyên đán", en = "Lunar New Year" }]
        worked = [{ day = 2027-02-04 }, { day = 2027-02-13, instead_of = 2027-02-11 }]
        """
    )
    calendar = calendar_with([table])
    assert calendar.is_working(date(2027, 2, 4))
    assert calendar.is_working(date(2027, 2, 13))
    assert not calendar.is_working(date(2027, 2, 11))
    assert not calendar.is_working(date(2027, 2, 5)), "what it does not name stays"
    found = count_deadline(days(1), at("2027-02-04T09:00"), calendar)
    assert found.due == at("2027-02-12T17:00")
    assert not found.provisional
    assert found.calendar_version == date(2026, 12, 10)
    # The order in which tables arrive makes no difference.
    again = WorkingCalendar([table, *known_tables()])
    assert again.day(date(2027, 2, 4)) == calendar.day(date(2027, 2, 4))


@pytest.mark.parametrize(
    "text",
    [
        "table = 5",
        "[[table]]\nsource = 'x'",
        "nonsense",
        *(
            "[[table]]\nissued_on = 2026-01-01\nsource = 'x'\nvalid_from = 2026-01-01\n"
            f"valid_until = 2026-12-31\n{rest}"
            for rest in (
                "of = []",
                "worked = [{ day = 2025-01-01 }]",
                "worked = [{ day = 2026-01-02 }, { day = 2026-01-02 }]",
            )
        ),
    ],
)
def test_a_table_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        read_tables(text)


def test_the_tables_that_came_with_the_program_are_sensible() -> None:
    calendar = calendar_with()
    for table in known_tables():
        assert all(table.source and row.vi and row.en for row in table.off)
        for row in table.worked:
            assert row.day.weekday() >= 5
            assert row.instead_of is not None
            assert not calendar.is_working(row.instead_of)
        # Twelve days by law since 2026, eleven before; those on weekends are observed later.
        weekdays = [row for row in table.off if row.day.weekday() < 5]
        assert len(weekdays) - len(table.worked) in (11, 12)


def test_what_can_not_be_counted_is_refused() -> None:
    for amount, unit in ((-1, Unit.WORKING_DAY), (0, Unit.DAY), (0, Unit.HOUR), (401, Unit.DAY)):
        with pytest.raises(SchemaError):
            TimeLimit(amount, unit)
    with pytest.raises(SchemaError):
        TimeLimit(1, Unit.DAY, time(17, 1))
    for received in (at("1999-01-04T09:00"), datetime(2026, 1, 5, 9, tzinfo=HANOI)):
        with pytest.raises(InputError):
            count_deadline(days(1), received, calendar_with())
    endless = CalendarTable(
        issued_on=date(2026, 1, 1),
        source="hostile",
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
        off=tuple(DayOff(date(2026, 1, 1) + timedelta(ahead), "x", "x") for ahead in range(365)),
    )
    with pytest.raises(SchemaError):
        count_deadline(days(1), at("2026-01-05T09:00"), calendar_with([endless]))


def test_local_time_is_seven_hours_ahead() -> None:
    assert local_time(0) == at("1970-01-01T07:00")
    assert as_local(datetime(2026, 1, 1, 17, tzinfo=HANOI)) == at("2026-01-01T17:00")
    assert as_local(at("2026-01-01T17:00")) == at("2026-01-01T17:00")


# -------------------------------------------------------------------------------------- laws

FIRST = date(2026, 1, 1)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Return a calendar with days off and worked days anywhere in two years."""
    days_ahead = st.integers(0, 720)
    off = draw(st.sets(days_ahead, max_size=40))
    worked = draw(st.sets(days_ahead, max_size=10)) - off
    table = CalendarTable(
        issued_on=FIRST,
        source="drawn",
        valid_from=FIRST,
        valid_until=FIRST + timedelta(720),
        off=tuple(DayOff(FIRST + timedelta(ahead), "nghỉ", "off") for ahead in sorted(off)),
        worked=tuple(WorkedDay(FIRST + timedelta(ahead)) for ahead in sorted(worked)),
    )
    return WorkingCalendar([table])


LIMITS = st.builds(
    TimeLimit,
    st.integers(1, 60),
    st.sampled_from(Unit),
    st.sampled_from([time(15), CLOSING, time(11, 30)]),
)
MOMENTS = st.datetimes(at("2026-01-01T00:00"), at("2027-06-30T00:00"))


@given(LIMITS, MOMENTS, calendars())
def test_never_due_on_a_day_off_or_outside_hours(
    limit: TimeLimit, received: datetime, calendar: WorkingCalendar
) -> None:
    found = count_deadline(limit, received, calendar)
    assert calendar.is_working(found.due.date())
    assert any(opens < found.due.time() <= closes for opens, closes in OFFICE_HOURS)
    assert found.due > received
    if limit.unit is not Unit.HOUR:
        assert found.due.time() == CLOSING


@given(LIMITS, MOMENTS, st.timedeltas(timedelta(0), timedelta(10)), calendars())
def test_who_comes_later_is_never_due_earlier(
    limit: TimeLimit, received: datetime, later: timedelta, calendar: WorkingCalendar
) -> None:
    first = count_deadline(limit, received, calendar).due
    assert count_deadline(limit, received + later, calendar).due >= first


@given(LIMITS, st.integers(0, 20), MOMENTS, calendars())
def test_a_longer_time_never_ends_earlier(
    limit: TimeLimit, more: int, received: datetime, calendar: WorkingCalendar
) -> None:
    longer = TimeLimit(limit.amount + more, limit.unit, limit.cut_off)
    assert (
        count_deadline(longer, received, calendar).due
        >= count_deadline(limit, received, calendar).due
    )


@given(LIMITS, MOMENTS, calendars())
def test_the_steps_tell_the_whole_count(
    limit: TimeLimit, received: datetime, calendar: WorkingCalendar
) -> None:
    found = count_deadline(limit, received, calendar)
    steps = found.steps
    assert (steps[0].at, steps[-1].at) == (found.received, found.due)
    assert timedelta(0) <= received - found.received < timedelta(minutes=1)
    assert [step.code for step in steps[:: len(steps) - 1]] == ["received", "due"]
    assert all(all(step_text(step)) for step in steps)
    assert {step.code for step in steps} <= set(STEP_WORDS)
    counted = [step.count for step in steps if step.code in ("counted", "counted-swapped")]
    if limit.unit is Unit.WORKING_DAY:
        assert counted == list(range(1, limit.amount + 1))
    for step in steps:
        if step.code in ("weekend", "holiday"):
            assert not calendar.is_working(step.at.date())


@given(MOMENTS, st.integers(1, 30), calendars())
def test_working_days_are_counted_one_by_one(
    received: datetime, amount: int, calendar: WorkingCalendar
) -> None:
    """A second way to count: walk day by day from a reception in working hours."""
    assume(calendar.is_working(received.date()) and received.time() < CLOSING)
    day, left = received.date(), amount
    while left:
        day += timedelta(1)
        left -= calendar.is_working(day)
    found = count_deadline(TimeLimit(amount, Unit.WORKING_DAY), received, calendar)
    assert found.due == datetime.combine(day, CLOSING)


@given(st.text() | st.text().map(lambda text: f"[[table]]\nsource = {text}"))
@example("a = " + "[" * 100_000)
@example("a = " + "9" * 5000)
@example("[[table]]\nissued_on = 2026-02-30")
def test_any_text_gives_tables_or_a_schema_error(text: str) -> None:
    with suppress(SchemaError):
        read_tables(text)


def test_a_table_names_no_more_days_than_a_year_has() -> None:
    days_off = tuple(DayOff(FIRST + timedelta(ahead), "x", "x") for ahead in range(401))
    with pytest.raises(ValueError, match="too many days"):
        CalendarTable(FIRST, "drawn", FIRST, date.max, off=days_off)


def test_a_table_may_speak_for_ever() -> None:
    table = CalendarTable(FIRST, "drawn", FIRST, date.max)
    calendar = WorkingCalendar([table])
    assert calendar.is_decided(FIRST, date(2199, 12, 31))
    assert not calendar.is_decided(FIRST - timedelta(1), FIRST)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=5), st.data())
def test_decided_days_are_those_of_decided_tables(
    spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    tables = [
        CalendarTable(FIRST, "x", FIRST + timedelta(begin), FIRST + timedelta(begin + length))
        for begin, length in spans
    ]
    begin = data.draw(st.integers(0, 60))
    end = data.draw(st.integers(begin, 90))
    covered = {ahead for a, length in spans for ahead in range(a, a + length + 1)}
    assert WorkingCalendar(tables).is_decided(FIRST + timedelta(begin), FIRST + timedelta(end)) == (
        set(range(begin, end + 1)) <= covered
    )
