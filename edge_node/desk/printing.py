"""Printing at the desk: the forms of a dossier, a slip made anew, the code that the portal gave.

What holds: a PDF goes from memory to the browser and lies on no disk of ours. A first slip is made,
and an old one voided, by a change of a page of ours only, never by following an address. No secret
of a slip stands in an address.
"""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.bindings import bind
from device_home.moves import read_day
from device_home.shapes import Ticks, row
from device_home.slips import renew_slip
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.start import list_row
from edge_node.desk.values import shown_value
from edge_node.desk.words import error_words, pick
from edge_node.print_commands import NUMBERS, form_of
from edge_node.printing.daybook import print_daybook
from edge_node.printing.forms import DAYBOOK
from sync_protocol.dossier.day import typed_day
from sync_protocol.dossier.local_time import local_time
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.merge.state import RecordState
from sync_protocol.view import RecordView

_NOT_SEEN = (
    "Hãy xem giấy tờ tùy thân của người đến, rồi đánh dấu. Phiếu cũ vẫn còn hiệu lực.",
    "Look at the person's identity document first, then tick the box. The old slip still holds.",
)


def do_print(desk: Desk, record: str, form: str) -> ResponseReturnValue:
    """Answer with a form; the first slip of a dossier is made now."""
    view, _ = open_dossier(desk, record)
    if form not in NUMBERS or form == DAYBOOK:
        raise InputError("There is no such form. Nothing was printed.")
    ward = desk.device.home.place().name
    content = form_of(desk.replica, ward, form, view.id.hex(), acting())
    desk.on_change()
    return _pdf(content, f"mau-{form}.pdf")


def do_daybook(desk: Desk) -> ResponseReturnValue:
    """Answer with the daybook of one day."""
    today = local_time(desk.replica.character.wall()).date()
    day = read_day(typed_day(request.form.get("day", ""), "day")) or today
    ward = desk.device.home.place().name
    return _pdf(print_daybook(desk.replica, ward, day, day), "mau-07.pdf")


def _pdf(content: bytes, name: str) -> Response:
    headers = {
        # The browser's own viewer needs the style and the object; it runs no script of the PDF.
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; img-src 'self'; "
            "frame-ancestors 'self'"
        ),
        "X-Frame-Options": "SAMEORIGIN",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(content, mimetype="application/pdf", headers=headers)


# ------------------------------------------------------------------------------- a slip made anew


def show_slip(desk: Desk, record: str) -> ResponseReturnValue:
    """Show what to look at before a slip is made anew."""
    view, state = open_dossier(desk, record)
    return _slip_page(desk, view, state)


def _slip_page(
    desk: Desk, view: RecordView, state: RecordState, problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "slip.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        identity=shown_value("identity", view.value("identity"), language()),
        reason=request.form.get("reason", ""),
        problem=problem,
    )
    return (page, 400) if problem else page


def do_slip(desk: Desk, record: str) -> ResponseReturnValue:
    """Void the slip that is out, and make another."""
    view, state = open_dossier(desk, record)
    if request.form.get("seen") != "1":
        return _slip_page(desk, view, state, pick(_NOT_SEEN, language()))
    try:
        renew_slip(desk.replica, acting(), view, request.form.get("reason", ""))
    except (InputError, NotAllowedError) as problem:
        return _slip_page(desk, view, state, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="slip"))


# ---------------------------------------------------------------------------------- the two codes


def do_bind(desk: Desk, record: str) -> ResponseReturnValue:
    """Bind the code that the portal gave."""
    view, _ = open_dossier(desk, record)
    bind(desk.replica, acting(), view, request.form.get("code", ""))
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


ROUTES = (
    Route("POST", "/dossier/<record>/print/<form>", "do_print", Allowed.OFFICER, do_print),
    Route("GET", "/dossier/<record>/slip", "slip", Allowed.OFFICER, show_slip),
    Route("POST", "/dossier/<record>/slip", "do_slip", Allowed.OFFICER, do_slip, kept=True),
    Route("POST", "/dossier/<record>/bind", "do_bind", Allowed.OFFICER, do_bind),
    Route("POST", "/daybook", "do_daybook", Allowed.OFFICER, do_daybook),
)
