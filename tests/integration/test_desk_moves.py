"""Moves at the desk: papers asked for one by one, refusal, apology, result, hand-over."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.desk import ask, staffed
from tests.integration.desk_pages import chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS, made


def test_a_supplement_is_asked_for_paper_by_paper(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, procedure="1.004873", due_on="2026-11-25")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}")
    assert "Yêu cầu bổ sung giấy tờ" in desk.text
    assert f"/dossier/{record}/move/5" in desk.page
    assert "/move/3" not in desk.page
    desk.get(f"/dossier/{record}/move/5")
    bare = desk.send("/move/5", reason="Thiếu giấy tờ.")
    assert (desk.status, "từng giấy tờ" in bare) == (400, True)
    kind = next(name for name in desk.form("/move/5") if name.startswith("missing."))
    desk.send("/move/5", **{kind: "Chưa ký.", "reason": ""})
    assert desk.status == 400
    assert desk.form("/move/5")[kind] == "Chưa ký.", "what was typed stays"
    desk.send("/move/5", reason="Tờ khai chưa ký.")
    assert desk.status == 200
    shown = ask(edge, "dossier", "show", record)
    assert shown["status"] == "5"
    assert [(p["type"], p["note"]) for p in shown["papers"] if p["state"] == "missing"] == [
        (kind.removeprefix("missing."), "Chưa ký.")
    ]
    [note] = [item for item in shown["notes"] if item["kind"] == "2>5"]
    assert (note["text"], note["officer_name"]) == ("Tờ khai chưa ký.", "An")
    desk.get(f"/dossier/{record}/move/2")
    assert "Vẫn còn giấy tờ" in desk.text or "look" in desk.page
    boxes = re.findall(r'name="(came\.[0-9a-f]+)"', desk.page)
    assert len(boxes) == 1
    desk.send("/move/2", **{boxes[0]: "on"})
    shown = ask(edge, "dossier", "show", record)
    assert shown["status"] == "2"
    assert "missing" not in {paper["state"] for paper in shown["papers"]}


def test_only_a_supervisor_refuses_at_the_desk_and_says_why(tmp_path: Path) -> None:
    edge = staffed(Office()).edge()
    record = made(edge, status="filed")
    clerk, chief = pages(edge, tmp_path), chief_pages(edge, tmp_path)
    clerk.get(f"/dossier/{record}/move/3")
    assert "Chỉ lãnh đạo" in clerk.text
    clerk.get(f"/dossier/{record}/move/2")
    token = {"csrf": clerk.form("/move/2")["csrf"]}
    clerk.post(f"/dossier/{record}/move/3", {**token, "reason": "Không."})
    assert clerk.status == 400
    chief.get(f"/dossier/{record}/move/3")
    chief.send("/move/3")
    assert chief.status == 400
    chief.send("/move/3", reason="Không thuộc thẩm quyền.")
    shown = ask(edge, "dossier", "show", record)
    assert (shown["status"], shown["notes"][-1]["officer_name"]) == ("3", "Bình")
    chief.get(f"/dossier/{record}/move/4")
    assert chief.status == 404, "nothing follows a refusal"


def test_a_result_is_signed_waits_is_handed_over_and_a_wrong_one_taken_back(
    tmp_path: Path,
) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    record = made(edge, due_on="2026-11-30")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/move/9")
    desk.send("/move/9", reference="12/XN-UBND", signer="Trần Văn Ký", signed_on="23/11/2026")
    fields = ask(edge, "dossier", "show", record)["fields"]
    assert fields["result"]["value"] == ["12/XN-UBND", "Trần Văn Ký", "2026-11-23"]
    office.now_ms += 3 * DAY_MS
    desk.get("/uncollected")
    assert "12/XN-UBND" in desk.text
    assert "(3 ngày)" in desk.text
    desk.get(f"/dossier/{record}/move/4")
    desk.send("/move/4")
    assert desk.status == 400, "a wrong result is taken back with its reason"
    desk.send("/move/4", reason="Sai ngày sinh.")
    desk.get("/uncollected")
    assert "mọi kết quả đã được nhận" in desk.text
    for code, typed in (("9", {"reference": "13/XN-UBND"}), ("10", {"to": ""})):
        desk.get(f"/dossier/{record}/move/{code}")
        desk.send(f"/move/{code}", **typed)
    assert desk.status == 400, "somebody must have taken it"
    desk.send("/move/10", **{"to": "Nguyễn Được Trao", "as": "người được ủy quyền"})
    shown = ask(edge, "dossier", "show", record)
    assert shown["fields"]["handed_over"]["value"] == ["Nguyễn Được Trao", "người được ủy quyền"]
    assert shown["status"] == "10"
    assert "4" in {note["kind"][-1] for note in shown["notes"]}
    desk.get(f"/dossier/{record}")
    assert "Nguyễn Được Trao" in desk.text


def test_a_result_is_not_signed_on_a_day_to_come(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, status="processing")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/move/9")
    desk.send("/move/9", reference="12/XN", signed_on="31/12/2026")
    assert (desk.status, "chưa tới" in desk.text) == (400, True)
    assert ask(edge, "dossier", "show", record)["status"] == "4"


def test_an_apology_gives_a_new_date_and_says_why(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, due_on="2026-11-25")
    desk = pages(edge, tmp_path)
    desk.get(f"/dossier/{record}/apology")
    for typed in ({"until": "27/11/2026"}, {"until": "mai", "reason": "Đông."}):
        desk.send("/apology", **typed)
        assert desk.status == 400
    assert "hôm nay" not in desk.send("/apology", until="29/11/2026", reason="Đông người.")
    assert "ngày nghỉ" in desk.text
    desk.send("/apology", until="27/11/2026", reason="Đông người.")
    shown = ask(edge, "dossier", "show", record)
    assert shown["due_on"] == "2026-11-27"
    assert shown["notes"][-1]["kind"] == "apology:2026-11-25"


def test_a_withdrawal_finds_its_way_back(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, status="processing")
    desk = pages(edge, tmp_path)
    for code in ("7", "4", "7", "8"):
        desk.get(f"/dossier/{record}/move/{code}")
        desk.send(f"/move/{code}", reason="Công dân đề nghị.")
        assert desk.status == 200
    assert ask(edge, "dossier", "show", record)["status"] == "8"


def test_a_supervisor_approves_what_was_shown_and_nothing_else(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    record = made(edge, status="processing")
    office.sync(edge)
    office.sync(other)
    clerk, chief = pages(edge, tmp_path), chief_pages(edge, tmp_path)
    clerk.get("/approvals")
    assert clerk.status == 403
    chief.get("/approvals")
    ask(edge, "dossier", "set", record, "phone=0912000123")
    assert "vừa thay đổi" in chief.send(f"/approvals/{record}")
    assert "Đã lưu phê duyệt" in chief.send(f"/approvals/{record}")
    assert "Không có hồ sơ nào chờ" in chief.text
    assert ask(edge, "dossier", "show", record)["fields"]["approval"]["value"] == "approved"
    assert "Phê duyệt Đã phê duyệt" in clerk.get(f"/dossier/{record}")
    ask(other, "dossier", "set", record, "name=Nguyễn Người Khác")
    for replica in (other, edge):
        office.sync(replica)
    [item] = ask(edge, "dossier", "show", record)["disputed"]
    assert item["kind"] == "basis"
