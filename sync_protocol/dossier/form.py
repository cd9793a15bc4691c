"""What a form asks: questions in sections, one form for each procedure, as the catalogue says it.

These are shapes, and what fits together of them; `form_reading` judges what was answered. A form is
data and comes with the edition of the catalogue (`forms.toml`), so the city changes it without a
new program.

What holds:
* A question has one key for ever, in whatever form it stands: it is also the name under which its
  answer is kept. Two people who answer different questions never disturb each other.
* What is asked of a person is written once (`person`); a section takes what it needs of it, and a
  prefix tells whose it is: `father_name`, `mother_name`.
* A procedure without a form of its own asks for the persons that it has, and what is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import msgspec

from sync_protocol import limits
from sync_protocol.dossier.procedure import Procedure, Text
from sync_protocol.identity import ID_BYTES

REQUEST = "request"
"""The section in which any other procedure says what is wanted."""
YES = "yes"
NO = "no"

_KEY = re.compile(r"[a-z][a-z0-9_]{0,15}")
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CODE_CHARACTERS_MAX = 30


class AnswerKind(StrEnum):
    """What an answer must be."""

    TEXT = "text"
    NAME = "name"
    DATE = "date"
    PARTIAL_DATE = "partial-date"
    CHOICE = "choice"
    CITIZEN_NUMBER = "citizen-number"
    PASSPORT = "passport"
    ADDRESS = "address"
    PHONE = "phone"
    NUMBER = "number"
    YES_NO = "yes-no"


DAYS = frozenset({AnswerKind.DATE, AnswerKind.PARTIAL_DATE})
"""The kinds whose answers are days."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the answers to choose from; `remark` is a code of `labels.REMARKS` that it brings."""

    code: str
    vi: str
    en: str
    remark: str = ""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of a form.

    `required` is told where it is left open and blocks nothing. `characters_max` bounds the answer.
    Of days: `not_before` is the key of one that comes first, `ahead` allows days to come,
    `late_after_days` is how long after it people have to file.
    """

    key: str
    vi: str
    en: str
    kind: AnswerKind = AnswerKind.TEXT
    required: bool = False
    choices: tuple[Choice, ...] = ()
    characters_max: int = 200
    not_before: str = ""
    ahead: bool = False
    late_after_days: int | None = None


class _SectionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section as the file writes it: what it asks of a person, and questions of its own."""

    vi: str
    en: str
    prefix: str = ""
    person: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    question: tuple[Question, ...] = ()
    optional: bool = False
    applicant: Text | None = None
    sex: str = ""
    age_min: int | None = None


class FormerUnits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is no unit of administration any more: kinds (“quận”) and names of provinces."""

    source: str
    kinds: tuple[str, ...]
    provinces: tuple[str, ...]


class FormFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `forms.toml`: forms by code of the procedure, each a list of sections."""

    source: str
    former_units: FormerUnits
    person: dict[str, Question]
    section: dict[str, _SectionRow]
    form: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """Questions that stand together, often of one person.

    `prefix` begins the keys of that person. `applicant` says that the applicant may be this person.
    `sex` and `age_min` (years) are what the law says of them. `optional` ones start folded.
    """

    id: str
    vi: str
    en: str
    prefix: str
    questions: tuple[Question, ...]
    optional: bool
    applicant: Text | None
    sex: str
    age_min: int | None

    def key(self, name: str) -> str:
        """Return the key of what is asked of this section's person: `name` is of `person`."""
        return f"{self.prefix}_{name}"


@dataclass(frozen=True, slots=True)
class Forms:
    """Every form of an edition."""

    sections: Mapping[str, Section]
    by_code: Mapping[str, tuple[str, ...]]
    questions: Mapping[str, Question]
    former_units: FormerUnits

    def of(self, procedure: Procedure) -> tuple[Section, ...]:
        """Return the form of a procedure: its own, or that of its persons and the request."""
        names = self.by_code.get(procedure.code) or (*procedure.persons, REQUEST)
        return tuple(self.sections[name] for name in names if name in self.sections)


def element_of(key: str) -> bytes:
    """Return the element under which the answer to a question is kept."""
    return key.encode("ascii").ljust(ID_BYTES, b"\0")


def key_of(element: bytes) -> str:
    """Return the key that an element stands for; hexadecimal for what is none."""
    text = element.rstrip(b"\0").decode("ascii", "replace")
    return text if _KEY.fullmatch(text) else element.hex()


def is_key(text: str) -> bool:
    """Whether a text can be the key of a question."""
    return _KEY.fullmatch(text) is not None


# --------------------------------------------------------------------------- from the file


def read_forms(file: FormFile) -> Forms:
    """Return the forms of a file. `form_faults` says what does not fit together in them."""
    sections = {name: _section(name, row, file.person) for name, row in file.section.items()}
    questions: dict[str, Question] = {}
    for section in sections.values():
        for item in section.questions:
            questions.setdefault(item.key, item)
    return Forms(
        MappingProxyType(sections),
        MappingProxyType(file.form),
        MappingProxyType(questions),
        file.former_units,
    )


def _section(name: str, row: _SectionRow, person: Mapping[str, Question]) -> Section:
    prefix = row.prefix or name
    asked = [
        msgspec.structs.replace(
            person[item], key=f"{prefix}_{person[item].key}", required=item in row.required
        )
        for item in row.person
        if item in person
    ]
    questions = (*asked, *row.question)
    return Section(
        *(name, row.vi, row.en, prefix, questions, row.optional),
        *(row.applicant, row.sex, row.age_min),
    )


def form_faults(file: FormFile, forms: Forms) -> Iterator[str]:
    """Say what does not fit together in a file of forms."""
    for name, row in file.section.items():
        unknown = {*row.person, *row.required} - file.person.keys()
        yield from (f"section {name}: no {item} of a person" for item in sorted(unknown))
        for item in forms.sections[name].questions:
            yield from (f"question {item.key}: {fault}" for fault in _question_faults(item, forms))
    for code, names in file.form.items():
        yield from (f"form {code}: no section {name}" for name in names if name not in file.section)
        found = [forms.sections[name] for name in names if name in file.section]
        keys = [item.key for section in found for item in section.questions]
        if len(keys) > limits.FORM_QUESTIONS_MAX:
            yield f"form {code} asks too much"
        if len(set(keys)) < len(keys):
            yield f"form {code} asks a question twice"


def _question_faults(item: Question, forms: Forms) -> Iterator[str]:
    if not _KEY.fullmatch(item.key):
        yield "its key is none"
    kinds = {item.kind, forms.questions[item.key].kind}
    if len(kinds) > 1 and not kinds <= DAYS:
        yield "it is of two kinds"
    if not 0 < item.characters_max <= limits.FORM_ANSWER_CHARACTERS_MAX:
        yield "its bound is out of bounds"
    if item.not_before and item.not_before not in forms.questions:
        yield f"no question {item.not_before}"
    codes = [choice.code for choice in item.choices]
    if bool(codes) != (item.kind is AnswerKind.CHOICE) or len(set(codes)) < len(codes):
        yield "its choices are none"
    yield from (f"{code} is no code" for code in codes if not _is_code(code))


def _is_code(code: str) -> bool:
    return len(code) <= _CODE_CHARACTERS_MAX and _CODE.fullmatch(code) is not None
