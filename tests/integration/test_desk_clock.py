"""The clock at the desk: confirmed once a shift where it is suspect; a reception is corrected."""

from __future__ import annotations

from pathlib import Path

from device_home.notes import keep_contact
from edge_node.desk.sessions import SHIFT_S
from tests.integration.desk import ask, staffed
from tests.integration.desk_pages import chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS, made

MARITAL = "1.004873"


def test_a_sound_clock_asks_nobody(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    keep_contact(edge, MONDAY_MS)
    desk = pages(edge, tmp_path)
    desk.get("/")
    assert desk.status == 200


def test_under_a_suspect_clock_each_officer_confirms_once_a_shift(tmp_path: Path) -> None:
    office = Office(now_ms=MONDAY_MS)
    edge = staffed(office).edge()
    keep_contact(edge, MONDAY_MS - DAY_MS)
    desk = pages(edge, tmp_path)
    desk.get("/")
    assert (desk.status, desk.headers["Location"]) == (302, "/clock")
    desk.get("/clock")
    for day, hour in (("32/11/2026", "15:20"), ("23/11/2026", "25:00"), ("", ""), ("1970", "1:00")):
        desk.send("/clock", day=day, hour=hour)
        assert desk.status == 400, (day, hour)
    desk.send("/clock", day="20/11/2026", hour="15:20")
    assert desk.status == 200
    desk.get("/")
    assert desk.status == 200, "asked once"
    again = pages(edge, tmp_path)
    again.get("/")
    assert again.status == 200, "another session of the same shift does not ask again"
    chief_pages(edge, tmp_path).get("/")
    desk.get(f"/intake/{MARITAL}")
    typed = {"citizen_number": "097190000024", "name": "Nguyễn Thị Thử", "birth_date": "1990"}
    for _ in range(2):  # the second tap says: all the same
        if "/dossier/" not in desk.headers.get("Location", ""):
            action = f"/intake/{MARITAL}"
            desk.post(action, {**desk.form(action), **typed, "do": "save"})
    shown = ask(edge, "dossier", "show", ask(edge, "dossier", "list")[0]["id"])
    assert shown["received_on"] == "2026-11-20"
    assert "theo cán bộ xác nhận" in shown["notes"][-1]["text"]
    office.now_ms += SHIFT_S * 1000
    desk = pages(edge, tmp_path)
    desk.get("/")
    assert desk.status == 302, "the next shift is asked again"


def test_a_reception_is_corrected_with_its_reason_and_the_due_date_counted_anew(
    tmp_path: Path,
) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, procedure=MARITAL, received_on="2026-11-23", due_on="2026-11-27")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/reception")
    desk.send("/reception", day="19/11/2026", hour="16:00", look="1")
    assert "Hạn trả mới: 25/11/2026" in desk.text, "three working days; the 24th is off"
    assert ask(edge, "dossier", "show", record)["received_on"] == "2026-11-23", "only looked at"
    desk.send("/reception", day="19/11/2026", hour="16:00")
    assert (desk.status, "Ghi lý do" in desk.text) == (400, True)
    desk.send("/reception", day="25/12/2026", hour="16:00", reason="?")
    assert (desk.status, "chưa đến" in desk.text) == (400, True)
    desk.send("/reception", day="19/11/2026", hour="16:00", reason="Nhập trễ.")
    shown = ask(edge, "dossier", "show", record)
    assert (shown["received_on"], shown["due_on"]) == ("2026-11-19", "2026-11-25")
    assert shown["fields"]["received_time"]["value"] == "16:00"
    note = shown["notes"][-1]
    assert note["kind"] == "received:2026-11-23"
    assert "Hạn trả 27/11/2026 → 25/11/2026. Nhập trễ." in note["text"]
    assert {"received_on", "received_time", "due_on"} <= set(shown["history"][-1]["fields"])


def test_a_date_that_was_agreed_stays(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, procedure=MARITAL, received_on="2026-11-23", due_on="2026-12-18")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/reception")
    desk.send("/reception", day="19/11/2026", hour="9:00", look="1")
    assert "Hạn trả giữ nguyên" in desk.text
    desk.send("/reception", day="19/11/2026", hour="9:00", reason="Nhập trễ.")
    assert ask(edge, "dossier", "show", record)["due_on"] == "2026-12-18"
