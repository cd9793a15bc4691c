"""Forms: what is asked of whom, and what is made of an answer, whatever was typed."""

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol import limits
from sync_protocol.dossier.catalogue import catalogue, read_catalogue, shipped_files
from sync_protocol.dossier.form import (
    AnswerKind,
    Question,
    Section,
    element_of,
    is_key,
    key_of,
)
from sync_protocol.dossier.form_reading import FormReading, answer_words, read_answer, read_form
from sync_protocol.dossier.record_type import DOSSIER, FORM
from sync_protocol.errors import InputError, SchemaError
from sync_protocol.identity import ID_BYTES

BIRTH, DEATH, MARRIAGE, MARITAL = "1.001193", "1.000656", "1.000894", "1.004873"
MOST_USED = (
    *(BIRTH, DEATH, MARRIAGE, MARITAL, "2.000635", "1.001022", "1.004859", "1.004884"),
    *("2.000815", "2.000884", "2.001035", "1.004222", "1.004194", "1.010041", "1.001776"),
)
TODAY = "2026-11-20"


def form(code: str) -> tuple[Section, ...]:
    procedure = catalogue().find(code)
    assert procedure is not None
    return catalogue().forms.of(procedure)


def read(code: str, answers: Mapping[str, str], today: str = TODAY) -> FormReading:
    return read_form(form(code), answers, catalogue().forms.former_units, today)


def remarks(code: str, answers: Mapping[str, str]) -> set[tuple[str, str]]:
    found = read(code, answers)
    assert not found.problems
    return {(item.field.removeprefix("form."), item.code) for item in found.remarks}


def asked(code: str) -> set[str]:
    return {item.key for section in form(code) for item in section.questions}


# ------------------------------------------------------------------------------ what is asked


def test_the_fifteen_most_used_procedures_have_forms_of_their_own() -> None:
    assert all(code in catalogue().forms.by_code for code in MOST_USED)
    assert {"child_name", "child_birth", "father_number", "mother_name", "auth_kin"} <= asked(BIRTH)
    assert {"dead_name", "dead_on", "dead_place"} <= asked(DEATH)
    assert {"husband_birth", "wife_passport"} <= asked(MARRIAGE)


def test_any_other_procedure_asks_for_its_persons_and_what_is_wanted() -> None:
    for procedure in catalogue().procedures.values():
        sections = catalogue().forms.of(procedure)
        assert sections, procedure.code
        keys = [item.key for section in sections for item in section.questions]
        assert len(keys) == len(set(keys)) <= limits.FORM_QUESTIONS_MAX
        if procedure.code not in catalogue().forms.by_code:
            assert sections[-1].id == "request"


def test_a_key_is_an_element_and_back() -> None:
    for key in catalogue().forms.questions:
        assert is_key(key)
        assert len(element_of(key)) == ID_BYTES
        assert key_of(element_of(key)) == key


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
def test_any_element_has_a_name(element: bytes) -> None:
    name = key_of(element)
    assert name.isascii()
    assert not is_key(name) or element_of(name) == element or name == element.hex()


