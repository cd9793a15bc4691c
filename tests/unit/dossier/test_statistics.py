"""What one dossier adds to a ward's figures."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.labels import FIGURES as WORDS
from sync_protocol.dossier.statistics import FIGURES, Course, figures
from sync_protocol.dossier.status import Status

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def course(moves: str, due: int | None = 20, received: int = 5) -> Course:
    """Make a course from words such as "2@5 9@12": a status, and its day in November."""
    steps = [word.split("@") for word in moves.split()]
    return Course(
        date(2026, 11, 1) + timedelta(days=received - 1),
        None if due is None else date(2026, 11, due),
        [(status, FIRST + timedelta(days=int(day) - 1)) for status, day in steps],
    )


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (course("2@5 4@6 9@12 10@25"), {"received", "in_time"}),  # handed over later: still in time
        (course("2@5 9@20"), {"received", "in_time"}),
        (course("2@5 9@21"), {"received", "late"}),
        (course("2@5 10@21"), {"received", "late"}),
        (course("2@5 8@12"), {"received", "in_time"}),
        (course("2@5 9@12 4@14"), {"received", "waiting", "overdue"}),  # the result was taken back
        (course("2@5 9@12 4@14 9@22"), {"received", "late"}),
        (course("2@5 9@12", due=None), {"received", "untimed"}),
        (course("2@5", due=None), {"received", "waiting"}),
        (course("9@12"), {"received", "untimed"}),  # captured when it was over
        (course("2@5 5@6 2@9 5@10 2@12 9@14"), {"received", "late"}),  # asked for twice
        (course("2@5 5@6 2@9 9@14"), {"received", "in_time"}),
        (course("2@5 4@28"), {"received", "waiting", "overdue"}),
        (course("2@5 5@19"), {"received", "waiting"}),  # it was not late when it was asked for
        (course("2@5 5@21"), {"received", "waiting", "overdue"}),
        (course("1@5"), set()),
        (course("1@5 5@6"), set()),
        (course("1@5 2@6"), {"received", "waiting", "overdue"}),
        (course("1@5 3@6"), {"in_time"}),
        (course("2@5 9@12", received=-3), {"in_time"}),  # received before, finished now
        (course("2@-5 9@-2", received=-5), set()),
        (course("2@5 9@31"), {"received", "waiting", "overdue"}),  # it had not come yet
        (course("2@31", received=31), set()),
    ],
)
def test_a_dossier_adds(found: Course, wanted: set[str]) -> None:
    assert set(figures(found, FIRST, LAST)) == wanted
    assert set(figures(found, FIRST, LAST).values()) <= {1}


def test_every_figure_has_words() -> None:
    assert set(WORDS) == set(FIGURES)


MOVES = st.lists(
    st.tuples(st.sampled_from([s.value for s in Status]), st.integers(1, 60)), max_size=6
)


@given(MOVES, st.integers(-20, 60), st.integers(2, 59))
def test_days_that_are_cut_in_two_give_the_same_sums(
    steps: list[tuple[str, int]], due: int, cut: int
) -> None:
    origin = date(2026, 11, 1)
    moves = [(s, origin + timedelta(days=d)) for s, d in sorted(steps, key=lambda step: step[1])]
    one = Course(origin, origin + timedelta(days=due), moves, papers_known=2)
    middle, end = origin + timedelta(days=cut), origin + timedelta(days=61)
    parts = figures(one, origin, middle), figures(one, middle + timedelta(days=1), end)
    whole = figures(one, origin, end)
    assert whole["waiting"] == parts[1]["waiting"]
    assert set(whole.values()) <= {1, 2}
    ended = [Counter({n: p[n] for n in ("in_time", "late", "untimed")}) for p in (*parts, whole)]
    assert ended[2].total() <= 1
    # A dossier that was reopened after the cut has ended in both parts: each told what was so then.
    assert ended[2].total() <= ended[0].total() + ended[1].total()
