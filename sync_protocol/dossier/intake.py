"""Intake: one line of JSON becomes a dossier, or one clear sentence why it does not.

A file has one dossier per line (docs/INTAKE.md shows one; `*` marks what must be there):

    procedure*     code of the catalogue, "1.001193"
    applicant*     name*; citizen_number (12 digits) or passport {number*, issuer*} of a foreigner;
                   birth_date (YYYY, YYYY-MM or YYYY-MM-DD), birth_place; phone;
                   address {line, unit, unit_code}
    status*        filed received refused processing supplement payment withdrawal stopped ready
                   returned
    received_on*   YYYY-MM-DD         due_on   YYYY-MM-DD, not earlier
    fee            {amount* (whole number, or text such as "12000.50"), currency (VND)}
    notes          texts
    papers         {type* ("to-khai"), name*, state, note}; state: submitted compared known missing
    form           answers by the keys of the procedure's form: {"child_name": "…"}
    scans          paths of pictures or PDFs, relative to the folder of the file

What holds: null and "" mean absent; any other key is refused, because a misspelt one would lose
what it says; text is kept in NFC. Any bytes give an `Intake` or an `InputError`, whose evidence
names the field and never what was in it. Nothing here opens a scan: `scan_check` judges its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sync_protocol import limits
from sync_protocol.dossier import record_type
from sync_protocol.dossier.catalogue import catalogue, known
from sync_protocol.dossier.form import element_of
from sync_protocol.dossier.form_reading import read_form
from sync_protocol.dossier.identity_document import Remark, check_citizen_number, check_passport
from sync_protocol.dossier.intake_reader import Reader
from sync_protocol.dossier.json_line import read_object
from sync_protocol.dossier.phone import parse_phone
from sync_protocol.dossier.record_type import CITIZEN, DOSSIER, NOTE_REMARK, PAPER_STATES, PASSPORT
from sync_protocol.dossier.status import status_named
from sync_protocol.dossier.text import refused
from sync_protocol.identity import ID_BYTES
from sync_protocol.record.change import CellWrite, RecordChange

_UNIT_CODE = re.compile(r"[0-9]{5}")
_PAPER_TYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Intake:
    """One validated dossier.

    `values` are the plain fields by id, as they are stored; `papers` and `notes` are the elements
    of those fields, `answers` those of the form by key. `scans` are paths as the file wrote them.
    `warnings` block nothing.
    """

    values: dict[int, object]
    papers: tuple[object, ...]
    notes: tuple[object, ...]
    answers: dict[str, str]
    scans: tuple[str, ...]
    warnings: tuple[Remark, ...]

    def change(self, attached: Sequence[list[object]] = ()) -> RecordChange:
        """Return what an entry says to make this dossier; `attached` are the papers of the scans.

        Elements are numbered, not random: nobody can add to a record that isn't yet made, and
        zeros cost nothing on the wire where random ids would cost 16 bytes each.
        """
        scans = [DOSSIER.by_id[record_type.PAPERS].admit(row) for row in attached]
        rows = ((record_type.PAPERS, (*self.papers, *scans)), (record_type.NOTES, self.notes))
        writes = tuple(
            CellWrite(field, index.to_bytes(ID_BYTES, "big"), value)
            for field, values in rows
            for index, value in enumerate(values, start=1)
        )
        writes += tuple(
            CellWrite(record_type.FORM, element_of(key), answer)
            for key, answer in self.answers.items()
        )
        return RecordChange(None, DOSSIER.id, dict(self.values), writes)


def paper(
    paper_type: str,
    name: str,
    *,
    attachment: bytes | None = None,
    manifest: bytes | None = None,
    state: str = PAPER_STATES[0],
    note: str | None = None,
) -> list[object]:
    """Return a paper as an element of the field `papers`."""
    return [paper_type, name, attachment, manifest, state, note]


def checked_paper_type(text: str, field: str) -> str:
    """Return a type of paper as it is, if it has the form of one. Raises `InputError`."""
    if not _PAPER_TYPE.fullmatch(text):
        raise refused(field, "must be lower-case words such as “to-khai”", "type")
    return text


def read_intake(line: bytes) -> Intake:
    """Read one line of an intake file. Raises `InputError`, and nothing else."""
    reader = Reader(read_object(line))
    warnings: list[Remark] = []
    values: dict[int, object | None] = {}
    values[record_type.PROCEDURE] = _procedure(reader)
    applicant = reader.inner("applicant")
    born = applicant.optional_day("birth_date", partial=True)
    values.update(_applicant(applicant, born, warnings))
    values[record_type.STATUS] = _status(reader)
    values.update(_days(reader, born))
    values[record_type.FEE] = _fee(reader.optional_inner("fee"))
    papers = [_paper(row) for row in reader.inners("papers")]
    notes = [[text, NOTE_REMARK] for text in reader.texts("notes", limits.INTAKE_NOTES_MAX)]
    answers = _answers(reader, values, warnings)
    values[record_type.EDITION] = catalogue().edition.version
    scans = tuple(reader.paths("scans"))
    if len(papers) + len(scans) > limits.ATTACHMENTS_PER_RECORD_MAX:
        raise refused("papers", "and “scans” are more than 256 together", "count")
    reader.finish()
    admitted = {field: DOSSIER.by_id[field].admit(value) for field, value in values.items()}
    return Intake(
        {field: value for field, value in admitted.items() if value is not None},
        tuple(DOSSIER.by_id[record_type.PAPERS].admit(row) for row in papers),
        tuple(DOSSIER.by_id[record_type.NOTES].admit(row) for row in notes),
        answers,
        scans,
        tuple(warnings),
    )


def _procedure(reader: Reader) -> str:
    code = reader.text("procedure")
    if not known(code):
        raise refused("procedure", "is no code of the catalogue", "procedure")
    return code


def _answers(
    reader: Reader, values: dict[int, object | None], warnings: list[Remark]
) -> dict[str, str]:
    """Return what was answered in the form of the procedure; nothing of it must be there."""
    form = reader.optional_inner("form")
    procedure = catalogue().find(str(values[record_type.PROCEDURE]))
    if form is None or procedure is None:
        return {}
    forms, received_on = catalogue().forms, str(values[record_type.RECEIVED_ON])
    sections = forms.of(procedure)
    keys = [item.key for section in sections for item in section.questions]
    typed = {key: form.optional_text(key) or "" for key in keys}
    form.finish()
    read = read_form(sections, typed, forms.former_units, received_on)
    for problem in read.problems.values():
        raise problem
    warnings.extend(read.remarks)
    return read.answers


def _status(reader: Reader) -> str:
    status = status_named(reader.text("status"))
    if status is None:
        raise refused("status", "is none of the ten statuses, such as “received”", "status")
    return status.value


def _days(reader: Reader, born: str | None) -> dict[int, str | None]:
    received_on = reader.day("received_on")
    due_on = reader.optional_day("due_on")
    if due_on and due_on < received_on:
        raise refused("due_on", "is earlier than “received_on”", "due-before-received")
    if born and born > received_on[: len(born)]:
        raise refused("applicant.birth_date", "is later than “received_on”", "born-after-received")
    return {record_type.RECEIVED_ON: received_on, record_type.DUE_ON: due_on}


def _applicant(
    reader: Reader, born: str | None, warnings: list[Remark]
) -> dict[int, object | None]:
    name = reader.text("name")
    birth = [born, reader.optional_text("birth_place")]
    phone = reader.optional_text("phone")
    values: dict[int, object | None] = {
        record_type.IDENTITY: _identity(reader, born, warnings),
        record_type.NAME: name,
        record_type.BIRTH: birth if any(birth) else None,
        record_type.ADDRESS: _address(reader.optional_inner("address")),
        record_type.PHONE: parse_phone(phone, reader.path("phone")) if phone else None,
    }
    reader.finish()
    return values


def _identity(reader: Reader, born: str | None, warnings: list[Remark]) -> list[object] | None:
    number = reader.optional_text("citizen_number")
    passport = reader.optional_inner("passport")
    where = reader.path("passport" if passport else "citizen_number")
    if number and passport:
        raise refused(where, "and “citizen_number” are both given: keep one", "two-identities")
    if number:
        number, remarks = check_citizen_number(number, birth_date=born, field=where)
        warnings.extend(remarks)
        return [CITIZEN, number, None]
    if passport:
        number, issuer = passport.text("number"), passport.text("issuer")
        passport.finish()
        number, issuer, remarks = check_passport(number, issuer, field=where)
        warnings.extend(remarks)
        return [PASSPORT, number, issuer]
    # Not refused: a person without papers may still apply, and the officer must see that it is so.
    warnings.append(Remark("identity-missing", where))
    return None


def _address(reader: Reader | None) -> list[object] | None:
    if reader is None:
        return None
    line, unit = reader.optional_text("line"), reader.optional_text("unit")
    code = reader.optional_text("unit_code")
    if code and not _UNIT_CODE.fullmatch(code):
        raise refused(reader.path("unit_code"), "must have five digits", "unit-code")
    reader.finish()
    return [line, unit, code] if line or unit or code else None


def _fee(reader: Reader | None) -> list[object] | None:
    if reader is None:
        return None
    amount = reader.amount("amount")
    currency = reader.optional_text("currency") or "VND"
    if not _AMOUNT.fullmatch(amount):
        raise refused(reader.path("amount"), "is no amount, such as 12000 or “12.50”", "amount")
    if not _CURRENCY.fullmatch(currency):
        raise refused(reader.path("currency"), "must have three capital letters", "currency")
    reader.finish()
    return [amount, currency]


def _paper(reader: Reader) -> list[object]:
    paper_type = checked_paper_type(reader.text("type"), reader.path("type"))
    name = reader.text("name")
    state = reader.optional_text("state") or PAPER_STATES[0]
    note = reader.optional_text("note")
    if state not in PAPER_STATES:
        raise refused(reader.path("state"), f"is none of {', '.join(PAPER_STATES)}", "paper-state")
    reader.finish()
    return paper(paper_type, name, state=state, note=note)
