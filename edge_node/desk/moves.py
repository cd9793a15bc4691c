"""A dossier's next move at the desk: its reason, its papers, its result; and the uncollected.

What holds: a page offers what the law lets follow where the dossier stands, and asks for what must
be said with it: paper by paper for a supplement, a reason where one is due, who took the result.
What is saved goes the way of every edit (`save_edits`), which checks it all again.
"""

from __future__ import annotations

import json

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.apologies import apologise
from device_home.dossiers import Edits, save_edits
from device_home.moves import MISSING, Stated
from device_home.shapes import (
    Shape,
    Ticks,
    dot_text,
    note_kinds,
    read_dot,
    row,
    standing,
    text_parts,
)
from edge_node.desk.clock import desk_time
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.due import LOOKED_AT_MAX
from edge_node.desk.site import Allowed, Desk, Route, acting, language, supervises
from edge_node.desk.start import list_row
from edge_node.desk.waiting import stand_ins, uncollected, views_of
from edge_node.desk.words import error_words, pick
from sync_protocol.clock import millis
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.labels import ENGLISH, REMARKS, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.paper_check import at_the_counter
from sync_protocol.dossier.payment import CURRENCY, account, read_amount
from sync_protocol.dossier.record_type import DOSSIER, PAPER_STATES
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.text import clean, refused
from sync_protocol.dossier.workflow import (
    Move,
    check_move,
    needs_reason,
    next_statuses,
    read_status_code,
)
from sync_protocol.errors import InputError, StorageError
from sync_protocol.record.change import CellWrite
from sync_protocol.record.diff import Shown, edit_element
from sync_protocol.view import FieldView, RecordView

UNCOLLECTED_ROWS_MAX = 50
"""A page of 25 KiB; the longest uncollected stand first."""


def show_move(desk: Desk, record: str, code: str) -> ResponseReturnValue:
    """Show what must be said with a move."""
    view, _ = open_dossier(desk, record)
    to = _lawful(view, code)
    seen = [dot_text(dot) for item in view.fields if item.element is None for dot in item.dots]
    form = {"seen": " ".join(seen), "to": str(view.value("name") or "")}
    return _page(desk, record, to, form | {"amount": _fee_amount(view)})


def _fee_amount(view: RecordView) -> str:
    """Return what is known of the fee: what stands there, else the catalogue's one amount."""
    known = catalogue().find(str(view.value("procedure")))
    amounts = {item.amount for item in known.fees if item.amount} if known else set()
    asked = account(view).asked or (amounts.pop() if len(amounts) == 1 else 0)
    return str(asked or "")


def _lawful(view: RecordView, code: str) -> Status:
    to = read_status_code(code)
    now = standing(view)
    if (
        view.read_only
        or to is None
        or len(now) > 1
        or to not in next_statuses(now, note_kinds(view))
    ):
        abort(404)
    return to


def _page(
    desk: Desk, record: str, to: Status, form: dict[str, str], problem: str = ""
) -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    now = standing(view)
    lacking = bool(_awaited(view))
    move = Move(to, "?", papers=1, lacking=lacking, supervises=True)
    page = render_template(
        "move.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        now=now[0],
        to=to.value,
        form=form,
        papers=_papers(view) if to is Status.SUPPLEMENT else [],
        awaited=[] if to is Status.SUPPLEMENT else _awaited(view),
        reasoned=needs_reason(now, to),
        remarks=[
            label(REMARKS, item.code, language())
            for item in check_move(now, note_kinds(view), move)
        ],
        deputies_today=stand_ins(desk.replica, today_only=True),
        forbidden=to is Status.REFUSED and not supervises(),
        problem=problem,
    )
    return (page, 400) if problem else page


def _awaited(view: RecordView) -> list[FieldView]:
    """Return the papers that were asked for and have not come, as far as is noted."""
    return [item for item in view.elements("papers") if text_parts(item)[4] == MISSING]


def _name(item: FieldView) -> str:
    return (item.element or b"").hex()


def _came(item: FieldView) -> CellWrite:
    """Return the write which notes that a paper has come."""
    value = [*item.value[:4], PAPER_STATES[0], None]
    shown = Shown(item.value, item.dots)
    return edit_element(DOSSIER, "papers", item.element or b"", value, shown)


def _papers(view: RecordView) -> list[tuple[str, str]]:
    """Return what may be asked for: the papers of the procedure, then others of the dossier."""
    known, english = catalogue(), language() == ENGLISH
    procedure = known.find(str(view.value("procedure")))
    asked = [item.type for item in at_the_counter(procedure)] if procedure else []
    named = {parts[0]: parts[1] or parts[0] for parts in map(text_parts, view.elements("papers"))}
    names = {kind: named.get(kind) or _paper_name(kind, english=english) for kind in asked}
    return list({**names, **named}.items())


def _paper_name(kind: str, *, english: bool) -> str:
    paper = catalogue().papers[kind]
    return paper.en if english else paper.vi


