"""Rows, search text and words for people."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from sync_protocol.dossier import identity_reading, labels, procedure, record_type
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.record_type import DOSSIER, PAPER_STATES
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.summary import search_text, summarise, title

VALUES: dict[int, object] = {
    record_type.PROCEDURE: "1.001193",
    record_type.NAME: "Đỗ Thị Ước",
    record_type.IDENTITY: ["citizen", "097192000017", None],
    record_type.PHONE: "0912000123",
    record_type.STATUS: "2",
    record_type.PROVISIONAL_CODE: "T-7K3",
    record_type.DUE_ON: "2026-11-23",
}


def test_a_dossier_is_found_by_name_number_phone_and_both_codes() -> None:
    both = {**VALUES, record_type.OFFICIAL_CODE: "H26.1-261120-0001"}
    assert search_text(both) == "do thi uoc 097192000017 0912000123 h26.1-261120-0001 t-7k3"


def test_a_row_says_whose_what_and_where_it_is() -> None:
    row = summarise(VALUES)
    assert row.title == title(VALUES) == "Đỗ Thị Ước – Đăng ký khai sinh"
    assert (row.status, row.code, row.due_on) == ("Được tiếp nhận", "T-7K3", "2026-11-23")
    assert summarise(VALUES, labels.ENGLISH).status == "Received"
    assert summarise({**VALUES, record_type.OFFICIAL_CODE: "H26"}).code == "H26"


def test_values_of_a_newer_version_are_left_out() -> None:
    odd: dict[int, object] = {
        record_type.NAME: ["Đỗ", "Ước"],
        record_type.IDENTITY: ["new-kind"],
        record_type.PHONE: 912,
        record_type.STATUS: "11",
        99: b"?",
    }
    assert search_text(odd) == ""
    assert title(odd) == ""
    assert summarise(odd).status == "11"


def test_everything_that_people_see_has_words_in_both_languages() -> None:
    tables = (labels.STATUSES, labels.FIELDS, labels.PAPER_STATES, labels.REMARKS)
    assert all(all(words) and len(words) == 2 for table in tables for words in table.values())
    names = {field.name for field in DOSSIER.fields}
    parts = {f"{f.name}.{part.name}" for f in DOSSIER.fields if f.is_tuple for part in f.parts}
    assert set(labels.FIELDS) == names | parts
    assert set(labels.STATUSES) == {status.value for status in Status}
    assert set(labels.PAPER_STATES) == set(PAPER_STATES)


@pytest.mark.parametrize(
    "text", ["4", "processing", "Đang xử lý", "dang xu ly", "ĐANG  XỬ LÝ", "in progress"]
)
def test_a_status_is_called_by_number_word_or_name(text: str) -> None:
    assert labels.status_called(text) == Status.PROCESSING.value


@pytest.mark.parametrize("text", ["", " ", "dang", "04", "Processing!", "xu ly", "tiep nhan"])
def test_what_names_no_status_is_none(text: str) -> None:
    assert labels.status_called(text) is None
    assert labels.status_called("duoc tiep nhan") == Status.RECEIVED.value
    assert labels.status_called("khong duoc tiep nhan") == Status.REFUSED.value


def test_every_code_of_the_catalogue_and_of_identity_documents_has_words() -> None:
    tables: list[tuple[dict[str, tuple[str, str]], Iterable[str]]] = [
        (labels.IDENTITY_FIELDS, identity_reading.FIELDS),
        (labels.SOURCES, identity_reading.Source),
        (labels.AGREEMENTS, identity_reading.Agreement),
        (labels.DESKS, procedure.Desk),
        (labels.CHANNELS, procedure.Channel),
        (labels.FEE_UNITS, procedure.FeeUnit),
        (labels.STATE_DATABASES, procedure.StateDatabase),
        (labels.PERSONS, procedure.PersonRole),
    ]
    for table, codes in tables:
        assert set(table) == set(codes)
        assert all(all(words) and len(words) == 2 for words in table.values())


def test_every_remark_has_words() -> None:
    folder = Path(labels.__file__).parent
    code = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    made = set(re.findall(r'(?:Remark\(|codes\.append\()"([a-z-]+)"', code))
    assert len(made) > 10, "remarks are not made where they were"
    questions = catalogue().forms.questions.values()
    made |= {choice.remark for item in questions for choice in item.choices if choice.remark}
    assert made == set(labels.REMARKS)
