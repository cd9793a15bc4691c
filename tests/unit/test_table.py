"""Tables that a spreadsheet opens: nothing that people wrote becomes a formula (T18)."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.table import csv_bytes

SIGNS = "=+-@\t\r\n＝＋－＠"
PAYLOADS = [
    *(f"{sign}{rest}" for sign in SIGNS for rest in ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("x")')),
    *(f" {sign}SUM(A1)" for sign in SIGNS),
    *(f"\u00a0{sign}DDE" for sign in SIGNS),
]


def read(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_begins_as_a_formula(payload: str) -> None:
    [[cell, other]] = read(csv_bytes([[payload, "yên"]]))
    assert (cell, other) == ("'" + payload, "yên")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_whatever_is_written_is_read_back(texts: list[str]) -> None:
    [cells] = read(csv_bytes([texts]))
    for text, cell in zip(texts, cells, strict=True):
        assert cell in (text, "'" + text)
        assert not cell.lstrip().startswith(tuple(SIGNS.strip()))


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert csv_bytes([[12, None]]) == b'\xef\xbb\xbf"12",""\r\n'
