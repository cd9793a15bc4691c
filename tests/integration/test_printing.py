"""The national forms: what stands on them, what they embed, when they are printed."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from device_home.dossiers import find_record, load
from device_home.numbers import new_code
from device_home.slips import received, slip_of
from edge_node.print_commands import form_of
from edge_node.printing import daybook
from edge_node.printing.daybook import print_daybook
from edge_node.printing.facts import gather
from edge_node.printing.forms import fitting
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.errors import InputError, LimitExceededError
from sync_protocol.identity import NO_OFFICER
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_slips import lease

MONDAY_MS = 1_795_400_000_000
"""23 November 2026, 9:13 in Hà Nội."""
TODAY = date(2026, 11, 23)
WARD = "Phường Hoàn Kiếm"
HOSTILE = "<b>Đỗ & <font size=99>Thị</font> </para> Mẫu"
PASSPORT = {"number": "X12345678", "issuer": "USA"}


@pytest.fixture
def office() -> Office:
    return staffed(Office(now_ms=MONDAY_MS))


def made(edge: Replica, name: str = "Đỗ Thị Mẫu", **changed: Any) -> str:
    row = {
        **next(iter(sample(1, 1))),
        "procedure": "1.004873",
        "status": "received",
        "received_on": TODAY.isoformat(),
        "due_on": "2026-11-26",
        "applicant": {"name": name, "citizen_number": "097090000017", "phone": "0912000123"},
        "papers": [{"type": "to-khai", "name": "Tờ khai", "state": "compared"}],
        "fee": {"amount": 8000},
        **changed,
    }
    change = received(edge, read_intake(json.dumps(row).encode()).change())
    return edge.write([change], CLERK).records[0].hex()


def words(content: bytes) -> str:
    reader = PdfReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def fonts(content: bytes) -> list[Any]:
    page = PdfReader(io.BytesIO(content)).pages[0]
    found = page["/Resources"]["/Font"]  # type: ignore[index]
    return [found[name].get_object() for name in found]


def test_the_slip_says_what_the_law_wants_in_vietnamese(office: Office) -> None:
    edge = office.edge()
    record = made(edge)
    content = form_of(edge, WARD, "01", record, CLERK)
    said = words(content)
    slip = slip_of(load(edge, find_record(edge, record))[0])
    assert slip is not None
    for part in (
        *("GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ", "Độc lập - Tự do - Hạnh phúc"),
        *("PHƯỜNG HOÀN KIẾM", "Hoàn Kiếm, ngày 23 tháng 11 năm 2026", f"{slip.code} (mã tạm)"),
        *("Đỗ Thị Mẫu", "097090000017", "0912000123", "Xác nhận tình trạng hôn nhân", "Tờ khai"),
        *("Đã đối chiếu, trả lại", "3 ngày làm việc", "09 giờ 13 phút", "26/11/2026", "8.000 đồng"),
        *(f"{slip.secret[:4]} {slip.secret[4:8]} {slip.secret[8:]}", "An", "01 bộ"),
    ):
        assert part in said, part
    assert "Applicant" not in said
    data = PdfReader(io.BytesIO(content)).metadata
    assert data is not None
    assert "Đỗ" not in str(data)


def test_the_slip_names_whom_it_is_about(office: Office) -> None:
    edge = office.edge()
    form = {"child_name": "Trần Bé Mẫu", "father_name": "Trần Cha"}
    record = made(edge, procedure="1.001193", form=form)
    said = words(form_of(edge, WARD, "01", record, CLERK))
    assert "Trần Bé Mẫu" in said
    assert "Trần Cha" not in said


def test_every_font_is_embedded(office: Office) -> None:
    edge = office.edge()
    found = fonts(form_of(edge, WARD, "01", made(edge), CLERK))
    used = [font for font in found if "Tinos" in font["/BaseFont"]]
    assert len(used) >= 3
    assert all("/FontFile2" in font["/FontDescriptor"] for font in used)


def test_a_name_is_never_taken_for_markup(office: Office) -> None:
    edge = office.edge()
    record = made(edge, name=HOSTILE, notes=["</b><br/>&"])
    assert "<font size=99>" in words(form_of(edge, WARD, "01", record, CLERK))


def test_a_long_dossier_takes_more_pages(office: Office) -> None:
    edge = office.edge()
    papers = [{"type": "to-khai", "name": f"Giấy tờ số {n} " + "dài " * 60} for n in range(60)]
    content = form_of(edge, WARD, "01", made(edge, name="Dài " * 45, papers=papers), CLERK)
    assert len(PdfReader(io.BytesIO(content)).pages) > 2
    assert "Giấy tờ số 59" in words(content)


@pytest.mark.parametrize("sign", ["W", "Ữ", "漢", "😀", "W\u0301"])
def test_the_longest_values_there_can_be_are_printed(office: Office, sign: str) -> None:
    edge = office.edge()
    applicant = {
        "name": (sign * 200)[:200],
        "citizen_number": "097090000017",
        "phone": "0912000123",
        "address": {"line": (sign * 300)[:300], "unit": (sign * 100)[:100]},
    }
    papers = [{"type": "to-khai", "name": (sign * 300)[:300], "note": (sign * 500)[:500]}] * 3
    record = made(edge, applicant=applicant, papers=papers)
    long = (sign * 4000)[:4000]
    asked = ("--missing", "to-khai", (sign * 500)[:500])
    why = ("status=supplement", "--reason", long, *asked)
    ask(edge, "dossier", "set", record, *why, officer=CLERK)
    ask(
        edge,
        "dossier",
        "apologise",
        record,
        "--until",
        "2026-11-30",
        "--reason",
        "\n".join("x" * 2000),
    )
    for form in ("01", "02", "04", "06"):
        assert PdfReader(io.BytesIO(form_of(edge, WARD, form, record, CLERK))).pages
    assert PdfReader(io.BytesIO(print_daybook(edge, WARD, TODAY, TODAY))).pages


def test_a_foreigners_slip_is_bilingual(office: Office) -> None:
    edge = office.edge()
    applicant = {"name": "JANE ANN SMITH", "passport": PASSPORT, "birth_date": "1985-07-04"}
    content = form_of(edge, WARD, "01", made(edge, applicant=applicant), CLERK)
    said = words(content)
    for part in ("Applicant", "Certificate of marital status", "3 working days", "X12345678 USA"):
        assert part in said, part
    assert len(PdfReader(io.BytesIO(content)).pages) == 1


def test_the_qr_code_is_read_back(office: Office, tmp_path: Path) -> None:
    if shutil.which("pdftoppm") is None:
        pytest.skip("needs pdftoppm")
    import zxingcpp
    from PIL import Image

    edge = office.edge()
    record = made(edge)
    (tmp_path / "slip.pdf").write_bytes(form_of(edge, WARD, "01", record, CLERK))
    subprocess.run(
        ["pdftoppm", "-r", "150", "-png", "slip.pdf", "slip"], cwd=tmp_path, check=True, timeout=60
    )
    (found,) = zxingcpp.read_barcodes(Image.open(next(tmp_path.glob("slip*.png"))))
    assert found.text == str(slip_of(load(edge, find_record(edge, record))[0]))


# ------------------------------------------------------------------------------ what was decided


def test_each_form_is_printed_where_its_decision_stands(office: Office) -> None:
    edge = office.edge()
    record = made(edge, status="filed")

    def fits() -> list[str]:
        found = find_record(edge, record)
        return fitting(gather(edge, WARD, found, CLERK))

    assert fits() == ["01", "06"]
    with pytest.raises(InputError):
        form_of(edge, WARD, "02", record, CLERK)
    why = ("--reason", "Thiếu chữ ký.", "--missing", "to-khai", "Chưa ký")
    ask(edge, "dossier", "set", record, "status=supplement", *why, officer=CLERK)
    assert fits() == ["01", "02", "06"]
    said = words(form_of(edge, WARD, "02", record, CLERK))
    assert all(part in said for part in ("Thiếu chữ ký.", "Chưa ký", "Tờ khai", "NGƯỜI HƯỚNG DẪN"))
    refusal = ("--reason", "Không thuộc thẩm quyền.")
    ask(edge, "dossier", "set", record, "status=refused", *refusal, officer=CHIEF)
    assert fits() == ["03", "06"]
    assert "Không thuộc thẩm quyền." in words(form_of(edge, WARD, "03", record, CHIEF))


def test_an_apology_names_the_first_date_and_the_new_one(office: Office) -> None:
    edge = office.edge()
    record = made(edge)
    why = ("--until", "2026-11-30", "--reason", "Chờ xác minh.")
    ask(edge, "dossier", "apologise", record, *why, officer=CLERK)
    said = words(form_of(edge, WARD, "04", record, CHIEF))
    assert all(part in said for part in ("26/11/2026", "30/11/2026", "Chờ xác minh.", "xin lỗi"))


def test_a_stop_names_its_stage_and_the_control_sheet_who_did_what(office: Office) -> None:
    edge = office.edge()
    record = made(edge)
    ask(edge, "dossier", "set", record, "status=processing", officer=CLERK)
    office.now_ms += 4 * DAY_MS
    why = ("--reason", "Người nộp đề nghị.")
    ask(edge, "dossier", "set", record, "status=stopped", *why, officer=CHIEF)
    said = words(form_of(edge, WARD, "05", record, CHIEF))
    assert all(part in said for part in ("Đang xử lý", "Người nộp đề nghị."))
    said = words(form_of(edge, WARD, "06", record, CLERK))
    assert all(part in said for part in ("Được tiếp nhận", "An", "Bình", "Quá hạn"))


# --------------------------------------------------------------------------------- the daybook


def test_the_daybook_lists_the_days_and_explains_unused_numbers(office: Office) -> None:
    edge = office.edge()
    lease(office, edge, 1, 50)
    office.sync(edge)
    made(edge, name="Nguyễn Một")
    new_code(edge, TODAY)  # taken, and the machine was switched off
    made(edge, name="Trần Ba")
    made(edge, name="Lê Hôm Khác", received_on="2026-11-20")
    said = words(print_daybook(edge, WARD, TODAY, TODAY))
    for part in ("SỔ THEO DÕI HỒ SƠ", "2 hồ sơ", "H26.1-261123-0001", "Nguyễn Một", "Trần Ba"):
        assert part in said, part
    assert "Số không dùng (H26.1, ngày 23/11/2026): 0002." in said
    assert "Lê Hôm Khác" not in said


def test_a_daybook_that_is_too_long_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = office.edge()
    made(edge)
    monkeypatch.setattr(daybook, "ROWS_MAX", 0)
    with pytest.raises(LimitExceededError):
        print_daybook(edge, WARD, TODAY, TODAY)


def test_a_ward_without_dossiers_prints_an_empty_daybook(office: Office) -> None:
    assert "0 hồ sơ" in words(print_daybook(office.edge(), WARD, TODAY, TODAY))


def test_a_dossier_from_a_file_gets_its_slip_when_it_is_printed(office: Office) -> None:
    edge = office.edge()
    row = {**next(iter(sample(1, 1))), "status": "received"}
    (record,) = edge.write([read_intake(json.dumps(row).encode()).change()], NO_OFFICER).records
    first = words(form_of(edge, WARD, "01", record.hex(), CLERK))
    assert "Mã bí mật" in first
    assert words(form_of(edge, WARD, "01", record.hex(), CLERK)) == first


# ------------------------------------------------------------------------------- the command line


def test_the_command_writes_where_it_is_told_and_over_nothing(
    office: Office, tmp_path: Path
) -> None:
    edge = office.edge()
    record = made(edge)
    file = tmp_path / "slip.pdf"
    answer = ask(edge, "print", "01", record[:12], "--out", str(file), officer=CLERK)
    assert answer == {"form": "01", "file": str(file), "bytes": file.stat().st_size}
    assert "Đỗ Thị Mẫu" in words(file.read_bytes())
    assert "already" in run(edge, "print", "01", record, "--out", str(file)).err
    days = ("--from", TODAY.isoformat())
    ask(edge, "print", "07", *days, "--out", str(tmp_path / "book.pdf"))
    assert "1 hồ sơ" in words((tmp_path / "book.pdf").read_bytes())


@pytest.mark.parametrize(
    "wrong",
    [
        ("01",),
        ("01", "ffffffff"),
        ("02", "RECORD"),
        ("07",),
        ("07", "--from", "2026-11-23", "--to", "2026-11-22"),
        ("07", "--from", "yesterday"),
        ("07", "RECORD", "--from", "2026-11-23"),
    ],
)
def test_what_can_not_be_printed_writes_nothing(
    office: Office, tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    edge = office.edge()
    record = made(edge)
    typed = [record if word == "RECORD" else word for word in wrong]
    answer = run(edge, "print", *typed, "--out", str(tmp_path / "x.pdf"))
    assert answer.code == 1
    assert not list(tmp_path.iterdir())
