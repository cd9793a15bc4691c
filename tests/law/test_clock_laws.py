"""Timestamps only rise; no foreign clock drags ours far; the wall may do what it likes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync_protocol import limits
from sync_protocol.clock import HybridLogicalClock, millis

WALLS = st.lists(st.integers(0, 2**45), min_size=1, max_size=30)
HEARD = st.none() | st.integers(0, 2**64 - 1)


@given(WALLS, st.data())
def test_readings_never_go_back_and_never_repeat(walls: list[int], data: st.DataObject) -> None:
    now = [0]
    clock = HybridLogicalClock(lambda: now[0])
    before = -1
    for wall in walls:
        now[0] = wall
        heard = data.draw(HEARD)
        if heard is not None:
            clock.hear(heard)
        reading = clock.now()
        assert before < reading < 2**64
        before = reading


@given(st.integers(0, 2**45), st.integers(0, 2**64 - 1))
def test_a_poisoned_clock_moves_ours_by_minutes_only(wall: int, heard: int) -> None:
    clock = HybridLogicalClock(lambda: wall)
    clock.hear(heard)
    assert millis(clock.now()) <= wall + limits.CLOCK_ADOPT_MS_MAX + 1


@given(st.integers(0, 2**45), st.integers(0, limits.CLOCK_ADOPT_MS_MAX))
def test_what_is_written_after_hearing_is_later(wall: int, ahead: int) -> None:
    one = HybridLogicalClock(lambda: wall + ahead)
    other = HybridLogicalClock(lambda: wall)
    said = one.now()
    other.hear(said)
    assert other.now() > said
