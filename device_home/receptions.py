"""Correcting when a dossier was received: with a reason, a trace, and the due date counted anew.

What holds: what stood before is in the note that the correction leaves (kind "received:" and the
day before), with the reason. The due date moves only if it is what the procedure's time gives from
the old reception: one that was agreed, apologised for, or moved by a wait stays, and that is told.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple

from device_home.dossiers import check_writable, save
from device_home.moves import note, read_day
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.deadline import CLOSING, Deadline, TimeLimit, count_deadline
from sync_protocol.dossier.record_type import DOSSIER, DUE_ON, RECEIVED_ON, RECEIVED_TIME
from sync_protocol.dossier.text import clean, refused
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError
from sync_protocol.identity import OfficerId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.replica import Replica, Written
from sync_protocol.view import RecordView

NOTE_RECEIVED = "received:"
"""The beginning of such a note's kind; the day of reception before follows."""
_DISPUTABLE = ("received_on", "received_time", "due_on")


class Recount(NamedTuple):
    """When a dossier is due by a corrected reception; `counted` is None where the date stays."""

    due: date | None
    before: date | None
    counted: Deadline | None


def received_at(view: RecordView) -> tuple[date | None, time | None]:
    """Return the local day of reception, and the time of it where it was said."""
    text = view.value("received_time")
    try:
        at = time.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:  # a newer version's
        at = None
    return read_day(view.value("received_on")), at


def recount(view: RecordView, moment: datetime) -> Recount:
    """Return when a dossier is due if it was received at a local moment. Raises `InputError`."""
    due = read_day(view.value("due_on"))
    known = catalogue().find(str(view.value("procedure")))
    limit = known.time if known else None
    day, at = received_at(view)
    if due is None or limit is None or day is None or due not in _counted(limit, day, at):
        return Recount(due, due, None)
    counted = count_deadline(limit, moment, calendar_with())
    return Recount(counted.due.date(), due, counted)


def _counted(limit: TimeLimit, day: date, at: time | None) -> set[date]:
    """Return the due dates that the procedure's time gives from a day, whatever the hour of it."""
    hours = (time.min, limit.cut_off, CLOSING, time.max) if at is None else (at,)
    calendar = calendar_with()
    counts = (count_deadline(limit, datetime.combine(day, hour), calendar) for hour in hours)
    return {count.due.date() for count in counts}


def correct_reception(
    replica: Replica, officer: OfficerId, view: RecordView, moment: datetime, reason: str
) -> Written:
    """Save the right local moment of reception, and why.

    Raises `InputError` without a reason or while two versions stand, and `NotAllowedError`.
    """
    check_writable(view)
    reason = clean(reason, "reason", lines=True)
    if not reason:
        raise refused("reason", "is missing", "reception-reason")
    fields = {name: view.field(name) for name in _DISPUTABLE}
    if any(item is not None and item.conflict for item in fields.values()):
        raise InputError("Two versions stand there: settle them first. Nothing was changed.")
    found = recount(view, moment)
    if found.due is not None and found.due < moment.date():
        raise refused("due_on", "is before the day of reception", "due-before-received")
    values = {RECEIVED_ON: moment.date().isoformat(), RECEIVED_TIME: f"{moment:%H:%M}"}
    if found.counted is not None and found.due is not None and found.due != found.before:
        values[DUE_ON] = found.due.isoformat()
    writes = [
        CellWrite(number, None, value, () if item is None else item.dots)
        for number, value in values.items()
        for item in [fields[DOSSIER.by_id[number].name]]
    ]
    writes.append(note(_trace(view, moment, found, reason), _kind(view)))
    return save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, tuple(writes)))


def _kind(view: RecordView) -> str:
    day, _ = received_at(view)
    return f"{NOTE_RECEIVED}{'' if day is None else day.isoformat()}"


def _trace(view: RecordView, moment: datetime, found: Recount, reason: str) -> str:
    day, at = received_at(view)
    before = f"{day:%d/%m/%Y}" if day else "–"
    before += f" {at:%H:%M}" if at else ""
    text = f"Tiếp nhận {before} → {moment:%d/%m/%Y %H:%M}."
    if found.counted is not None and found.before and found.due and found.due != found.before:
        text += f" Hạn trả {found.before:%d/%m/%Y} → {found.due:%d/%m/%Y}."
    return f"{text} {reason}"
