"""`dossier apologise`: a new date for a dossier that will be late, with the reason."""

from __future__ import annotations

import argparse
from argparse import Namespace
from datetime import date
from typing import NamedTuple

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.dossiers import check_writable, find_record, load, save
from device_home.moves import note, read_day, remark_rows
from device_home.officers import acting_officer, officer_option
from device_home.shapes import dot_text, etag, note_kinds
from sync_protocol.dossier.apology import apology_kind, check_apology
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import DOSSIER, DUE_ON
from sync_protocol.dossier.text import clean, refused
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError
from sync_protocol.identity import OfficerId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.replica import Replica, Written
from sync_protocol.view import RecordView


def apology_commands() -> list[Command[App]]:
    """Return the command."""
    return [Command("dossier apologise", "give a new date, and why", run_apologise, _options)]


class Apologised(NamedTuple):
    """What was written: the new date, the one before it, and what to look at."""

    written: Written
    until: date
    before: date
    remarks: tuple[Remark, ...]


def run_apologise(app: App, arguments: Namespace, output: Output) -> int:
    """Save the new due date, and the reason beside the old one."""
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    view, _ = load(replica, find_record(replica, arguments.id))
    done = apologise(replica, officer, view, arguments.until, arguments.reason)
    view, _ = load(replica, view.id)
    until, before = done.until.isoformat(), done.before.isoformat()
    answer = {"id": view.id.hex(), "due_on": until, "before": before}
    answer |= {"dot": dot_text(done.written.dot), "etag": etag(view)}
    output.data(answer | remark_rows(done.remarks, output))
    output.say(f"Saved on this device: due on {until} instead of {before}. Tell the citizen.")
    return DONE


def apologise(
    replica: Replica, officer: OfficerId, view: RecordView, until: str | None, reason: str
) -> Apologised:
    """Save a new due date (YYYY-MM-DD) with its reason.

    Raises `InputError` and `NotAllowedError`.
    """
    check_writable(view)
    day = read_day(until)
    reason = clean(reason, "reason", lines=True)
    if day is None or not reason:
        raise refused("until", "is a day such as 2026-11-20, and goes with a reason", "date")
    field = view.field("due_on")
    if field is not None and field.conflict:
        raise InputError("Two due dates stand there: settle them first. Nothing was changed.")
    due = None if field is None else read_day(field.value)
    remarks = check_apology(
        str(view.value("status")),
        due,
        day,
        kinds=note_kinds(view),
        today=local_time(replica.character.wall()).date(),
        calendar=calendar_with(),
    )
    if field is None or due is None:
        raise AssertionError("an apology for a dossier without a due date was let through")
    moved = CellWrite(DUE_ON, None, day.isoformat(), field.dots)
    writes = (moved, note(reason, apology_kind(due)))
    written = save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, writes))
    return Apologised(written, day, due, remarks)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
    parser.add_argument("--until", required=True, metavar="DATE", help="the new date")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is late")
    officer_option(parser)
