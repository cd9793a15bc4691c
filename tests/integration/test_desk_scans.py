"""Scans at the desk: a page photographed, a document chosen, a card's picture; and hostile ones."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from tests import documents, photos
from tests.integration.desk_fixture import Browser, authority_file
from tests.integration.hub_fixture import running_hub
from tests.integration.process_fixture import edge
from tests.integration.test_desk import MARITAL, Office, receive

pytestmark = pytest.mark.process
CARD = "097190000129||Nguyễn Thị Thẻ Ảnh|20081990|Nữ|Số 5, Thôn Đông|01012021"
PHOTO = photos.page_photo(1)
"""12 million pixels, as a phone takes it."""
SLOW = 3
"""Other tests share the machine's two cores."""
HOSTILE_NAME = "../../../../etc/<img src=x onerror=alert(1)>\u202egpj.exe"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with running_hub(folder / "hub") as hub:
        hub.officer("Lê Thị Lan", "clerk")
        station = edge(folder, "edge", MOTCUA_IDLE_CHECK_S="1")
        station.ok("init")
        station.ok("enrol", "--invite", hub.invite("edge", "Máy bàn một cửa"))
        station.ok("sync")
        ca = authority_file(station.home, folder)
        hub.stop()
        with station.serving() as url:
            yield Office(folder, hub, station, url, ca)


@pytest.fixture(scope="module")
def received(office: Office, clerk: Browser) -> str:
    """A dossier that no other test changes."""
    assert office.url
    return receive(clerk, "Nguyễn Thị Hỏng", "097190000177")


@pytest.fixture(scope="module")
def clerk(office: Office) -> Browser:
    return office.signed_in("Lê Thị Lan")


def upload(
    browser: Browser, path: str, content: bytes, called: str = "page.jpg", **typed: str
) -> requests.Response:
    """Send a picture as a browser does: with the token, in parts."""
    form = {"csrf": browser.form("/sign-out")[1]["csrf"], **typed}
    answer = browser.session.post(
        f"{browser.url}{path}",
        data=form,
        files={"file": (called, content, "application/x-whatever")},
        verify=browser.ca,
        timeout=60,
    )
    browser.page = answer.text
    return answer


