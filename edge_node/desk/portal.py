"""The queue for the portal: what it does not know yet, to be copied field by field; and the export.

What holds: nobody types twice. Each field can be copied, in the portal's order; the portal's code
comes back by hand or by a reader and is bound like any other edit. What has stood for a working day
is shown with its owner. A passport is shown as what it is: the portal has no slot for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.bindings import bind
from device_home.shapes import Ticks, dot_text, read_dot, row, text_parts
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.start import list_row
from edge_node.desk.waiting import queued, views_of
from edge_node.desk.words import error_words, pick
from edge_node.portal import is_stalled, keep_export, make_export
from edge_node.portal_commands import export_bytes
from edge_node.statistics_commands import called
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.labels import FIELDS, IDENTITY_KINDS, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import CITIZEN
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError, StorageError
from sync_protocol.view import RecordView

ROWS_MAX = 50
"""A page of 25 KiB; who has more begins with the oldest."""


def show_queue(desk: Desk) -> ResponseReturnValue:
    """Show what waits for the portal."""
    replica, calendar = desk.replica, calendar_with()
    today, ticks = local_time(replica.character.wall()).date(), Ticks(replica)
    waiting = queued(replica)
    shown = []
    of_record = {item.record: item for item in waiting[:ROWS_MAX]}
    for view, state in views_of(replica, list(of_record)):
        if view.retracted or view.held:
            continue
        item = of_record[view.id]
        since = local_time(item.captured).date()
        shape = list_row(desk, row(view, state, ticks))
        stalled = is_stalled(since, today, calendar)
        owner = called(replica, item.owner)
        shown.append({**shape, "since": shown_day(f"{since}"), "owner": owner, "stalled": stalled})
    left = max(0, len(waiting) - ROWS_MAX)
    bound = request.args.get("bound", "")
    return render_template("portal.html", rows=shown, left=left, bound=bound)


def show_one(desk: Desk, record: str) -> ResponseReturnValue:
    """Show one dossier in the portal's order, to be copied."""
    return _page(desk, record)


def _page(desk: Desk, record: str, typed: str = "", problem: str = "") -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    field = view.field("official_code")
    page = render_template(
        "portal_one.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        fields=[item for item in _fields(view) if item[1]],
        foreign=_part(view, "identity", 0) not in ("", CITIZEN),
        seen=" ".join(_dots(view)),
        bound=field.value if field is not None else "",
        typed=typed,
        problem=problem,
    )
    return (page, 400) if problem else page


def _dots(view: RecordView) -> Iterator[str]:
    field = view.field("official_code")
    yield from (dot_text(dot) for dot in field.dots) if field is not None else ()


def _fields(view: RecordView) -> Iterator[tuple[str, str]]:
    """Yield what the portal asks for, in its order: (words, text)."""
    code = str(view.value("procedure") or "")
    procedure = catalogue().find(code)
    yield pick(("Mã thủ tục", "Procedure code"), language()), code
    official = procedure.official if procedure else ""
    yield pick(("Tên thủ tục", "Procedure"), language()), official
    for name in ("name", "identity.number", "birth.date", "phone", "address.line", "address.unit"):
        plain, _, part = name.partition(".")
        text = _part(view, plain, _PARTS[part]) if part else str(view.value(plain) or "")
        words = label(FIELDS, name, language())
        if plain == "identity":  # a passport is called so: its number fits no slot of the portal
            words = label(IDENTITY_KINDS, _part(view, "identity", 0), language())
        yield words, shown_day(text) if name == "birth.date" else text
    for name in ("received_on", "due_on"):
        yield label(FIELDS, name, language()), shown_day(view.value(name))
    for number, item in enumerate(view.elements("papers"), start=1):
        yield f"{label(FIELDS, 'papers', language())} {number}", text_parts(item)[1]


_PARTS = {"number": 1, "date": 0, "line": 0, "unit": 1}


def _part(view: RecordView, name: str, index: int) -> str:
    value = view.value(name)
    return str(value[index] or "") if isinstance(value, list) and len(value) > index else ""


def do_portal(desk: Desk, record: str) -> ResponseReturnValue:
    """Bind the code that the portal gave."""
    view, _ = open_dossier(desk, record)
    text = request.form.get("code", "")[:80]
    try:
        seen = frozenset(read_dot(dot) for dot in request.form.get("seen", "").split())
        bind(desk.replica, acting(), view, text, seen)
    except (InputError, StorageError) as problem:
        return _page(desk, record, text, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("portal", bound="1"))


def do_export(desk: Desk) -> ResponseReturnValue:
    """Send the export as a file, made in memory, and note what it holds."""
    export = make_export(desk.replica, desk.device.home.place().name)
    keep_export(desk.replica, export.noted)
    today = local_time(desk.replica.character.wall())
    headers = {"Content-Disposition": f"attachment; filename=cong-{today:%Y-%m-%d-%H%M}.json"}
    return Response(export_bytes(export), mimetype="application/json", headers=headers)


ROUTES = (
    Route("GET", "/portal", "portal", Allowed.OFFICER, show_queue),
    Route("GET", "/portal/<record>", "portal_one", Allowed.OFFICER, show_one),
    Route("POST", "/portal/<record>", "do_portal", Allowed.OFFICER, do_portal, kept=True),
    Route("POST", "/portal-export", "do_export", Allowed.SUPERVISOR, do_export),
)
