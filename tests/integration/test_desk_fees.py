"""Fees at the desk: asked, waived with the ground, paid, corrected by a line; a day's money."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_home.dossiers import load
from edge_node.takings import takings
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.payment import account, money, payments, read_amount
from sync_protocol.errors import InputError
from sync_protocol.identity import RecordId
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, staffed
from tests.integration.desk_pages import Pages, chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS, made


def station(office: Office | None = None) -> tuple[Replica, str]:
    """Return a station with a dossier that waits for 12,000 đồng."""
    edge = staffed(office or Office(now_ms=MONDAY_MS)).edge()
    return edge, made(edge, procedure="1.004873", due_on="2026-11-25")


def owing(edge: Replica, record: str, folder: Path) -> Pages:
    """Ask for 12,000 đồng, and show the fee."""
    desk = pages(edge, folder)
    desk.get(f"/dossier/{record}/move/6")
    desk.send("/move/6", amount="12.000")
    desk.get(f"/dossier/{record}/fee")
    return desk


def owed(edge: Replica, record: str) -> tuple[int, int, int, int]:
    """Return asked, waived, paid, left."""
    found = account(load(edge, RecordId(bytes.fromhex(record)))[0])
    return (*found, found.left)


def test_a_payment_is_asked_for_noted_once_and_ends_what_is_left(tmp_path: Path) -> None:
    edge, record = station()
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/move/6")
    for slip in ("", "0", "-5", "mười"):
        desk.send("/move/6", amount=slip)
        assert desk.status == 400, slip
    desk = owing(edge, record, tmp_path)
    assert "còn 12.000 đ" in pages(edge, tmp_path).get(f"/dossier/{record}")
    twice = desk.form("/fee/pay")
    for slip in ("0", "-1", "12001"):
        desk.send("/fee/pay", amount=slip)
        assert desk.status == 400, slip
        assert owed(edge, record) == (12000, 0, 0, 12000)
    for _ in range(2):
        desk.post(f"/dossier/{record}/fee/pay", {**twice, "amount": "12000", "receipt": "BL-7"})
        assert desk.status == 302
    assert owed(edge, record) == (12000, 0, 12000, 0), "a second tap notes nothing twice"
    assert "BL-7" in desk.get(f"/dossier/{record}/fee")
    assert ask(edge, "dossier", "show", record)["status"] == "6"


def test_a_correction_is_a_line_of_its_own_with_its_reason(tmp_path: Path) -> None:
    edge, record = station()
    desk = owing(edge, record, tmp_path)
    desk.send("/fee/pay", amount="8000")
    before = ask(edge, "dossier", "show", record)["history"]
    desk.send("/fee/correct", right="5000")
    assert (desk.status, "lý do" in desk.text) == (400, True)
    desk.send("/fee/correct", right="5000", reason="Đếm nhầm.")
    desk.send("/fee/correct", right="6000", reason="Đếm lại.")
    assert owed(edge, record) == (12000, 0, 6000, 6000)
    assert "8.000 đ" in desk.text, "what was noted first stays"
    assert "Đếm nhầm." in desk.text
    [payment] = payments(load(edge, RecordId(bytes.fromhex(record)))[0])
    assert (payment.line.amount, [line.amount for line in payment.corrections]) == (
        8000,
        [5000, 6000],
    )
    assert len(ask(edge, "dossier", "show", record)["history"]) == len(before) + 2


def test_a_waiver_has_its_ground_and_is_never_more_than_the_fee(tmp_path: Path) -> None:
    edge, record = station()
    desk = owing(edge, record, tmp_path)
    for waived, ground in (("12000", ""), ("12001", "Hộ nghèo")):
        desk.send("/fee/waive", waived=waived, ground=ground)
        assert desk.status == 400
    desk.send("/fee/waive", waived="12000", ground="Hộ nghèo, QĐ 12/2026")
    assert owed(edge, record) == (12000, 12000, 0, 0)
    assert "QĐ 12/2026" in desk.text


def test_corrections_made_apart_count_alike_everywhere(tmp_path: Path) -> None:
    office = Office(now_ms=MONDAY_MS)
    edge, record = station(office)
    desk = owing(edge, record, tmp_path)
    desk.send("/fee/pay", amount="9000")
    other = office.edge("hai")
    office.sync(edge)
    office.sync(other)
    for replica, right in ((edge, "7000"), (other, "0")):
        at = pages(replica, tmp_path)
        at.get(f"/dossier/{record}/fee")
        at.send("/fee/correct", right=right, reason="Nhầm.")
    for replica in (edge, other, edge):
        office.sync(replica)
    assert owed(edge, record) == owed(other, record)
    assert owed(edge, record)[2] in (0, 7000)


def test_the_money_of_a_day_is_counted_by_officer_and_corrections_show(tmp_path: Path) -> None:
    office = Office(now_ms=MONDAY_MS)
    edge, record = station(office)
    monday = local_time(MONDAY_MS).date()
    desk = owing(edge, record, tmp_path)
    desk.send("/fee/pay", amount="5000")
    chief = chief_pages(edge, tmp_path)
    chief.get(f"/dossier/{record}/fee")
    chief.send("/fee/pay", amount="4000", receipt="=1+1")
    office.now_ms += DAY_MS
    desk.get(f"/dossier/{record}/fee")
    desk.send("/fee/correct", right="3000", reason="Trả lại 2000.")
    found = takings(edge, monday)
    assert {who: [i.payment.amount for i in items] for who, items in found.by_officer.items()} == {
        CLERK: [3000],
        CHIEF: [4000],
    }
    tuesday = takings(edge, local_time(office.now_ms).date())
    assert (
        tuesday.total,
        [item.correction.amount for item in tuesday.earlier if item.correction],
    ) == (0, [3000])
    text = chief.get(f"/takings?day={monday:%d/%m/%Y}")
    for words in ("7.000 đ", "5.000 đ", "Trả lại 2000.", "Bình", "An"):
        assert words in text
    assert "Đính chính trong ngày" in chief.get("/takings")
    chief.get(f"/takings/table?day={monday.isoformat()}")
    assert '"\'=1+1"' in chief.page
    assert '"Tổng","","","","","","7000",""' in chief.page
    chief.get("/takings?day=xx")
    assert chief.status == 400


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("12000", 12000), ("12 000", 12000), ("12.000 đ", 12000), ("1.234.567", 1234567), ("0", 0)],
)
def test_amounts_are_read_as_people_write_them(typed: str, amount: int) -> None:
    assert read_amount(typed) == amount


@pytest.mark.parametrize("typed", ["", "-1", "12.5", "1,5", "1e3", "٣", "1" * 13, "đ"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(InputError):
        read_amount(typed)


@given(st.integers(0, 10**12 - 1))
def test_money_reads_back(amount: int) -> None:
    assert read_amount(money(amount)) == amount
