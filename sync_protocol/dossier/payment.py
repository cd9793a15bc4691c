"""What is to be paid for a dossier, what was waived, what was paid: never negative, never changed.

Sources: Decree 118/2025/NĐ-CP art. 24 (payment of fees and charges); the rates stand in the
catalogue.

What holds: an amount is whole đồng. A payment is a line that stays; whoever noted it wrongly adds a
line that says the right amount for it, and why. Of several corrections of one line the latest
counts, the greater dot between equals, on every machine alike; all are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sync_protocol.clock import millis
from sync_protocol.dossier.text import refused
from sync_protocol.identity import OfficerId
from sync_protocol.view import FieldView, RecordView

CURRENCY = "VND"
AMOUNT_DIGITS_MAX = 12
"""Under a thousand milliard đồng: no fee of a ward has ten digits."""


class Line(NamedTuple):
    """One line: an amount in đồng, by whom, when (ms); `corrects` is the line that it is about."""

    element: bytes
    amount: int
    receipt: str
    reason: str
    corrects: bytes
    officer: OfficerId
    time_ms: int
    order: tuple[int, object]


class Payment(NamedTuple):
    """A line, and its corrections, the one that counts last."""

    line: Line
    corrections: tuple[Line, ...] = ()

    @property
    def amount(self) -> int:
        """What counts, in đồng."""
        return self.corrections[-1].amount if self.corrections else self.line.amount


class Account(NamedTuple):
    """Of one dossier, in đồng: what is asked, what of it was waived, what was paid."""

    asked: int
    waived: int
    paid: int

    @property
    def left(self) -> int:
        """What is still to be paid; never negative."""
        return max(0, self.asked - self.waived - self.paid)


def read_amount(text: str, field: str = "fee.amount") -> int:
    """Return đồng from what was typed: "12000", "12 000", "12.000 đ". Raises `InputError`."""
    digits = text.strip().lower().removesuffix("đ").removesuffix("vnd").strip()
    digits = digits.replace("\u00a0", " ").replace(".", " ").replace(",", " ")
    groups = digits.split(" ")
    plain = len(groups) == 1 or all(len(part) == 3 for part in groups[1:])  # noqa: PLR2004 - thousands
    joined = "".join(groups)
    if not (plain and joined.isascii() and joined.isdigit() and len(joined) <= AMOUNT_DIGITS_MAX):
        raise refused(field, "is no amount in đồng, such as 12000", "amount")
    return int(joined)


def payments(view: RecordView) -> list[Payment]:
    """Return the payments of a dossier, oldest first; lines of a newer form are left out."""
    lines = [line for item in view.elements("payments") if (line := _line(item)) is not None]
    firsts = [line for line in lines if not line.corrects]
    return [Payment(line, _corrections(line, lines)) for line in firsts]


def _corrections(line: Line, lines: Iterable[Line]) -> tuple[Line, ...]:
    found = [item for item in lines if item.corrects == line.element]
    return tuple(sorted(found, key=lambda item: item.order))


def _line(item: FieldView) -> Line | None:
    amount, _, receipt, reason, corrects = _parts(item.value, 5)
    number = _whole(amount)
    if number is None or item.element is None:
        return None
    first = item.siblings[0]
    about = corrects if isinstance(corrects, bytes) else b""
    when, order = millis(first.timestamp), (first.timestamp, first.dot)
    texts = (str(receipt or ""), str(reason or ""))
    return Line(item.element, number, *texts, about, first.officer, when, order)


def account(view: RecordView) -> Account:
    """Return what a dossier owes, has been spared, and has paid."""
    asked = _whole(_parts(view.value("fee"), 2)[0]) or 0
    waived = _whole(_parts(view.value("waiver"), 3)[0]) or 0
    return Account(asked, min(waived, asked), sum(item.amount for item in payments(view)))


def _parts(value: object, count: int) -> Sequence[Any]:
    parts = list(value) if isinstance(value, list) else []
    return [*parts, *[None] * count][:count]


def _whole(amount: object) -> int | None:
    """Return đồng; None for what is no amount, is negative, or has a fraction that counts."""
    whole, _, fraction = str(amount or "").partition(".")
    sound = whole.isascii() and whole.isdigit() and not fraction.strip("0")
    return int(whole) if sound else None


def money(amount: int) -> str:
    """Return đồng as people write them: "12.000 đ"."""
    return f"{amount:,} đ".replace(",", ".")