def _broken(old: str, new: str) -> dict[str, str]:
    files = shipped_files()
    assert old in files["forms.toml"]
    return {**files, "forms.toml": files["forms.toml"].replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('key = "copies"', 'key = "Copies"', "its key is none"),
        ('key = "copies"', 'key = "a_key_far_too_long"', "its key is none"),
        ('["husband", "wife"]', '["husband", "wive"]', "no section wive"),
        ('["husband", "wife"]', '["husband", "husband"]', "a question twice"),
        ('person = ["name", "number"]', 'person = ["name", "shoe"]', "no shoe of a person"),
        ('not_before = "dead_birth"', 'not_before = "dead_bird"', "no question dead_bird"),
        ("characters_max = 300", "characters_max = 301", "its bound is out of bounds"),
        ('"2.000815" =', '"9.000815" =', "no procedure"),
        ('key = "auth_kin"\nkind = "choice"', 'key = "auth_kin"', "its choices are none"),
        ('code = "single"', 'code = "Single"', "Single is no code"),
        ('key = "dead_at"', 'key = "dead_on"', "a question twice"),
        ('kind = "phone"', 'kind = "fax"', "can't be read"),
    ],
)
def test_a_form_that_contradicts_itself_does_not_load(old: str, new: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        read_catalogue(_broken(old, new))


def test_a_key_has_one_kind_wherever_it_is_asked() -> None:
    text = shipped_files()["forms.toml"]
    line = '{ key = "pages", kind = "number", vi = "Số trang", en'
    assert line in text
    with pytest.raises(SchemaError, match="two kinds"):
        read_catalogue(_broken(line, line.replace("number", "text")))


def test_what_the_file_says_of_a_person_is_asked_of_every_person() -> None:
    persons = tomllib.loads(shipped_files()["forms.toml"])["person"]
    husband = next(section for section in form(MARRIAGE) if section.id == "husband")
    names = [item.key.removeprefix("husband_") for item in husband.questions]
    assert set(names) - {"times"} <= persons.keys()
    assert husband.questions[0].required


# ---------------------------------------------------------------------------- what is answered


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", "  Giấy\u00a0khai  sinh ", "Giấy khai sinh"),
        ("date", "20/8/1990", "1990-08-20"),
        ("date", "20081990", "1990-08-20"),
        ("date", "2024-02-29", "2024-02-29"),
        ("partial-date", "8/1990", "1990-08"),
        ("partial-date", "1990", "1990"),
        ("citizen-number", "097 090 000 001", "097090000001"),
        ("citizen-number", "012345678", "012345678"),
        ("passport", "c 1234567", "C1234567"),
        ("phone", "+84 912 000 123", "0912000123"),
        ("number", "1.200.000", "1200000"),
        ("yes-no", "yes", "yes"),
        ("text", "   ", ""),
    ],
)
def test_an_answer_is_kept_in_one_form(kind: str, typed: str, kept: str) -> None:
    assert read_answer(Question("key", "vi", "en", AnswerKind(kind)), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed", "reason"),
    [
        ("date", "31/02/2020", "date"),
        ("date", "7/1991", "date"),
        ("date", "hôm qua", "date"),
        ("partial-date", "13/1990", "date"),
        ("date", "01/01/1700", "date"),
        ("date", "２０/08/1990", "date"),
        ("citizen-number", "09709000000A", "citizen-number"),
        ("citizen-number", "0970900001", "citizen-number"),
        ("passport", "ABCDEFG", "passport-number"),
        ("number", "hai", "number"),
        ("phone", "77", "phone"),
        ("yes-no", "maybe", "choice"),
        ("text", "a" * 201, "long"),
        ("text", "a\x00b", "character"),
    ],
)
def test_only_what_is_no_answer_at_all_is_refused(kind: str, typed: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_answer(Question("key", "vi", "en", AnswerKind(kind)), typed)
    assert caught.value.evidence["reason"] == reason
    assert caught.value.evidence["field"] == "form.key"
    assert typed not in str(caught.value.diagnosis)


ANY_TEXT = st.text(max_size=40) | st.from_regex(r"[0-9/.\- ]{0,14}") | st.sampled_from(["male", ""])


@given(st.sampled_from(sorted(catalogue().procedures)), st.data())
def test_whatever_is_typed_is_kept_or_told_and_kept_answers_stay_as_they_are(
    code: str, data: st.DataObject
) -> None:
    keys = sorted(asked(code))
    typed: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(keys), ANY_TEXT, max_size=9))
    day = data.draw(st.sampled_from([TODAY, "2026", "2026-02-31", ""]))
    once = read(code, typed, day)
    assert not once.answers.keys() & once.problems.keys()
    assert all(isinstance(item, InputError) for item in once.problems.values())
    again = read(code, once.answers, day)
    assert again.answers == once.answers
    assert not again.problems
    for key, answer in once.answers.items():
        assert DOSSIER.by_id[FORM].admit(answer) == answer
        question = catalogue().forms.questions[key]
        assert answer_words(question, answer, "vi")
        assert read_answer(question, answer) == answer


