"""Many dossiers from one table, by the command and at the desk."""

from __future__ import annotations

import io
from pathlib import Path

from tests.integration.desk import CLERK, ask, run, staffed
from tests.integration.desk_pages import pages
from tests.integration.exchange.office import Office
from tests.integration.test_moves import MONDAY_MS

TABLE = """Mã thủ tục;Họ và tên;Số định danh;Ngày tiếp nhận;Số điện thoại
1.004873;Nguyễn Bảng Một;097190000024;20/11/2026;0912000123
1.004873;Nguyễn Bảng Hai;12345;20/11/2026;
9.999999;Nguyễn Bảng Ba;;20/11/2026;
1.004873;<b>Nguyễn Bảng Bốn</b>;;20/11/2026;12
1.004873;Nguyễn Bảng Năm;097090000031;20/11/2026;
"""


def test_the_command_takes_a_table(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    file = tmp_path / "bảng.csv"
    file.write_text(TABLE, "utf-8-sig")
    answer = run(edge, "intake", str(file), officer=CLERK)
    assert answer.code == 1
    assert {row["line"]: row.get("error") for row in answer.lines} == {
        2: None, 3: "bad-input", 4: "bad-input", 5: "bad-input", 6: None,
    }  # fmt: skip
    assert "Bảng Hai" not in answer.err
    again = run(edge, "intake", str(file), officer=CLERK)
    assert [row["duplicate"] for row in again.lines if row.get("saved")] == [True, True]
    assert len(ask(edge, "dossier", "list")) == 2


def test_the_desk_takes_a_table_and_tells_each_refused_row(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    desk = pages(edge, tmp_path)
    desk.get("/intake-table")
    desk.send("/intake-table", table=(io.BytesIO(TABLE.encode()), "bang.csv"))
    assert "Đã lưu trên máy: 2 hồ sơ" in desk.text
    assert "Dòng chưa nhận: 3" in desk.text
    for words in (
        "3 Số định danh Số định danh phải có đúng 12 số.",
        "4 Mã thủ tục Không có mã thủ tục này.",
        "5 Số điện thoại Không phải số điện thoại",
    ):
        assert words in desk.text
    desk.send("/intake-table", table=(io.BytesIO(TABLE.encode()), "bang.csv"))
    assert "không lưu lại: 2" in desk.text
    rows = ask(edge, "dossier", "list")
    assert {row["name"] for row in rows} == {"Nguyễn Bảng Năm", "Nguyễn Bảng Một"}
    desk.send("/intake-table", table=(io.BytesIO(b"a,b\n"), "x.csv"))
    assert (desk.status, "cột lạ" in desk.text) == (400, True)
    desk.send("/intake-table", table=(io.BytesIO(b"x" * 300_000), "x.csv"))
    assert desk.status == 413
    desk.get("/intake-table")
    desk.send("/intake-table")
    assert desk.status in (200, 400)
