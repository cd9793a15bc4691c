"""What a ward's figures count, dossier by dossier.

Source: the formulas of Decision 766/QĐ-TTg: a dossier ends when its result is ready, else when it
is handed over; refused and stopped ones have ended; the time of supplements does not count (the due
date has been moved by it); more than one supplement counts as late; one that is outstanding counts
until it was asked for.

What holds:
* Figures come from what happened, each with its day, and never from a status that somebody rewrote:
  a result that was taken back has not ended.
* A new date makes nobody on time: late is who missed the date that was promised before any apology.
* What can't be judged is counted as such ("untimed") and as nothing else: without a due date, or
  captured when it was over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sync_protocol.dossier.status import Status
from sync_protocol.dossier.workflow import PAUSES

RECEIVED = "received"
IN_TIME = "in_time"
LATE = "late"
UNTIMED = "untimed"
WAITING = "waiting"
OVERDUE = "overdue"
PAPERS_KNOWN = "papers_known"
FIGURES = (RECEIVED, IN_TIME, LATE, UNTIMED, WAITING, OVERDUE, PAPERS_KNOWN)
"""Received within the days; finished within them in time, late, or untimed; waiting at their end,
and of those the overdue; papers of the received that were not asked for."""

_ENDS = frozenset({Status.REFUSED, Status.STOPPED, Status.READY, Status.RETURNED})
_NOT_ACCEPTED = frozenset({Status.FILED, Status.REFUSED})
_SUPPLEMENTS_MAX = 1


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one dossier: its statuses with their days, in the order in which they came.

    The first is the one that it was captured with. `due` is the date that was promised first.
    """

    received_on: date
    due: date | None
    moves: Sequence[tuple[str, date]]
    papers_known: int = 0


def figures(course: Course, first: date, last: date) -> Counter[str]:
    """Return what one dossier adds to the figures of the days from `first` to `last`, both whole.

    What happened after `last` does not count, so the same days give the same figures later; only
    `overdue` is by the due date that stands now, which a later wait may have moved.
    """
    found: Counter[str] = Counter()
    moves = [(status, day) for status, day in course.moves if day <= last]
    if not moves or course.received_on > last:
        return found
    status, since = moves[-1]
    accepted = _is_accepted(moves)
    if accepted and course.received_on >= first:
        found[RECEIVED] = 1
        found[PAPERS_KNOWN] = course.papers_known
    ended = _ended(moves)
    if ended is not None:
        if first <= ended <= last:
            found[_judged(course, moves, ended)] = 1
    elif accepted:
        found[WAITING] = 1
        judged_on = since if status in PAUSES else last
        found[OVERDUE] = int(course.due is not None and judged_on > course.due)
    return +found


def _ended(moves: Sequence[tuple[str, date]]) -> date | None:
    """Return the day on which a dossier ended; None while it has not, or has been reopened."""
    ended: date | None = None
    for status, day in moves:
        if status not in _ENDS:
            ended = None
        elif ended is None:
            ended = day
    return ended


def _judged(course: Course, moves: Sequence[tuple[str, date]], ended: date) -> str:
    if course.due is None or moves[0][0] in _ENDS:
        return UNTIMED
    supplements = sum(status == Status.SUPPLEMENT for status, _ in moves)
    is_late = ended > course.due or supplements > _SUPPLEMENTS_MAX
    return LATE if is_late else IN_TIME


def _is_accepted(moves: Sequence[tuple[str, date]]) -> bool:
    """Whether a dossier was ever taken on: what is only filed, or refused then, was not."""
    taken = (Status.RECEIVED, Status.PROCESSING)
    return moves[0][0] not in _NOT_ACCEPTED or any(status in taken for status, _ in moves)
