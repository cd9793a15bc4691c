"""Who is meant by what was typed: the given name comes last, and nobody types marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_home.command import Output
from device_home.officers import officer_row, officers_called, officers_of, one_officer
from sync_protocol.errors import InputError
from sync_protocol.identity import FeedId, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster

NAMES = (
    "Nguyễn Thị Lan",
    "Nguyễn Thị Lan Anh",
    "Lê Lanh",
    "Trần Văn Bình",
    "Đỗ Thị Bính",
    "Nguyễn Trần Đa",
)


@pytest.fixture
def roster() -> Roster:
    made = Roster()
    for number, name in enumerate(NAMES):
        officer = OfficerId(bytes([0xDA, number]) * 8)
        made.officers[officer] = [(FeedId(bytes(16)), 1, g.Officer(officer, name, g.CLERK))]
    return made


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("Lanh", ["Lê Lanh"]),
        ("lan anh", ["Nguyễn Thị Lan Anh"]),
        ("nguyen thi lan", ["Nguyễn Thị Lan"]),
        ("Nguyễn Lan", ["Nguyễn Thị Lan", "Nguyễn Thị Lan Anh"]),
        ("lan", ["Nguyễn Thị Lan Anh", "Nguyễn Thị Lan"]),
        ("la", ["Nguyễn Thị Lan Anh", "Nguyễn Thị Lan", "Lê Lanh"]),
        ("binh", ["Trần Văn Bình", "Đỗ Thị Bính"]),
        ("Bình", ["Trần Văn Bình"]),
        ("Bi\u0301nh", ["Đỗ Thị Bính"]),
        ("Bỉnh", ["Trần Văn Bình", "Đỗ Thị Bính"]),
        ("trần văn bình", ["Trần Văn Bình"]),
        ("tran", ["Trần Văn Bình", "Nguyễn Trần Đa"]),
        ("tran v", ["Trần Văn Bình"]),
        ("van tran", []),
        ("da", ["Nguyễn Trần Đa"]),
        ("da03", ["Trần Văn Bình"]),
        ("da0", []),
        ("DA05" * 8, ["Nguyễn Trần Đa"]),
        ("ai", []),
        (" ", []),
    ],
)
def test_whom_words_fit(roster: Roster, typed: str, names: list[str]) -> None:
    assert {item.name for item in officers_called(roster, typed)} == set(names)


def test_a_list_goes_by_the_given_name(roster: Roster) -> None:
    assert [item.name.split()[-1] for item in officers_of(roster)] == [
        *("Anh", "Bình", "Bính", "Đa", "Lan", "Lanh")
    ]


def test_several_are_listed_beside_the_answer_and_named_in_no_error(roster: Roster) -> None:
    said: list[tuple[str, str]] = []
    output = Output(lambda stream, text: said.append((stream, text)), as_json=True, cwd=Path("/"))
    rows = [officer_row(item, "00070") for item in officers_called(roster, "lan")]
    with pytest.raises(InputError) as caught:
        one_officer(rows, output)
    assert [stream for stream, _ in said] == ["err", "err"]
    assert all(row["name"] in text for row, (_, text) in zip(rows, said, strict=True))
    assert "Lan" not in caught.value.diagnosis
    with pytest.raises(InputError):
        one_officer([], output)
    one_officer(rows[:1], output)
