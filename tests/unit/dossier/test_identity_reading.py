"""Side by side: card, zone and hand; nothing merged, nothing hidden."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.card_qr import read_card_qr
from sync_protocol.dossier.identity_document import ForeignerKey, foreigner_key
from sync_protocol.dossier.identity_reading import (
    FIELDS,
    Agreement,
    Comparison,
    Reading,
    Source,
    compare,
    differences,
    reading_of_card,
    reading_of_zone,
    typed_reading,
)
from sync_protocol.dossier.mrz import read_mrz
from sync_protocol.errors import InputError
from tests.unit.dossier.identity_samples import CARDS, PASSPORTS, TODAY, Person, passport_lines

NOW = date.fromisoformat(TODAY)


def zone(lines: str) -> Reading:
    return reading_of_zone(read_mrz(lines, NOW))


def row(rows: list[Comparison], field: str) -> Comparison:
    return next(found for found in rows if found.field == field)


@pytest.mark.parametrize(("lines", "_said", "qr"), CARDS[:5])
def test_both_sides_of_a_card_agree(lines: str, _said: object, qr: str) -> None:
    readings = [reading_of_card(read_card_qr(qr)), zone(lines)]
    assert differences(readings) == []
    rows = compare(readings)
    assert row(rows, "name").agreement is Agreement.SAME
    assert row(rows, "citizen_number").agreement is Agreement.SAME
    assert row(rows, "address").agreement is Agreement.ALONE
    assert row(rows, "name").proposed is Source.CARD_QR


def test_the_cards_of_two_people_differ_field_by_field() -> None:
    readings = [reading_of_card(read_card_qr(CARDS[0][2] or "")), zone(CARDS[1][0])]
    assert [(found.field, found.agreement) for found in differences(readings)] == [
        ("citizen_number", Agreement.DIFFERENT),
        ("name", Agreement.DIFFERENT),
        ("birth_date", Agreement.DIFFERENT),
        ("sex", Agreement.DIFFERENT),
    ]
    first = differences(readings)[0]
    assert first.values == (
        (Source.CARD_QR, "001090912345"),
        (Source.MRZ, "001192900017"),
    )


@pytest.mark.parametrize(
    ("typed", "agreement"),
    [
        ("Nguyễn Văn Thử", Agreement.SAME),
        ("NGUYỄN VĂN THỬ", Agreement.SAME),
        ("Nguyen Van Thu", Agreement.MARKS),
        ("Nguyễn Vân Thử", Agreement.MARKS),
        ("Văn Nguyễn Thử", Agreement.DIFFERENT),
        ("Nguyễn Văn", Agreement.DIFFERENT),
    ],
)
def test_a_typed_name_is_compared_with_the_card(typed: str, agreement: Agreement) -> None:
    card = reading_of_card(read_card_qr(CARDS[0][2] or ""))
    found = row(compare([card, typed_reading({"name": typed})]), "name")
    assert found.agreement is agreement
    assert found.proposed is Source.CARD_QR


def test_where_a_tone_is_written_makes_no_difference() -> None:
    one, other = (typed_reading({"name": name}) for name in ("Lê Hoà", "Lê Hòa"))
    assert row(compare([one, other]), "name").agreement is Agreement.SAME


def test_a_zone_confirms_a_typed_name_and_does_not_replace_it() -> None:
    rows = compare([zone(CARDS[0][0]), typed_reading({"name": "Nguyễn Văn Thử"})])
    assert row(rows, "name") == Comparison(
        "name",
        Agreement.SAME,
        ((Source.MRZ, "NGUYEN VAN THU"), (Source.TYPED, "Nguyễn Văn Thử")),
        Source.TYPED,
    )


def test_a_zone_with_a_wrong_digit_is_weaker_than_a_hand() -> None:
    typed = typed_reading({"birth_date": "1990-03-16"})
    good, bad = CARDS[0][0], CARDS[0][0].replace("9003152M", "9003182M")
    assert row(compare([zone(good), typed]), "birth_date").proposed is Source.MRZ
    assert row(compare([zone(bad), typed]), "birth_date").proposed is Source.TYPED


@pytest.mark.parametrize(
    ("sample", "typed"),
    [
        (0, "Jane Ann Smith"),
        (0, "SMITH, JANE ANN"),
        (1, "Minjun Kim"),
        (2, "Lena Müller"),
        (2, "Lena Mueller"),
    ],
)
def test_foreigners_names_agree_however_they_are_typed(sample: int, typed: str) -> None:
    found = compare([zone(PASSPORTS[sample][0]), typed_reading({"name": typed})])
    assert row(found, "name").agreement is Agreement.SAME


def test_a_vietnamese_name_has_one_order() -> None:
    found = compare([zone(PASSPORTS[4][0]), typed_reading({"name": "Văn Thử Nguyễn"})])
    assert row(found, "name").agreement is Agreement.DIFFERENT


def test_a_cut_name_agrees_with_the_whole_one() -> None:
    whole = "Wolfeschlegelsteinhausen Bergerdorff Hubert Blaine"
    surname, given = "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF", "HUBERT BLAINE"
    cut = zone(passport_lines(Person(surname, given, "850704", "M", "330101"), "USA", "X12345"))
    assert row(compare([cut, typed_reading({"name": whole})]), "name").agreement is Agreement.SAME
    other = typed_reading({"name": "Wolff Hubert"})
    assert row(compare([cut, other]), "name").agreement is Agreement.DIFFERENT


def test_knowing_less_is_no_difference() -> None:
    card = reading_of_card(read_card_qr(CARDS[0][2] or ""))
    for typed in ("1990", "1990-03", "1990-03-15"):
        assert not differences([card, typed_reading({"birth_date": typed})])
    assert differences([card, typed_reading({"birth_date": "1990-04"})])


def test_a_passport_keeps_its_own_number_and_a_card_has_none() -> None:
    assert zone(PASSPORTS[0][0]).values["passport_number"] == "X12345678"
    assert "passport_number" not in zone(CARDS[0][0]).values
    both = zone(PASSPORTS[4][0]).values
    assert (both["passport_number"], both["citizen_number"]) == ("B1234567", "001090912345")


def test_a_foreigner_is_known_by_issuer_number_and_birth() -> None:
    key = foreigner_key("usa", "x1234-5678", "1985-07-04")
    assert key == ForeignerKey("USA", "X12345678", "1985-07-04")
    assert key == foreigner_key("USA", "X12345678", "1985-07-04")
    assert key != foreigner_key("USA", "X12345678", "1985-07-05")
    with pytest.raises(InputError):
        foreigner_key("USA", "X12345678", "4/7/1985")
    with pytest.raises(InputError):
        foreigner_key("US", "X12345678", "1985-07-04")


VALUES = st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=12), max_size=6)
READINGS = st.lists(
    st.builds(
        lambda source, values, sound, cut: Reading(
            source, {key: value for key, value in values.items() if value}, sound, cut
        ),
        st.sampled_from(Source),
        VALUES,
        st.booleans(),
        st.booleans(),
    ),
    max_size=4,
)


@given(READINGS)
def test_nothing_is_lost_and_the_order_of_readings_does_not_count(readings: list[Reading]) -> None:
    rows = compare(readings)
    said = [(field, value) for one in readings for field, value in one.values.items()]
    shown = [(found.field, value) for found in rows for _, value in found.values]
    assert sorted(said) == sorted(shown)
    backwards = compare(readings[::-1])
    assert [found.agreement for found in rows] == [found.agreement for found in backwards]
    assert all(found.proposed in [source for source, _ in found.values] for found in rows)


@given(READINGS)
def test_whoever_says_the_same_agrees(readings: list[Reading]) -> None:
    for one in readings:
        assert not differences([one, one])
