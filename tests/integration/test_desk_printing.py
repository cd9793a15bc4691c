"""Paper at the desk: slips printed, made anew and scanned; codes bound; receptions put aside."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from device_home.device import Device
from device_home.dossiers import find_record, load
from device_home.officers import officers_of
from device_home.pins import choose_pin
from device_home.slips import slip_of
from edge_node.desk.drafts import DRAFTS_MAX
from edge_node.desk.mount import ROUTES
from edge_node.desk.sessions import Sessions
from edge_node.desk.site import Desk, make_desk
from sync_protocol.dossier.slip import Slip
from sync_protocol.identity import OfficerId
from tests.integration.desk_fixture import Forms
from tests.integration.hub_fixture import running_hub
from tests.integration.process_fixture import edge

pytestmark = pytest.mark.process
PIN = "274918"
MARITAL = "1.004873"
BASE = "https://station"
CLERK, OTHER = "Lê Thị Lan", "Đỗ Khác"


@dataclass
class Seat:
    """A browser before the desk's own app, without the network between."""

    client: Any
    page: str = ""
    answer: Any = field(default=None)

    def get(self, path: str) -> str:
        self.answer = self.client.get(path, base_url=BASE, follow_redirects=True)
        self.page = self.answer.text
        return self.text

    def send(self, ending: str, **typed: str) -> str:
        action, values = Forms.of(self.page).form(ending)
        data = {**values, **typed}
        self.answer = self.client.post(action, base_url=BASE, data=data, follow_redirects=True)
        self.page = "" if self.answer.mimetype == "application/pdf" else self.answer.text
        return self.text

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", self.page)))

    @property
    def pdf(self) -> str:
        assert self.answer.mimetype == "application/pdf", self.text
        pages = PdfReader(io.BytesIO(self.answer.data)).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())


@dataclass
class Counter:
    """A station whose city is away."""

    device: Device
    desk: Desk

    def seat(self, who: str = CLERK) -> Seat:
        found = Seat(make_desk(self.desk, ROUTES).test_client())
        found.get("/sign-in")
        found.send("/sign-in", name=who, pin=PIN)
        return found

    def slip(self, record: str) -> Slip:
        replica = self.device.replica()
        found = slip_of(load(replica, find_record(replica, record))[0])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder: Path = tmp_path_factory.mktemp("counter")
    with running_hub(folder / "hub") as hub:
        for name in (CLERK, OTHER):
            hub.officer(name, "clerk")
        station = edge(folder, "edge")
        station.ok("init")
        station.ok("enrol", "--invite", hub.invite("edge", "Trạm"))
        station.ok("sync")
    device = Device.open(station.home)
    try:
        for officer in officers_of(device.replica().holding.roster):
            choose_pin(device.home, OfficerId(officer.officer), PIN)
        yield Counter(device, Desk(device, Sessions(), lambda: None))
    finally:
        device.close()


def receive(seat: Seat, name: str, **typed: str) -> str:
    """Receive somebody without a number, whatever is remarked upon; return the dossier's id."""
    seat.get(f"/intake/{MARITAL}")
    seat.send(MARITAL, do="save", name=name, **typed)
    if "Vẫn tiếp nhận" in seat.page:
        seat.send(MARITAL, do="save")
    found = re.search(r"/dossier/([0-9a-f]{32})/print/01", seat.page)
    assert found, seat.text
    return found[1]


def test_who_is_received_gets_a_slip_at_once(counter: Counter) -> None:
    seat = counter.seat()
    record = receive(seat, "Nguyễn Văn Thử")
    assert "data-now" in seat.page
    assert "data-print" in seat.page
    seat.send("/print/01")
    slip = counter.slip(record)
    assert slip.code.startswith("MT-")
    assert all(part in seat.pdf for part in ("Nguyễn Văn Thử", slip.code, CLERK))
    assert "no-store" in seat.answer.headers["Cache-Control"]
    assert seat.answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert slip.secret not in seat.answer.request.path
    shown = seat.get(f"/dossier/{record}")
    assert "data-now" not in seat.page
    assert slip.secret not in seat.page
    assert "In phiếu hẹn" in shown
    for form in ("02", "07", "../x"):
        action = f"/dossier/{record}/print/{form}"
        csrf = Forms.of(seat.page).form("/print/01")[1]["csrf"]
        refused = seat.client.post(action, base_url=BASE, data={"csrf": csrf})
        assert refused.status_code in (400, 404), form


def test_a_slip_is_made_anew_only_with_identity_and_reason(counter: Counter) -> None:
    seat = counter.seat()
    record = receive(seat, "Trần Thị Mẫu")
    old = counter.slip(record)
    seat.get(f"/dossier/{record}/slip")
    assert "Hãy xem giấy tờ" in seat.send("/slip", reason="Mất phiếu", seen="0")
    assert counter.slip(record) == old
    assert "Ghi lý do" in seat.send("/slip", reason=" ", seen="1")
    assert counter.slip(record) == old
    assert "Phiếu cũ hết hiệu lực" in seat.send("/slip", reason="Mất phiếu", seen="1")
    assert "data-now" in seat.page
    assert "Mất phiếu" in seat.text
    assert counter.slip(record).secret != old.secret
    seat.get("/")
    assert "không còn hiệu lực" in seat.send("/search", words=str(old))
    assert "Trần Thị Mẫu" in seat.text
    seat.get("/")
    assert "không còn hiệu lực" not in seat.send("/search", words=str(counter.slip(record)).lower())
    assert "Trần Thị Mẫu" in seat.text
    assert old.secret not in seat.answer.request.url


