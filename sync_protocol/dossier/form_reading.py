"""What was answered in a form, judged in one place, for the desk, the tablet and a file alike.

What holds:
* Refused is only what is no answer at all: a day that there is not, letters in a number. Whatever
  looks odd is a remark, and so is what was left open: the officer sees more than a rule does.
* Nothing but `InputError` comes out of an answer; its evidence names the question ("form.KEY") and
  never what was written.
* An answer is kept as one text: days as YYYY-MM-DD, a choice as its code, numbers as digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sync_protocol.dossier.day import is_day, shown_day, typed_day
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.form import DAYS, NO, YES, AnswerKind, FormerUnits, Question, Section
from sync_protocol.dossier.identity_document import Remark, check_citizen_number
from sync_protocol.dossier.labels import ENGLISH
from sync_protocol.dossier.phone import parse_phone
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError

_SEPARATORS = re.compile(r"[ .\-]")
_FORMER_NUMBER = re.compile(r"[0-9]{9}")
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,15}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_YEARS = range(1850, 2200)
"""As in an intake file: a year outside is a slip of the hand."""
_PROVINCE_KINDS = ("tinh ", "thanh pho ", "tp. ", "tp.", "t. ", "t.")


@dataclass(frozen=True, slots=True)
class FormReading:
    """A form that was read: answers by key, what is wrong by key, and what to look at."""

    answers: dict[str, str]
    problems: dict[str, InputError]
    remarks: tuple[Remark, ...]


def place_of(key: str) -> str:
    """Return how refusals and remarks name a question."""
    return f"form.{key}"


def read_form(
    sections: tuple[Section, ...], typed: Mapping[str, str], former: FormerUnits, received_on: str
) -> FormReading:
    """Read what was typed, by key; what is blank is left open. `received_on` is YYYY-MM-DD."""
    answers: dict[str, str] = {}
    problems: dict[str, InputError] = {}
    received_on = received_on if is_day(received_on) else ""  # a liar may have written it
    for item in (item for section in sections for item in section.questions):
        try:
            answer = read_answer(item, typed.get(item.key, ""))
        except InputError as problem:
            problems[item.key] = problem
            continue
        if answer:
            answers[item.key] = answer
    wrong = {place_of(key) for key in problems}
    found = [
        remark
        for section in sections
        for remark in _remarks(section, answers, former, received_on)
        if remark.field not in wrong
    ]
    return FormReading(answers, problems, tuple(dict.fromkeys(found)))


def read_answer(question: Question, text: str) -> str:
    """Return an answer as it is kept; "" for a blank one. Raises `InputError`."""
    where = place_of(question.key)
    text = clean(text, where)
    if not text:
        return ""
    if len(text) > question.characters_max:
        raise refused(where, f"has more than {question.characters_max} characters", "long")
    kind = question.kind
    if kind in DAYS:
        return _day(text, where, partial=kind is AnswerKind.PARTIAL_DATE)
    if kind is AnswerKind.PHONE:
        return parse_phone(text, where)
    if kind in (AnswerKind.CHOICE, AnswerKind.YES_NO):
        codes = {choice.code for choice in question.choices} or {YES, NO}
        if text not in codes:
            raise refused(where, "is none of the answers to choose from", "choice")
        return text
    digits = _SEPARATORS.sub("", text)
    if kind is AnswerKind.NUMBER and not _NUMBER.fullmatch(digits):
        raise refused(where, "is no number", "number")
    if kind is AnswerKind.PASSPORT and not _PASSPORT.fullmatch(digits.upper()):
        raise refused(where, "must have 5 to 15 letters and digits as printed", "passport-number")
    if kind is AnswerKind.CITIZEN_NUMBER and not _FORMER_NUMBER.fullmatch(digits):
        return check_citizen_number(text, field=where)[0]
    return digits.upper() if kind in _DIGITS else text


_DIGITS = frozenset({AnswerKind.NUMBER, AnswerKind.PASSPORT, AnswerKind.CITIZEN_NUMBER})


def answer_words(question: Question | None, answer: str, language: str) -> str:
    """Return an answer as people read it; what is no answer (any more) stays as it is."""
    if question is None:
        return answer
    if question.kind in DAYS:
        return shown_day(answer)
    if question.kind is AnswerKind.YES_NO:
        words = {YES: ("Có", "Yes"), NO: ("Không", "No")}.get(answer, (answer, answer))
        return words[language == ENGLISH]
    chosen = next((item for item in question.choices if item.code == answer), None)
    if chosen is None:
        return answer
    return chosen.en if language == ENGLISH else chosen.vi


def _day(text: str, where: str, *, partial: bool) -> str:
    iso = typed_day(text, where) or ""
    if not is_day(iso, partial=partial) or int(iso[:4]) not in _YEARS:
        raise refused(where, "is no day that there is, such as 20/08/1990", "date")
    return iso


# ------------------------------------------------------------------------------------ remarks


def _remarks(
    section: Section, answers: Mapping[str, str], former: FormerUnits, received_on: str
) -> Iterator[Remark]:
    """Yield what is odd in a section."""
    touched = any(item.key in answers for item in section.questions)
    for item in section.questions:
        answer, where = answers.get(item.key), place_of(item.key)
        if answer is None:
            if item.required and (touched or not section.optional):
                yield Remark("question-open", where)
            continue
        if item.kind is AnswerKind.NAME and any(one.isdigit() for one in answer):
            yield Remark("name-digits", where)
        if item.kind is AnswerKind.ADDRESS and _is_former_unit(answer, former):
            yield Remark("former-unit", where)
        if item.kind in DAYS:
            yield from _day_remarks(item, answer, answers, received_on)
        chosen = next((one for one in item.choices if one.code == answer), None)
        if chosen is not None and chosen.remark:
            yield Remark(chosen.remark, where)
    yield from _person_remarks(section, answers, received_on)


def _day_remarks(
    item: Question, answer: str, answers: Mapping[str, str], received_on: str
) -> Iterator[Remark]:
    where = place_of(item.key)
    if not item.ahead and _is_before(received_on, answer):
        yield Remark("day-ahead", where)
    if item.not_before in answers and _is_before(answer, answers[item.not_before]):
        yield Remark("days-contradict", where)
    if item.late_after_days is not None and len(answer) == len(received_on):
        last = date.fromisoformat(answer) + timedelta(days=item.late_after_days)
        if last < date.fromisoformat(received_on):
            yield Remark("late-registration", where)


def _is_before(one: str, other: str) -> bool:
    """Whether a day is before another; of partial ones only what both know is compared."""
    size = min(len(one), len(other))
    return one[:size] < other[:size]


def _person_remarks(
    section: Section, answers: Mapping[str, str], received_on: str
) -> Iterator[Remark]:
    born, number = answers.get(section.key("birth")), answers.get(section.key("number"), "")
    sex, where = section.sex or answers.get(section.key("sex")), place_of(section.key("number"))
    if _FORMER_NUMBER.fullmatch(number):
        yield Remark("former-number", where)
    elif number:
        yield from check_citizen_number(number, birth_date=born, sex=sex, field=where)[1]
    if born and section.age_min is not None:
        of_age = f"{int(born[:4]) + section.age_min:04d}{born[4:]}"
        if _is_before(received_on, of_age):
            yield Remark("under-age", place_of(section.key("birth")))


def _is_former_unit(address: str, former: FormerUnits) -> bool:
    """Whether an address names a district, or ends with a province that was merged."""
    parts = [part.strip() for part in address.split(",")]
    if any(part.casefold().startswith(kind) for part in parts for kind in former.kinds):
        return True
    last = fold(parts[-1])
    name = next((last[len(kind) :] for kind in _PROVINCE_KINDS if last.startswith(kind)), last)
    return name.strip() in {fold(province) for province in former.provinces}
