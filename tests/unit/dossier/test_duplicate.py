"""Whether two dossiers may be one that was captured twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier import record_type
from sync_protocol.dossier.duplicate import Capture, may_be_one, read_capture, same_name
from sync_protocol.dossier.record_type import CITIZEN, PASSPORT

LAN = Capture(
    procedure="1.004873",
    received_on="2026-11-20",
    status="2",
    name="Nguyễn Thị Lan",
    citizen_number="097190000001",
    number="097190000001",
    birth_date="1990-05-01",
    phone="0912000123",
)
BARE = replace(LAN, citizen_number="", number="")


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (LAN, True),
        (replace(LAN, name="NGUYEN THI LAN", phone="", birth_date=""), True),
        (replace(LAN, name="Nguyễn Lan"), True),  # the number decides
        (replace(LAN, citizen_number="097190000002", number="097190000002"), False),
        (replace(LAN, procedure="1.004222"), False),
        (replace(LAN, received_on="2026-12-20"), True),
        (replace(LAN, received_on="2026-12-21"), False),
        (replace(LAN, received_on="?"), False),
        (replace(LAN, status="3"), False),
        (replace(LAN, status="8"), False),
        (replace(LAN, status="10"), True),
        (BARE, True),
        (replace(BARE, birth_date="1990"), True),
        (replace(BARE, birth_date="1991"), False),
        (replace(BARE, birth_date=""), True),
        (replace(BARE, birth_date="", phone=""), False),  # a name alone is no person
        (replace(BARE, name="Nguyễn Văn Nam"), False),  # nor is a phone
        (replace(BARE, number="X12345678"), True),
        # Two children under their mother's number.
        (replace(LAN, name="Nguyễn Thị Lân"), False),
        (replace(LAN, name="Nguyễn Thị Hoa"), False),
    ],
)
def test_who_may_be_whom(other: Capture, wanted: bool) -> None:
    assert may_be_one(LAN, other) is wanted
    assert may_be_one(other, LAN) is wanted


def test_twins_are_two() -> None:
    child = replace(BARE, name="Trần Gia An", birth_date="2026-11-01")
    twin = replace(child, name="Trần Gia Ân")
    assert not may_be_one(child, twin)
    assert may_be_one(child, replace(child, name="tran gia an"))


def test_names_are_one_wherever_the_tone_stands_and_without_marks() -> None:
    assert same_name("Lê Thị Hoà", "Lê Thị Hòa")
    assert same_name("Lê Thị Hoà", "LE THI HOA")
    assert not same_name("Lê Thị Hoà", "Lê Thị Hoa")
    assert not same_name("", "")


def test_what_newer_programs_write_is_left_out() -> None:
    values: dict[int, object] = {
        record_type.PROCEDURE: 7,
        record_type.NAME: ["x"],
        record_type.IDENTITY: [CITIZEN],
        record_type.BIRTH: "1990",
    }
    assert read_capture(values) == Capture("", "", "", "", "", "", "", "")
    foreign = read_capture({record_type.IDENTITY: [PASSPORT, "X12345678", "USA"]})
    assert (foreign.citizen_number, foreign.number) == ("", "X12345678")
    assert foreign.searches == ["x12345678"]


NAMES = st.text("aAâÂoòóàhHdĐ ", max_size=8)


@given(st.tuples(NAMES, NAMES), st.sampled_from(["", "1990", "1990-05-01"]), st.booleans())
def test_it_does_not_matter_which_is_which(
    names: tuple[str, str], born: str, numbered: bool
) -> None:
    base = LAN if numbered else BARE
    one, other = (replace(base, name=name, birth_date=born) for name in names)
    assert may_be_one(one, other) == may_be_one(other, one)
