"""A value fits its field or is refused where it is written."""

from __future__ import annotations

import unicodedata

import pytest

from sync_protocol.errors import SchemaError
from sync_protocol.record.schema import Field, FieldKind, Part, RecordType, Schema, ValueType
from tests.clinic import CLINIC, PATIENT


def _field(type_: ValueType, size_max: int = 500) -> Field:
    return Field(1, "f", parts=(Part("value", type_, size_max),))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ValueType.TEXT, "chữ"),
        (ValueType.INTEGER, -(2**63)),
        (ValueType.INTEGER, 2**63 - 1),
        (ValueType.BOOLEAN, False),
        (ValueType.BYTES, b"x"),
        (ValueType.ATTACHMENT, b"x"),
        (ValueType.DATE, "1990"),
        (ValueType.DATE, "1990-05"),
        (ValueType.DATE, "1990-05-17"),
        (ValueType.DECIMAL, "-12.50"),
        (ValueType.ANY, [1, {"a": "b"}]),
    ],
)
def test_what_fits_is_kept_as_it_is(type_: ValueType, value: object) -> None:
    assert _field(type_).admit(value) == value
    assert _field(type_).admit(None) is None


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ValueType.TEXT, 5),
        (ValueType.TEXT, b"x"),
        (ValueType.INTEGER, "5"),
        (ValueType.INTEGER, True),
        (ValueType.INTEGER, 2**63),
        (ValueType.INTEGER, -(2**63) - 1),
        (ValueType.BOOLEAN, 1),
        (ValueType.BYTES, "x"),
        (ValueType.DATE, "17/05/1990"),
        (ValueType.DATE, "1990-5"),
        (ValueType.DECIMAL, "1,5"),
        (ValueType.DECIMAL, 1.5),
    ],
)
def test_what_does_not_fit_is_refused_by_the_fields_name(type_: ValueType, value: object) -> None:
    with pytest.raises(SchemaError, match="“f”"):
        _field(type_).admit(value)


def test_text_is_stored_composed_and_measured_so() -> None:
    field = _field(ValueType.TEXT, 3)
    apart = unicodedata.normalize("NFD", "ữữữ")
    assert len(apart) > 3
    assert field.admit(apart) == unicodedata.normalize("NFC", apart)
    assert field.admit("abc") == "abc"
    for long in ("abcd", "ữữữữ"):
        with pytest.raises(SchemaError):
            field.admit(long)
    with pytest.raises(SchemaError):
        _field(ValueType.BYTES, 3).admit(b"1234")


def test_a_group_has_all_its_parts_each_of_its_type() -> None:
    birth = PATIENT.by_name["birth"]
    assert birth.is_tuple
    assert birth.admit(["1990", None]) == ["1990", None]
    assert birth.admit(("1990", "Huế")) == ["1990", "Huế"]
    wrong: list[object] = ["1990", ["1990"], ["1990", "Huế", 5], ["x", "Huế"], ["1990", 5], {}]
    for bad in wrong:
        with pytest.raises(SchemaError, match="birth"):
            birth.admit(bad)


def test_collections_and_notes_have_elements_and_nothing_else_has() -> None:
    assert {f.name for f in PATIENT.fields if f.has_elements} == {"papers", "notes"}


def test_a_schema_finds_its_types_and_repeats_no_id_nor_name() -> None:
    assert CLINIC.type("patient") is PATIENT
    assert CLINIC.by_id[1] is PATIENT
    with pytest.raises(SchemaError):
        CLINIC.type("doctor")
    with pytest.raises(SchemaError):
        Schema(1, (PATIENT, PATIENT))
    for fields in (
        (Field(1, "a"), Field(1, "b")),
        (Field(1, "a"), Field(2, "a")),
        (Field(0, "a"),),
    ):
        with pytest.raises(SchemaError):
            RecordType(2, "bad", fields)


def test_restricted_fields_are_those_that_not_everybody_may_write() -> None:
    fields = (Field(1, "a"), Field(2, "b", writers=frozenset({"supervisor"})))
    assert RecordType(2, "x", fields).restricted == {2}
    assert FieldKind("number") is FieldKind.NUMBER