def do_move(desk: Desk, record: str, code: str) -> ResponseReturnValue:
    """Make a move; a slip brings the form back as it was typed."""
    view, _ = open_dossier(desk, record)
    to = _lawful(view, code)
    form = request.form.to_dict()
    try:
        seen = frozenset(read_dot(text) for text in form.get("seen", "").split())
        missing = [
            (kind, form[f"missing.{kind}"])
            for kind, _ in (_papers(view) if to is Status.SUPPLEMENT else [])
            if form.get(f"missing.{kind}", "").strip()
        ]
        stated = Stated(form.get("reason", ""), missing)
        words = [f"status={to.value}", *_result_words(desk, to, form)]
        came = [_came(item) for item in _awaited(view) if f"came.{_name(item)}" in form]
        save_edits(desk.replica, acting(), view, Edits(words, seen, came, stated))
    except (InputError, StorageError) as problem:  # whatever it is, what was typed stays
        return _page(desk, record, to, form, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


def _result_words(desk: Desk, to: Status, form: dict[str, str]) -> list[str]:
    """Return what is said of a fee, or a result that is ready or handed over, as assignments."""
    if to is Status.PAYMENT:
        asked = read_amount(form.get("amount", ""))
        if not asked:
            raise refused("fee.amount", "must be more than nothing", "amount")
        return [f"fee={json.dumps([str(asked), CURRENCY])}"]
    if to is Status.READY:
        day = typed_day(form.get("signed_on", ""), "result.signed_on")
        if day and day > f"{desk_time(desk):%Y-%m-%d}":
            raise refused("result.signed_on", "is a day to come", "signed-ahead")
        texts = [clean(form.get(name, ""), f"result.{name}") for name in ("reference", "signer")]
        parts = [*(text or None for text in texts), day]
        return [f"result={json.dumps(parts, ensure_ascii=False)}"] if any(parts) else []
    if to is Status.RETURNED:
        taker = clean(form.get("to", ""), "handed_over.to")
        if not taker:
            raise refused("handed_over.to", "is missing", "missing")
        whom = clean(form.get("as", ""), "handed_over.as") or None
        return [f"handed_over={json.dumps([taker, whom], ensure_ascii=False)}"]
    return []


# ------------------------------------------------------------------------------ late, apologised


def show_apology(desk: Desk, record: str) -> ResponseReturnValue:
    """Show the form of an apology."""
    return _apology(desk, record, {})


def _apology(
    desk: Desk, record: str, form: dict[str, str], problem: str = ""
) -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    shown = list_row(desk, row(view, state, Ticks(desk.replica)))
    page = render_template("apology.html", row=shown, form=form, problem=problem)
    return (page, 400) if problem else page


def do_apology(desk: Desk, record: str) -> ResponseReturnValue:
    """Save a new date with its reason."""
    view, _ = open_dossier(desk, record)
    form = request.form.to_dict()
    try:
        until = typed_day(form.get("until", ""), "until")
        apologise(desk.replica, acting(), view, until, form.get("reason", ""))
    except (InputError, StorageError) as problem:
        words = (
            pick(_NO_REASON, language())
            if not form.get("reason", "").strip()
            else error_words(problem, language())
        )
        return _apology(desk, record, form, words)
    desk.on_change()
    return redirect(url_for("dossier", record=view.id.hex(), saved="1"))


_NO_REASON = ("Ghi lý do chậm. Chưa thay đổi gì.", "Say why it is late. Nothing was changed.")


# ------------------------------------------------------------------------------ the uncollected


def show_uncollected(desk: Desk) -> ResponseReturnValue:
    """Show whose result is ready and has not been collected, the longest first."""
    found = uncollected(desk.replica)
    ticks, today = Ticks(desk.replica), local_time(desk.replica.character.wall()).date()
    shown = []
    since = {item.record: item.since for item in found[:UNCOLLECTED_ROWS_MAX]}
    for view, state in views_of(desk.replica, list(since)):
        ready = local_time(millis(since[view.id])).date()
        shown.append(_uncollected(desk, view, row(view, state, ticks)))
        shown[-1] |= {"ready": shown_day(ready.isoformat()), "days": (today - ready).days}
    left = len(found) - len(shown)
    return render_template(
        "uncollected.html", rows=shown, left=left, whole=len(found) < LOOKED_AT_MAX
    )


def _uncollected(desk: Desk, view: RecordView, shape: Shape) -> Shape:
    result = view.value("result")
    reference = result[0] if isinstance(result, list) and result else None
    return {**list_row(desk, shape), "phone": view.value("phone"), "reference": reference}


ROUTES = (
    Route("GET", "/dossier/<record>/move/<code>", "move", Allowed.OFFICER, show_move),
    Route("POST", "/dossier/<record>/move/<code>", "do_move", Allowed.OFFICER, do_move, kept=True),
    Route("GET", "/dossier/<record>/apology", "apology", Allowed.OFFICER, show_apology),
    Route("POST", "/dossier/<record>/apology", "do_apology", Allowed.OFFICER, do_apology, True),
    Route("GET", "/uncollected", "uncollected", Allowed.OFFICER, show_uncollected),
)
