"""What a person must decide: which of two versions holds, and what was held back.

What holds: a choice lists exactly the versions that the page showed; where another came meanwhile,
nothing is saved and the page is shown anew. A choice can be made again: the versions that stood
there are remembered until the officer goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.conflicts import conflict_rows, order, settle
from device_home.dossiers import check_writable, save
from device_home.forms import cell_label
from device_home.officers import check_settles
from device_home.quarantine import decide, held_shape
from device_home.reading import value_text
from device_home.shapes import (
    Shape,
    Ticks,
    cell_values,
    device_label,
    dot_text,
    field_name,
    read_dot,
    readable,
    row,
)
from edge_node.desk.dossiers import moment, open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting, language, session
from edge_node.desk.start import list_row
from edge_node.desk.values import shown_value
from edge_node.desk.words import CONFLICTS, HELD, age, error_words, pick
from sync_protocol.dossier.labels import FIELDS, label
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.errors import InputError
from sync_protocol.identity import RecordId
from sync_protocol.membership import grant as g
from sync_protocol.merge.conflict import Conflict
from sync_protocol.merge.state import RecordState
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.view import FieldView, RecordView

HELD_SHOWN_MAX = 50
"""Held entries on one page; the oldest first, and as they are judged the next come up."""
_OTHERS = ("removed", "retracted", "basis", "claim")


def show_list(desk: Desk) -> ResponseReturnValue:
    """List every pair of versions, the oldest first."""
    found = [
        {
            **item,
            "label": _label(item["field"]),
            "kind_name": pick(CONFLICTS.get(item["kind"], CONFLICTS["values"]), language()),
            "age": age(item["age_s"], language()),
        }
        for item in conflict_rows(desk.replica)
    ]
    return render_template("disputed.html", rows=found)


def show(desk: Desk, record: str) -> ResponseReturnValue:
    """Show what two people wrote differently in one dossier."""
    view, state = open_dossier(desk, record)
    return _page(desk, view, state)


def _page(
    desk: Desk, view: RecordView, state: RecordState, problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "versions.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        disputed=[_disputed(desk, view, state, item) for item in view.conflicts],
        settled=list(_settled(view)),
        problem=problem,
    )
    return (page, 409) if problem else page


def _disputed(desk: Desk, view: RecordView, state: RecordState, item: Conflict) -> Shape:
    name = field_name(item.field, item.element)
    cell = state.living((item.field, item.element))
    field = DOSSIER.by_id.get(item.field)
    settlers = field.settlers if field is not None else ()
    values = cell_values(desk.replica, item.field, cell, order(view, item, cell))
    return {
        "field": name,
        "label": _label(name),
        "kind_name": pick(CONFLICTS.get(item.kind, CONFLICTS["values"]), language()),
        "seen": " ".join(dot_text(dot) for dot in sorted(item.dots)),
        "may": not settlers or session().officer.role in settlers,
        "values": [
            {
                **value,
                "text": shown_value(name, value["value"], language()),
                "when": moment(value["time"]),
                "where": _where(desk, value["dot"]),
            }
            for value in values
        ],
    }


def _label(name: str) -> str:
    if name == "retraction":
        return pick(("Rút hồ sơ", "Withdrawal"), language())
    return cell_label(name, language())


def _where(desk: Desk, dot: str) -> str:
    chain = desk.replica.holding.locate(read_dot(dot))
    return "" if chain is None else device_label(desk.replica, chain.device)


def _settled(view: RecordView) -> Iterator[Shape]:
    """Yield what this officer settled in this dossier, with the versions to choose from again."""
    for what, values in session().settled.items():
        record, _, name = what.partition(" ")
        cell = _plain_cell(view, name) if record == view.id.hex() else None
        if cell is None or cell.conflict:
            continue
        yield {
            "field": name,
            "label": _label(name),
            "now": shown_value(name, cell.value, language()),
            "seen": " ".join(dot_text(dot) for dot in cell.dots),
            "others": [
                (index, shown_value(name, value, language()))
                for index, value in enumerate(values)
                if value != cell.value
            ],
        }


def _plain_cell(view: RecordView, name: str) -> FieldView | None:
    return view.field(name) if name in DOSSIER.by_name else None


# ---------------------------------------------------------------------------------- deciding


def do_settle(desk: Desk, record: str) -> ResponseReturnValue:
    """Say which version holds, by one tap."""
    view, state = open_dossier(desk, record)
    name, chosen = request.form.get("field", ""), request.form.get("dot", "")
    seen = set(request.form.get("seen", "").split())
    item = next((c for c in view.conflicts if field_name(c.field, c.element) == name), None)
    cell = state.living((item.field, item.element)) if item is not None else {}
    value = next((cell[dot].value for dot in cell if dot_text(dot) == chosen), _NOTHING)
    if item is None or value is _NOTHING or {dot_text(dot) for dot in item.dots} != seen:
        return _page(desk, view, state, pick(_CHANGED, language()))
    try:
        settle(desk.replica, acting(), view, state, (item, value))
    except InputError as problem:
        return _page(desk, view, state, error_words(problem, language()))
    desk.on_change()
    if item.element is None and item.kind not in _OTHERS:
        versions = [readable(cell[dot].value) for dot in order(view, item, cell)]
        session().keep_settled(f"{view.id.hex()} {name}", versions)
    return redirect(url_for("versions", record=view.id.hex()))


_NOTHING = object()
_CHANGED = (
    "Vừa có thay đổi mới ở mục này, nên chưa lưu gì. Hãy xem lại rồi chọn.",
    "Something new has come here, so nothing was saved. Look again, then choose.",
)


def do_again(desk: Desk, record: str) -> ResponseReturnValue:
    """Choose another one of the versions that stood there."""
    view, state = open_dossier(desk, record)
    name, index = request.form.get("field", ""), request.form.get("index", "")
    values = session().settled.get(f"{view.id.hex()} {name}", [])
    cell = _plain_cell(view, name)
    known = index in map(str, range(len(values)))
    shown = {dot_text(dot) for dot in cell.dots} if cell is not None else set()
    if cell is None or not known or shown != set(request.form.get("seen", "").split()):
        return _page(desk, view, state, pick(_CHANGED, language()))
    write = CellWrite(cell.field, None, values[int(index)], cell.dots)
    change = RecordChange(RecordId(view.id), DOSSIER.id, {}, (write,))
    try:
        check_writable(view)
        check_settles(desk.replica, acting(), view, change)
        save(desk.replica, acting(), change)
    except InputError as problem:
        return _page(desk, view, state, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("versions", record=view.id.hex()))


# ------------------------------------------------------------------------------ what is held


def show_held(desk: Desk) -> ResponseReturnValue:
    """Show what waits to be looked at, and why."""
    waiting = desk.replica.rooms.views.held()
    shown = waiting[:HELD_SHOWN_MAX]
    found = [
        {
            **item,
            "says": _says(item),
            "why": pick(HELD.get(item["reason"], ("Lý do khác", "Another reason")), language()),
            "when": moment(item["time"]) if item["time"] else "",
        }
        for item in (held_shape(desk.replica, held) for held in shown)
    ]
    return render_template("held.html", rows=found, more=len(waiting) - len(shown))


def _says(shape: Shape) -> list[tuple[str, str]]:
    """Return what a held entry says, in words."""
    return [
        (
            label(FIELDS, item["field"], language()),
            value_text(item["field"], item["value"], language()),
        )
        for item in shape["changes"]
    ]


def do_held(desk: Desk) -> ResponseReturnValue:
    """Let something count after all, or turn it down."""
    kind = g.Adopt if request.form.get("do") == "adopt" else g.Reject
    decide(desk.replica, acting(), [read_dot(request.form.get("id", ""))], kind)
    desk.on_change()
    return redirect(url_for("held"))


ROUTES = (
    Route("GET", "/versions", "disputed", Allowed.OFFICER, show_list),
    Route("GET", "/dossier/<record>/versions", "versions", Allowed.OFFICER, show),
    Route("POST", "/dossier/<record>/versions", "do_settle", Allowed.OFFICER, do_settle),
    Route("POST", "/dossier/<record>/again", "do_again", Allowed.OFFICER, do_again),
    Route("GET", "/held", "held", Allowed.OFFICER, show_held),
    Route("POST", "/held", "do_held", Allowed.SUPERVISOR, do_held),
)
