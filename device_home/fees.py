"""Fees: noting a payment, correcting what was noted, waiving with the ground.

What holds: nothing here changes a line that stands. A payment that is sent twice (a second tap, an
answer that was lost) is one line, because its maker chose its name before it was sent.
"""

from __future__ import annotations

from device_home.dossiers import check_writable, save
from sync_protocol.dossier.payment import CURRENCY, account, payments
from sync_protocol.dossier.record_type import DOSSIER, WAIVER
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError
from sync_protocol.identity import ID_BYTES, OfficerId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import edit_element
from sync_protocol.replica import Replica, Written
from sync_protocol.view import RecordView

LINES_MAX = 50
"""Lines of one dossier: its payment in parts, each corrected again and again."""


def note_payment(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    name: bytes,
    amount: int,
    receipt: str = "",
) -> Written | None:
    """Add a payment in đồng under a name of 16 random bytes; None where it stands there already.

    Raises `InputError` for nothing, or more than is owed, and `NotAllowedError`.
    """
    if any(item.element == name for item in view.elements("payments")):
        return None
    if amount <= 0:
        raise refused("payments.amount", "must be more than nothing", "amount")
    owed = account(view)
    if owed.asked and amount > owed.left:
        raise refused("payments.amount", "is more than is still to be paid", "amount-over")
    return _add(replica, officer, view, name, [str(amount), CURRENCY, receipt, "", None])


def correct_payment(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    named: tuple[bytes, bytes],
    amount: int,
    reason: str,
) -> Written | None:
    """Add a line that says the right amount in đồng (0: none was paid) of a payment, and why.

    `named` are the new line's name and that of the payment. None where nothing is to be written.
    Raises `InputError` where the reason is missing or no such payment stands there.
    """
    name, about = named
    if any(item.element == name for item in view.elements("payments")):
        return None
    reason = clean(reason, "reason")
    found = next((item for item in payments(view) if item.line.element == about), None)
    if found is None or amount < 0:
        raise refused("payments", "is no payment of this dossier", "unknown")
    if not reason:
        raise refused("reason", "is missing", "correction-reason")
    if amount == found.amount:
        return None
    return _add(replica, officer, view, name, [str(amount), CURRENCY, "", reason, about])


def _add(
    replica: Replica, officer: OfficerId, view: RecordView, name: bytes, parts: list[object]
) -> Written:
    check_writable(view)
    if len(name) != ID_BYTES:
        raise InputError("That form is an old one. Nothing was saved: load the page anew.")
    if len(view.elements("payments")) >= LINES_MAX:
        raise refused("payments", f"has {LINES_MAX} lines already", "too-many")
    amount, currency, receipt, reason, about = parts
    receipt = clean(str(receipt or ""), "receipt") or None
    value = [amount, currency, receipt, reason or None, about]
    write = edit_element(DOSSIER, "payments", name, value, None)
    return save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, (write,)))


def waive(
    replica: Replica, officer: OfficerId, view: RecordView, amount: int, ground: str
) -> Written:
    """Waive so many đồng of the fee on a legal ground; 0 takes a waiver back, with its reason.

    Raises `InputError` without a ground or for more than the fee, and `NotAllowedError`.
    """
    check_writable(view)
    ground = clean(ground, "waiver.ground")
    if not ground:
        raise refused("waiver.ground", "is missing", "waiver-ground")
    if amount > account(view).asked:
        raise refused("waiver.amount", "is more than the fee", "amount-over")
    field = view.field("waiver")
    if field is not None and field.conflict:
        raise InputError("Two waivers stand there: settle them first. Nothing was changed.")
    dots = () if field is None else field.dots
    write = CellWrite(WAIVER, None, [str(amount), CURRENCY, ground], dots)
    return save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, (write,)))
