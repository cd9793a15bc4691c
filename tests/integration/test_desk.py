"""The desk, over the station's real TLS server: who gets in, what forms do, with the city away."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from tests.integration.desk_fixture import Browser, authority_file
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge, tablet, write_lines

pytestmark = pytest.mark.process
PIN = "274918"
MARITAL = "1.004873"
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> =1+1 {{7*7}}"


@dataclass
class Office:
    """A ward with a clerk and a supervisor, whose city can't be reached any more."""

    folder: Path
    hub: Hub
    station: Program
    url: str
    ca: str

    def browser(self) -> Browser:
        return Browser(self.url, self.ca)

    def code(self, name: str) -> str:
        return str(self.station.ask("officer", "pin", name)["code"])

    def signed_in(self, name: str) -> Browser:
        browser = self.browser()
        browser.first_use(name, self.code(name), PIN)
        return browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with running_hub(folder / "hub") as hub:
        hub.officer("Lê Thị Lan", "clerk")
        hub.officer("Trần Văn Thử", "supervisor")
        hub.officer("Phạm Quản Trị", "administrator")
        hub.officer("Đỗ Khóa", "clerk")
        station = edge(folder, "edge", MOTCUA_IDLE_CHECK_S="1")
        station.ok("init")
        station.ok("enrol", "--invite", hub.invite("edge", "Máy bàn một cửa"))
        station.ok("sync")
        ca = authority_file(station.home, folder)
        hub.stop()
        with station.serving() as url:
            yield Office(folder, hub, station, url, ca)


@pytest.fixture(scope="module")
def clerk(office: Office) -> Browser:
    return office.signed_in("Lê Thị Lan")


@pytest.fixture(scope="module")
def supervisor(office: Office) -> Browser:
    return office.signed_in("Trần Văn Thử")


# ------------------------------------------------------------------------------ the entrance


def test_who_has_a_code_chooses_a_pin_and_the_code_is_void(office: Office) -> None:
    code = office.code("Phạm Quản Trị")
    browser = office.browser()
    assert browser.get("/").url.endswith("/desk/sign-in")
    browser.enter("pham quan tri", code)
    assert browser.get("/desk/dossiers").url.endswith("/desk/pin")  # nothing else opens yet
    for bad in ("123456", "111111", "12345"):
        assert browser.send("/pin", pin=bad, again=bad).status_code == 400
    assert browser.send("/pin", pin=PIN, again=PIN + "1").status_code == 400
    assert browser.send("/pin", pin=PIN, again=PIN).url.endswith("/desk/")
    assert "Phạm Quản Trị" in browser.text
    assert office.browser().enter("Phạm Quản Trị", code).status_code == 403
    assert office.browser().enter("Phạm Quản Trị", PIN).url.endswith("/desk/")


def test_a_stranger_and_a_wrong_pin_are_answered_alike(office: Office) -> None:
    browser = office.browser()
    assert browser.enter("Nguyễn Không Ai", PIN).status_code == 403
    stranger = browser.text.replace("Nguyễn Không Ai", "")
    assert browser.enter("Lê Thị Lan", "000000").status_code == 403
    assert browser.text.replace("Lê Thị Lan", "") == stranger
    assert not [c for c in browser.session.cookies if c.name == "__Host-desk"]


