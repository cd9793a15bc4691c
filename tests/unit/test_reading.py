"""What a person reads in a terminal, and in which order words may be typed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from device_home.command import DONE, USAGE, Command, Output, Program
from device_home.dossiers import dossier_commands
from device_home.edits import sort_words
from device_home.reading import NOBODY, dossier_lines, field_text, value_text, values_text
from sync_protocol.dossier.labels import IDENTITY_KINDS
from sync_protocol.dossier.record_type import CITIZEN, DOSSIER, PASSPORT
from sync_protocol.errors import InputError


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "Nguyễn Văn Thử", "Nguyễn Văn Thử"),
        ("phone", None, "–"),
        ("status", "4", "Đang xử lý"),
        ("status", "77", "77"),
        ("procedure", "9.999999", "9.999999"),
        ("identity", ["citizen", "097090912345", None], "Số định danh 097090912345"),
        ("identity", ["passport", "X12345678", "USA"], "Hộ chiếu X12345678 USA"),
        ("birth", ["1990-05-01", None], "1990-05-01"),
        ("address", ["Số 5", "Phường Hoàn Kiếm", "00070"], "Số 5, Phường Hoàn Kiếm, 00070"),
        ("fee", ["8000", "VND"], "8000 VND"),
        ("papers:00ff", ["to-khai", "Tờ khai", None, None, "submitted", None], "Tờ khai (Đã nộp)"),
        ("notes", ["Hẹn thứ Sáu", "remark"], "Hẹn thứ Sáu"),
        ("retraction", ["Nộp nhầm", [["00", 1]]], "Nộp nhầm"),
        ("99", {"a": [1]}, '{"a": [1]}'),
    ],
)
def test_a_value_is_shown_in_words(field: str, value: object, text: str) -> None:
    assert value_text(field, value) == text


def test_every_field_has_words_beside_its_name() -> None:
    assert field_text("phone") == "Số điện thoại [phone]"
    assert field_text("papers:00ff") == "Giấy tờ [papers:00ff]"
    assert field_text("99") == "99"
    assert all(f"[{field.name}]" in field_text(field.name) for field in DOSSIER.fields)
    assert {CITIZEN, PASSPORT} == set(IDENTITY_KINDS)


def test_no_line_of_a_dossier_is_a_programs_value() -> None:
    ticks = {"device": True, "edge": False, "hub": False}
    beside = [
        {"value": "0912000111", "officer_name": "Lê Lan"},
        {"value": None, "officer_name": ""},
    ]
    shape: dict[str, Any] = {
        "id": "00ff",
        "code": "H-1",
        "status_name": "Đang xử lý",
        "saved": ticks,
        "held": True,
        "retracted": True,
        "purged": False,
        "fields": {"phone": {"value": "0912000111", "siblings": beside}},
        "form": {
            "child_name": {"value": "Lê Thử"},
            "child_sex": {"value": "female"},
            "of_an_old_form": {"value": "x"},
        },
        "papers": [{"n": 1, "value": ["a", "Tờ khai", None, None, "known", "cũ"], "scan": None}],
        "notes": [
            {"text": "Đã gọi", "kind": "remark"},
            {"text": "Thiếu giấy chứng sinh", "kind": "2>5"},
            {"text": "Đông người", "kind": "apology:2026-11-20"},
        ],
        "next": ["2", "8"],
    }
    assert list(dossier_lines(shape)) == [
        "00ff  H-1  Đang xử lý  ✓ Đã lưu trên máy",
        "⏸ Chờ kiểm tra: hồ sơ này chưa được tính, hoặc chưa về đến máy này.",
        "⚠ Hồ sơ đã được rút.",
        "  Số điện thoại [phone]: 0912000111",
        "    [1] 0912000111  (Lê Lan)",
        f"    [2] –  ({NOBODY})",
        "  Người con: Họ và tên [form.child_name]: Lê Thử",
        "  Người con: Giới tính [form.child_sex]: Nữ",
        "  Tờ khai [form.of_an_old_form]: x",
        "  Giấy tờ 1: Tờ khai (Đã có, không cần nộp): cũ",
        "  Ghi chú: Đã gọi",
        "  Ghi chú (Được tiếp nhận → Yêu cầu bổ sung giấy tờ): Thiếu giấy chứng sinh",
        "  Ghi chú (xin lỗi, hẹn lại; hạn cũ 20/11/2026): Đông người",
        "  Có thể chuyển sang: Được tiếp nhận, Dừng xử lý",
    ]
    assert list(values_text("phone", [])) == []


# ------------------------------------------------------------------- words in any order


def typed(*words: str) -> tuple[int, list[Namespace]]:
    """Return the exit code of `dossier set`, and what it takes these words for."""
    found: list[Namespace] = []

    def run(_app: object, arguments: Namespace, _output: Output) -> int:
        sort_words(arguments)
        found.append(arguments)
        return 0

    configure = next(c.configure for c in dossier_commands() if c.name == "dossier set")
    command: Command[None] = Command("dossier set", "", run, configure)
    program: Program[None] = Program(
        "p", str, "", [command], lambda _: None, lambda _: None, lambda *_: iter(())
    )
    home = Path("/nowhere")
    return program.execute(None, home, ["dossier", "set", *words], home, lambda *_: None), found


@pytest.mark.parametrize(
    "words",
    [
        [
            "00ff",
            "phone=1",
            "status=2",
            "--note",
            "n",
            "--officer",
            "lan",
            "--seen",
            "ab:1",
            "cd:2",
        ],
        [
            "--note",
            "n",
            "--officer",
            "lan",
            "00ff",
            "phone=1",
            "--seen",
            "ab:1",
            "cd:2",
            "status=2",
        ],
        [
            "phone=1",
            "--seen",
            "ab:1",
            "cd:2",
            "status=2",
            "00ff",
            "--note",
            "n",
            "--officer",
            "lan",
        ],
        [
            "00ff",
            "--officer",
            "lan",
            "phone=1",
            "--note",
            "n",
            "status=2",
            "--seen",
            "ab:1",
            "cd:2",
        ],
    ],
)
def test_a_change_may_be_typed_in_any_order(words: list[str]) -> None:
    code, [found] = typed(*words)
    assert code == DONE
    assert (found.id, sorted(found.fields)) == ("00ff", ["phone=1", "status=2"])
    assert (found.seen, found.note, found.officer) == (["ab:1", "cd:2"], ["n"], "lan")


def test_what_is_neither_option_nor_word_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("00ff", "--note", "n", "--no-such", "phone=1") == (USAGE, [])
    assert "unrecognized arguments: --no-such" in capsys.readouterr().err


@pytest.mark.parametrize(("free", "seen"), [(["ab:1"], None), ([], ["phone=1"])])
def test_seen_entries_stand_after_their_option(free: list[str], seen: list[str] | None) -> None:
    with pytest.raises(InputError):
        sort_words(Namespace(id="00ff", fields=free, more=(), seen=seen))
