"""One dossier: everything that is known of it, its form, a note, and its scans.

What holds: a save replaces what the form showed, whatever came meanwhile; what came and differs
then stands beside it as a second version. Opening a scan is saved in the dossier first; it is a
change, so no page of somebody else's can bring it about.
"""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.codes import clashing
from device_home.dossiers import Edits, find_record, load, new_note, open_scan, save_edits
from device_home.forms import PREFIX, cell_label, sections_of
from device_home.moves import Stated
from device_home.shapes import Shape, manifest_of, read_dot, whole
from edge_node.desk.kept import kept
from edge_node.desk.questions import (
    AskedSection,
    answered_sections,
    answers_of,
    asked_sections,
    disputed_answers,
    typed_assignments,
)
from edge_node.desk.sheets import sheets_of
from edge_node.desk.site import Allowed, Desk, Route, acting, language, no_such_dossier
from edge_node.desk.start import list_row
from edge_node.desk.values import FormGroup, form_groups, shown_value, typed_words
from edge_node.desk.waiting import stand_ins
from edge_node.desk.words import CONFLICTS, error_words, pick, place_kind, ticks
from edge_node.statistics_commands import called
from sync_protocol.dossier.labels import FIELDS, PAPER_STATES, STATUSES, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.payment import account
from sync_protocol.dossier.status import Status
from sync_protocol.errors import InputError, StorageError
from sync_protocol.identity import RecordId
from sync_protocol.merge.state import RecordState
from sync_protocol.view import RecordView

_WITH_MORE = frozenset({Status.SUPPLEMENT.value, Status.READY.value, Status.RETURNED.value})
"""Papers to be asked for, the result, who took it: what must be said with these is asked there."""
_SHOWN_IN_HEAD = frozenset({"name", "procedure", "status"})
_SCAN_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "application/pdf"})


def open_dossier(desk: Desk, text: str) -> tuple[RecordView, RecordState]:
    """Return the dossier of an address, or answer that there is no such page."""
    try:
        return load(desk.replica, find_record(desk.replica, text))
    except InputError:
        no_such_dossier()


def moment(ms: int) -> str:
    """Return a time as pages show it."""
    return f"{local_time(ms):%d/%m/%Y %H:%M}"


def show(desk: Desk, record: str) -> ResponseReturnValue:
    """Show one dossier."""
    view, state = open_dossier(desk, record)
    return _page(desk, view, state)


def _page(
    desk: Desk, view: RecordView, state: RecordState, problem: str = "", note: str = ""
) -> ResponseReturnValue:
    shape = whole(desk.replica, view, state)
    page = render_template(
        "dossier.html",
        row=list_row(desk, shape),
        shape=shape,
        fields=[
            _field(desk, name, item)
            for name, item in shape["fields"].items()
            if name not in _SHOWN_IN_HEAD
        ],
        form=answered_sections(view, language()),
        papers=[shown_paper(desk, item) for item in shape["papers"]],
        notes=[{**item, "when": moment(item["time"])} for item in shape["notes"]],
        history=[_event(item) for item in reversed(shape["history"])],
        reads=[{**item, "when": moment(item["time"])} for item in shape["scans_read"]],
        disputed=[
            (
                cell_label(item["field"], language()),
                pick(CONFLICTS.get(item["kind"], CONFLICTS["values"]), language()),
            )
            for item in shape["disputed"]
        ],
        same_code=[other.hex() for other in _same_code(desk).get(view.id, ())],
        saved=request.args.get("saved", ""),
        problem=problem,
        note=note,
        sheets=sheets_of(desk, view),
        fee=account(view),
        deputies_today=stand_ins(desk.replica, today_only=True),
    )
    return (page, 400) if problem else page


def _same_code(desk: Desk) -> dict[RecordId, list[RecordId]]:
    return kept(desk.replica, "same-code", None, lambda: clashing(desk.replica))[0]


def _field(desk: Desk, name: str, item: Shape) -> Shape:
    value = item["value"]
    value = called(desk.replica, str(value or "")) if name == "assignee" else value
    return {
        "label": label(FIELDS, name, language()),
        "text": shown_value(name, value, language()),
        "disputed": bool(item.get("conflict")),
    }


def shown_paper(desk: Desk, item: Shape) -> Shape:
    """Return a paper as a page shows it."""
    kind = place_kind(desk.device.home.place().name)
    scan = item["scan"]
    return {
        **item,
        "state_name": label(PAPER_STATES, str(item["state"] or ""), language()),
        "ticks": ticks(scan["saved"], kind, language()) if scan else [],
    }


def _event(item: Shape) -> Shape:
    return {
        **item,
        "when": moment(item["time"]),
        "changed": ", ".join(label(FIELDS, name, language()) for name in item["fields"]),
    }


# -------------------------------------------------------------------------------------- edits


