"""“Cần gọi hôm nay”: who must be told something and was not told yet, and why.

What holds: whoever was not reached stays on the page, with how often and when last; that somebody
was reached, or was not, is a change of the dossier with its officer and time.
"""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.shapes import Shape, Ticks, row, text_parts
from edge_node.desk.dossiers import moment, open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.start import list_row
from edge_node.desk.waiting import to_call, views_of
from edge_node.desk.words import pick
from edge_node.notices import Due, keep_told
from sync_protocol.clock import millis
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.notice import Outcome, Why
from sync_protocol.view import RecordView

ROWS_MAX = 50
"""A page of 40 KiB; nobody makes a hundred calls a day."""
_WHY = {
    Why.SUPPLEMENT: ("Cần bổ sung giấy tờ", "Papers are needed"),
    Why.DELAY: ("Hẹn lại ngày trả", "A new date"),
    Why.RESULT: ("Đã có kết quả", "The result is ready"),
}


def show_calls(desk: Desk) -> ResponseReturnValue:
    """Show who must be called."""
    found = to_call(desk.replica)
    ticks = Ticks(desk.replica)
    of_record = {item.record: item for item in found[:ROWS_MAX]}
    shown = [
        _call(desk, of_record[view.id], view, row(view, state, ticks))
        for view, state in views_of(desk.replica, list(of_record))
    ]
    left = len(found) - len(shown)
    return render_template("calls.html", rows=shown, left=left, kept=request.args.get("kept", ""))


def _call(desk: Desk, item: Due, view: RecordView, shape: Shape) -> Shape:
    last, now = local_time(millis(item.notice.last)), local_time(desk.replica.character.wall())
    return {
        **list_row(desk, shape),
        "phone": view.value("phone"),
        "why": item.notice.why.value,
        "why_name": pick(_WHY[item.notice.why], language()),
        "detail": _detail(view, item.notice.why),
        "missed": item.notice.missed,
        "last": moment(millis(item.notice.last)) if item.notice.last else "",
        "tried_today": item.notice.missed > 0 and last.date() == now.date(),
    }


def _detail(view: RecordView, why: Why) -> str:
    """Return what the officer says on the phone."""
    if why is Why.SUPPLEMENT:
        papers = [text_parts(item) for item in view.elements("papers")]
        return "; ".join(f"{parts[1]}: {parts[5]}" for parts in papers if parts[4] == "missing")
    if why is Why.DELAY:
        return shown_day(view.value("due_on"))
    result = view.value("result")
    return str(result[0] or "") if isinstance(result, list) and result else ""


def do_call(desk: Desk, record: str) -> ResponseReturnValue:
    """Save that somebody was reached, or was not."""
    view, _ = open_dossier(desk, record)
    try:
        why, outcome = Why(request.form.get("why", "")), Outcome(request.form.get("outcome", ""))
    except ValueError:
        abort(400)
    if outcome is Outcome.SENT:  # a gateway says so, no form
        abort(400)
    keep_told(desk.replica, acting(), view, outcome, why)
    desk.on_change()
    return redirect(url_for("calls", kept=outcome.value))


ROUTES = (
    Route("GET", "/calls", "calls", Allowed.OFFICER, show_calls),
    Route("POST", "/calls/<record>", "do_call", Allowed.OFFICER, do_call),
)
