"""When to try again: spread out, bounded, and patient when asked."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sync_protocol import limits
from sync_protocol.errors import BusyError, UnreachableError
from sync_protocol.schedule import Schedule, idle_wait_s, patience_s, retry_wait_s

DRAWS = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10**9), DRAWS)
def test_a_wait_lies_between_nothing_and_the_cap(failures: int, draw: float) -> None:
    assert 0 <= retry_wait_s(failures, lambda: draw) <= limits.RETRY_CAP_S


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    waits = [retry_wait_s(failures, lambda: 1.0) for failures in range(1, 12)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == limits.RETRY_CAP_S


@given(st.integers(1, 50), DRAWS, st.floats(0, limits.RETRY_AFTER_S_MAX))
def test_nobody_comes_before_the_peer_asked(failures: int, draw: float, asked: float) -> None:
    assert retry_wait_s(failures, lambda: draw, asked) >= asked


def test_a_peer_that_asks_for_a_year_gets_an_hour() -> None:
    assert retry_wait_s(1, lambda: 0.0, 3e7) == limits.RETRY_AFTER_S_MAX
    assert retry_wait_s(1, lambda: 0.0, -5) == 0


def test_a_schedule_counts_failures_in_a_row() -> None:
    schedule = Schedule().failed().failed().failed()
    assert schedule.wait_s(lambda: 1.0) == 8
    assert schedule.wait_s(lambda: 1.0, work_waits=True) == 8
    assert schedule.wait_s(lambda: 0.0, error=BusyError("", retry_after_s=12)) == 12
    assert schedule.wait_s(lambda: 0.0, error=UnreachableError("")) == 0
    assert schedule.succeeded() == Schedule()


def test_without_failures_work_goes_at_once_and_idle_looks_are_spread() -> None:
    assert Schedule().wait_s(lambda: 0.9, work_waits=True) == 0
    assert idle_wait_s(lambda: 0.0) == limits.IDLE_CHECK_S / 2
    assert Schedule().wait_s(lambda: 0.5) == limits.IDLE_CHECK_S
    assert patience_s(None) == 0


def test_a_city_that_lost_its_hub_comes_back_spread_out() -> None:
    """579 wards, each at its tenth failure: no second sees more than a handful of them."""
    dice = random.Random(579)
    waits = [retry_wait_s(10, dice.random) for _ in range(579)]
    busiest = max(sum(1 for wait in waits if int(wait) == second) for second in range(300))
    assert busiest <= 10