def papers(office: Office, record: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.station.ask("dossier", "show", record)["papers"]
    return found


def in_clear(folder: Path, parts: list[bytes]) -> list[str]:
    """Return the files below a folder that hold one of these parts."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(part in path.read_bytes() for part in parts)]


def test_a_photographed_page_is_safe_within_two_seconds(
    office: Office, clerk: Browser, figure: Callable[[str], None]
) -> None:
    record = receive(clerk, "Nguyễn Thị Chụp", "097190000105")
    clerk.get(f"/desk/dossier/{record}")
    assert f"/desk/dossier/{record}/scans" in clerk.page
    clerk.get(f"/desk/dossier/{record}/scans")
    _, form = clerk.form("/scans")
    took = []
    for name in ("Trang 1", "Trang 2", "Trang 3"):
        started = time.monotonic()
        typed = {"once": form["once"], "type": "", "name": name}
        answer = upload(clerk, f"/desk/dossier/{record}/scans", PHOTO, **typed)
        took.append(time.monotonic() - started)
        assert answer.url.endswith("/scans?saved=1"), clerk.text
    assert "Đã lưu trên máy" in clerk.text
    assert "1 trang" in clerk.text
    figure(f"a photo of 12 Mpx, from the browser to the disk: {sorted(took)[1]:.1f} s")
    assert sorted(took)[1] < 2.0 * SLOW
    found = papers(office, record)
    assert [item["name"] for item in found] == ["Trang 1", "Trang 2", "Trang 3"]
    assert {item["scan"]["media_type"] for item in found} == {"image/webp"}
    clerk.get(f"/desk/dossier/{record}")
    action = next(action for action, _ in clerk.forms() if "/scan/" in action)
    seen = clerk.session.post(
        office.url + action, data=clerk.form(action)[1], verify=office.ca, timeout=60
    )
    made = Image.open(io.BytesIO(seen.content))
    assert made.size == (1240, 1754)
    assert not made.getexif()
    reads = office.station.ask("dossier", "show", record)["scans_read"]
    assert [item["officer_name"] for item in reads] == ["Lê Thị Lan"]
    assert not in_clear(office.station.home, [seen.content[200:300]])


def test_a_wrong_scan_is_taken_away_and_the_history_stays(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Chụp Nhầm", "097090000116")
    page = f"/desk/dossier/{record}/scans"
    clerk.get(page)
    upload(clerk, page, documents.plain(3), "to khai.pdf", once="a", name="Tờ khai")
    assert "3 trang" in clerk.text
    action, form = clerk.form("/scans/away")
    assert clerk.post(action, {**form, "scan": "00" * 16}).status_code == 400
    clerk.get(page)
    clerk.post(action, form)
    assert "Đã bỏ bản chụp" in clerk.text
    found = papers(office, record)
    assert [(item["name"], item["scan"], item["note"]) for item in found] == [
        ("Tờ khai", None, None)
    ]
    history = office.station.ask("dossier", "show", record)["history"]
    assert [row["fields"] for row in history].count(["papers"]) == 2
    assert clerk.post(action, form).status_code == 400, "it is gone already"
    clerk.get(page)
    upload(clerk, page, PHOTO, once="b", element=found[0]["element"])
    (again,) = papers(office, record)
    assert (again["element"], again["note"]) == (found[0]["element"], "1 trang")
    clerk.get(page)
    upload(clerk, page, documents.plain(), once="c", element=found[0]["element"])
    assert "đã có bản chụp" in clerk.text


def test_a_paper_that_was_asked_for_has_come_with_its_scan(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Bổ Sung", "097090000162")
    asked = ("--missing", "to-khai", "Chưa ký tên")
    for words in (["status=processing"], ["status=supplement", "--reason", "Thiếu.", *asked]):
        office.station.ok("dossier", "set", record, *words)
    (paper,) = papers(office, record)
    assert paper["state"] == "missing"
    page = f"/desk/dossier/{record}/scans"
    clerk.get(page)
    assert "Chưa ký tên" in clerk.text
    upload(clerk, page, documents.plain(2), once="m", element=paper["element"])
    (come,) = papers(office, record)
    assert (come["element"], come["state"], come["note"]) == (
        paper["element"],
        "submitted",
        "2 trang",
    )


def test_a_second_tap_keeps_one_scan_and_another_picture_is_another(
    office: Office, clerk: Browser
) -> None:
    record = receive(clerk, "Nguyễn Hai Chạm", "097090000124")
    page = f"/desk/dossier/{record}/scans"
    for content in (documents.plain(1), documents.plain(1), documents.plain(2)):
        clerk.get(page)
        upload(clerk, page, content, once="same", name="Tờ khai")
        assert "Đã lưu trên máy" in clerk.text
    assert [item["note"] for item in papers(office, record)] == ["1 trang", "2 trang"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Chưa chọn ảnh"),
        (b"<svg onload='alert(1)'/>", "Chỉ nhận ảnh"),
        (b"<!doctype html><script>alert(1)</script>", "Chỉ nhận ảnh"),
        (PHOTO[:100_000], "bị cắt mất"),
        (documents.encrypted(), "mật khẩu"),
        (documents.with_script(), "tự chạy lệnh"),
        (documents.with_file(), "mang theo tệp khác"),
        (bytes(8 * 1024 * 1024 + 1), "lớn hơn 8 MB"),
        (bytes(8_800_000), "quá lớn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_scan_is_told_and_nothing_is_kept(
    office: Office, clerk: Browser, received: str, content: bytes, said: str
) -> None:
    record = received
    before = papers(office, record)
    clerk.get(f"/desk/dossier/{record}/scans")
    page = f"/desk/dossier/{record}/scans"
    answer = upload(clerk, page, content, HOSTILE_NAME, once="x", name="Tờ khai")
    assert 400 <= answer.status_code < 500
    assert said in clerk.text
    assert "onerror" not in clerk.page
    assert papers(office, record) == before


def test_what_a_file_is_called_is_never_looked_at(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Tên Tệp", "097090000148")
    page = f"/desk/dossier/{record}/scans"
    clerk.get(page)
    upload(clerk, page, documents.plain(), HOSTILE_NAME, once="x", name="Tờ khai")
    assert len(papers(office, record)) == 1
    assert "onerror" not in clerk.page
    clerk.get(page)
    upload(clerk, page, documents.plain(), once="y", name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in clerk.page
    clerk.get(page)
    upload(clerk, page, documents.plain(), once="z", name="", type="../../x")
    assert "Hãy ghi tên giấy tờ" in clerk.text


def test_without_the_token_or_an_officer_nothing_is_taken(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Không Nhận", "097090000155")
    page = f"{office.url}/desk/dossier/{record}/scans"
    files = {"file": ("a.pdf", documents.plain(), "application/pdf")}
    answer = clerk.session.post(page, files=files, verify=office.ca, timeout=60)
    assert answer.status_code == 403
    stranger = office.browser()
    answer = stranger.session.post(page, files=files, verify=office.ca, timeout=60)
    assert answer.url.endswith("/desk/sign-in")
    assert not papers(office, record)


# ----------------------------------------------------------------------------------- a card


def test_a_picture_of_a_card_fills_the_form_as_a_reader_does(
    office: Office, clerk: Browser
) -> None:
    before = office.station.ask("health")["records"]
    photo, _ = photos.on_table(photos.card(CARD, 8), (1600, 1200), 4, 0.9)
    clerk.get(f"/desk/intake/{MARITAL}")
    assert f'formaction="/desk/intake/{MARITAL}/card"' in clerk.page
    _, form = clerk.form(MARITAL)
    typed = {**form, "name": "Nguyễn Thị Khác", "phone": "0912000111"}
    upload(clerk, f"/desk/intake/{MARITAL}/card", photos.jpeg(photo), **typed)
    _, filled = clerk.form(MARITAL)
    assert (filled["citizen_number"], filled["birth_date"]) == ("097190000129", "20/08/1990")
    assert (filled["name"], filled["phone"]) == ("Nguyễn Thị Khác", "0912000111")
    assert "Trên thẻ: Nguyễn Thị Thẻ Ảnh" in clerk.text
    assert "chỉ dùng để thử" in clerk.text
    assert filled["once"] == form["once"]
    assert office.station.ask("health")["records"] == before, "reading saves nothing"
    clerk.send(MARITAL, do="save")
    assert "Đã lưu trên máy" in clerk.text


def test_a_picture_without_a_code_keeps_what_was_typed(clerk: Browser) -> None:
    clerk.get(f"/desk/intake/{MARITAL}")
    blank = photos.packed(np.full((300, 300, 3), 255, np.uint8), "PNG")
    for content, said in (
        (blank, "Không đọc được mã QR"),
        (documents.plain(), "Hãy chụp ảnh thẻ"),
        (b"GIF89a", "Chỉ nhận ảnh"),
        (b"", "Chưa chọn ảnh"),
    ):
        _, form = clerk.form(MARITAL)
        path = f"/desk/intake/{MARITAL}/card"
        upload(clerk, path, content, **{**form, "name": "Nguyễn Đã Gõ"})
        assert said in clerk.text
        assert clerk.form(MARITAL)[1]["name"] == "Nguyễn Đã Gõ"


def test_nothing_of_a_picture_is_on_a_disk_in_clear(office: Office) -> None:
    """The last one: after all that was sent, refused, kept and taken away."""
    parts = [PHOTO[500:600], documents.plain(3)[:200], b"WEBPVP8", "Thẻ Ảnh".encode()]
    assert not in_clear(office.station.home, parts)
