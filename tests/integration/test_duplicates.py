"""What is captured twice is told beside the line, and listed side by side; nothing is blocked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from device_home.command import Output
from device_home.duplicates import Watch
from device_home.intake import Import
from sync_protocol.dossier.sample import sample
from sync_protocol.identity import NO_OFFICER
from sync_protocol.replica import Replica
from tests.integration.desk import ask
from tests.integration.exchange.office import Office


def taken(
    replica: Replica, rows: list[dict[str, Any]], remembered_max: int = 100
) -> list[dict[str, Any]]:
    """Take rows in as one run of `intake --json`; return its answers."""
    said: list[str] = []
    output = Output(
        lambda stream, text: said.append(text) if stream == "out" else None, True, Path()
    )
    run = Import(replica, output, Path(), NO_OFFICER, {}, Watch(replica, remembered_max))
    for number, row in enumerate(rows, start=1):
        run.take(number, json.dumps(row).encode())
    run.save()
    return [json.loads(line) for line in "".join(said).splitlines()]


def twice(answer: dict[str, Any]) -> list[str]:
    """Return the dossiers that an answer names as perhaps the same."""
    found = [row for row in answer.get("remarks", ()) if row["code"] == "captured-twice"]
    return [name for row in found for name in row["dossiers"]]


def test_a_line_is_compared_with_what_is_there_and_with_the_lines_before() -> None:
    office = Office()
    here, there = office.edge("một"), office.edge("hai")
    row, other, third = ({**item, "status": "received"} for item in sample(3, 1))
    copy = {**row, "notes": ["Lần hai"]}
    first = taken(here, [row, other, copy])
    assert [twice(answer) for answer in first] == [[], [], [first[0]["id"]]]
    assert all(answer["saved"] for answer in first)
    second = taken(here, [third, {**other, "notes": ["Lần nữa"]}])
    assert [twice(answer) for answer in second] == [[], [first[1]["id"]]]
    office.sync(here)
    office.sync(there)
    assert twice(taken(there, [{**row, "notes": ["Ở quầy khác"]}])[0]) == sorted(
        (first[0]["id"], first[2]["id"])
    )
    listed = ask(there, "dossier", "duplicates", first[1]["id"])
    assert [item["id"] for item in listed["duplicates"]] == [second[1]["id"]]
    assert ask(here, "dossier", "duplicates", second[0]["id"])["duplicates"] == []
    ask(here, "dossier", "set", second[1]["id"], "status=stopped", "--reason", "Nộp hai lần.")
    assert ask(here, "dossier", "duplicates", first[1]["id"])["duplicates"] == []


def test_a_long_file_is_compared_with_what_was_saved_of_it() -> None:
    edge = Office().edge()
    rows = [{**item, "status": "received"} for item in sample(12, 3)]
    answers = taken(edge, [*rows, {**rows[0], "notes": ["Lần nữa"]}], remembered_max=4)
    assert [twice(answer) for answer in answers[:-1]] == [[]] * 12
    assert twice(answers[-1]) == [answers[0]["id"]]
