"""Our table of days off, day by day, beside that of a package which others keep."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from sync_protocol.dossier.working_calendar import calendar_with


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_our_days_off_are_those_that_others_count(year: int) -> None:
    theirs, ours = holidays.country_holidays("VN", years=year), calendar_with()
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [day for day in days if theirs.is_working_day(day) != ours.is_working(day)] == []
