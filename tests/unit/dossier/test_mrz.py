"""Zones of cards and passports: read right, wrong digits told, hostile text answered."""

from __future__ import annotations

import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync_protocol.dossier import labels
from sync_protocol.dossier.mrz import Layout, Zone, check_digit, read_mrz
from sync_protocol.errors import InputError
from tests.unit.dossier.identity_samples import (
    CARDS,
    PASSPORTS,
    TODAY,
    Person,
    card_lines,
    passport_lines,
)

NOW = date.fromisoformat(TODAY)
NAMES = st.text(string.ascii_uppercase, min_size=1, max_size=8)
GIVEN = st.lists(NAMES, min_size=1, max_size=3).map(" ".join)
BIRTHS = st.dates(date(1930, 1, 1), date(2025, 12, 31))
EXPIRIES = st.dates(date(2027, 1, 1), date(2070, 12, 31))


def codes(zone: Zone) -> list[str]:
    return [remark.code for remark in zone.remarks]


def short(day: date) -> str:
    return f"{day:%y%m%d}"


@pytest.mark.parametrize(("lines", "said", "_qr"), CARDS)
def test_cards_are_read_with_every_digit_right(
    lines: str, said: tuple[str | None, ...], _qr: str | None
) -> None:
    zone = read_mrz(lines, NOW)
    assert zone.layout is Layout.TD1
    found = (zone.citizen_number, zone.surname, zone.given_names, zone.birth_date, zone.sex)
    assert (*found, zone.expires_on) == said
    assert zone.sound
    assert [check.field for check in zone.checks] == [
        *("number", "citizen-number", "birth-date", "expiry", "composite"),
    ]
    assert codes(zone) == []


@pytest.mark.parametrize(("lines", "said"), PASSPORTS)
def test_passports_are_read_with_every_digit_right(lines: str, said: tuple[str, ...]) -> None:
    zone = read_mrz(lines, NOW)
    assert zone.layout is Layout.TD3
    assert (zone.issuer, zone.number, zone.surname, zone.given_names) == said[:4]
    assert (zone.birth_date, zone.sex, zone.expires_on) == said[4:]
    assert zone.sound
    assert codes(zone) == []


def test_a_vietnamese_passport_has_the_twelve_digits_too() -> None:
    assert read_mrz(PASSPORTS[4][0], NOW).citizen_number == "001090912345"
    assert read_mrz(PASSPORTS[0][0], NOW).citizen_number is None


