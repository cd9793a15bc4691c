"""Official and provisional codes, and leased numbers: read, written, never taken twice."""

from __future__ import annotations

import string
from collections import deque
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.dossier_code import (
    DossierCode,
    ProcedureCode,
    read_dossier_code,
    read_procedure_code,
)
from sync_protocol.dossier.number_block import Lease, NumberBlock
from sync_protocol.dossier.provisional_code import (
    make_provisional_code,
    read_provisional_code,
)
from sync_protocol.errors import InputError, SchemaError

DAYS = st.dates(date(2025, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("text", "agency", "day", "number"),
    [
        ("000.00.01.H26-260930-0012", "000.00.01.H26", date(2026, 9, 30), 12),
        ("H26.1.2-230228-0001", "H26.1.2", date(2023, 2, 28), 1),
        ("H55.242-260930-0001", "H55.242", date(2026, 9, 30), 1),
        ("G09.20-20260609-0092637", "G09.20", date(2026, 6, 9), 92637),
    ],
)
def test_codes_in_use_are_read_and_written_back(
    text: str, agency: str, day: date, number: int
) -> None:
    code = read_dossier_code(f" {text.lower()}\n")
    assert (code.agency, code.received_on, code.number) == (agency, day, number)
    assert str(code) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "MT-260930-7K3QD9X", "MT-260930-1234567", "H26-260931-0001", "H26-261301-0001"),
        *("H26-260930-001", "H26-260930-00000001", "26.01-260930-0001", "H26.G01-260930-0001"),
        *("H26-19990930-0001", "0.0.0.0.H26-260930-0001", "H26-٢٦٠٩٣٠-0001", "A" * 5000),
        "0000000000000000000000.H26-260930-0000001",
    ],
)
def test_what_is_no_official_code_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_dossier_code(text)
    assert caught.value.evidence["field"] == "code"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.001193", ProcedureCode("1.001193", None, None)),
        ("1.001193.01", ProcedureCode("1.001193", "01", None)),
        ("1.001193.000.00.00.H56", ProcedureCode("1.001193", None, "000.00.00.H56")),
        ("2.002621.H56", ProcedureCode("2.002621", None, "H56")),
        ("1.001193.01.H26", ProcedureCode("1.001193", "01", "H26")),
        ("1.0133611", None),
        ("1.014955-Xoa", None),
        ("2.009182739", None),
        ("", None),
    ],
)
def test_procedure_codes_are_taken_apart(text: str, wanted: ProcedureCode | None) -> None:
    assert read_procedure_code(text) == wanted


AGENCIES = st.from_regex(
    r"([0-9]{2,3}\.){0,3}[HG][0-9]{2}|[HG][0-9]{2}\.[0-9]{1,3}", fullmatch=True
)


@given(AGENCIES, DAYS, st.integers(0, 9999), st.integers(4, 7), st.booleans())
def test_whatever_is_written_is_read_back(
    agency: str, day: date, number: int, digits: int, long_date: bool
) -> None:
    code = DossierCode(agency, day, number, digits, long_date)
    assert read_dossier_code(str(code)) == code


@given(st.text() | st.from_regex(r"[A-Z0-9.]{1,20}-[0-9]{6,8}-[0-9]{4,7}", fullmatch=True))
def test_any_text_gives_a_code_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert str(read_dossier_code(text)) == text.strip().upper()
    with suppress(InputError):
        assert read_provisional_code(text).text.startswith("MT-")
    read_procedure_code(text)


def test_parts_that_make_no_code_are_refused() -> None:
    for agency, number, digits in (("H26", 10_000, 4), ("26", 1, 4), ("H26", 1, 3), ("H26", -1, 4)):
        with pytest.raises(InputError):
            DossierCode(agency, date(2026, 9, 30), number, digits)


# ------------------------------------------------------------------------------- provisional


def test_a_provisional_code_looks_like_no_official_one() -> None:
    code = make_provisional_code(date(2026, 9, 30), bytes(8))
    assert code.text == "MT-260930-0000008"
    with pytest.raises(InputError):
        read_dossier_code(code.text)


