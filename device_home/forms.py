"""The form of a dossier: its answers as commands show them, and as they are typed and written.

    form.child_name=Lê Thử     answers a question of the procedure's form; empty takes it back

What holds: each answer is a cell of its own, written over the dots that were displayed of it alone.
A key that the form in force does not ask (an older edition did) is shown, and can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.form import AnswerKind, Question, Section, element_of, is_key, key_of
from sync_protocol.dossier.form_reading import answer_words, place_of, read_answer, read_form
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.labels import ENGLISH, FIELDS, VIETNAMESE, label
from sync_protocol.dossier.procedure import PersonRole
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.text import refused
from sync_protocol.identity import Dot
from sync_protocol.record.change import CellWrite
from sync_protocol.record.diff import Shown, edit_element
from sync_protocol.view import FieldView, RecordView

FORM = "form"
PREFIX = f"{FORM}."


class Assigned(NamedTuple):
    """Assignments sorted: those of plain fields, and the writes of those to the form."""

    words: list[str]
    writes: list[CellWrite]


def answer_cells(view: RecordView) -> dict[str, FieldView]:
    """Return the answers of a dossier by the keys of their questions, in the form's order."""
    found = {key_of(item.element or b""): item for item in view.elements(FORM)}
    asked = [item.key for section in sections_of(view) for item in section.questions]
    order = [key for key in asked if key in found]
    return {key: found[key] for key in [*order, *sorted(found.keys() - set(order))]}


def sections_of(view: RecordView) -> tuple[Section, ...]:
    """Return the form of a dossier's procedure; none where the catalogue has no such procedure."""
    procedure = catalogue().find(str(view.value("procedure") or ""))
    return () if procedure is None else catalogue().forms.of(procedure)


def names_of(view: RecordView) -> list[str]:
    """Return the names of those whom a dossier is about, as far as its form says so."""
    cells = answer_cells(view)
    return [
        str(cells[item.key].value)
        for section in sections_of(view)
        for item in section.questions
        if item.key in cells
        and item.kind is AnswerKind.NAME
        and (item.required or section.id == PersonRole.OWNER)
    ]


def form_remarks(view: RecordView, words: Sequence[str]) -> tuple[Remark, ...]:
    """Return what is odd in the answers that these assignments have changed."""
    changed = {word.strip().partition("=")[0].strip() for word in words}
    answers = {key: str(item.value or "") for key, item in answer_cells(view).items()}
    former, received_on = catalogue().forms.former_units, str(view.value("received_on") or "")
    found = read_form(sections_of(view), answers, former, received_on).remarks
    return tuple(item for item in found if item.field in changed)


def cell_label(name: str, language: str = VIETNAMESE) -> str:
    """Return the words for a cell, named as in shapes: of an answer those of its question."""
    question = _question(name)
    if question is None:
        return label(FIELDS, name.partition(":")[0].partition(".")[0], language)
    section = next(s for s in catalogue().forms.sections.values() if question in s.questions)
    english = language == ENGLISH
    where, what = (section.en, question.en) if english else (section.vi, question.vi)
    return f"{where}: {what}"


def answer_text(name: str, value: object, language: str) -> str:
    """Return an answer in words; `name` is that of its cell, "form.KEY"."""
    return answer_words(_question(name), str(value or ""), language)


def _question(name: str) -> Question | None:
    field, _, key = name.partition(".")
    return catalogue().forms.questions.get(key) if field == FORM else None


# --------------------------------------------------------------------------------- writing


def assigned(view: RecordView, words: Sequence[str], seen: frozenset[Dot] | None) -> Assigned:
    """Sort out the assignments to the form. Raises `InputError`.

    `seen` are the dots that were displayed; None: all that are displayed now.
    """
    plain = [word for word in words if not word.strip().startswith(PREFIX)]
    typed = {
        key.strip(): text
        for word in words
        if word.strip().startswith(PREFIX)
        for key, _, text in [word.strip().removeprefix(PREFIX).partition("=")]
    }
    return Assigned(plain, list(_writes(view, typed, seen)))


def _writes(
    view: RecordView, typed: dict[str, str], seen: frozenset[Dot] | None
) -> Iterator[CellWrite]:
    asked = {item.key: item for section in sections_of(view) for item in section.questions}
    cells = answer_cells(view)
    for key, text in typed.items():
        answer = _answer(asked.get(key), key, text, is_there=key in cells)
        cell = cells.get(key)
        shown = _shown(cell, seen)
        if (None if shown is None else shown.value) == answer and not (cell and cell.conflict):
            continue
        yield edit_element(DOSSIER, FORM, element_of(key), answer, shown)


def _shown(cell: FieldView | None, seen: frozenset[Dot] | None) -> Shown | None:
    """Return what was displayed of an answer: a value whose dots were not all seen was not."""
    if cell is None:
        return None
    dots = cell.dots if seen is None else tuple(dot for dot in cell.dots if dot in seen)
    return Shown(cell.value if dots == cell.dots else None, dots)


def _answer(question: Question | None, key: str, text: str, *, is_there: bool) -> str | None:
    if question is not None:
        return read_answer(question, text) or None
    if is_there and not text.strip():
        return None
    shown = key if is_key(key) else "?"  # it may be somebody's name
    raise refused(place_of(shown), "is no question of this procedure's form", "unknown-field")