def show_form(desk: Desk, record: str) -> ResponseReturnValue:
    """Show the form of a dossier."""
    view, state = open_dossier(desk, record)
    shape = whole(desk.replica, view, state)
    groups = form_groups(shape["fields"], language())
    sections = _sections(view, answers_of(view))
    cells = [*shape["fields"].values(), *shape["form"].values()]
    seen = " ".join(dot for item in cells for dot in item["dots"])
    was = {field.name: field.text for group in groups for field in group.fields}
    was |= {item.name: item.text for section in sections for item in section.asked}
    return _form(desk, shape, (groups, sections), (seen, was))


def _sections(
    view: RecordView, answers: dict[str, str], told: tuple[str, ...] = ()
) -> list[AskedSection]:
    disputed = disputed_answers(view)
    return asked_sections(sections_of(view), answers, language(), told=told, disputed=disputed)


def _form(
    desk: Desk,
    shape: Shape,
    asked: tuple[list[FormGroup], list[AskedSection]],
    shown: tuple[str, dict[str, str]],
    problem: tuple[str, str] = ("", ""),
    reason: str = "",
) -> ResponseReturnValue:
    page = render_template(
        "edit.html",
        row=list_row(desk, shape),
        shape=shape,
        groups=asked[0],
        sections=asked[1],
        seen=shown[0],
        was=shown[1],
        statuses=_statuses(shape),
        reason=reason,
        problem=problem[0],
        problem_field=problem[1],
    )
    return (page, 400) if problem[0] else page


def _statuses(shape: Shape) -> list[tuple[str, str]]:
    """Return the status that stands and those that may follow; some have a page of their own."""
    follow = [code for code in shape["next"] if code not in _WITH_MORE]
    codes = dict.fromkeys([shape["status"], *follow])
    return [(code, label(STATUSES, code, language())) for code in codes if code]


def do_edit(desk: Desk, record: str) -> ResponseReturnValue:
    """Save what was typed over what was shown; a slip brings the form back as it was typed."""
    view, state = open_dossier(desk, record)
    form = request.form.to_dict()
    try:
        seen = frozenset(read_dot(text) for text in form.get("seen", "").split())
        stated = Stated(form.get("reason", ""))
        words = [*typed_words(form), *typed_assignments(form)]
        edits = Edits(words, seen, stated=stated)
        saved = save_edits(desk.replica, acting(), view, edits)
    except (InputError, StorageError) as problem:  # whatever it is, what was typed stays
        shape = whole(desk.replica, view, state)
        groups = [
            group._replace(
                fields=tuple(f._replace(text=form.get(f"f.{f.name}", f.text)) for f in group.fields)
            )
            for group in form_groups(shape["fields"], language())
        ]
        was = {name[4:]: text for name, text in form.items() if name.startswith("was.")}
        where = str(problem.evidence.get("field", ""))
        where = where if where.startswith(PREFIX) else where.partition(".")[0]
        typed = {name.removeprefix(f"f.{PREFIX}"): text for name, text in form.items()}
        told = (error_words(problem, language()), where)
        asked = (groups, _sections(view, typed, told))
        shown = (form.get("seen", ""), was)
        return _form(desk, shape, asked, shown, told, form.get("reason", ""))
    if saved is not None:
        desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1" if saved else "0"))


def do_note(desk: Desk, record: str) -> ResponseReturnValue:
    """Add a note."""
    view, state = open_dossier(desk, record)
    text = request.form.get("text", "")
    try:
        save_edits(desk.replica, acting(), view, Edits([], None, [new_note(text)]))
    except InputError as problem:
        empty = ("Ghi chú còn trống.", "The note is empty.")
        words = error_words(problem, language()) if text.strip() else pick(empty, language())
        return _page(desk, view, state, words, text)
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


# -------------------------------------------------------------------------------------- scans


def do_scan(desk: Desk, record: str, n: int) -> ResponseReturnValue:
    """Open a scan, once it is saved that this officer does."""
    view, _ = open_dossier(desk, record)
    papers = view.elements("papers")
    manifest = manifest_of(papers[n - 1].value) if 0 < n <= len(papers) else None
    if manifest is None or manifest.media_type not in _SCAN_TYPES:
        no_such_dossier()
    plain = open_scan(desk.device.home, desk.replica, acting(), view.id, manifest)
    desk.on_change()
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Content-Disposition": "inline",
    }
    return Response(plain, mimetype=manifest.media_type, headers=headers)


ROUTES = (
    Route("GET", "/dossier/<record>", "dossier", Allowed.OFFICER, show),
    Route("GET", "/dossier/<record>/edit", "edit", Allowed.OFFICER, show_form),
    Route("POST", "/dossier/<record>/edit", "do_edit", Allowed.OFFICER, do_edit, kept=True),
    Route("POST", "/dossier/<record>/note", "do_note", Allowed.OFFICER, do_note, kept=True),
    Route("POST", "/dossier/<record>/scan/<int:n>", "do_scan", Allowed.OFFICER, do_scan),
)