@given(DAYS, st.binary(min_size=8, max_size=16))
def test_a_provisional_code_is_read_however_it_is_typed(day: date, entropy: bytes) -> None:
    code = make_provisional_code(day, entropy)
    assert read_provisional_code(code.text) == code
    assert code.received_on == day
    for typed in (
        code.text.lower(),
        code.text.replace("-", ""),
        code.text.replace("-", " "),
        code.text.replace("0", "O").replace("1", "l").replace("2", "Z"),
    ):
        assert read_provisional_code(typed) == code


@given(DAYS, st.binary(min_size=8, max_size=8), st.integers(0, 12), st.sampled_from(string.digits))
def test_every_wrong_sign_is_noticed(day: date, entropy: bytes, at: int, other: str) -> None:
    text = make_provisional_code(day, entropy).text.replace("-", "")
    here = 2 + at
    wrong = text[:here] + other + text[here + 1 :]
    if wrong != text:
        with pytest.raises(InputError):
            read_provisional_code(wrong)


@given(DAYS, st.binary(min_size=8, max_size=8), st.integers(2, 14), st.integers(2, 14))
def test_every_swap_of_two_signs_is_noticed(day: date, entropy: bytes, a: int, b: int) -> None:
    signs = list(make_provisional_code(day, entropy).text.replace("-", ""))
    swapped = signs.copy()
    swapped[a], swapped[b] = swapped[b], swapped[a]
    if swapped != signs:
        with pytest.raises(InputError):
            read_provisional_code("".join(swapped))


def test_a_code_with_too_little_chance_is_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError):
        make_provisional_code(date(2026, 9, 30), b"1234567")
    with pytest.raises(InputError):
        make_provisional_code(date(1999, 9, 30), bytes(8))


# ------------------------------------------------------------------------------------ blocks


def test_a_block_gives_its_numbers_in_order_and_then_no_more() -> None:
    block, taken = NumberBlock.fresh(101, 103), []
    while found := block.take():
        number, block = found
        taken.append(number)
    assert taken == [101, 102, 103]
    assert block.exhausted
    assert block.take() is None


def test_what_nobody_took_is_a_gap_with_a_name() -> None:
    found = NumberBlock.fresh(101, 110).take()
    assert found is not None
    assert list(found[1].untaken) == list(range(102, 111))


@pytest.mark.parametrize("count", [0, -1, 4])
def test_no_more_is_handed_on_than_is_left(count: int) -> None:
    with pytest.raises(InputError):
        NumberBlock(1, 5, 3).split(count)


@pytest.mark.parametrize("block", [(0, 5, 0), (5, 4, 6), (1, 5, 7), (3, 5, 2)])
def test_what_is_no_range_is_refused(block: tuple[int, int, int]) -> None:
    with pytest.raises(SchemaError):
        NumberBlock(*block)


@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_no_number_is_taken_twice_however_blocks_are_split(
    size: int, acts: list[tuple[bool, int]]
) -> None:
    blocks, taken = deque([NumberBlock.fresh(11, 10 + size)]), []
    for is_split, amount in acts:
        block = blocks.popleft()
        if is_split and 1 <= amount <= block.left:
            blocks.extend(block.split(amount))
        elif found := block.take():
            number, rest = found
            taken.append(number)
            blocks.append(rest)
        else:
            blocks.append(block)
    untaken = [number for block in blocks for number in block.untaken]
    assert sorted(taken + untaken) == list(range(11, 11 + size))
    assert sum(block.left for block in blocks) == len(untaken)


def test_a_lease_covers_its_days_and_its_numbers() -> None:
    first = date(2026, 9, 1)
    lease = Lease("000.00.01.H26", b"\x01" * 8, 501, 600, first, first + timedelta(29))
    block = lease.block(first)
    assert block is not None
    assert (block.next, block.left) == (501, 100)
    assert lease.block(first - timedelta(1)) is None
    assert lease.block(first + timedelta(30)) is None
    assert str(lease.code(first, 501)) == "000.00.01.H26-260901-0501"
    for day, number in ((first, 500), (first, 601), (first + timedelta(30), 501)):
        with pytest.raises(InputError):
            lease.code(day, number)
