"""What goes with a change of status: its reason, the papers asked for, the due date that moves.

And what goes with a corrected identity: the papers that turn out to be another person's.

What holds: a move is judged by `dossier.workflow` before anything is saved, and everything that
goes with it is one act of capture. The wait for the citizen is counted from the moment at which the
status that is displayed was written; the due date that comes of it is told, and can be set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from device_home.command import Output
from device_home.officers import supervises
from device_home.shapes import note_kinds, standing, text_parts
from sync_protocol.clock import millis
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.clock_stop import due_after_wait
from sync_protocol.dossier.deadline import Unit
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.intake import checked_paper_type, paper
from sync_protocol.dossier.labels import ENGLISH, REMARKS, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.paper_check import KNOWN_STATE
from sync_protocol.dossier.record_type import DOSSIER, PAPER_STATES
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.text import clean
from sync_protocol.dossier.workflow import (
    PAUSES,
    Move,
    check_move,
    is_noted,
    move_kind,
    read_status_code,
)
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError
from sync_protocol.identity import ID_BYTES, OfficerId
from sync_protocol.record.change import CellWrite
from sync_protocol.record.diff import Shown, edit_element
from sync_protocol.replica import Replica
from sync_protocol.view import FieldView, RecordView

MISSING = PAPER_STATES[-1]


class Stated(NamedTuple):
    """What a person said with a move: why, and the papers that are missing (type, what)."""

    reason: str = ""
    missing: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be written with a move: the due date, where it moves, and the elements."""

    due_on: str | None = None
    writes: tuple[CellWrite, ...] = ()
    remarks: tuple[Remark, ...] = ()


def plan_move(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    typed: Mapping[str, object],
    stated: Stated,
) -> Planned:
    """Check what was typed, and return what goes with a new status or a corrected identity.

    Raises `InputError`, `NotAllowedError`.
    """
    planned = _plan_status(replica, officer, view, typed, stated)
    return replace(planned, writes=(*planned.writes, *_detached_papers(view, typed)))


def _plan_status(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    typed: Mapping[str, object],
    stated: Stated,
) -> Planned:
    now = standing(view)
    to = read_status_code(str(typed.get("status") or ""))
    missing = stated.missing
    moves = to is not None and now != [to.value]
    if missing and not (moves and to is Status.SUPPLEMENT):
        raise InputError("--missing belongs to “status=supplement”. Nothing was changed.")
    if to is None or not moves:
        return Planned()
    reason = clean(stated.reason, "reason", lines=True)
    lacking = any(text_parts(item)[4] == MISSING for item in view.elements("papers"))
    move = Move(to, reason, len(missing), lacking, supervises(replica, officer))
    remarks = check_move(now, note_kinds(view), move)
    if len(now) > 1:
        return Planned()  # it settles, and each of the moves has left its own note
    if len({kind for kind, _ in missing}) < len(missing):
        raise InputError("Name each paper once in --missing. Nothing was changed.")
    writes = [_asked_for(view, kind, what) for kind, what in missing]
    if is_noted(now, to):
        writes.append(note(reason or None, move_kind(now[0], to)))
    due = None if "due_on" in typed else _due_after_wait(replica, view, to)
    return Planned(due, tuple(writes), remarks)


def note(text: str | None, kind: str) -> CellWrite:
    """Return the write that adds a note."""
    return edit_element(DOSSIER, "notes", random_bytes(ID_BYTES), [text, kind], None)


def _asked_for(view: RecordView, kind: str, what: str) -> CellWrite:
    """Return the write that marks a paper as missing: the one that is there, or a new one."""
    wanted = clean(what, "missing")
    if not wanted:
        raise InputError("Say what is missing about each paper. Nothing was changed.")
    found = next((item for item in view.elements("papers") if text_parts(item)[0] == kind), None)
    if found is not None:
        value = [*found.value[:4], MISSING, wanted]
        shown = Shown(found.value, found.dots)
        return edit_element(DOSSIER, "papers", found.element or b"", value, shown)
    known = catalogue().papers.get(kind)
    value = paper(
        checked_paper_type(kind, "missing"),
        known.vi if known else kind,
        state=MISSING,
        note=wanted,
    )
    return edit_element(DOSSIER, "papers", random_bytes(ID_BYTES), value, None)


def awaited_paper(view: RecordView, kind: str) -> FieldView | None:
    """Return the paper of this type that was asked for and has not come, if there is one."""
    return next(
        (
            item
            for item in view.elements("papers")
            if (text_parts(item)[0], text_parts(item)[4]) == (kind, MISSING)
        ),
        None,
    )


def _detached_papers(view: RecordView, typed: Mapping[str, object]) -> list[CellWrite]:
    """Return the writes that take back the papers of somebody who turned out to be another.

    A paper that was not asked for, because the ward holds it already for this person, is looked
    for anew once the identity is corrected; the scan of the other person goes from the dossier.
    """
    before = view.value("identity")
    if before is None or typed.get("identity", before) == before:
        return []
    found = []
    for item in view.elements("papers"):
        kind, name, _, _, state, *_ = text_parts(item)
        if state == KNOWN_STATE:
            value = paper(kind, name, state=MISSING, note="Đã đính chính danh tính: xem lại.")
            shown = Shown(item.value, item.dots)
            found.append(edit_element(DOSSIER, "papers", item.element or b"", value, shown))
    return found


def _due_after_wait(replica: Replica, view: RecordView, to: Status) -> str | None:
    """Return the due date that a wait has moved, None where there was none or it stays."""
    field, due_field = view.field("status"), view.field("due_on")
    if field is None or field.value not in PAUSES or to in PAUSES:
        return None
    due = None if due_field is None else read_day(due_field.value)
    if due is None or due_field is None or due_field.conflict:
        return None  # of two dates that stand there, no program chooses one
    since = min(item.timestamp for item in field.siblings if item.value == field.value)
    known = catalogue().find(str(view.value("procedure")))
    unit = known.time.unit if known and known.time else Unit.WORKING_DAY
    stopped = local_time(millis(since)).date()
    today = local_time(replica.character.wall()).date()
    moved = due_after_wait(due, stopped, today, unit, calendar_with())
    return None if moved == due else moved.isoformat()


def read_day(value: object) -> date | None:
    """Return a whole date that is stored; None for none, and for what a newer version writes."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def remark_rows(remarks: tuple[Remark, ...], output: Output) -> dict[str, object]:
    """Tell remarks, and return what the answer says of them."""
    rows = [
        {"field": item.field, "code": item.code, "diagnosis": label(REMARKS, item.code, ENGLISH)}
        for item in remarks
    ]
    for row in rows:
        output.note(f"“{row['field']}”: {row['diagnosis']} [{row['code']}]\n")
    return {"remarks": rows} if rows else {}
