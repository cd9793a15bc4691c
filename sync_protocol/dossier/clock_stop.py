"""How a due date moves while the office waits for the citizen.

What holds: time that the office waited is not counted against it, and no other time is given back.
As many working days are left after the wait as there were before it; a dossier that was late stays
as late as it was. Source: status 5 (Mẫu 02 of Circular 03/2025/TT-VPCP) and status 6 stop the
clock; on time is counted less the time of supplements (the formulas of Decision 766/QĐ-TTg).
"""

from __future__ import annotations

from datetime import date, timedelta

from sync_protocol.dossier.deadline import Unit
from sync_protocol.dossier.working_calendar import WorkingCalendar

_YEARS = range(2000, 2200)
_WAIT_DAYS_MAX = 400
"""No citizen is waited for longer than a year; a clock that was wrong says so."""
_ONE_DAY = timedelta(days=1)


def due_after_wait(
    due: date, stopped: date, resumed: date, unit: Unit, calendar: WorkingCalendar
) -> date:
    """Return the due date after a wait from `stopped` to `resumed`, both local days.

    A wait that ends on the day it began moves nothing, nor does one whose days can't be true.
    Raises `SchemaError` for a calendar without working days.
    """
    if not 0 < (resumed - stopped).days <= _WAIT_DAYS_MAX or due.year not in _YEARS:
        return due
    if unit is Unit.DAY:
        return _working_day_from(due + (resumed - stopped), calendar)
    days = (stopped + _ONE_DAY * count for count in range(1, (resumed - stopped).days + 1))
    for _ in range(sum(calendar.is_working(day) for day in days)):
        due = _working_day_from(due + _ONE_DAY, calendar)
    return due


def _working_day_from(day: date, calendar: WorkingCalendar) -> date:
    return day + _ONE_DAY * len(calendar.off_from(day))