def test_cookies_are_for_this_host_and_for_pages_of_ours_alone(office: Office) -> None:
    browser = office.browser()
    browser.get("/desk/sign-in")
    action, form = browser.form("/sign-in")
    form |= {"name": "Trần Văn Thử", "pin": "000000"}
    answer = browser.post(action, form)
    made = browser.get("/desk/sign-in").headers
    assert "no-store" in made["Cache-Control"]
    assert "unsafe" not in made["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in made["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", made["Content-Security-Policy"])
    assert nonce is not None
    assert nonce[1] in browser.page
    fresh = office.browser().get("/desk/sign-in").headers["Set-Cookie"]
    for word in ("__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in fresh
    assert "Domain" not in fresh
    assert answer.status_code == 403


def test_a_change_without_the_token_or_from_elsewhere_is_refused(
    office: Office, clerk: Browser
) -> None:
    clerk.get("/desk/")
    action, form = clerk.form("/sign-out")
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert clerk.post(action, form, headers=headers).status_code == 403
    for token in ("", "x" * 43):
        assert clerk.post(action, {**form, "csrf": token}).status_code == 403
    assert clerk.post("/desk/search", {"words": "an"}).status_code == 403
    assert clerk.get("/desk/").status_code == 200  # still signed in
    bare = office.browser().post("/desk/sign-in", {"name": "Lê Thị Lan", "pin": PIN})
    assert bare.status_code == 403


def test_without_an_officer_no_page_says_anything(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Kín Đáo", "097090000017")
    stranger = office.browser()
    for path in (
        "",
        "dossiers",
        "due",
        "versions",
        "held",
        "officers",
        "intake",
        f"intake/{MARITAL}",
        f"dossier/{record}",
        f"dossier/{record}/edit",
        f"dossier/{record}/versions",
    ):
        answer = stranger.get(f"/desk/{path}")
        assert answer.url.endswith("/desk/sign-in"), path
        assert "Kín Đáo" not in stranger.page
    assert stranger.post(f"/desk/dossier/{record}/note", {"text": "x"}).url.endswith("/sign-in")


def test_only_a_supervisor_gives_codes_and_never_to_somebody_above(
    office: Office, clerk: Browser, supervisor: Browser
) -> None:
    lan, administrator = (office.hub.officers[n].hex() for n in ("Lê Thị Lan", "Phạm Quản Trị"))
    clerk.get("/desk/officers")
    token = clerk.form("/sign-out")[1]["csrf"]
    assert clerk.post("/desk/officers/code", {"csrf": token, "officer": lan}).status_code == 403
    supervisor.get("/desk/officers")
    token = supervisor.form("/sign-out")[1]["csrf"]
    form = {"csrf": token, "officer": administrator}
    assert supervisor.post("/desk/officers/code", form).status_code == 403
    form["officer"] = office.hub.officers["Đỗ Khóa"].hex()
    assert supervisor.post("/desk/officers/code", form).status_code == 200
    code = re.search(r'class="code">(\d{8})<', supervisor.page)
    assert code is not None
    browser = office.browser()
    browser.first_use("do khoa", code[1], PIN)


def test_ten_wrong_pins_lock_and_a_new_code_unlocks(office: Office) -> None:
    office.browser().first_use("Đỗ Khóa", office.code("Đỗ Khóa"), PIN)
    browser = office.browser()
    for _ in range(10):
        browser.enter("Đỗ Khóa", "000001")
    assert "Còn 0 lần" in browser.text
    browser.enter("Đỗ Khóa", PIN)
    assert "đã khóa" in browser.text
    office.browser().first_use("Đỗ Khóa", office.code("Đỗ Khóa"), PIN)


# ------------------------------------------------------------------------ a walk-in's dossier


def receive(browser: Browser, name: str, number: str, **typed: str) -> str:
    """Receive somebody; return the dossier's id."""
    browser.get(f"/desk/intake/{MARITAL}")
    browser.send(MARITAL, do="save", name=name, citizen_number=number, **typed)
    if "saved=new" not in browser.page and "Vẫn tiếp nhận" in browser.page:
        answer = browser.send(MARITAL, do="save")
    else:
        answer = browser.get("/desk/")
    found = re.search(r"/dossier/([0-9a-f]{32})\?saved=new", answer.url)
    assert found, browser.text
    return found[1]


def test_a_card_is_read_and_enter_does_not_save(office: Office, clerk: Browser) -> None:
    before = office.station.ask("health")["records"]
    clerk.get("/desk/intake")
    assert f"/desk/intake/{MARITAL}" in clerk.page
    clerk.get("/desk/intake?q=hon nhan")
    assert f"/desk/intake/{MARITAL}" in clerk.page
    clerk.get(f"/desk/intake/{MARITAL}")
    card = "097190000024||Nguyễn Thị Thử Nghiệm|20081990|Nữ|Số 5, Thôn Đông|01012021"
    buttons = re.findall(r'name="do" value="(\w+)"', clerk.page)
    assert buttons[0] == "read", "Enter presses the first button of a form"
    clerk.send(MARITAL, do="read", card=card)
    _, form = clerk.form(MARITAL)
    assert (form["name"], form["birth_date"]) == ("Nguyễn Thị Thử Nghiệm", "20/08/1990")
    assert (form["citizen_number"], form["card"]) == ("097190000024", "")
    assert "chỉ dùng để thử" in clerk.text  # the remark stands beside the number
    assert office.station.ask("health")["records"] == before
    answer = clerk.send(MARITAL, do="save")
    assert "Đã lưu trên máy" in clerk.text
    assert "20/08/1990" in clerk.text
    again = clerk.post(f"/desk/intake/{MARITAL}", {**form, "do": "save", "looked": "x"})
    assert again.url == answer.url, "a second tap finds what the first one saved"
    assert office.station.ask("health")["records"] == before + 1


def test_a_slip_is_told_beside_its_field_and_nothing_typed_is_lost(clerk: Browser) -> None:
    clerk.get(f"/desk/intake/{MARITAL}")
    answer = clerk.send(MARITAL, do="save", name="Trần Thử", phone="12", birth_date="mai")
    assert answer.status_code == 400
    _, form = clerk.form(MARITAL)
    assert (form["name"], form["phone"], form["birth_date"]) == ("Trần Thử", "12", "mai")
    clerk.send(MARITAL, do="save", birth_date="1990")
    assert "Không phải số điện thoại" in clerk.text
    clerk.send(MARITAL, card="no card", do="read")
    assert "không phải mã QR" in clerk.text


def test_who_comes_twice_is_remarked_upon(clerk: Browser) -> None:
    receive(clerk, "Nguyễn Hai Lần", "097090000031")
    clerk.get(f"/desk/intake/{MARITAL}")
    clerk.send(MARITAL, do="save", name="Nguyễn Hai Lần", citizen_number="097090000031")
    assert "đã có hồ sơ cùng thủ tục" in clerk.text


def test_found_without_marks_and_never_by_an_address(clerk: Browser) -> None:
    receive(clerk, "Đặng Thị Tìm Thấy", "097190000048")
    clerk.get("/desk/")
    answer = clerk.send("/search", words="dang tim thay")
    assert "Đặng Thị Tìm Thấy" in clerk.text
    assert "dang" not in answer.url
    clerk.get("/desk/dossiers")
    clerk.send("/search", words="khong co ai ten nay")
    assert "Không có hồ sơ nào" in clerk.text


def test_pages_go_on_where_the_last_one_ended(office: Office, clerk: Browser) -> None:
    write_lines(office.folder / "many.jsonl", list(sample(60, 7)))
    office.station.ok("intake", "many.jsonl")
    seen: list[str] = []
    path = "/desk/dossiers"
    while path:
        clerk.get(path)
        seen += re.findall(r'class="row" href="/desk/dossier/([0-9a-f]{32})"', clerk.page)
        more = re.search(r'href="(/desk/dossiers\?before=[0-9a-f]+)">', clerk.page)
        path = more[1] if more else ""
    assert len(seen) == len(set(seen)) == office.station.ask("health")["records"]


def test_markup_in_what_people_write_is_only_text(clerk: Browser) -> None:
    record = receive(clerk, HOSTILE, "097090000055", note=HOSTILE, address_line=HOSTILE)
    clerk.get(f"/desk/dossier/{record}")
    clerk.send("/note", text=HOSTILE)
    for path in (
        f"dossier/{record}",
        f"dossier/{record}/edit",
        "dossiers",
        f"dossier/{record}/versions",
    ):
        assert clerk.get(f"/desk/{path}").status_code == 200
        assert "<script>alert" not in clerk.page
        assert "<img src=x" not in clerk.page
        assert "=1+1 {{7*7}}" in clerk.text
    clerk.get("/desk/")
    clerk.send("/search", words=HOSTILE)
    assert "<script>alert" not in clerk.page


# ----------------------------------------------------------------------- edits, two versions


def test_an_edit_replaces_what_was_shown_and_nothing_else(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Sửa Đổi", "097090000062", phone="0912000111")
    clerk.get(f"/desk/dossier/{record}/edit")
    action, form = clerk.form("/edit")
    office.station.ok("dossier", "set", record, "phone=0912000222")  # meanwhile, elsewhere
    typed = {"f.name": "Nguyễn Sửa Lại", "f.birth.date": "1/2/1990", "f.status": "4"}
    clerk.post(action, {**form, **typed})
    assert "Đã lưu trên máy" in clerk.text
    fields = office.station.ask("dossier", "show", record)["fields"]
    assert fields["name"]["value"] == "Nguyễn Sửa Lại"
    assert fields["birth"]["value"] == ["1990-02-01", None]
    assert fields["status"]["value"] == "4"
    assert fields["phone"]["value"] == "0912000222", "untouched fields write nothing"
    assert not office.station.ask("conflict", "list")
    clerk.get(f"/desk/dossier/{record}/edit")
    assert clerk.send("/edit").url.endswith("saved=0")
    clerk.get(f"/desk/dossier/{record}/edit")
    assert clerk.send("/edit", **{"f.phone": "1", "f.name": "Nguyễn Giữ Lại"}).status_code == 400
    assert clerk.form("/edit")[1]["f.name"] == "Nguyễn Giữ Lại"
    history = office.station.ask("dossier", "show", record)["history"]
    assert {row["officer_name"] for row in history} == {"Lê Thị Lan", ""}


def test_two_versions_are_settled_by_one_tap_and_chosen_again(
    office: Office, clerk: Browser, supervisor: Browser
) -> None:
    record = receive(clerk, "Nguyễn Hai Bản", "097090000079", phone="0912000111")
    forms = []
    for browser in (clerk, supervisor):
        browser.get(f"/desk/dossier/{record}/edit")
        forms.append(browser.form("/edit"))
    clerk.post(forms[0][0], {**forms[0][1], "f.phone": "0912000333"})
    supervisor.post(forms[1][0], {**forms[1][1], "f.phone": "0912000444"})
    assert "Hai bản khác nhau" in supervisor.text
    clerk.get("/desk/versions")
    assert "Nguyễn Hai Bản" in clerk.text
    clerk.get(f"/desk/dossier/{record}/versions")
    for words in ("0912000333", "0912000444", "Lê Thị Lan", "Trần Văn Thử", "Máy bàn một cửa"):
        assert words in clerk.text
    action, form = clerk.form("/versions")
    chosen = re.search(r'value="([^"]+)">\s*<p class="value">0912000333', clerk.page)
    assert chosen is not None
    stale = clerk.post(action, {**form, "seen": "", "dot": chosen[1]})
    assert stale.status_code == 409
    clerk.post(action, {**form, "dot": chosen[1]})
    show = office.station.ask("dossier", "show", record)
    assert (show["fields"]["phone"]["value"], show["conflicts"]) == ("0912000333", 0)
    assert "Đổi lại, lấy: 0912000444" in clerk.text
    clerk.send("/again")
    show = office.station.ask("dossier", "show", record)
    assert (show["fields"]["phone"]["value"], show["conflicts"]) == ("0912000444", 0)


def test_a_status_is_settled_by_a_supervisor_only(
    office: Office, clerk: Browser, supervisor: Browser
) -> None:
    record = receive(clerk, "Nguyễn Tình Trạng", "097090000086")
    forms = []
    for browser in (clerk, supervisor):
        browser.get(f"/desk/dossier/{record}/edit")
        forms.append(browser.form("/edit"))
    clerk.post(forms[0][0], {**forms[0][1], "f.status": "9"})
    over = {**forms[1][1], "f.status": "4"}
    assert supervisor.post(forms[1][0], over).status_code == 400, "it takes a reason"
    supervisor.post(forms[1][0], {**over, "reason": "Kết quả ghi sai tên."})
    clerk.get(f"/desk/dossier/{record}/versions")
    assert "do lãnh đạo chọn" in clerk.text
    supervisor.get(f"/desk/dossier/{record}/versions")
    action, form = supervisor.form("/versions")
    stolen = {**form, "csrf": clerk.form("/sign-out")[1]["csrf"]}
    assert clerk.post(action, stolen).status_code == 409
    assert office.station.ask("dossier", "show", record)["conflicts"] == 1
    supervisor.post(action, form)
    assert office.station.ask("dossier", "show", record)["conflicts"] == 0


def test_the_line_is_told_and_nothing_waits_for_it(office: Office, clerk: Browser) -> None:
    record = receive(clerk, "Nguyễn Mất Mạng", "097090000093")
    started = time.monotonic()
    clerk.get(f"/desk/dossier/{record}")
    assert time.monotonic() - started < 5
    assert "✓ Đã lưu trên máy" in clerk.text
    assert "Đã về thành phố" not in clerk.text
    clerk.get("/desk/")
    assert "Chờ gửi về thành phố" in clerk.text
    for word in ("hub", "edge", "đồng bộ", "xung đột", "cách ly"):
        assert not re.search(rf"\b{word}\b", clerk.text, re.IGNORECASE), word


def test_a_scan_is_opened_by_an_officer_and_that_is_noted(office: Office, clerk: Browser) -> None:
    page = write_scans(office.folder / "scans", 1, 3)[0].name
    row = next(iter(sample(1, 11)))
    write_lines(office.folder / "scan.jsonl", [{**row, "scans": [f"scans/{page}"]}])
    record = office.station.ok("intake", "scan.jsonl", "--json").lines[0]["id"]
    clerk.get(f"/desk/dossier/{record}")
    action = next(action for action, _ in clerk.forms() if "/scan/" in action)
    assert clerk.get(action).status_code == 405, "looking at a page opens no scan"
    clerk.get(f"/desk/dossier/{record}")
    _, form = clerk.form(action)
    answer = clerk.session.post(office.url + action, data=form, verify=office.ca, timeout=60)
    assert (answer.status_code, answer.content[:3]) == (200, b"\xff\xd8\xff")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    reads = office.station.ask("dossier", "show", record)["scans_read"]
    assert [item["officer_name"] for item in reads] == ["Lê Thị Lan"]


def test_the_language_is_one_tap_away(clerk: Browser) -> None:
    clerk.get("/desk/")
    clerk.send("/language")
    assert "What needs you now" in clerk.text
    clerk.send("/language")
    assert "Việc cần làm bây giờ" in clerk.text


def test_hostile_requests_end_in_a_sentence(clerk: Browser) -> None:
    clerk.get("/desk/")
    token = clerk.form("/sign-out")[1]["csrf"]
    tries = [
        ("get", "/desk/dossier/zz", {}),
        ("get", "/desk/dossier/%00", {}),
        ("get", "/desk/../health/../desk/nothing", {}),
        ("get", "/desk/static/..%2fsite.py", {}),
        ("get", "/desk/intake/9.999999", {}),
        ("get", "/desk/dossiers?before=zz&s=nope&status=nope", {}),
        ("post", "/desk/search", {"csrf": token, "words": "x" * 300_000}),
        ("post", "/desk/search", {"csrf": token, **{f"n{i}": "x" for i in range(5000)}}),
        ("post", "/desk/held", {"csrf": token, "id": "zz", "do": "adopt"}),
    ]
    for kind, path, form in tries:
        answer = clerk.get(path) if kind == "get" else clerk.post(path, form)
        assert answer.status_code < 500, path
        assert "Traceback" not in clerk.page


def test_the_device_face_is_as_it_was(office: Office) -> None:
    pad = tablet(office.folder, "pad")
    pad.ok("init")
    pad.ok("enrol", "--invite", office.station.ask("invite")["invite"])
    assert pad.ask("sync")["refused"] == {}


def test_a_nearly_full_disk_is_told_and_what_was_typed_stays(office: Office) -> None:
    """The last one: it starts a station of its own, with a reserve that no disk has."""
    station = edge(office.folder, "full", MOTCUA_DISK_RESERVE_BYTES=str(1 << 60))
    office.hub.start()
    try:
        station.ok("init")
        station.ok("enrol", "--invite", office.hub.invite("edge", "Máy đầy"))
        station.ok("sync")
    finally:
        office.hub.stop()
    ca = authority_file(station.home, office.folder)
    with station.serving() as url:
        full = Office(office.folder, office.hub, station, url, ca)
        browser = full.signed_in("Lê Thị Lan")
        browser.get(f"/desk/intake/{MARITAL}")
        browser.send(MARITAL, do="save", name="Nguyễn Hết Chỗ")
        answer = browser.send(MARITAL, do="save")
        assert answer.status_code == 400
        assert "Ổ đĩa của máy gần đầy" in browser.text
        assert browser.form(MARITAL)[1]["name"] == "Nguyễn Hết Chỗ"
        assert station.ask("health")["records"] == 0
