"""Whose work it is: a dossier given to an officer, “Việc của tôi”, and who stands in for whom.

What holds: a deputy is stated in the log and gives nobody a right; the page says so.
"""

from __future__ import annotations

from datetime import timedelta

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.deputies import deputies, end_deputy, state_deputy
from device_home.dossiers import Edits, load, save_edits
from device_home.moves import read_day
from device_home.officers import check_supervises, officers_of
from device_home.shapes import Ticks, row
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language, supervises
from edge_node.desk.start import list_row
from edge_node.desk.waiting import mine, stand_ins
from edge_node.desk.words import error_words, pick
from edge_node.statistics_commands import called
from sync_protocol.dossier.day import typed_day
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError, StorageError
from sync_protocol.identity import OfficerId
from sync_protocol.membership import grant as g

ROWS_MAX = 100
"""A page of 50 KiB; who has a hundred open begins at the top."""


def show_mine(desk: Desk) -> ResponseReturnValue:
    """Show the open dossiers of this officer, those due first on top."""
    records, ticks = mine(desk.replica, acting()), Ticks(desk.replica)
    shapes = [row(*load(desk.replica, record), ticks) for record in records[:ROWS_MAX]]
    shapes.sort(key=lambda shape: shape["due_on"] or "9")
    return render_template(
        "list.html",
        rows=[list_row(desk, shape) for shape in shapes],
        title=pick(("Việc của tôi", "My work"), language()),
        left=max(0, len(records) - ROWS_MAX),
        statuses=[],
    )


# -------------------------------------------------------------------------------------- assigning


def _officers(desk: Desk) -> list[tuple[str, str]]:
    known = officers_of(desk.replica.holding.roster)
    return [(item.officer.hex(), item.name) for item in known if item.role != g.DISABLED]


def show_assign(desk: Desk, record: str) -> ResponseReturnValue:
    """Show to whom a dossier may be given."""
    return _assign_page(desk, record)


def _assign_page(desk: Desk, record: str, problem: str = "") -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    now = str(view.value("assignee") or "")
    page = render_template(
        "assign.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        officers=_officers(desk),
        now=now,
        now_name=called(desk.replica, now),
        me=acting().hex(),
        problem=problem,
    )
    return (page, 400) if problem else page


def do_assign(desk: Desk, record: str) -> ResponseReturnValue:
    """Give a dossier to an officer, or to nobody."""
    view, _ = open_dossier(desk, record)
    wanted = request.form.get("officer", "")
    if wanted and wanted not in dict(_officers(desk)):
        abort(400)
    try:
        save_edits(desk.replica, acting(), view, Edits([f"assignee={wanted}"]))
    except (InputError, StorageError) as problem:
        return _assign_page(desk, record, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


# --------------------------------------------------------------------------------------- deputies


def show_deputies(desk: Desk) -> ResponseReturnValue:
    """Show who stands in for whom, and to a supervisor the form."""
    return _deputies_page(desk, {})


def _deputies_page(desk: Desk, form: dict[str, str], problem: str = "") -> ResponseReturnValue:
    others = [pair for pair in _officers(desk) if pair[0] != acting().hex()]
    page = render_template(
        "deputies.html", rows=stand_ins(desk.replica), officers=others, form=form, problem=problem
    )
    return (page, 400) if problem else page


def do_deputy(desk: Desk) -> ResponseReturnValue:
    """State who stands in for this supervisor."""
    form = request.form.to_dict()
    try:
        first, last = (read_day(typed_day(form.get(name, ""), name)) for name in ("first", "last"))
        if first is None or last is None:
            raise refused("days", "are the first and the last", "days")
        try:
            deputy = OfficerId(bytes.fromhex(form.get("officer", "")))
        except ValueError:
            abort(400)
        state_deputy(desk.replica, acting(), deputy, (first, last), form.get("reason", ""))
    except (InputError, StorageError) as problem:
        return _deputies_page(desk, form, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("deputies"))


def do_end(desk: Desk) -> ResponseReturnValue:
    """End a deputy's time: from today on it holds no more."""
    check_supervises(desk.replica, acting())
    wanted = request.form.get("deputy", "")
    found = next((i for i in deputies(desk.replica) if i.record.hex() == wanted), None)
    if found is None or not supervises():
        abort(400)
    yesterday = local_time(desk.replica.character.wall()).date() - timedelta(days=1)
    if yesterday < found.last:  # a second tap ends nothing twice
        end_deputy(desk.replica, acting(), found, yesterday)
        desk.on_change()
    return redirect(url_for("deputies"))


ROUTES = (
    Route("GET", "/mine", "mine", Allowed.OFFICER, show_mine),
    Route("GET", "/dossier/<record>/assign", "assign", Allowed.OFFICER, show_assign),
    Route("POST", "/dossier/<record>/assign", "do_assign", Allowed.OFFICER, do_assign),
    Route("GET", "/deputies", "deputies", Allowed.OFFICER, show_deputies),
    Route("POST", "/deputies", "do_deputy", Allowed.SUPERVISOR, do_deputy),
    Route("POST", "/deputies/end", "do_end", Allowed.SUPERVISOR, do_end),
)
