"""Deputies: who stands in for a supervisor who is away, from day to day, as the ward's own data.

What holds: a deputy is stated once and never changed; it can only be ended, by a line of its own.
It gives nobody a right: what an officer may write stands in the roster and is judged there. It says
whom to ask, and who was meant to decide on a day, wherever the log has come.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from device_home.dossiers import save
from device_home.moves import read_day
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.record_type import DEPUTY
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError
from sync_protocol.identity import ID_BYTES, OfficerId, RecordId
from sync_protocol.record.change import RecordChange
from sync_protocol.record.diff import create, edit_element
from sync_protocol.replica import Replica, Written
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView

DEPUTIES_MAX = 100
"""The newest that are looked at: two supervisors away every week of a year."""
DAYS_MAX = 92
"""A quarter: who is away for longer is replaced in the roster."""


class Deputy(NamedTuple):
    """Who stands in for whom, from day to day, both whole, and why."""

    record: RecordId
    absent: OfficerId
    deputy: OfficerId
    first: date
    last: date
    reason: str

    def holds(self, day: date) -> bool:
        """Whether the deputy stands in on a day."""
        return self.first <= day <= self.last


def deputies(replica: Replica) -> list[Deputy]:
    """Return the deputies, the newest first; those of a newer form are left out."""
    found = replica.find(Query(type=DEPUTY.id, limit=DEPUTIES_MAX))
    known = (_deputy(view) for view in found if not view.retracted and not view.held)
    return [item for item in known if item is not None]


def _deputy(view: RecordView) -> Deputy | None:
    parts = view.value("stands_in")
    if not isinstance(parts, list) or len(parts) != 5:  # noqa: PLR2004 - the field's parts
        return None
    absent, deputy, first, last, reason = parts
    days = read_day(first), read_day(last)
    if days[0] is None or days[1] is None:
        return None
    ends = [read_day(item.value) for item in view.elements("ended")]
    until = min((end for end in ends if end is not None), default=days[1])
    try:
        who = OfficerId(bytes.fromhex(absent)), OfficerId(bytes.fromhex(deputy))
    except (TypeError, ValueError):
        return None
    return Deputy(view.id, *who, days[0], min(days[1], until), str(reason or ""))


def state_deputy(
    replica: Replica, officer: OfficerId, deputy: OfficerId, days: tuple[date, date], reason: str
) -> Written:
    """State who stands in for `officer` from day to day, both whole.

    Raises `InputError` for days that can't be, or nobody else, and `NotAllowedError`.
    """
    first, last = days
    if not first <= last or (last - first).days >= DAYS_MAX:
        raise refused("days", "are the first and the last, at most a quarter", "days")
    if deputy == officer or replica.holding.roster.officer_now(deputy) is None:
        raise refused("deputy", "is another officer of this ward", "deputy")
    value = [officer.hex(), deputy.hex(), first.isoformat(), last.isoformat()]
    made = create(DEPUTY, {"stands_in": [*value, clean(reason, "reason") or None]})
    return save(replica, officer, made)


def end_deputy(replica: Replica, officer: OfficerId, found: Deputy, last: date) -> Written:
    """End it early, so that `last` was its last day (the day before it began: it never held).

    Raises `InputError` where it has ended, and `NotAllowedError`.
    """
    if last >= found.last:
        raise InputError("That has ended already. Nothing was changed.")
    write = edit_element(DEPUTY, "ended", random_bytes(ID_BYTES), last.isoformat(), None)
    return save(replica, officer, RecordChange(found.record, DEPUTY.id, {}, (write,)))
