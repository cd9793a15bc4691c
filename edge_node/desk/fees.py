"""A dossier's fee at the desk: what is asked, waived and paid; and what was taken in a day.

What holds: nothing that was noted is ever changed here: a correction is a line of its own, with its
reason, beside the line that it is about. A second tap notes nothing twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import date

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.fees import correct_payment, note_payment, waive
from device_home.moves import read_day
from device_home.officers import officer_name
from device_home.shapes import Shape, Ticks, row
from edge_node.desk.dossiers import moment, open_dossier
from edge_node.desk.kept import kept
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.start import list_row
from edge_node.desk.words import error_words, pick
from edge_node.table import csv_bytes
from edge_node.takings import Taken, Takings, takings
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.payment import Line, Payment, account, money, payments, read_amount
from sync_protocol.errors import InputError, StorageError
from sync_protocol.identity import ID_BYTES
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

ROWS_MAX = 300
"""Payments of one day on a page of 110 KiB; the CSV has them all."""


def show_fee(desk: Desk, record: str) -> ResponseReturnValue:
    """Show what is asked, waived and paid, and the forms for each."""
    return _page(desk, record, {})


def _page(desk: Desk, record: str, form: dict[str, str], problem: str = "") -> ResponseReturnValue:
    view, state = open_dossier(desk, record)
    owed = account(view)
    waiver = view.value("waiver")
    page = render_template(
        "fee.html",
        row=list_row(desk, row(view, state, Ticks(desk.replica))),
        asked=money(owed.asked) if owed.asked else "",
        waived=money(owed.waived) if owed.waived else "",
        ground=waiver[2] if isinstance(waiver, list) else "",
        paid=money(owed.paid),
        left=owed.left,
        left_words=money(owed.left),
        lines=[_shown(desk.replica, item) for item in payments(view)],
        writable=not view.read_only and not view.purged,
        form=form,
        name=form.get("name") or secrets.token_hex(ID_BYTES),
        problem=problem,
    )
    return (page, 400) if problem else page


def _shown(replica: Replica, item: Payment) -> Shape:
    """Return a payment as pages show it, its corrections below."""
    return {
        "element": item.line.element.hex(),
        "first": _line(replica, item.line),
        "counts": money(item.amount),
        "amount": item.amount,
        "corrections": [_line(replica, line) for line in item.corrections],
    }


def _line(replica: Replica, line: Line) -> Shape:
    return {
        "amount": money(line.amount),
        "receipt": line.receipt,
        "reason": line.reason,
        "officer": officer_name(replica, line.officer),
        "when": moment(line.time_ms),
    }


def do_pay(desk: Desk, record: str) -> ResponseReturnValue:
    """Note a payment."""
    return _keep(desk, record, _pay)


def _pay(desk: Desk, view: RecordView, form: dict[str, str]) -> None:
    amount = read_amount(form.get("amount", ""), "payments.amount")
    name = _bytes(form.get("name", ""))
    note_payment(desk.replica, acting(), view, name, amount, form.get("receipt", ""))


def do_correct(desk: Desk, record: str) -> ResponseReturnValue:
    """Say the right amount of a payment, and why."""
    return _keep(desk, record, _correct)


def _correct(desk: Desk, view: RecordView, form: dict[str, str]) -> None:
    said = (read_amount(form.get("right", ""), "payments.amount"), form.get("reason", ""))
    name, about = _bytes(form.get("name", "")), _bytes(form.get("about", ""))
    correct_payment(desk.replica, acting(), view, (name, about), *said)


def do_waive(desk: Desk, record: str) -> ResponseReturnValue:
    """Waive a part of the fee, or all of it, on a ground."""
    return _keep(desk, record, _waive)


def _waive(desk: Desk, view: RecordView, form: dict[str, str]) -> None:
    amount = read_amount(form.get("waived", ""), "waiver.amount")
    waive(desk.replica, acting(), view, amount, form.get("ground", ""))


def _keep(
    desk: Desk, record: str, write: Callable[[Desk, RecordView, dict[str, str]], None]
) -> ResponseReturnValue:
    """Write, and show the fee again; a slip brings the form back as it was typed."""
    view, _ = open_dossier(desk, record)
    form = request.form.to_dict()
    try:
        write(desk, view, form)
    except (InputError, StorageError) as problem:
        return _page(desk, record, form, error_words(problem, language()))
    desk.on_change()
    return redirect(url_for("fee", record=view.id.hex()))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


# --------------------------------------------------------------------------------- one day's money


def _asked_day(desk: Desk) -> date:
    today = local_time(desk.replica.character.wall()).date()
    return read_day(typed_day(request.args.get("day", ""), "day")) or today


def _takings(desk: Desk, day: date) -> Takings:
    """Return a day's money, kept until a change: 200 payments take 0.2 s to count."""
    return kept(desk.replica, "takings", day, lambda: takings(desk.replica, day))[0]


