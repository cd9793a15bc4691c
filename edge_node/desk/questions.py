"""The form of a procedure on pages: its questions as inputs, and its answers as they are read.

What holds: an answer is an input named `form.KEY`, like the place that refusals and remarks name.
Who applies may be one of the persons asked for: a tap copies them there, a second takes it back.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

from device_home.forms import PREFIX, answer_cells, answer_text, form_remarks, sections_of
from edge_node.desk.words import pick
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.form import DAYS, NO, YES, AnswerKind, Question, Section
from sync_protocol.dossier.form_reading import answer_words, place_of
from sync_protocol.dossier.labels import REMARKS, label
from sync_protocol.view import RecordView

FILED_AS = "filed_as"
_NUMERIC = frozenset({AnswerKind.CITIZEN_NUMBER, AnswerKind.NUMBER, *DAYS})
_HINTS = {
    AnswerKind.CITIZEN_NUMBER: ("12 số", "12 digits"),
    AnswerKind.DATE: ("20/08/2026", "20/08/2026"),
    AnswerKind.PARTIAL_DATE: ("20/08/1990", "20/08/1990"),
    AnswerKind.PHONE: ("0912 000 123", "0912 000 123"),
}
_NARROW_CHARACTERS_MAX = 200
_COPIED = {
    "name": "name",
    "birth": "birth_date",
    "number": "citizen_number",
    "passport": "passport_number",
    "phone": "phone",
}
"""What is copied of the applicant: what is asked of a person, by the inputs of reception."""


class Asked(NamedTuple):
    """One input: its name, its words, what stands in it, and how it is typed or chosen."""

    name: str
    words: str
    text: str
    choices: tuple[tuple[str, str], ...]
    mode: str
    hint: str
    characters_max: int
    required: bool
    disputed: bool

    @property
    def is_long(self) -> bool:
        """Whether the answer is usually longer than a narrow input shows."""
        return self.characters_max > _NARROW_CHARACTERS_MAX


class AskedSection(NamedTuple):
    """The inputs of a section. `same` are the words of the tap that copies the applicant there."""

    id: str
    title: str
    asked: tuple[Asked, ...]
    folded: bool
    same: str


def asked_sections(
    sections: tuple[Section, ...],
    answers: Mapping[str, str],
    language: str,
    *,
    told: Container[str] = (),
    disputed: Container[str] = (),
) -> list[AskedSection]:
    """Return the sections of a form, filled in; one of which something is `told` is open."""
    found = []
    for section in sections:
        asked = tuple(
            _asked(item, answers.get(item.key, ""), language, item.key in disputed)
            for item in section.questions
        )
        touched = any(item.text or item.disputed or item.name in told for item in asked)
        same = section.applicant
        found.append(
            AskedSection(
                section.id,
                pick((section.vi, section.en), language),
                asked,
                section.optional and not touched,
                pick((same.vi, same.en), language) if same else "",
            )
        )
    return found


def _asked(item: Question, text: str, language: str, disputed: bool) -> Asked:
    choices = tuple((one.code, pick((one.vi, one.en), language)) for one in item.choices)
    if item.kind is AnswerKind.YES_NO:
        choices = tuple((code, answer_words(item, code, language)) for code in (YES, NO))
    numeric = "numeric" if item.kind in _NUMERIC else ""
    return Asked(
        place_of(item.key),
        pick((item.vi, item.en), language),
        shown_day(text) if item.kind in DAYS else text,
        choices,
        "tel" if item.kind is AnswerKind.PHONE else numeric,
        pick(_HINTS.get(item.kind, ("", "")), language),
        item.characters_max,
        item.required,
        disputed,
    )


def typed_answers(sections: tuple[Section, ...], posted: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed into the form, by key."""
    keys = [item.key for section in sections for item in section.questions]
    return {key: posted.get(place_of(key), "").strip() for key in keys}


def copy_applicant(
    section: Section, answers: dict[str, str], applicant: Mapping[str, str]
) -> list[str]:
    """Copy the applicant into a section where it is empty; take it back where all stands there.

    Returns the keys that hold the applicant now, none where nothing was there to copy.
    """
    home = ", ".join(filter(None, (applicant["address_line"], applicant["address_unit"])))
    values = {section.key(name): applicant[place] for name, place in _COPIED.items()}
    values[section.key("home")] = home
    asked = {item.key for item in section.questions}
    values = {key: text for key, text in values.items() if text and key in asked}
    back = bool(values) and all(answers.get(key) == text for key, text in values.items())
    for key, text in values.items():
        answers[key] = "" if back else answers.get(key) or text
    question = catalogue().forms.questions[FILED_AS]
    if FILED_AS in answers and section.id in {item.code for item in question.choices} and values:
        answers[FILED_AS] = "" if back else section.id
    return [] if back else list(values)


# ------------------------------------------------------------------------------- as it is read


class Answer(NamedTuple):
    """One answer on a dossier's page."""

    words: str
    text: str
    disputed: bool
    remarks: tuple[str, ...]


def answered_sections(view: RecordView, language: str) -> list[tuple[str, list[Answer]]]:
    """Return the answers of a dossier by section; what the form asks no more stands at the end."""
    cells = answer_cells(view)
    remarks = form_remarks(view, [place_of(key) for key in cells])
    left = dict.fromkeys(cells)
    found = []
    for section in sections_of(view):
        asked = {item.key: pick((item.vi, item.en), language) for item in section.questions}
        keys = [key for key in asked if key in cells]
        for key in keys:
            left.pop(key, None)
        found.append((pick((section.vi, section.en), language), [(k, asked[k]) for k in keys]))
    found.append(
        (pick(("Đã khai theo mẫu cũ", "Of a former form"), language), [(k, k) for k in left])
    )
    return [
        (
            title,
            [
                Answer(
                    words,
                    answer_text(place_of(key), cells[key].value, language),
                    bool(cells[key].conflict),
                    tuple(
                        label(REMARKS, item.code, language)
                        for item in remarks
                        if item.field == place_of(key)
                    ),
                )
                for key, words in rows
            ],
        )
        for title, rows in found
        if rows
    ]


# ---------------------------------------------------------------------------------- as edited


def answers_of(view: RecordView) -> dict[str, str]:
    """Return the displayed answers of a dossier by key."""
    return {key: str(item.value or "") for key, item in answer_cells(view).items()}


def disputed_answers(view: RecordView) -> set[str]:
    """Return the keys of those of which there are two versions."""
    return {key for key, item in answer_cells(view).items() if item.conflict}


def typed_assignments(posted: Mapping[str, str]) -> Iterator[str]:
    """Yield the answers that were changed on the page for editing, as assignments."""
    for name, text in posted.items():
        place = name.removeprefix("f.")
        was = posted.get(f"was.{place}", "")
        if place != name and place.startswith(PREFIX) and text.strip() != was.strip():
            yield f"{place}={text}"
