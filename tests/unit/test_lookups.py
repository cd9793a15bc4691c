"""The look-ups of the station, without a home: what they answer, and how they are asked."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_node.program import PROGRAM
from tests.unit.dossier.identity_samples import CARDS, PASSPORTS

LINES, _, QR = CARDS[0]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def send(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), "utf-8"))


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = PROGRAM.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_card_is_read_from_the_line_or_from_stdin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    code, answer = ask(capsys, "card", "parse", QR or "")
    assert code == 0
    assert answer["name"] == "Nguyễn Văn Thử"
    assert (answer["sex"], answer["extras"], answer["remarks"]) == ("male", [], [])
    send(monkeypatch, (QR or "").encode() + b"\r\n")
    assert ask(capsys, "card", "parse", "-") == (0, answer)
    assert not list(nowhere.iterdir()), "a look-up leaves nothing behind"


def test_bytes_that_are_no_text_end_in_a_remark(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(monkeypatch, "097192000017||\xd0? M|07081992|N|H|21122021".encode("latin-1"))
    code, answer = ask(capsys, "card", "parse", "-")
    assert code == 0
    assert {"card-garbled", "card-sex"} <= {row["code"] for row in answer["remarks"]}
    assert all(row["vi"] and row["en"] for row in answer["remarks"])


def test_zones_are_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, answer = ask(capsys, "mrz", "check", *LINES.split("\n"))
    assert (code, answer["sound"], answer["layout"]) == (0, True, "TD1")
    assert answer["citizen_number"] == "001090912345"
    send(monkeypatch, LINES.encode())
    assert ask(capsys, "mrz", "check", "-") == (0, answer)
    code, answer = ask(capsys, "mrz", "check", *PASSPORTS[0][0].split("\n"))
    assert (code, answer["issuer"], answer["given_names"]) == (0, "USA", "JANE ANN")


def test_a_wrong_digit_ends_in_exit_1_and_names_the_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = LINES.replace("9003152M", "9003162M").split("\n")
    code, answer = ask(capsys, "mrz", "check", *lines)
    assert (code, answer["sound"]) == (1, False)
    wrong = [row["field"] for row in answer["checks"] if not row["right"]]
    assert wrong == ["birth-date", "composite"]
    assert PROGRAM.main(["mrz", "check", *lines]) == 1
    assert "line 2, character 7 is 2" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("card", "parse", "097192000017"), ("mrz", "check", "A<B")])
def test_what_can_not_be_read_is_one_sentence(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAM.main(words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "[bad-input]" in said.err
    assert words[2] not in said.err


def test_people_read_the_values_and_the_remarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAM.main(["card", "parse", "097192000017||Đỗ Thị Mẫu|31021992|Nữ|Hà Nội|"]) == 0
    said = capsys.readouterr().out
    assert "name            Đỗ Thị Mẫu" in said
    assert "! birth_date: Mã QR có ngày không đọc được." in said
