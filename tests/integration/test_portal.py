"""The queue for the portal, its codes, and the export in the national fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync_protocol import limits
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.desk_pages import chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made

CODE = "000.00.01.H26-261123-0012"
PERSON = {
    "name": "Nguyễn Thị Cổng",
    "citizen_number": "097190000024",
    "birth_date": "1990-08-20",
    "phone": "0912000123",
}
FOREIGNER = {"name": "John Smith", "passport": {"number": "C01X00T47", "issuer": "D"}}


def export(replica: Any, folder: Path, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Export into a new file; return the answer and the file."""
    file = folder / f"{len(list(folder.iterdir()))}.json"
    answer = ask(replica, "export", "portal", "--out", str(file), *words)
    assert answer["bytes"] == file.stat().st_size
    return answer, json.loads(file.read_bytes())


def test_what_the_portal_does_not_know_waits_and_its_code_is_bound(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    first, second = made(edge, CLERK, applicant=PERSON), made(edge, CHIEF)
    desk = pages(edge, tmp_path)
    desk.get("/portal")
    assert "Nguyễn Thị Cổng" in desk.text
    assert "Quá một ngày" not in desk.text
    office.now_ms += 2 * DAY_MS  # Wednesday; Tuesday is a day off
    desk.get("/portal")
    assert desk.text.count("Quá một ngày") == 2
    assert " An " in desk.text
    desk.get(f"/portal/{first}")
    order = [desk.page.index(f'value="{text}"') for text in ("1.004873", "Nguyễn Thị Cổng")]
    order += [desk.page.index(f'value="{text}"') for text in ("097190000024", "20/08/1990")]
    assert order == sorted(order)
    for wrong in ("", "x", "000.00.01.H26-261399-0012"):
        desk.send(f"/portal/{first}", code=wrong)
        assert (desk.status, "Không phải mã hồ sơ" in desk.text) == (400, True)
    desk.send(f"/portal/{first}", code=f" {CODE.lower()} ")
    assert "Nguyễn Thị Cổng" not in desk.text
    assert ask(edge, "dossier", "show", first)["code"] == CODE
    desk.get(f"/portal/{second}")
    desk.send(f"/portal/{second}", code=CODE)
    assert (desk.status, "hồ sơ khác" in desk.text) == (400, True)


def test_a_foreigner_has_no_slot_and_gets_no_number(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, CLERK, applicant=FOREIGNER)
    desk = pages(edge, tmp_path)
    desk.get(f"/portal/{record}")
    assert "không có ô cho hộ chiếu" in desk.text
    ask(edge, "dossier", "set", record, f"official_code={CODE}")
    _, file = export(edge, tmp_path)
    [row] = file["HoSo"]
    assert "DinhDanhCHS" not in row
    assert "C01X00T47" not in json.dumps(file)
    assert file["no_passport_slot"] == [{"id": record, "MaHoSo": CODE}]
    assert file["missing"] == []


def test_the_export_rewrites_nothing_and_knows_what_went_before(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    record, bare = made(edge, CLERK, applicant=PERSON), made(edge, CLERK)
    wanted = ("--missing", "to-khai", "Chưa ký.", "--reason", "Chưa ký.")
    ask(edge, "dossier", "set", record, "status=5", *wanted, officer=CLERK)
    ask(edge, "dossier", "set", record, f"official_code={CODE}")
    answer, file = export(edge, tmp_path)
    assert (answer["exported_now"], answer["missing"], answer["before"]) == (1, 1, 0)
    [row] = file["HoSo"]
    assert (row["MaHoSo"], row["TrangThaiHoSo"], row["KenhThucHien"]) == (CODE, "5", "1")
    assert row["DinhDanhCHS"] == [{"LoaiDinhDanh": "1", "SoDinhDanh": "097190000024"}]
    assert row["NgayHenTra"] == "20261125170000"
    assert row["DanhSachHoSoBoSung"][0]["NguoiYeuCauBoSung"] == "An"
    assert [step["TrangThai"] for step in file["TienDo"]] == ["2", "5"]
    assert file["TienDo"][1]["NguoiXuLy"] == "An"
    assert [(row["id"], row["fields"][0]) for row in file["missing"]] == [(bare, "MaHoSo")]
    answer, file = export(edge, tmp_path)
    assert (file["HoSo"], file["before"][0]["changed"]) == ([], False)
    codes = tmp_path / "codes.txt"
    codes.write_text(f"{CODE}\n\nkhông phải mã\n", "utf-8")
    answer, file = export(edge, tmp_path, "--acknowledged", str(codes))
    assert answer["acknowledged_now"] == 1
    assert file["before"][0]["acknowledged"] == office.now_ms
    ask(edge, "dossier", "set", record, "status=7", officer=CLERK)
    _, file = export(edge, tmp_path)
    assert file["HoSo"][0]["TrangThaiHoSo"] == "7"
    assert file["before"][0]["changed"]
    _, file = export(edge, tmp_path, "--everything")
    assert len(file["HoSo"]) == 1
    there = run(edge, "export", "portal", "--out", str(codes))
    assert (there.code, "already" in there.err) == (1, True)


def test_what_does_not_fit_goes_into_the_next_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PORTAL_EXPORT_DOSSIERS_MAX", 2)
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    for number in range(3):
        record = made(edge, CLERK)
        ask(edge, "dossier", "set", record, f"official_code={CODE[:-1]}{number}")
    assert export(edge, tmp_path)[0]["exported_now"] == 2
    assert export(edge, tmp_path)[0]["exported_now"] == 1


def test_a_supervisor_downloads_the_same_file_at_the_desk(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, CLERK)
    ask(edge, "dossier", "set", record, f"official_code={CODE}")
    clerk, chief = pages(edge, tmp_path), chief_pages(edge, tmp_path)
    clerk.get("/portal")
    assert "portal-export" not in clerk.page
    chief.get("/portal")
    chief.send("/portal-export")
    assert chief.headers["Content-Type"] == "application/json"
    assert json.loads(chief.raw)["HoSo"][0]["MaHoSo"] == CODE
    assert list(tmp_path.iterdir()) == [], "it is streamed from memory"