# --------------------------------------------------------------------------- what is looked at


def test_what_is_usually_needed_and_empty_is_a_remark_never_a_refusal() -> None:
    found = read(BIRTH, {})
    assert not found.problems
    needed = {"child_name", "child_sex", "child_birth"}
    assert remarks(BIRTH, {}) == {(key, "question-open") for key in needed}
    assert remarks(MARITAL, {}) == set(), "the quickest procedure needs nothing more"


def test_numbers_are_held_against_sex_and_birth_of_the_same_person() -> None:
    father = {"father_birth": "1990", "father_number": "097190000001"}
    assert {code for key, code in remarks(BIRTH, father) if key == "father_number"} == {
        "citizen-number-for-tests",
        "citizen-number-sex",
    }
    assert ("father_number", "former-number") in remarks(BIRTH, {"father_number": "012345678"})


def test_days_that_contradict_each_other_are_told() -> None:
    dead = {"dead_name": "Trần Văn Thử", "dead_birth": "1950", "dead_on": "1949-12-31"}
    assert ("dead_on", "days-contradict") in remarks(DEATH, dead)
    assert ("dead_on", "day-ahead") in remarks(DEATH, {**dead, "dead_on": "2026-12"})
    assert not remarks(DEATH, {**dead, "dead_on": "1950"})


def test_a_birth_after_sixty_days_is_told_to_be_late() -> None:
    child = {"child_name": "Lê Thử", "child_sex": "male"}
    assert not remarks(BIRTH, {**child, "child_birth": "2026-09-21"})
    late = remarks(BIRTH, {**child, "child_birth": "2026-09-20"})
    assert late == {("child_birth", "late-registration")}


def test_who_is_under_age_is_told() -> None:
    def of(husband: str, wife: str) -> set[tuple[str, str]]:
        names = {"husband_name": "Lê Văn Thử", "wife_name": "Lý Thị Thử"}
        return remarks(MARRIAGE, {**names, "husband_birth": husband, "wife_birth": wife})

    assert not of("2006-11-20", "2008-11-20")
    assert of("2006-11-21", "2008-11-21") == {
        ("husband_birth", "under-age"),
        ("wife_birth", "under-age"),
    }


@pytest.mark.parametrize(
    ("address", "former"),
    [
        ("Số 5, Quận Ba Đình, Hà Nội", True),
        ("thôn Đông, huyện Sóc Sơn", True),
        ("Xã Kim Sơn, tỉnh Nam Định", True),
        ("Xã Kim Sơn, Hoà Bình", True),
        ("Số 5 phố Nam Định, Phường Hoàn Kiếm, Hà Nội", False),
        ("Số 5 phố Quan Nhân, Phường Thanh Xuân", False),
    ],
)
def test_units_that_are_no_more_are_told(address: str, former: bool) -> None:
    found = remarks(MARITAL, {"owner_home": address})
    assert (("owner_home", "former-unit") in found) is former


def test_close_kin_need_no_certified_authorisation() -> None:
    assert ("auth_kin", "authorised-kin") in remarks(BIRTH, {"auth_kin": "sibling"})
    assert ("auth_kin", "authorised-not-kin") in remarks(BIRTH, {"auth_kin": "none"})


def test_answers_are_read_as_people_say_them() -> None:
    questions = catalogue().forms.questions
    assert answer_words(questions["child_sex"], "female", "vi") == "Nữ"
    assert answer_words(questions["child_sex"], "female", "en") == "Female"
    assert answer_words(questions["child_sex"], "of-a-newer-edition", "vi") == "of-a-newer-edition"
    assert answer_words(questions["child_birth"], "2026-11-20", "vi") == "20/11/2026"
    assert answer_words(questions["fingerprint"], "no", "vi") == "Không"
    assert answer_words(None, "as it is", "vi") == "as it is"
