"""Which status may follow which, and how a due date moves while the office waits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.clock_stop import due_after_wait
from sync_protocol.dossier.deadline import Unit
from sync_protocol.dossier.status import CLOSED, Status
from sync_protocol.dossier.workflow import (
    Move,
    check_move,
    earlier,
    followers,
    is_noted,
    move_kind,
    needs_reason,
    next_statuses,
    read_move_kind,
)
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError, NotAllowedError

CALENDAR = calendar_with()
DAYS = st.dates(date(2025, 1, 1), date(2027, 11, 30))
TABLE = """
    1: 2 3 5 7
    2: 4 5 6 7 8 9
    4: 5 6 7 8 9
    5: 2 3 4 7 8
    6: 4 8 9
    7: 1 2 4 5 8
    9: 4 10
"""
"""The national statuses and what may follow, whatever came before."""
WAYS = {
    left.strip(): right.split()
    for left, _, right in (line.partition(":") for line in TABLE.strip().splitlines())
}


def codes(standing: list[str], kinds: list[str] | None = None) -> list[str]:
    return [status.value for status in next_statuses(standing, kinds or [])]


def test_the_table() -> None:
    for status in Status:
        assert codes([status.value]) == WAYS.get(status.value, []), status
    assert {status.value for status in Status if not followers(status)} == CLOSED


@pytest.mark.parametrize(
    ("now", "kinds", "wanted"),
    [
        ("5", ["1>5"], ["2", "3", "7"]),
        ("5", ["2>5"], ["2", "7", "8"]),
        ("5", ["2>5", "remark", "4>5"], ["4", "7", "8"]),
        ("5", ["8>5"], ["2", "3", "4", "7", "8"]),
        ("7", ["4>7"], ["4", "8"]),
        ("7", ["4>5", "5>7"], ["5", "8"]),
        ("7", ["9>7"], ["1", "2", "4", "5", "8"]),
        ("77", [], []),
    ],
)
def test_a_dossier_goes_on_from_where_it_was(now: str, kinds: list[str], wanted: list[str]) -> None:
    assert codes([now], kinds) == wanted


def test_where_two_statuses_stand_one_of_them_is_chosen_first() -> None:
    assert codes(["8", "9"]) == ["8", "9"]
    assert codes(["8", "77"]) == ["8"]
    check_move(["3", "4"], [], Move(Status.REFUSED))
    with pytest.raises(InputError):
        check_move(["8", "9"], [], Move(Status.RETURNED))


@pytest.mark.parametrize(
    ("now", "move", "problem"),
    [
        ("2", Move(Status.READY), None),
        ("2", Move(Status.RETURNED), InputError),
        ("1", Move(Status.REFUSED, "Không đúng nơi nhận.", supervises=True), None),
        ("1", Move(Status.REFUSED, supervises=True), InputError),
        ("1", Move(Status.REFUSED, "Không đúng nơi nhận."), NotAllowedError),
        ("2", Move(Status.SUPPLEMENT, "Thiếu.", papers=1), None),
        ("2", Move(Status.SUPPLEMENT, "Thiếu."), InputError),
        ("2", Move(Status.SUPPLEMENT, papers=1), InputError),
        ("4", Move(Status.STOPPED), InputError),
        ("9", Move(Status.PROCESSING), InputError),
        ("9", Move(Status.PROCESSING, "Sai ngày sinh."), None),
        ("5", Move(Status.PROCESSING), None),
    ],
)
def test_what_a_move_needs(now: str, move: Move, problem: type[InputError] | None) -> None:
    if problem is None:
        check_move([now], [], move)
        return
    with pytest.raises(problem) as caught:
        check_move([now], [], move)
    assert type(caught.value) is problem


def test_a_move_that_must_be_explained_or_found_again_leaves_a_note() -> None:
    for now in Status:
        for to in followers(now):
            assert is_noted([now.value], to) >= needs_reason([now.value], to)
            kind = move_kind(now.value, to)
            assert read_move_kind(kind) == (now, to)
            assert earlier(to, [kind, "remark"]) is now
            if to in (Status.SUPPLEMENT, Status.WITHDRAWAL):
                assert is_noted([now.value], to)
    assert read_move_kind("remark") is None
    assert read_move_kind("2>77") is None


# ---------------------------------------------------------------------------------- the wait


@pytest.mark.parametrize(
    ("due", "stopped", "resumed", "unit", "wanted"),
    [
        # Two working days were left on Wednesday; Tuesday the 24th is Vietnam Cultural Day.
        ("2026-11-20", "2026-11-18", "2026-11-23", Unit.WORKING_DAY, "2026-11-26"),
        ("2026-11-20", "2026-11-18", "2026-11-18", Unit.WORKING_DAY, "2026-11-20"),
        ("2026-11-20", "2026-11-18", "2026-11-17", Unit.WORKING_DAY, "2026-11-20"),
        # The same day: what comes back tomorrow is due tomorrow.
        ("2026-11-18", "2026-11-18", "2026-11-19", Unit.HOUR, "2026-11-19"),
        # One working day late stays one working day late.
        ("2026-11-17", "2026-11-18", "2026-11-20", Unit.WORKING_DAY, "2026-11-19"),
        # Calendar days; the last must not be off.
        ("2026-11-19", "2026-11-18", "2026-11-20", Unit.DAY, "2026-11-23"),
        ("2026-11-20", "1970-01-01", "2026-11-20", Unit.WORKING_DAY, "2026-11-20"),
        ("1026-11-19", "2026-11-18", "2026-11-20", Unit.DAY, "1026-11-19"),
    ],
)
def test_a_wait_moves_the_due_date(
    due: str, stopped: str, resumed: str, unit: Unit, wanted: str
) -> None:
    days = [date.fromisoformat(text) for text in (due, stopped, resumed)]
    assert due_after_wait(days[0], days[1], days[2], unit, CALENDAR).isoformat() == wanted


def working(first: date, last: date) -> int:
    """Count the working days after `first` up to `last`."""
    days = (first + timedelta(days=count) for count in range(1, (last - first).days + 1))
    return sum(CALENDAR.is_working(day) for day in days)


@given(DAYS, DAYS, st.integers(0, 40), st.sampled_from(Unit))
def test_no_wait_is_counted_against_the_office_and_none_is_made_up(
    due: date, stopped: date, waited: int, unit: Unit
) -> None:
    resumed = stopped + timedelta(days=waited)
    moved = due_after_wait(due, stopped, resumed, unit, CALENDAR)
    longer = due_after_wait(due, stopped, resumed + timedelta(days=1), unit, CALENDAR)
    assert due <= moved <= longer
    assert moved == due or CALENDAR.is_working(moved)
    if unit is not Unit.DAY and due >= stopped:
        assert working(resumed, moved) == working(stopped, due)