@pytest.mark.parametrize("lines", [CARDS[0][0], PASSPORTS[0][0]])
def test_readers_break_lines_as_they_please(lines: str) -> None:
    zone = read_mrz(lines, NOW)
    for typed in (
        lines.replace("\n", ""),
        lines.replace("\n", "\r\n") + "\r",
        f"  {lines.lower()}\n\n",
        lines.replace("<<", "< <"),
    ):
        assert read_mrz(typed, NOW) == zone


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "mrz-shape"),
        ("<" * 29, "mrz-shape"),
        (CARDS[0][0][:-1], "mrz-shape"),
        ("<" * 36 + "\n" + "<" * 36, "mrz-shape"),
        (CARDS[0][0].replace("THU", "THỬ"), "mrz-character"),
        (CARDS[0][0].replace("IDVNM", "XDVNM"), "mrz-kind"),
        (PASSPORTS[0][0].replace("P<USA", "V<USA"), "mrz-kind"),
        ("<" * 5000, "mrz-length"),
    ],
)
def test_what_is_no_zone_is_refused_without_being_repeated(text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_mrz(text, NOW)
    assert caught.value.evidence == {"field": "mrz", "reason": reason}
    assert "001090912345" not in caught.value.diagnosis
    assert "NGUYEN" not in caught.value.diagnosis


def test_a_wrong_digit_is_named_with_its_place() -> None:
    lines = CARDS[0][0]
    typo = lines.replace("9003152M", "9003162M")  # the day of birth
    wrong = [check for check in read_mrz(typo, NOW).checks if not check.right]
    assert [(check.field, check.line, check.column) for check in wrong] == [
        ("birth-date", 2, 7),
        ("composite", 2, 30),
    ]
    rows = lines.split("\n")
    for check in read_mrz(lines, NOW).checks:
        assert rows[check.line - 1][check.column - 1] == check.given


def test_two_numbers_on_one_card_must_be_one() -> None:
    lines = card_lines(Person("THU", "VAN", "900315", "M", "300315"), "097090000001")
    other = lines[:5] + "090000002" + lines[14:]
    assert codes(read_mrz(other, NOW)) == ["citizen-number-for-tests", "mrz-two-numbers"]


def test_the_twelve_digits_know_the_century() -> None:
    person = Person("CU", "GIA", "240101", "F", "991231")
    assert read_mrz(card_lines(person, "097124000001"), NOW).birth_date == "1924-01-01"
    assert read_mrz(card_lines(person, "097324000001"), NOW).birth_date == "2024-01-01"
    passport = passport_lines(person, "FRA", "12AB34567")
    assert read_mrz(passport, NOW).birth_date == "2024-01-01"
    unborn = passport_lines(Person("CU", "GIA", "270101", "F", "300101"), "FRA", "12AB34567")
    assert read_mrz(unborn, NOW).birth_date == "1927-01-01"


@pytest.mark.parametrize(
    ("born", "said", "remarks"),
    [
        ("85<<<<", "1985", []),
        ("8507<<", "1985-07", []),
        ("<<<<<<", None, []),
        ("850732", None, ["mrz-birth-date"]),
        ("8513<<", None, ["mrz-birth-date"]),
        ("ABCDEF", None, ["mrz-birth-date"]),
        ("85<<04", None, ["mrz-birth-date"]),
    ],
)
def test_dates_are_told_as_far_as_they_are_known(
    born: str, said: str | None, remarks: list[str]
) -> None:
    zone = read_mrz(passport_lines(Person("A", "B", born, "<", "330101"), "USA", "X1234567"), NOW)
    assert (zone.birth_date, codes(zone), zone.sex) == (said, remarks, None)


def test_a_document_that_has_ended_is_remarked_upon() -> None:
    person = Person("A", "B", "850704", "F", "261122")
    assert codes(read_mrz(passport_lines(person, "USA", "X1234567"), NOW)) == ["document-expired"]
    bad = Person("A", "B", "850704", "F", "261332")
    assert codes(read_mrz(passport_lines(bad, "USA", "X1234567"), NOW)) == ["mrz-expiry"]


@pytest.mark.parametrize("digit", ["0", "<"])
def test_a_card_without_term_may_leave_the_expiry_empty(digit: str) -> None:
    lines = card_lines(Person("CU", "GIA", "500101", "F", "<<<<<<"), "097150000001")
    assert lines[45] == "0"
    zone = read_mrz(lines[:45] + digit + lines[46:], NOW)
    assert (zone.sound, zone.expires_on) == (True, None)


def test_a_number_that_is_too_long_runs_over_into_the_optional_data() -> None:
    number = "A12345678901"
    tail = number[9:] + check_digit(number)
    first = f"I<UTO{number[:9]}<{tail}".ljust(30, "<")
    second = "7408122F1204159UTO<<<<<<<<<<<"
    whole = check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    zone = read_mrz(f"{first}\n{second}{whole}\nERIKSSON<<ANNA<MARIA<<<<<<<<<<", NOW)
    assert (zone.number, zone.sound) == (number, True)


def test_a_name_that_is_too_long_is_known_to_be_cut() -> None:
    person = Person("NGUYEN", "THI HOANG PHUONG THAOVY ANH", "900315", "F", "300315")
    assert read_mrz(card_lines(person, "097190000001"), NOW).name_cut
    assert not read_mrz(CARDS[0][0], NOW).name_cut


@given(NAMES, GIVEN, BIRTHS, st.sampled_from("MF<"), EXPIRIES, st.integers(0, 10**6 - 1))
def test_whatever_a_card_prints_is_read_back(
    surname: str, given_names: str, born: date, sex: str, expires: date, serial: int
) -> None:
    generation = (born.year - 1900) // 100 * 2 + (sex == "F")
    number = f"098{generation}{born:%y}{serial:06d}"
    lines = card_lines(Person(surname, given_names, short(born), sex, short(expires)), number)
    zone = read_mrz(lines, NOW)
    assert zone.sound
    assert (zone.citizen_number, zone.birth_date) == (number, born.isoformat())
    assert zone.expires_on == expires.isoformat()
    name = f"{surname} {given_names}"
    assert zone.name_cut or f"{zone.surname} {zone.given_names}" == name
    assert codes(zone) == ["citizen-number-for-tests"]


@given(
    st.sampled_from([*CARDS[:5], *PASSPORTS]),
    st.integers(0, 200),
    st.sampled_from(string.digits + string.ascii_uppercase + "<"),
)
def test_a_changed_character_that_changes_the_sum_is_noticed(
    sample: tuple[str, ...], at: int, other: str
) -> None:
    lines = sample[0]
    two_lines = lines.count("\n") == 1
    start, end = (45, 89) if two_lines else (5, 61)
    at = start + at % (end - start)
    here = lines[at]
    value = {"<": 0, **{c: int(c, 36) for c in string.digits + string.ascii_uppercase}}
    # Not under any digit: line break, nationality, sex; and what counts the same counts the same.
    free = (55, 56, 57, 65) if two_lines else (30, 38, 46, 47, 48)
    if at in free or (value[here] - value[other]) % 10 == 0:
        return
    changed = lines[:at] + other + lines[at + 1 :]
    assert not read_mrz(changed, NOW).sound


ALPHABET = st.sampled_from(string.ascii_letters + string.digits + "<")
SHAPED = st.one_of(
    st.lists(st.text(ALPHABET, min_size=30, max_size=30), min_size=3, max_size=3),
    st.lists(st.text(ALPHABET, min_size=44, max_size=44), min_size=2, max_size=2),
).map("\n".join)


@given(
    st.one_of(
        st.text(),
        SHAPED,
        SHAPED.map(lambda text: "I" + text[1:]),
        SHAPED.map(lambda text: "PV" + text[2:]),
    )
)
@example("IDVNM" + "9" * 25 + "\n" + "0" * 30 + "\n" + "<" * 30)
@example("I<VNM" + "<" * 25 + "\n" + "<" * 30 + "\n" + "<" * 30)
@example("P<VNM" + "<" * 39 + "\n" + "9" * 44)
def test_any_text_gives_a_zone_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        zone = read_mrz(text, NOW)
        assert all(code in labels.REMARKS for code in codes(zone))
        assert len(zone.checks) >= 4
