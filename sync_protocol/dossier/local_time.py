"""The time on the wall of every ward office: UTC+7, without summer time, all over the country.

A fixed offset and no zone data base: a tablet may have none. Legal dates and hours are local and
written without a zone, as the national portal does.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

HANOI = timezone(timedelta(hours=7))


def local_time(ms: int) -> datetime:
    """Return milliseconds since 1970 as local time, without a zone."""
    return datetime.fromtimestamp(ms / 1000, HANOI).replace(tzinfo=None)


def as_local(moment: datetime) -> datetime:
    """Return local time without a zone; what has none is local already."""
    return moment if moment.tzinfo is None else moment.astimezone(HANOI).replace(tzinfo=None)
