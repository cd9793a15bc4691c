"""A reception that was dated wrongly: what a correction does to the due date, and the correction.

What holds: the steps of the count are shown before anything is saved; the reason and what stood
before stay in the dossier.
"""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.receptions import correct_reception, received_at, recount
from device_home.shapes import Ticks, row
from edge_node.desk.clock import desk_time, typed_moment
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.start import list_row
from edge_node.desk.words import error_words, pick
from sync_protocol import limits
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.deadline import step_text
from sync_protocol.errors import InputError, StorageError

_NOT_YET = (
    "Ngày giờ này chưa đến. Chưa thay đổi gì.",
    "That moment has not come yet. Nothing was changed.",
)


def show_reception(desk: Desk, record: str) -> ResponseReturnValue:
    """Show when a dossier was received, and the form that corrects it."""
    view, _ = open_dossier(desk, record)
    day, at = received_at(view)
    form = {"day": shown_day(day and day.isoformat()), "hour": f"{at:%H:%M}" if at else ""}
    return _reception(desk, record, form)


def _reception(
    desk: Desk, record: str, form: dict[str, str], problem: str = ""
) -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    steps, stays, due = [], False, ""
    if form.get("look") and not problem:
        found = recount(view, typed_moment(form, "received_on"))
        stays, due = found.counted is None, shown_day(found.due and found.due.isoformat())
        counted = found.counted.steps if found.counted else ()
        steps = [
            (f"{step.at:%d/%m/%Y %H:%M}", pick(step_text(step), language())) for step in counted
        ]
    page = render_template(
        "reception_time.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        form=form,
        steps=steps,
        stays=stays,
        due=due,
        problem=problem,
    )
    return (page, 400) if problem else page


def do_reception(desk: Desk, record: str) -> ResponseReturnValue:
    """Show what a correction does to the due date; with its button, save it."""
    view, _ = open_dossier(desk, record)
    form = request.form.to_dict()
    try:
        moment = typed_moment(form, "received_on")
        if moment > desk_time(desk) + timedelta(milliseconds=limits.CLOCK_SUSPECT_MS):
            return _reception(desk, record, form, pick(_NOT_YET, language()))
        if form.get("look"):
            return _reception(desk, record, form)
        correct_reception(desk.replica, acting(), view, moment, form.get("reason", ""))
    except (InputError, StorageError) as problem:
        return _reception(desk, record, form, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


ROUTES = (
    Route("GET", "/dossier/<record>/reception", "reception", Allowed.OFFICER, show_reception),
    Route("POST", "/dossier/<record>/reception", "do_reception", Allowed.OFFICER, do_reception),
)
