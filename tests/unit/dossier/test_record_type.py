"""The dossier's record type keeps its promises."""

import pytest

from sync_protocol.dossier import record_type
from sync_protocol.dossier.record_type import DOSSIER, SCHEMA
from sync_protocol.dossier.status import Status, status_named
from sync_protocol.errors import SchemaError
from sync_protocol.record.schema import FieldKind

# A frozen copy: an id or name that moves would misread every dossier ever written.
FROZEN = {
    1: ("procedure", FieldKind.REGISTER, ["value"]),
    2: ("identity", FieldKind.GROUP, ["kind", "number", "issuer"]),
    3: ("name", FieldKind.REGISTER, ["value"]),
    4: ("birth", FieldKind.GROUP, ["date", "place"]),
    5: ("address", FieldKind.GROUP, ["line", "unit", "unit_code"]),
    6: ("phone", FieldKind.REGISTER, ["value"]),
    7: ("status", FieldKind.STATUS, ["value"]),
    8: ("received_on", FieldKind.REGISTER, ["value"]),
    9: ("due_on", FieldKind.REGISTER, ["value"]),
    10: ("provisional_code", FieldKind.NUMBER, ["value"]),
    11: ("official_code", FieldKind.NUMBER, ["value"]),
    12: (
        "papers",
        FieldKind.COLLECTION,
        ["type", "name", "attachment", "manifest", "state", "note"],
    ),
    13: ("notes", FieldKind.NOTE, ["text", "kind"]),
    14: ("fee", FieldKind.GROUP, ["amount", "currency"]),
    15: ("assignee", FieldKind.REGISTER, ["value"]),
    16: ("approval", FieldKind.APPROVAL, ["value"]),
    17: ("slip", FieldKind.REGISTER, ["value"]),
    18: ("result", FieldKind.GROUP, ["reference", "signer", "signed_on"]),
    19: ("handed_over", FieldKind.GROUP, ["to", "as"]),
    20: ("form", FieldKind.COLLECTION, ["answer"]),
    21: ("edition", FieldKind.REGISTER, ["value"]),
    22: ("waiver", FieldKind.GROUP, ["amount", "currency", "ground"]),
    24: ("received_time", FieldKind.REGISTER, ["value"]),
    23: (
        "payments",
        FieldKind.NOTE,
        ["amount", "currency", "receipt", "reason", "corrects"],
    ),
}


def test_ids_names_kinds_and_parts_stay_as_they_were() -> None:
    found = {f.id: (f.name, f.kind, [part.name for part in f.parts]) for f in DOSSIER.fields}
    assert {number: found[number] for number in FROZEN} == FROZEN
    assert SCHEMA.type("dossier") is DOSSIER
    assert DOSSIER.id == 1


def test_search_finds_by_name_number_phone_codes_and_what_the_form_says() -> None:
    searched = {field.name for field in DOSSIER.fields if field.searched}
    codes = {"provisional_code", "official_code"}
    assert searched == {"name", "identity", "phone", "form", *codes}


def test_an_approval_relies_on_who_the_person_is() -> None:
    approval = DOSSIER.by_name["approval"]
    assert approval.basis == (record_type.IDENTITY, record_type.NAME, record_type.BIRTH)
    assert approval.writers == {record_type.SUPERVISOR}


def test_statuses_are_the_ten_national_ones_and_settled_by_a_supervisor() -> None:
    assert [status.value for status in Status] == [str(number) for number in range(1, 11)]
    assert status_named("received") is Status.RECEIVED
    assert status_named("RECEIVED") is None
    assert status_named("2") is None
    assert DOSSIER.by_name[DOSSIER.facet].settlers == {record_type.SUPERVISOR}


def test_what_ends_a_dossier_or_may_hide_a_wrong_result_is_never_absorbed() -> None:
    touched = {status for pair in DOSSIER.by_name["status"].absorbs for status in pair}
    assert touched == {"1", "2", "4"}
    assert all(type(status) is str for status in touched)


def test_a_group_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(SchemaError):
        DOSSIER.by_name["identity"].admit(["citizen", "097090000001"])
