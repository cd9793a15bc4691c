"""A table of dossiers as spreadsheets write it: columns by name, rows judged one by one."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_home.intake_csv import COLUMNS, column_words, csv_lines
from sync_protocol import limits
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.labels import ENGLISH, VIETNAMESE
from sync_protocol.errors import InputError

HEAD = "Mã thủ tục,Họ và tên,Ngày tiếp nhận,Tình trạng,Số điện thoại\n"
ROW = "1.004873,Nguyễn Thử,20/11/2026,,0912000123\n"
SAMPLE = Path(__file__).parents[2] / "docs" / "intake-sample.csv"


def read(raw: bytes) -> list[tuple[int, Any]]:
    return [
        (number, line if isinstance(line, InputError) else json.loads(line))
        for number, line in csv_lines(io.BytesIO(raw))
    ]


def test_the_sample_of_the_document_is_three_dossiers() -> None:
    with SAMPLE.open("rb") as file:
        lines = list(csv_lines(file))
    assert [number for number, _ in lines] == [2, 3, 4]
    found = [read_intake(line) for _, line in lines if isinstance(line, bytes)]
    assert [item.values[7] for item in found] == ["2", "2", "4"]
    assert found[0].values[4] == ["1990-08-20", None]
    assert found[1].values[2] == ["passport", "C01X00T47", "D"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("language", [VIETNAMESE, ENGLISH])
def test_columns_are_named_in_both_languages_with_or_without_marks(
    delimiter: str, language: str
) -> None:
    names = [column_words(item.place, language).replace(",", "") for item in COLUMNS]
    head = delimiter.join(names).upper()
    cells = delimiter.join(str(number) for number in range(len(COLUMNS)))
    [(number, row)] = read(f"\ufeff{head}\r\n{cells}\r\n".encode())
    assert (number, row["procedure"], row["notes"]) == (2, "0", ["14"])


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("Mã thủ tục,Họ và tên,Ngày tiếp nhận,Lương\n", "column"),
        ("Mã thủ tục,Họ và tên,Full name,Ngày tiếp nhận\n", "column"),
        ("Mã thủ tục,Họ và tên\n", "columns"),
        ("\n", "columns"),
        ("{}\n", "column"),
    ],
)
def test_a_first_row_that_would_lose_something_refuses_the_file(head: str, reason: str) -> None:
    with pytest.raises(InputError) as problem:
        read((head + ROW).encode())
    assert problem.value.evidence["reason"] == reason
    assert "Lương" not in problem.value.diagnosis


def test_a_bad_row_is_told_with_its_line_and_stops_no_other() -> None:
    rows = [
        ROW.encode(),
        b"\n",
        ROW.replace("Thử", "Th\x00ử").encode(),
        b"1.004873,\xff\xfe,20/11/2026,,\n",
        b"1.004873,A,20/11/2026,,,,x\n",
        b"1.004873," + b"x" * limits.INTAKE_LINE_BYTES_MAX + b",20/11/2026,,\n",
        ROW.encode(),
    ]
    found = read(HEAD.encode() + b"".join(rows))
    problems = {n: row.evidence["reason"] for n, row in found if isinstance(row, InputError)}
    assert problems.items() >= {5: "encoding", 6: "cells", 7: "encoding"}.items()
    assert [n for n, row in found if not isinstance(row, InputError)][0::2][-1] in (4, 8)
    assert found[-1][0] == 8


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_one_refusal(raw: bytes) -> None:
    for prefix in (b"", HEAD.encode()):
        try:
            lines = list(csv_lines(io.BytesIO(prefix + raw)))
        except InputError:
            continue
        for _, line in lines:
            if isinstance(line, bytes):
                try:
                    read_intake(line)
                except InputError:
                    continue
