"""What the station answers about procedures and due dates, without a home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_node.program import PROGRAM
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.edition import go_by


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert PROGRAM.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_procedures_are_listed_and_found_without_marks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = ask(capsys, "procedure", "list")
    assert len(rows) == len(catalogue().procedures)
    found = ask(capsys, "procedure", "list", "--text", "ket hon nuoc ngoai")
    assert [row["code"] for row in found] == ["2.000806"]
    assert found[0]["essential"] == [11]
    assert ask(capsys, "procedure", "list", "--text", "Birth registration")
    services = ask(capsys, "procedure", "list", "--essential")
    assert [row["number"] for row in services] == list(range(1, 26))


def test_a_procedure_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    row = ask(capsys, "procedure", "show", "1.001193.000.00.00.H26")
    assert (row["code"], row["desk"], row["at_the_ward"]) == ("1.001193", "ward", True)
    assert row["official"] == "Thủ tục đăng ký khai sinh"
    assert row["time"] == {
        "amount": 0,
        "unit": "working-day",
        "cut_off": "15:00",
        "vi": "trong ngày (nhận không muộn hơn 15:00)",
        "en": "the same day (if in by 15:00)",
    }
    papers = {paper["type"]: paper for paper in row["papers"]}
    assert papers["giay-chung-sinh"]["known_from"] == "health"
    assert papers["the-can-cuoc"]["present"]
    assert row["catalogue_version"] == catalogue().edition.version


@pytest.mark.parametrize("code", sorted(catalogue().procedures))
def test_every_procedure_can_be_shown_to_people(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAM.main(["procedure", "show", code]) == 0
    assert catalogue().procedures[code].official in capsys.readouterr().out


def test_a_deadline_is_counted_with_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "deadline", "1.004873", "--received", "2026-08-20T14:30")
    assert (answer["received"], answer["due"]) == ("2026-08-20T14:30", "2026-08-24T17:00")
    assert (answer["provisional"], answer["case"]) == (False, None)
    assert [step["code"] for step in answer["steps"]] == [
        *("received", "counted", "counted-swapped", "weekend", "counted", "due"),
    ]
    # A time with a zone is brought to local time.
    again = ask(capsys, "deadline", "1.004873", "--received", "2026-08-20T07:30Z")
    assert again == answer


def test_a_case_has_a_time_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("deadline", "1.010041", "--received", "2026-11-16T09:00")
    assert ask(capsys, *words)["due"] == "2026-11-17T17:00"
    assert ask(capsys, *words, "--case", "verify")["due"] == "2026-11-19T17:00"


def test_without_a_time_it_is_now(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "deadline", "1.004873")
    assert answer["due"] > answer["received"]


def test_a_published_table_is_laid_over(capsys: pytest.CaptureFixture[str], nowhere: Path) -> None:
    (nowhere / "2027.toml").write_text(
        """
        [[table]]
        issued_on = 2026-12-10
        source = "the decision for 2027"
        valid_from = 2027-01-01
        valid_until = 2027-12-31
        off = [{ day = 2027-01-04, vi = "Nghỉ bù", en = "Day off instead" }]
        """,
        "utf-8",
    )
    words = ("deadline", "1.004873", "--received", "2026-12-30T09:00")
    before = ask(capsys, *words)
    assert (before["due"], before["provisional"]) == ("2027-01-05T17:00", True)
    after = ask(capsys, *words, "--calendar", "2027.toml")
    assert (after["due"], after["provisional"]) == ("2027-01-06T17:00", False)
    assert after["calendar_version"] == "2026-12-10"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("procedure", "show", "1.999999"), "no procedure with this code"),
        (("deadline", "1.0133611"), "no procedure with this code"),
        (("deadline", "1.001193", "--received", "yesterday"), "must be a time"),
        (("deadline", "1.001193", "--received", "9999-12-31T23:59-12:00"), "must be a time"),
        (("deadline", "1.001193", "--received", "1990-01-01T09:00"), "in no year"),
        (("deadline", "1.001193", "--case", "none"), "no such case; it has: none"),
        (("deadline", "1.010041", "--case", "none"), "no such case; it has: verify"),
        (("deadline", "2.002622"), "no fixed time"),
        (("deadline", "1.001193", "--calendar", "nowhere.toml"), "missing or can't be read"),
    ],
)
def test_what_can_not_be_answered_is_one_sentence(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAM.main(words) == 1
    said = capsys.readouterr()
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_file_that_is_no_table_is_refused(
    capsys: pytest.CaptureFixture[str], nowhere: Path
) -> None:
    for content in (b"\xff\xfe", b"x" * 300_000, b"table = 1"):
        (nowhere / "bad.toml").write_bytes(content)
        words = ("deadline", "1.001193", "--calendar", "bad.toml")
        assert PROGRAM.main(words) == 1
        assert "program broke" not in capsys.readouterr().err


def test_an_edition_for_newer_programs_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    go_by(lambda: {"edition.toml": "form = 'newer'"})
    try:
        assert PROGRAM.main(["procedure", "show", "1.001193", "--json"]) == 0
        told = capsys.readouterr()
    finally:
        go_by(dict)
    assert json.loads(told.out)["code"] == "1.001193"
    assert "needs a newer program" in told.err
