"""A save writes what was changed, over what was displayed, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest

from sync_protocol.errors import SchemaError
from sync_protocol.identity import Dot, FeedId, RecordId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import Shown, create, edit, edit_element, retract
from tests.clinic import APPROVAL, BIRTH, NAME, NOTES, PAPERS, PATIENT, STATE

RECORD = RecordId(b"r" * 16)
ONE, TWO = Dot(FeedId(b"a" * 16), 1), Dot(FeedId(b"b" * 16), 2)
E1 = b"1" * 16


def _edit(shown: dict[str, Shown], **typed: object) -> tuple[CellWrite, ...]:
    change = edit(PATIENT, RECORD, shown, typed)
    return () if change is None else change.writes


def test_unchanged_fields_write_nothing() -> None:
    assert edit(PATIENT, RECORD, {"name": Shown("An", (ONE,))}, {"name": "An"}) is None


def test_a_changed_field_replaces_the_dots_that_were_displayed() -> None:
    shown = {"name": Shown("An", (ONE,)), "state": Shown("waiting", (ONE,))}
    assert _edit(shown, name="Anh", state="waiting") == (CellWrite(NAME, None, "Anh", (ONE,)),)


def test_a_field_that_was_not_displayed_is_written_over_nothing() -> None:
    assert _edit({}, name="Anh") == (CellWrite(NAME, None, "Anh", ()),)


def test_choosing_the_displayed_value_of_a_dispute_settles_it() -> None:
    shown = {"name": Shown("An", (ONE, TWO))}
    assert _edit(shown, name="An") == (CellWrite(NAME, None, "An", (ONE, TWO)),)


def test_text_is_normalised_before_it_is_compared() -> None:
    typed = unicodedata.normalize("NFD", "Nguyễn")
    shown = {"name": Shown(unicodedata.normalize("NFC", typed), (ONE,))}
    assert _edit(shown, name=typed) == ()


def test_an_approval_is_always_written_with_the_dots_that_it_relied_on() -> None:
    shown = {
        "name": Shown("An", (TWO, ONE)),
        "approval": Shown("approved", (ONE,)),
    }
    basis = [[NAME, [[*ONE[:2]], [*TWO[:2]]]], [BIRTH, []]]
    assert _edit(shown, approval="approved") == (
        CellWrite(APPROVAL, None, ["approved", basis], (ONE,)),
    )


def test_a_new_record_has_its_plain_fields_and_elements() -> None:
    change = create(
        PATIENT,
        {"name": "An", "state": "waiting", "birth": None},
        {"papers": {E1: ["a", None]}, "notes": {E1: "hello"}},
    )
    assert change == RecordChange(
        None,
        1,
        {NAME: "An", STATE: "waiting"},
        (CellWrite(PAPERS, E1, ["a", None]), CellWrite(NOTES, E1, "hello")),
    )


@pytest.mark.parametrize(
    "values",
    [{}, {"name": None}, {"name": "An", "nothing": 1}, {"name": "An", "papers": []}, {"name": 5}],
)
def test_a_new_record_that_does_not_fit_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(SchemaError):
        create(PATIENT, values)


@pytest.mark.parametrize("typed", [{"nothing": 1}, {"papers": []}, {"name": 5}])
def test_an_edit_that_does_not_fit_is_refused(typed: dict[str, object]) -> None:
    with pytest.raises(SchemaError):
        edit(PATIENT, RECORD, {}, typed)


def test_an_element_is_added_edited_and_removed() -> None:
    shown = Shown(["a", None], (ONE,))
    assert edit_element(PATIENT, "papers", E1, ["a", None], None).parents == ()
    assert edit_element(PATIENT, "papers", E1, ["b", None], shown).parents == (ONE,)
    assert edit_element(PATIENT, "papers", E1, None, shown).value is None


def test_a_note_can_be_corrected_and_not_removed() -> None:
    shown = Shown("hello", (ONE,))
    assert edit_element(PATIENT, "notes", E1, "hello again", shown).parents == (ONE,)
    with pytest.raises(SchemaError):
        edit_element(PATIENT, "notes", E1, None, shown)


@pytest.mark.parametrize("name", ["name", "nothing"])
def test_what_has_no_elements_takes_none(name: str) -> None:
    with pytest.raises(SchemaError):
        edit_element(PATIENT, name, E1, "x", None)


def test_a_retraction_says_why_and_what_it_saw() -> None:
    [write] = retract(PATIENT, RECORD, "entered twice", [TWO, ONE, TWO]).writes
    assert write == CellWrite(0, None, ["entered twice", [[*ONE[:2]], [*TWO[:2]]]])
