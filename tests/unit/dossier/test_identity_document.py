"""Impossible numbers are refused, odd ones remarked upon."""

import pytest

from sync_protocol.dossier.identity_document import (
    PROVINCE_CODES,
    check_citizen_number,
    check_passport,
)
from sync_protocol.errors import InputError


def codes(number: str, **known: str) -> list[str]:
    return [remark.code for remark in check_citizen_number(number, **known)[1]]


def test_there_were_63_provinces() -> None:
    assert len(PROVINCE_CODES) == 63


@pytest.mark.parametrize(
    "bad", ["", "09709012345", "0970901234567", "09709012345a", "٠٩٧٠٩٠١٢٣٤٥٦", "097090 12345"]
)
def test_what_has_not_twelve_digits_is_refused_without_being_repeated(bad: str) -> None:
    with pytest.raises(InputError, match="12 digits") as caught:
        check_citizen_number(bad)
    assert caught.value.evidence == {"field": "identity", "reason": "citizen-number"}
    assert not bad or bad not in caught.value.diagnosis


def test_separators_are_dropped() -> None:
    assert check_citizen_number("001 090.912-345")[0] == "001090912345"


@pytest.mark.parametrize(
    ("number", "birth", "sex"),
    [
        ("001090912345", "1990-03-15", "male"),
        ("001192900017", "1992", "female"),
        ("079204900258", "2004-02", "male"),
        ("101215900555", "2015-06-02", "male"),
    ],
)
def test_a_number_that_fits_has_no_remarks(number: str, birth: str, sex: str) -> None:
    # The third is a man's by its digit 2; the first digit of a year below 2000 is 0 or 1.
    assert codes(number, birth_date=birth, sex=sex) == []


@pytest.mark.parametrize(
    ("number", "known", "code"),
    [
        ("097090912345", {}, "citizen-number-for-tests"),
        ("003090912345", {}, "citizen-number-place"),
        ("000090912345", {}, "citizen-number-place"),
        ("001090912345", {"birth_date": "1991-01-01"}, "citizen-number-birth-year"),
        ("001090912345", {"birth_date": "2090"}, "citizen-number-birth-year"),
        ("001090912345", {"sex": "female"}, "citizen-number-sex"),
    ],
)
def test_what_looks_odd_is_remarked_upon(number: str, known: dict[str, str], code: str) -> None:
    assert codes(number, **known) == [code]


def test_passports_take_their_printed_form() -> None:
    assert check_passport("x1234-5678", "usa") == ("X12345678", "USA", [])
    assert check_passport("C01X00T478"[:9], "D")[1] == "D"


@pytest.mark.parametrize(
    ("number", "issuer"),
    [
        ("", "USA"),
        ("1234", "USA"),
        ("ABCDEFG", "USA"),
        ("X12345678", "US"),
        ("X12345678", "U5A"),
        ("X1234567é", "USA"),
    ],
)
def test_impossible_passports_are_refused(number: str, issuer: str) -> None:
    with pytest.raises(InputError):
        check_passport(number, issuer)


def test_odd_passports_are_remarked_upon() -> None:
    assert [r.code for r in check_passport("12345", "VNM")[2]] == [
        "passport-number-length",
        "passport-vietnamese",
    ]
