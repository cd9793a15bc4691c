"""Commands that ask the catalogue: what there is, what a procedure needs, when a dossier is due.

They need no home; where there is one, they go by what the city has published there.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from datetime import date, datetime

import msgspec

from device_home.command import DONE, Command, Output
from device_home.device import Device
from device_home.lines import open_lines
from sync_protocol import limits
from sync_protocol.clock import wall_ms
from sync_protocol.dossier.catalogue import catalogue, unreadable
from sync_protocol.dossier.deadline import (
    Deadline,
    TimeLimit,
    count_deadline,
    limit_text,
    step_text,
)
from sync_protocol.dossier.dossier_code import read_procedure_code
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.labels import CHANNELS, DESKS, ENGLISH, FEE_UNITS, STATE_DATABASES, label
from sync_protocol.dossier.local_time import as_local, local_time
from sync_protocol.dossier.procedure import Fee, Procedure, Requirement
from sync_protocol.dossier.working_calendar import WorkingCalendar, calendar_with, read_tables
from sync_protocol.errors import InputError


def catalogue_commands() -> list[Command[Device]]:
    """Return the commands."""
    return [
        Command(
            "procedure list",
            "list the procedures that are known",
            run_list,
            _list_options,
            homeless=True,
        ),
        Command(
            "procedure show", "show what a procedure needs", run_show, _show_options, homeless=True
        ),
        Command(
            "deadline",
            "count when a dossier is due",
            run_deadline,
            _deadline_options,
            homeless=True,
        ),
    ]


def _go_by(device: Device | None, output: Output) -> None:
    """Go by what the city has published, where there is a station that has heard of it."""
    if device is not None:
        device.replicas()
    if problem := unreadable():
        output.note(
            f"The city's edition needs a newer program; the one before is used. {problem}\n"
        )


def _procedure(text: str) -> Procedure:
    """Return the procedure that a code names, with or without its case and agency."""
    parts = read_procedure_code(text)
    found = catalogue().find(parts.code if parts else text)
    if found is None:
        raise InputError("The catalogue has no procedure with this code; see “procedure list”.")
    return found


def _services(code: str) -> list[int]:
    """Return the numbers of the essential services that a procedure belongs to."""
    return [service.number for service in catalogue().essential if code in service.codes]


# ------------------------------------------------------------------------------------- lists


def run_list(device: Device | None, arguments: Namespace, output: Output) -> int:
    """List procedures by code, or the 25 essential services."""
    _go_by(device, output)
    if arguments.essential:
        return _list_services(output)
    wanted = fold(arguments.text).split()
    rows = [row for row in map(_row, catalogue().procedures.values()) if _fits(row, wanted)]
    output.data(rows)
    for row in rows:
        output.say(f"{row['code']}  {row['name']} ({row['field']})")
    return DONE


def _fits(row: dict[str, object], wanted: list[str]) -> bool:
    text = fold(" ".join(str(row[key]) for key in ("code", "name", "english", "field")))
    return all(word in text for word in wanted)


def _row(procedure: Procedure) -> dict[str, object]:
    return {
        "code": procedure.code,
        "name": procedure.name,
        "english": procedure.english,
        "field": procedure.field,
        "desk": procedure.desk.value,
        "at_the_ward": procedure.at_the_ward,
        "essential": _services(procedure.code),
        "time": _time(procedure.time),
    }


def _list_services(output: Output) -> int:
    services = catalogue().essential
    output.data([msgspec.to_builtins(service) for service in services])
    for service in services:
        desk = label(DESKS, service.desk)
        output.say(f"{service.number:2}  {service.vi} [{desk}] {' '.join(service.codes)}")
    return DONE


def _list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", default="", metavar="WORDS", help="only those with these words")
    parser.add_argument("--essential", action="store_true", help="the 25 essential services")


# --------------------------------------------------------------------------------------- one


def run_show(device: Device | None, arguments: Namespace, output: Output) -> int:
    """Show one procedure: who receives it, its time, its fees, its papers and its form."""
    _go_by(device, output)
    procedure = _procedure(arguments.code)
    answer = _answer(procedure)
    output.data(answer)
    output.say(f"{procedure.code}  {procedure.official}\n{procedure.english}")
    output.say(f"desk: {_words(DESKS, procedure.desk)}")
    output.say(f"filed: {', '.join(_words(CHANNELS, channel) for channel in procedure.channels)}")
    for name, limit in [("", procedure.time), *((case.vi, case.time) for case in procedure.cases)]:
        words = " / ".join(limit_text(limit)) if limit else "no fixed time"
        output.say(f"time: {words}{f'  ({name})' if name else ''}")
    for fee in procedure.fees:
        output.say(f"fee: {_fee_text(fee)}")
    for paper in procedure.papers:
        output.say(f"paper: {_paper_text(paper)}")
    for section in catalogue().forms.of(procedure):
        for item in section.questions:
            output.say(f"form: {section.vi}: {item.vi} / {item.en}  (form.{item.key}, {item.kind})")
    if procedure.review_on:
        output.say(f"The law behind it changes on {procedure.review_on}: look for a new edition.")
    return DONE


def _answer(procedure: Procedure) -> dict[str, object]:
    """Return everything, for machines."""
    answer: dict[str, object] = msgspec.to_builtins(procedure)
    found = catalogue()
    return {
        **answer,
        **_row(procedure),
        "cases": [
            {"id": case.id, "vi": case.vi, "en": case.en, "time": _time(case.time)}
            for case in procedure.cases
        ],
        "papers": [
            {
                **msgspec.to_builtins(paper),
                "vi": found.papers[paper.type].vi,
                "en": found.papers[paper.type].en,
            }
            for paper in procedure.papers
        ],
        "form": [
            {
                "section": section.id,
                "vi": section.vi,
                "en": section.en,
                "questions": [msgspec.to_builtins(item) for item in section.questions],
            }
            for section in found.forms.of(procedure)
        ],
        "catalogue_version": found.edition.version,
    }


def _time(limit: TimeLimit | None) -> dict[str, object] | None:
    if limit is None:
        return None
    vietnamese, english = limit_text(limit)
    return {
        "amount": limit.amount,
        "unit": limit.unit.value,
        "cut_off": f"{limit.cut_off:%H:%M}",
        "vi": vietnamese,
        "en": english,
    }


def _words(table: dict[str, tuple[str, str]], code: str) -> str:
    return f"{label(table, code)} / {label(table, code, ENGLISH)}"


def _when(condition: str) -> str:
    return f" – {catalogue().conditions[condition].vi}" if condition else ""


def _fee_text(fee: Fee) -> str:
    amount = "mức do tỉnh quy định" if fee.set_by_province else f"{fee.amount} đ"
    per = "" if fee.amount == 0 else f" / {label(FEE_UNITS, fee.per)}"
    most = f", tối đa {fee.at_most} đ" if fee.at_most else ""
    channel = f" ({label(CHANNELS, fee.channel).lower()})" if fee.channel else ""
    return f"{amount}{per}{most}{channel}{_when(fee.when)}"


def _paper_text(paper: Requirement) -> str:
    papers = catalogue().papers
    names = " / ".join(papers[name].vi for name in (paper.type, *paper.instead))
    marks = ", ".join(
        [
            *(["đối chiếu, trả lại"] if paper.present else []),
            *([f"không cần nếu {_database(paper)} đã có"] if paper.known_from else []),
            *(label(CHANNELS, channel).lower() for channel in paper.channels),
        ]
    )
    return f"{names}{f' [{marks}]' if marks else ''}{_when(paper.when)}"


def _database(paper: Requirement) -> str:
    return label(STATE_DATABASES, paper.known_from or "").lower()


def _show_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="the national code, such as 1.001193")


# --------------------------------------------------------------------------------- deadlines


def run_deadline(device: Device | None, arguments: Namespace, output: Output) -> int:
    """Count when a dossier is due, and say each step of it."""
    _go_by(device, output)
    procedure = _procedure(arguments.code)
    try:
        limit = procedure.limit(arguments.case)
    except KeyError:
        cases = ", ".join(case.id for case in procedure.cases) or "none"
        raise InputError(f"This procedure has no such case; it has: {cases}.") from None
    if limit is None:
        raise InputError("The law gives this procedure no fixed time: an officer names the day.")
    found = count_deadline(limit, _moment(arguments.received), _calendar(arguments, output))
    output.data(_deadline_answer(procedure, arguments.case, limit, found))
    output.say(f"{procedure.code}  {procedure.name}: {' / '.join(limit_text(limit))}")
    for step in found.steps:
        output.say("  " + " / ".join(step_text(step)))
    if found.provisional:
        output.say("Lịch tạm tính / Provisional: the days off are not decided so far ahead.")
    return DONE


def _moment(text: str) -> datetime:
    if not text:
        return local_time(wall_ms()).replace(second=0, microsecond=0)
    try:
        return as_local(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise InputError("“--received” must be a time such as 2026-08-20T14:30.") from None


def _calendar(arguments: Namespace, output: Output) -> WorkingCalendar:
    if not arguments.calendar:
        return calendar_with()
    with open_lines(output.path(arguments.calendar), "calendar") as file:
        content = file.read(limits.CALENDAR_BYTES_MAX + 1)
    if len(content) > limits.CALENDAR_BYTES_MAX:
        raise InputError("The calendar is larger than any table of days off.")
    return calendar_with(read_tables(content.decode("utf-8", "replace")))


def _deadline_answer(
    procedure: Procedure, case: str, limit: TimeLimit, found: Deadline
) -> dict[str, object]:
    steps = [(step, *step_text(step)) for step in found.steps]
    return {
        "code": procedure.code,
        "name": procedure.name,
        "case": case or None,
        "time": _time(limit),
        "time_source": procedure.time_source,
        "received": _shown(found.received),
        "due": _shown(found.due),
        "provisional": found.provisional,
        "calendar_version": _shown_day(found.calendar_version),
        "steps": [
            {"code": step.code, "at": _shown(step.at), "count": step.count, "vi": vi, "en": en}
            for step, vi, en in steps
        ],
    }


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _shown_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _deadline_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="the national code, such as 1.001193")
    parser.add_argument("--received", default="", metavar="TIME", help="local time; now if absent")
    parser.add_argument("--case", default="", metavar="ID", help="a case with a time of its own")
    parser.add_argument("--calendar", default="", metavar="FILE", help="further tables of days off")
