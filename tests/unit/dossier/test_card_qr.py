"""The QR code of a card: every field, its quirks, and readers that garble."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync_protocol.dossier import labels
from sync_protocol.dossier.card_qr import CardQr, looks_garbled, read_card_qr
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.unit import hanoi_units
from sync_protocol.errors import InputError
from tests.unit.dossier.identity_samples import CARDS

CODES = [text for _, _, text in CARDS if text]


def codes(card: CardQr) -> list[tuple[str, str]]:
    return [(remark.code, remark.field) for remark in card.remarks]


@pytest.mark.parametrize("text", CODES)
def test_cards_are_read_without_a_remark(text: str) -> None:
    card = read_card_qr(text)
    assert codes(card) == []
    assert "|".join(card.fields) == text
    assert card.extras == (("",) * 4 if text.endswith("||||") else ())


def test_every_field_is_where_it_belongs() -> None:
    card = read_card_qr(CODES[0])
    assert (card.number, card.former_number, card.name) == (
        *("001090912345", "012345678", "Nguyễn Văn Thử"),
    )
    assert (card.birth_date, card.sex, card.issued_on) == ("1990-03-15", "male", "2021-05-10")
    assert card.address == "Số 1 Phố Ví Dụ, Phúc Tân, Hoàn Kiếm, Hà Nội"
    assert read_card_qr(CODES[1]).former_number is None


@pytest.mark.parametrize("text", CODES)
def test_the_form_of_the_text_makes_no_difference(text: str) -> None:
    card = read_card_qr(text)
    for form in (
        unicodedata.normalize("NFD", text),
        text + "\r\n",
        "\ufeff" + text,
        text.replace(" ", "\u00a0"),
    ):
        again = read_card_qr(form)
        assert (again.name, again.address, again.number) == (card.name, card.address, card.number)
        assert codes(again) == []


def test_quirks_of_addresses_are_kept() -> None:
    assert read_card_qr(CODES[3]).address == "Tổ 5 , , Phường Ví Dụ, Ninh Bình"


CARD = "097192000017||Đỗ Thị Mẫu|07081992|Nữ|Ngõ 2, Ba Đình, Hà Nội|21122021"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("07081992", "31021992", ("card-date", "birth_date")),
        ("07081992", "7/8/1992", ("card-date", "birth_date")),
        ("|21122021", "|2112", ("card-date", "issued_on")),
        ("|21122021", "|", None),
        ("||Đỗ", "|12345|Đỗ", ("card-former-number", "former_number")),
        ("|Nữ|", "|Nuữ|", ("card-sex", "sex")),
        ("Đỗ Thị Mẫu", "DĐôỗ Thiị Mẫu", ("card-garbled", "name")),
        ("Hà Nội", "Ha? N?i", ("card-garbled", "address")),
        ("Hà Nội", "Hà Nội\ue001", ("card-garbled", "address")),
        ("1992|Nữ", "1992|Nam", ("citizen-number-sex", "number")),
        ("07081992", "07081993", ("citizen-number-birth-year", "number")),
    ],
)
def test_what_looks_odd_is_remarked_upon_and_taken(
    old: str, new: str, code: tuple[str, str] | None
) -> None:
    assert old in CARD
    found = codes(read_card_qr(CARD.replace(old, new)))
    wanted = [("citizen-number-for-tests", "number"), *([code] if code else [])]
    assert sorted(found) == sorted(wanted)


def test_a_card_without_any_mark_is_doubted() -> None:
    plain = "097092000017||Nguyeenx Vawn Thuwr|07081992|Nam|Soos 1, Hoafn Kieesm, Haf Nooji|"
    assert ("card-without-marks", "address") in codes(read_card_qr(plain))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "card-fields"),
        ("097192000017", "card-fields"),
        ("097192000017||Đỗ Thị Mẫu|07081992|Nữ|Hà Nội", "card-fields"),
        (CARD.replace("097192000017", "09719200001"), "citizen-number"),
        (CARD.replace("097192000017", ""), "citizen-number"),
        ("|" * 5000, "card-length"),
    ],
)
def test_what_is_no_card_is_refused_without_being_repeated(text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_card_qr(text)
    assert caught.value.evidence["reason"] == reason
    assert "09719200001" not in caught.value.diagnosis
    assert "Mẫu" not in caught.value.diagnosis


@pytest.mark.parametrize(
    "text",
    [
        "DĐaăặng Hoôồng",
        "Nguyễễn",
        "LêÊ",
        "Traầần",
        "Nguyá»\u2026n VÄƒn",
        "Tr?n",
        "\ufffdào",
        "DĐức",
    ],
)
def test_garbled_names_are_noticed(text: str) -> None:
    assert looks_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Lưu Hữu Phước", "Nguyễn Khuyến", "Voòng A Sáng", "Cao Xoong", "Nguyễn Thị Ưu"),
        *("Đặng Đình Đức", "H'Hen Niê", "Y Moan Êban", "Rơ-moóc", "O’Connor", "K'Sor Kơk", ""),
    ],
)
def test_lawful_names_are_not(text: str) -> None:
    assert not looks_garbled(text)
    assert not looks_garbled(unicodedata.normalize("NFD", text))


def test_no_sample_name_and_no_ward_looks_garbled() -> None:
    assert not [name for name in hanoi_units().values() if looks_garbled(name)]
    for dossier in sample(300, 5):
        applicant = dossier["applicant"]
        assert isinstance(applicant, dict)
        assert not looks_garbled(applicant["name"])
        assert not looks_garbled(applicant["address"]["line"])


PLAIN = st.text(st.characters(exclude_characters="|", exclude_categories=["C", "Z"]), max_size=20)


@given(
    st.from_regex(r"09[789][0-9]{9}", fullmatch=True),
    PLAIN,
    st.dates(date(1900, 1, 1), date(2026, 1, 1)),
    PLAIN,
    st.lists(PLAIN, max_size=5),
)
def test_what_a_card_says_is_read_back(
    number: str, name: str, born: date, address: str, extras: list[str]
) -> None:
    fields = [number, "", name, f"{born:%d%m}{born.year:04d}", "Nữ", address, "01012024", *extras]
    card = read_card_qr("|".join(fields))
    assert card.number == number
    assert card.name == unicodedata.normalize("NFC", name)
    assert card.address == unicodedata.normalize("NFC", address)
    assert card.birth_date == born.isoformat()
    assert card.extras == tuple(extras)


@given(st.one_of(st.text(), st.lists(st.text(), min_size=7, max_size=12).map("|".join)))
@example("097192000017|||00000000||\ud800\x00|99999999|")
@example("097192000017|" + "|" * 100)
def test_any_text_gives_a_card_or_an_input_error(text: str) -> None:
    for tried in (text, f"097192000017|{text}|||||||"):
        with suppress(InputError):
            assert all(code in labels.REMARKS for code, _ in codes(read_card_qr(tried)))
