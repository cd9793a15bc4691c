"""Reception: one walk-in on one page, by the same reading of a line that bulk intake uses.

What holds:
* Enter never saves: the first button of the form reads the card, and readers that type end with
  Enter. Saving is a button of its own.
* What a card says fills what is empty; where it differs from what was typed, both are shown.
* Whatever looks odd is shown beside its field and blocks nothing: a second tap saves all the same.
* One form saves one dossier, however often it is sent.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.dossiers import rows
from device_home.forms import PREFIX
from device_home.intake import check_room
from device_home.officers import check_allowed
from device_home.shapes import Shape
from device_home.slips import find_slip, received
from edge_node.desk.clock import clock_notes, desk_time
from edge_node.desk.drafts import drop_draft, find_draft, keep_draft
from edge_node.desk.questions import asked_sections, copy_applicant, typed_answers
from edge_node.desk.site import Allowed, Desk, Route, acting, language, session
from edge_node.desk.words import error_words, pick
from sync_protocol import limits
from sync_protocol.dossier.card_qr import CardQr, read_card_qr
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.deadline import count_deadline, limit_text
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.form_reading import place_of, read_form
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.identity_reading import differences, reading_of_card, typed_reading
from sync_protocol.dossier.intake import Intake, read_intake
from sync_protocol.dossier.labels import ENGLISH, PAPER_STATES, REMARKS, STATE_DATABASES, label
from sync_protocol.dossier.procedure import Channel, Procedure, Requirement
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.slip import read_slip
from sync_protocol.dossier.text import refused
from sync_protocol.dossier.working_calendar import calendar_with
from sync_protocol.errors import InputError, StorageError
from sync_protocol.storage.store import Query

INPUTS = (
    *("citizen_number", "passport_number", "passport_issuer", "name", "birth_date", "birth_place"),
    *("phone", "address_line", "address_unit", "due_on", "fee", "note", "old_slip"),
)
"""The inputs of the form; papers come beside them, numbered."""
_BY_CARD = {
    "citizen_number": "citizen_number",
    "name": "name",
    "birth_date": "birth_date",
    "address": "address_line",
}
_PLACES = {
    "number": "citizen_number",
    "address": "address_line",
    "applicant.passport": "passport_number",
    "applicant.passport.number": "passport_number",
    "applicant.passport.issuer": "passport_issuer",
    "applicant.address.line": "address_line",
    "applicant.address.unit": "address_unit",
    "fee.amount": "fee",
    "slip": "old_slip",
    "code": "old_slip",
    "card": "card",
}
_DUPLICATES_MAX = 3


@dataclass(slots=True)
class Form:
    """What stands in the form, and what is said beside its inputs."""

    procedure: Procedure
    values: dict[str, str]
    papers: dict[int, str]
    once: str
    answers: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    doubles: list[Shape] = field(default_factory=list)

    def remark(self, code: str, place: str, words: str) -> None:
        """Say something beside an input, once."""
        self.codes.add(f"{code}@{place}")
        if words not in self.remarks.setdefault(place, []):
            self.remarks[place].append(words)


def show_procedures(desk: Desk) -> ResponseReturnValue:  # noqa: ARG001 - every page takes the desk
    """Show what can be received here; the search forgives marks."""
    words = request.args.get("q", "")[:100]
    wanted = fold(words).split()
    known = [_procedure_row(item) for item in catalogue().procedures.values() if item.at_the_ward]
    found = [row for row in known if all(word in row["key"] for word in wanted)]
    found.sort(key=lambda row: (row["field"], row["name"]))
    return render_template("procedures.html", rows=found, words=words)


def _procedure_row(item: Procedure) -> dict[str, str]:
    english = language() == ENGLISH
    texts = (item.code, item.name, item.english, item.official, item.field)
    return {
        "code": item.code,
        "name": item.english if english else item.name,
        "field": item.field_english if english else item.field,
        "key": fold(" ".join(texts)),
        "time": pick(limit_text(item.time), language()) if item.time else "",
    }


def show_form(desk: Desk, code: str) -> ResponseReturnValue:
    """Show an empty form."""
    procedure, name = _procedure(code), request.args.get("aside", "")
    draft = find_draft(desk.replica, acting(), name)
    if draft is None:
        return form_page(desk, Form(procedure, {}, {}, secrets.token_urlsafe(9)))
    return form_page(desk, _form(procedure, draft.values, name))


def _form(procedure: Procedure, posted: Mapping[str, str], once: str) -> Form:
    """Return the form as it was filled in."""
    sections = catalogue().forms.of(procedure)
    papers = {index: posted.get(f"paper.{index}", "") for index in range(len(procedure.papers))}
    return Form(
        procedure,
        {name: posted.get(name, "").strip() for name in INPUTS},
        {index: state for index, state in papers.items() if state in PAPER_STATES},
        once,
        typed_answers(sections, posted),
    )


def _procedure(code: str) -> Procedure:
    found = catalogue().find(code)
    if found is None or not found.at_the_ward:
        abort(404)
    return found


def form_page(desk: Desk, form: Form) -> ResponseReturnValue:
    """Show the form as it is."""
    due, sections = _due(desk, form.procedure), catalogue().forms.of(form.procedure)
    told = {*form.problems, *form.remarks}
    page = render_template(
        "intake.html",
        form=form,
        procedure=_procedure_row(form.procedure),
        papers=[
            _paper_row(index, item)
            for index, item in enumerate(form.procedure.papers)
            if item.belongs_to(Channel.DIRECT)
        ],
        states=[(state, label(PAPER_STATES, state, language())) for state in PAPER_STATES],
        sections=asked_sections(sections, form.answers, language(), told=told),
        due=shown_day(due) if due else "",
        looked=" ".join(sorted(form.codes)),
        bytes_max=limits.PICTURE_BYTES_MAX,
    )
    return (page, 400) if form.problems else page


def _paper_row(index: int, item: Requirement) -> dict[str, Any]:
    known = catalogue()
    names = [known.papers[name] for name in (item.type, *item.instead)]
    english = language() == ENGLISH
    when = known.conditions[item.when] if item.when else None
    return {
        "index": index,
        "name": " / ".join(paper.en if english else paper.vi for paper in names),
        "when": "" if when is None else pick((when.vi, when.en), language()),
        "present": item.present,
        "known": label(STATE_DATABASES, item.known_from, language()) if item.known_from else "",
    }


# ------------------------------------------------------------------------------------ reading


def do_form(desk: Desk, code: str) -> ResponseReturnValue:
    """Read the card, or save."""
    posted, form = request.form, posted_form(code)
    if posted.get("do") == "aside":
        keep_draft(desk.replica, acting(), form.once, code, posted)
        return redirect(url_for("home"))
    _take_card(form, posted.get("card", ""))
    _take_applicant(form, posted.get("do", ""))
    if posted.get("do") != "save" or form.problems:
        return form_page(desk, form)
    with session().saving:
        before = session().saved.get(form.once)
        return _go(before) if before else _save(desk, form, set(posted.get("looked", "").split()))


def posted_form(code: str) -> Form:
    """Return the form of a procedure as it was sent."""
    return _form(_procedure(code), request.form, request.form.get("once", "")[:20])


def _take_card(form: Form, text: str) -> None:
    if not text.strip():
        return
    try:
        fill(form, read_card_qr(text))
    except InputError as problem:
        form.problems["card"] = error_words(problem, language())


def _take_applicant(form: Form, said: str) -> None:
    """Copy who applies to the person that they are."""
    sections = {item.id: item for item in catalogue().forms.of(form.procedure) if item.applicant}
    section = sections.get(said.removeprefix("same."))
    if not said.startswith("same.") or section is None:
        return
    if not form.values["name"]:
        words = ("Điền người nộp trước, rồi bấm lại.", "Fill in the applicant first.")
        form.problems["same"] = pick(words, language())
    copy_applicant(section, form.answers, form.values)


def fill(form: Form, card: CardQr) -> None:
    """Fill what is empty with what a card says; where it differs, both are shown."""
    reading = reading_of_card(card)
    typed = {name: form.values[place] for name, place in _BY_CARD.items() if form.values[place]}
    try:
        born = typed_day(typed.pop("birth_date", ""), "birth_date")
    except InputError:
        born = None  # it is told at saving
    typed |= {"birth_date": born} if born else {}
    for row in differences([reading, typed_reading(typed)]):
        place, said = _BY_CARD.get(row.field, ""), reading.values[row.field]
        said = shown_day(said) if row.field == "birth_date" else said
        words = (f"Trên thẻ: {said}", f"The card says: {said}")
        form.remark("card-differs", place, pick(words, language()))
    for name, place in _BY_CARD.items():
        value = reading.values.get(name, "")
        form.values[place] = form.values[place] or (
            shown_day(value) if name == "birth_date" else value
        )
    _remark(form, card.remarks)


def _remark(form: Form, remarks: tuple[Remark, ...]) -> None:
    for item in remarks:
        form.remark(item.code, _place(item.field), label(REMARKS, item.code, language()))


def _place(where: str) -> str:
    """Return the input of a place that a refusal or a remark names."""
    if where.startswith(PREFIX):
        return where
    return _PLACES.get(where, where.rpartition(".")[2].partition("[")[0])


# ------------------------------------------------------------------------------------- saving


def _save(desk: Desk, form: Form, looked: set[str]) -> ResponseReturnValue:
    _check_answers(desk, form)
    try:
        read = read_intake(_line(desk, form))
        _remark(form, read.warnings)
        _look_for_doubles(desk, form)
        if not form.codes <= looked:
            return form_page(desk, form)
        record = _write(desk, read, form.values["old_slip"])
    except (InputError, StorageError) as problem:  # whatever it is, what was typed stays
        place = _place(str(problem.evidence.get("field", "")))
        if problem.evidence.get("reason") == "passport-issuer":
            place = "passport_issuer"
        known = place in INPUTS or place.removeprefix(PREFIX) in form.answers
        form.problems[place if known else ""] = error_words(problem, language())
        return form_page(desk, form)
    session().keep_saved(form.once, record)
    drop_draft(desk.replica, acting(), form.once)
    desk.on_change()
    return _go(record)


def _go(record: str) -> ResponseReturnValue:
    return redirect(url_for("dossier", record=record, saved="new"))


def _write(desk: Desk, read: Intake, old_slip: str) -> str:
    replica, change = desk.replica, read.change()
    check_allowed(replica, acting(), [change])
    check_room(desk.device.home)
    slip = read_slip(old_slip) if old_slip else None
    if slip is not None and find_slip(replica, slip) is not None:
        raise refused("old_slip", "has its dossier here already", "slip-here")
    change = received(replica, change, slip)
    return replica.write([change], acting()).records[0].hex()


def _line(desk: Desk, form: Form) -> bytes:
    """Return the line of an intake file that says what the form says. Raises `InputError`."""
    values = form.values
    applicant: dict[str, object] = {
        "name": values["name"],
        "citizen_number": values["citizen_number"],
        "birth_date": typed_day(values["birth_date"], "applicant.birth_date"),
        "birth_place": values["birth_place"],
        "phone": values["phone"],
        "address": {"line": values["address_line"], "unit": values["address_unit"]},
    }
    if values["passport_number"] or values["passport_issuer"]:
        applicant["passport"] = {
            "number": values["passport_number"],
            "issuer": values["passport_issuer"],
        }
    amount = values["fee"].replace(" ", "")
    line = {
        "procedure": form.procedure.code,
        "applicant": applicant,
        "status": "received",
        "received_on": f"{desk_time(desk):%Y-%m-%d}",
        "form": form.answers,
        "due_on": typed_day(values["due_on"], "due_on") or _due(desk, form.procedure),
        "fee": {"amount": amount} if amount else None,
        "notes": [*([values["note"]] if values["note"] else []), *clock_notes(desk)],
        "papers": [
            {"type": item.type, "name": catalogue().papers[item.type].vi, "state": state}
            for index, state in form.papers.items()
            for item in [form.procedure.papers[index]]
        ],
    }
    return json.dumps(line, ensure_ascii=False).encode()


def _check_answers(desk: Desk, form: Form) -> None:
    """Say beside every answer what is wrong with it, not of the first alone."""
    forms = catalogue().forms
    sections = forms.of(form.procedure)
    read = read_form(sections, form.answers, forms.former_units, f"{desk_time(desk):%Y-%m-%d}")
    for key, problem in read.problems.items():
        form.problems[place_of(key)] = error_words(problem, language())


def _due(desk: Desk, procedure: Procedure) -> str:
    """Return the day on which a dossier received now is due; empty where the law names no time."""
    if procedure.time is None:
        return ""
    return count_deadline(procedure.time, desk_time(desk), calendar_with()).due.date().isoformat()


def _look_for_doubles(desk: Desk, form: Form) -> None:
    """Remark upon dossiers of the same number and procedure; never a block."""
    number = form.values["citizen_number"] or form.values["passport_number"]
    query = Query(type=DOSSIER.id, text=fold(number), limit=20)
    found = rows(desk.replica, query) if number else []
    form.doubles = [row for row in found if row["procedure"] == form.procedure.code]
    form.doubles = form.doubles[:_DUPLICATES_MAX]
    if form.doubles:
        form.codes.add("double")


ROUTES = (
    Route("GET", "/intake", "procedures", Allowed.OFFICER, show_procedures),
    Route("GET", "/intake/<code>", "intake", Allowed.OFFICER, show_form),
    Route("POST", "/intake/<code>", "do_intake", Allowed.OFFICER, do_form, kept=True),
)
