"""A line becomes a dossier, or a sentence that names the field and repeats nothing of it."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from sync_protocol import limits
from sync_protocol.dossier import record_type
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.errors import InputError

LINE: dict[str, Any] = {
    "procedure": "1.001193",
    "applicant": {
        "name": "Nguyễn Văn Thử",
        "citizen_number": "001090912345",
        "birth_date": "1990-05-01",
        "birth_place": "Hà Nội",
        "address": {"line": "Số 5", "unit": "Phường Hoàn Kiếm", "unit_code": "00070"},
        "phone": "+84 912 000 123",
    },
    "status": "received",
    "received_on": "2026-11-20",
    "due_on": "2026-11-23",
    "fee": {"amount": 8000},
    "notes": ["một\nhai", " "],
    "papers": [{"type": "to-khai", "name": "Tờ khai"}],
    "scans": ["anh/a.jpg"],
}
PASSPORT = {"name": "Jane Smith", "passport": {"number": "X12345678", "issuer": "USA"}}


def packed(line: object) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode()


def changed(**changes: object) -> bytes:
    line = {**LINE, **changes}
    return packed({key: value for key, value in line.items() if value is not ...})


def applicant(**changes: object) -> bytes:
    value = {**LINE["applicant"], **changes}
    return changed(applicant={key: value for key, value in value.items() if value is not ...})


def refusal(line: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_intake(line)
    return caught.value


def test_a_full_line_becomes_a_dossier() -> None:
    intake = read_intake(packed(LINE) + b"\r\n")
    assert intake.values == {
        record_type.PROCEDURE: "1.001193",
        record_type.IDENTITY: ["citizen", "001090912345", None],
        record_type.NAME: "Nguyễn Văn Thử",
        record_type.BIRTH: ["1990-05-01", "Hà Nội"],
        record_type.ADDRESS: ["Số 5", "Phường Hoàn Kiếm", "00070"],
        record_type.PHONE: "0912000123",
        record_type.STATUS: "2",
        record_type.RECEIVED_ON: "2026-11-20",
        record_type.DUE_ON: "2026-11-23",
        record_type.FEE: ["8000", "VND"],
        record_type.EDITION: catalogue().edition.version,
    }
    assert all(type(value) in (str, list, int) for value in intake.values.values())
    assert intake.papers == (["to-khai", "Tờ khai", None, None, "submitted", None],)
    assert intake.notes == (["một\nhai", "remark"],)
    assert intake.scans == ("anh/a.jpg",)
    assert intake.warnings == ()


def test_the_examples_of_the_document_are_taken() -> None:
    document = (Path(__file__).parents[3] / "docs" / "INTAKE.md").read_text("utf-8")
    examples = document.split("```json\n")[1].split("```")[0].splitlines()
    assert len(examples) == 2
    assert all(read_intake(example.encode()).values for example in examples)


def test_a_change_makes_one_record_with_numbered_elements() -> None:
    scan = paper("scan", "a.jpg", attachment=b"a" * 16, manifest=b"m")
    change = read_intake(packed(LINE)).change([scan])
    assert change.record is None
    assert [(w.field, w.element, w.parents) for w in change.writes] == [
        (record_type.PAPERS, bytes(15) + b"\1", ()),
        (record_type.PAPERS, bytes(15) + b"\2", ()),
        (record_type.NOTES, bytes(15) + b"\1", ()),
    ]
    assert change.writes[1].value == scan


def test_absent_null_and_blank_are_the_same() -> None:
    bare = {"name": "An", "citizen_number": "001090912345"}
    blank = {**bare, "phone": "", "birth_date": None, "address": {"line": " "}}
    short: dict[str, object] = {
        "due_on": ...,
        "fee": None,
        "notes": None,
        "papers": ...,
        "scans": [],
    }
    assert read_intake(changed(applicant=bare, **short)) == read_intake(
        changed(applicant=blank, **short)
    )


def test_a_foreigner_comes_by_passport() -> None:
    intake = read_intake(changed(applicant=PASSPORT))
    assert intake.values[record_type.IDENTITY] == ["passport", "X12345678", "USA"]


def test_a_person_without_papers_is_taken_and_remarked_upon() -> None:
    intake = read_intake(applicant(citizen_number=...))
    assert record_type.IDENTITY not in intake.values
    assert [remark.code for remark in intake.warnings] == ["identity-missing"]


def test_text_is_kept_composed() -> None:
    line = unicodedata.normalize("NFD", packed(LINE).decode()).encode()
    assert read_intake(line).values == read_intake(packed(LINE)).values


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read_intake(b"\xef\xbb\xbf" + packed(LINE)) == read_intake(packed(LINE))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (changed(procedure="1.999999"), "procedure"),
        (changed(procedure=...), "procedure"),
        (changed(procedure=1), "procedure"),
        (changed(applicant=...), "applicant"),
        (changed(applicant=[]), "applicant"),
        (applicant(name=" "), "applicant.name"),
        (applicant(name="x" * 201), "name"),
        (applicant(name="a\u0000"), "applicant.name"),
        (applicant(citizen_number="00109091234"), "applicant.citizen_number"),
        (applicant(citizen_number=1090912345), "applicant.citizen_number"),
        (applicant(passport=PASSPORT["passport"]), "applicant.passport"),
        (
            applicant(citizen_number=..., passport={"number": "X1234567"}),
            "applicant.passport.issuer",
        ),
        (applicant(birth_date="1990-02-30"), "applicant.birth_date"),
        (applicant(birth_date="1990-13"), "applicant.birth_date"),
        (applicant(birth_date="0990"), "applicant.birth_date"),
        (applicant(birth_date="2026-12"), "applicant.birth_date"),
        (applicant(address={"unit_code": "7"}), "applicant.address.unit_code"),
        (applicant(address={"street": "x"}), "applicant.address.street"),
        (applicant(phone="0123"), "applicant.phone"),
        (changed(status="done"), "status"),
        (changed(status="2"), "status"),
        (changed(received_on="20/11/2026"), "received_on"),
        (changed(received_on="2026-11"), "received_on"),
        (changed(received_on="2026-11-20T08:00"), "received_on"),
        (changed(due_on="2026-11-19"), "due_on"),
        (changed(fee={"amount": 1.5}), "fee.amount"),
        (changed(fee={"amount": True}), "fee.amount"),
        (changed(fee={"amount": -1}), "fee.amount"),
        (changed(fee={"amount": 10**15}), "fee.amount"),
        (changed(fee={"amount": 1, "currency": "đồng"}), "fee.currency"),
        (changed(notes="x"), "notes"),
        (changed(notes=["x"] * 65), "notes"),
        (changed(notes=[["x"]]), "notes[1]"),
        (changed(papers=[{"type": "to-khai"}]), "papers[1].name"),
        (changed(papers=[{"type": "Tờ khai", "name": "x"}]), "papers[1].type"),
        (changed(papers=[{"type": "x", "name": "x", "state": "lost"}]), "papers[1].state"),
        (changed(papers=[{"type": "x", "name": "x", "attachment": "x"}]), "papers[1].attachment"),
        (changed(scans=["a.jpg"] * 256), "papers"),
        (changed(recieved_on="2026-11-20"), "recieved_on"),
        (changed(**{"Nguyễn Văn Thử": 1}), "?"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(line: bytes, field: str) -> None:
    error = refusal(line)
    assert error.evidence["field"] == field
    assert "Nguyễn" not in str(error.diagnosis) + repr(error.evidence)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/a.jpg", "../a.jpg", "a/../../b.jpg", "a//b", "./a", "C:a.jpg", "a\\b", "a\0", 1],
)
def test_a_scan_stays_in_the_folder_of_the_file(path: object) -> None:
    assert refusal(changed(scans=[path])).evidence["field"] == "scans[1]"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "syntax"),
        (b"{", "syntax"),
        (b"{} {}", "syntax"),
        (b"[]", "not-an-object"),
        (b'"x"', "not-an-object"),
        (b"\xff{}", "encoding"),
        (packed(LINE).decode().encode("utf-16"), "encoding"),
        (b'{"procedure":"1","procedure":"2"}', "repeated-key"),
        (b'{"applicant":{"a":1,"a":1}}', "repeated-key"),
        (b'{"fee":{"amount":NaN}}', "not-a-number"),
        (b'{"fee":{"amount":-Infinity}}', "not-a-number"),
        (b'{"fee":' + b"9" * 5000 + b"}", "number-length"),
        (b'{"a":' + b"[" * 60_000, "nesting"),
        (b" " * (limits.INTAKE_LINE_BYTES_MAX + 1), "line-length"),
        (b'{"procedure":"\\ud800"}', "character"),
    ],
)
def test_a_line_that_two_readers_might_read_differently_is_refused(
    line: bytes, reason: str
) -> None:
    assert refusal(line).evidence["reason"] == reason