def test_the_portals_code_is_bound_and_both_codes_find(counter: Counter) -> None:
    seat = counter.seat()
    record = receive(seat, "Phạm Văn Giả")
    provisional = counter.slip(record).code
    assert "Không phải mã hồ sơ" in seat.send("/bind", code="H26")
    seat.get(f"/dossier/{record}")
    code = "000.00.01.H26-261123-0012"
    assert code in seat.send("/bind", code=code.lower())
    assert "Ghi mã" not in seat.text
    for words in (provisional, provisional.lower().replace("-", ""), code):
        seat.get("/")
        assert "Phạm Văn Giả" in seat.send("/search", words=words), words
    other = receive(seat, "Lê Khác")
    assert "hồ sơ khác" in seat.send("/bind", code=code)
    assert counter.slip(other).code.startswith("MT-")


def test_a_slip_whose_dossier_was_lost_reopens_it(counter: Counter) -> None:
    seat = counter.seat()
    orphan = "MC1:H26.9-261120-0044:7K3QD9XH2B4MW"
    seat.get("/")
    assert "chưa về đến máy này" in seat.send("/search", words=orphan)
    assert seat.answer.status_code == 404
    seat.get("/")
    assert "Hãy quét lại" in seat.send("/search", words="MC1:H26.9-261120-0044:7K3")
    record = receive(seat, "Vũ Mất Máy", old_slip=orphan)
    assert str(counter.slip(record)) == orphan
    seat.get("/")
    assert "Vũ Mất Máy" in seat.send("/search", words=orphan)
    seat.get(f"/intake/{MARITAL}")
    seat.send(MARITAL, do="save", name="Vũ Lần Nữa", old_slip=orphan)
    seat.send(MARITAL, do="save")
    assert "Hồ sơ của phiếu này đã có ở đây" in seat.text


def test_the_daybook_of_a_day_is_printed(counter: Counter) -> None:
    seat = counter.seat()
    receive(seat, "Đào Trong Sổ")
    seat.get("/")
    seat.send("/daybook")
    assert all(part in seat.pdf for part in ("SỔ THEO DÕI HỒ SƠ", "Đào Trong Sổ"))
    seat.get("/")
    seat.send("/daybook", day="20/08/2020")
    assert "0 hồ sơ" in seat.pdf


# --------------------------------------------------------------------------- receptions put aside


def test_a_reception_is_put_aside_and_taken_up_by_its_officer_alone(counter: Counter) -> None:
    seat = counter.seat()
    seat.get(f"/intake/{MARITAL}")
    seat.send(MARITAL, do="aside", name="Ngô Để Tạm", phone="0912000123", **{"paper.0": "compared"})
    assert "Ngô Để Tạm" in seat.text
    assert "Đang để tạm" in seat.text
    taken = re.search(r"/intake/[\d.]+\?aside=[\w-]+", html.unescape(seat.page))
    assert taken is not None
    other = counter.seat(OTHER)
    assert "Ngô Để Tạm" not in other.get("/")
    assert "Ngô Để Tạm" not in other.get(taken[0]) + other.page
    seat.get(taken[0])
    _, form = Forms.of(seat.page).form(MARITAL)
    assert (form["name"], form["phone"], form["paper.0"]) == (
        "Ngô Để Tạm",
        "0912000123",
        "compared",
    )
    seat.send(MARITAL, do="save")
    if "Vẫn tiếp nhận" in seat.page:
        seat.send(MARITAL, do="save")
    assert "Đã lưu trên máy" in seat.text
    assert "Ngô Để Tạm" not in seat.get("/")


def test_a_form_that_is_filled_in_is_kept_and_dropped(counter: Counter) -> None:
    seat = counter.seat()
    seat.get(f"/intake/{MARITAL}")
    action, form = Forms.of(seat.page).form(MARITAL)
    typed = {**form, "name": "Hồ Mất Điện"}
    kept = seat.client.post(f"{action.removeprefix('/desk')}/keep", base_url=BASE, data=typed)
    assert kept.status_code == 204
    again = counter.seat()  # as after a restart: another session
    assert "Hồ Mất Điện" in again.get("/")
    log = counter.device.home.ward_folder(counter.device.home.place().ward) / "log.db"
    raw = b"".join(path.read_bytes() for path in log.parent.glob("log.db*"))
    assert "Hồ Mất Điện".encode() not in raw
    assert "Hồ Mất Điện" not in again.send("/drop")
    assert "Hồ Mất Điện" not in again.get("/")


def test_what_comes_after_the_saving_is_no_draft(counter: Counter) -> None:
    seat = counter.seat()
    seat.get(f"/intake/{MARITAL}")
    action, form = Forms.of(seat.page).form(MARITAL)
    seat.send(MARITAL, do="save", name="Mai Đã Lưu", citizen_number="097190000024")
    if "Vẫn tiếp nhận" in seat.page:
        seat.send(MARITAL, do="save")
    late = {**form, "name": "Mai Đã Lưu"}
    seat.client.post(f"{action.removeprefix('/desk')}/keep", base_url=BASE, data=late)
    assert "Mai Đã Lưu" not in seat.get("/")


def test_drafts_are_bounded(counter: Counter) -> None:
    seat = counter.seat(OTHER)
    for number in range(DRAFTS_MAX + 2):
        seat.get(f"/intake/{MARITAL}")
        seat.send(MARITAL, do="aside", name=f"Người {number:02d}")
    assert seat.text.count("Người ") == DRAFTS_MAX
    assert "Người 00" not in seat.text
    seat.get(f"/intake/{MARITAL}")
    seat.send(MARITAL, do="aside", once="../../x", name="Sai Tên")
    assert "Sai Tên" not in seat.text