def show_takings(desk: Desk) -> ResponseReturnValue:
    """Show what each officer took on a day."""
    problem = ""
    try:
        day = _asked_day(desk)
    except InputError as slip:
        problem, day = (
            error_words(slip, language()),
            local_time(desk.replica.character.wall()).date(),
        )
    found = _takings(desk, day)
    groups, room = [], ROWS_MAX
    for name, items in _by_name(desk.replica, found):
        total = money(sum(item.payment.amount for item in items))
        groups.append({"name": name, "total": total, "count": len(items)})
        groups[-1]["rows"] = [_taken(desk.replica, item) for item in items[:room]]
        room = max(0, room - len(items))
    page = render_template(
        "takings.html",
        day=shown_day(day.isoformat()),
        iso=day.isoformat(),
        groups=groups,
        total=money(found.total),
        earlier=[_taken(desk.replica, item) for item in found.earlier[:ROWS_MAX]],
        problem=problem,
    )
    return (page, 400) if problem else page


def _by_name(replica: Replica, found: Takings) -> Sequence[tuple[str, list[Taken]]]:
    nobody = pick(("Không ghi tên", "Nobody named"), language())
    named = [
        (officer_name(replica, who) or nobody, items) for who, items in found.by_officer.items()
    ]
    return sorted(named, key=lambda item: item[0])


def _taken(replica: Replica, item: Taken) -> Shape:
    view = item.view
    code = str(view.value("official_code") or view.value("provisional_code") or "")
    shown = _shown(replica, item.payment)
    return {**shown, "id": view.id.hex(), "name": str(view.value("name") or ""), "code": code}


def send_takings(desk: Desk) -> ResponseReturnValue:
    """Answer with a day's payments as a CSV file."""
    try:
        day = _asked_day(desk)
    except InputError:
        return show_takings(desk)
    found = _takings(desk, day)
    heads = ("Cán bộ", "Lúc", "Mã hồ sơ", "Người nộp", "Biên lai", "Thu", "Được tính", "Đính chính")
    rows: list[Sequence[object]] = [heads]
    for name, items in _by_name(desk.replica, found):
        rows += [(name, *_cells(desk.replica, item)) for item in items]
    rows += [("Đính chính ngày trước", *_cells(desk.replica, item)) for item in found.earlier]
    rows.append(("Tổng", "", "", "", "", "", found.total, ""))
    named = f"attachment; filename=tien-thu-{day.isoformat()}.csv"
    return Response(csv_bytes(rows), mimetype="text/csv", headers={"Content-Disposition": named})


def _cells(replica: Replica, item: Taken) -> list[object]:
    shown, payment = _taken(replica, item), item.payment
    why = "; ".join(f"{line['amount']}: {line['reason']}" for line in shown["corrections"])
    when, receipt = shown["first"]["when"], payment.line.receipt
    return [when, shown["code"], shown["name"], receipt, payment.line.amount, payment.amount, why]


ROUTES = (
    Route("GET", "/dossier/<record>/fee", "fee", Allowed.OFFICER, show_fee),
    Route("POST", "/dossier/<record>/fee/pay", "do_pay", Allowed.OFFICER, do_pay, kept=True),
    Route("POST", "/dossier/<record>/fee/correct", "do_correct", Allowed.OFFICER, do_correct),
    Route("POST", "/dossier/<record>/fee/waive", "do_waive", Allowed.OFFICER, do_waive, kept=True),
    Route("GET", "/takings", "takings", Allowed.OFFICER, show_takings),
    Route("GET", "/takings/table", "takings_table", Allowed.OFFICER, send_takings),
)
