"""`statistics`: the ward's figures of some days, by procedure and by officer.

What holds: they are read from the log, in one pass, so that each status has the day on which it was
written and who wrote it; what is held back does not count. A dossier is its officer in charge's,
else whose who captured it.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from device_home.command import DONE, Command, Output
from device_home.device import Device
from device_home.moves import read_day
from device_home.officers import officer_name
from device_home.shapes import Shape, note_kinds, text_parts
from sync_protocol.clock import millis
from sync_protocol.dossier.apology import promised_first
from sync_protocol.dossier.catalogue import procedure_name
from sync_protocol.dossier.labels import FIGURES as FIGURE_WORDS
from sync_protocol.dossier.labels import label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.paper_check import KNOWN_STATE
from sync_protocol.dossier.record_type import (
    ASSIGNEE,
    DOSSIER,
    DUE_ON,
    NOTES,
    PAPERS,
    PROCEDURE,
    RECEIVED_ON,
    STATUS,
)
from sync_protocol.dossier.statistics import FIGURES, Course, figures
from sync_protocol.dossier.status import CLOSED
from sync_protocol.dossier.text import refused
from sync_protocol.identity import ID_BYTES, Dot, OfficerId, RecordId
from sync_protocol.merge.state import RecordState
from sync_protocol.record.change import RecordChange
from sync_protocol.record.schema import RETRACTION
from sync_protocol.replica import Replica

Move = tuple[int, Dot, str, OfficerId]
"""When a status was written (a timestamp), by which entry, which, and by whom."""


def statistics_commands() -> list[Command[Device]]:
    """Return the command."""
    words = "count what was received, finished and late"
    return [Command("statistics", words, run_statistics, _options)]


def run_statistics(device: Device, arguments: Namespace, output: Output) -> int:
    """Count the dossiers of some days."""
    first, last = read_day(arguments.first), read_day(arguments.last)
    if first is None or last is None or first > last:
        raise refused("from", "and “to” are days such as 2026-11-20, in their order", "days")
    answer = ward_figures(device.replica(), first, last)
    output.data(answer)
    output.say(f"{first:%d/%m/%Y} – {last:%d/%m/%Y}")
    for name, value in answer["total"].items():
        output.say(f"  {label(FIGURE_WORDS, name)}: {value}")
    for row in answer["procedures"]:
        output.say(f"{row['code']}  {row['name']}: {_brief(row)}")
    for row in answer["officers"]:
        output.say(f"{row['name'] or row['officer'] or '–'}: {_brief(row)}")
    return DONE


def ward_figures(replica: Replica, first: date, last: date) -> Shape:
    """Return the figures from `first` to `last`, both days whole."""
    return sum_up(replica, first, last, counted(replica, first, last))


class Counted(NamedTuple):
    """What one dossier adds to the figures, and to whose.

    `officer` is an id in hexadecimal, or a name as it was written for the assignee.
    """

    record: RecordId
    procedure: str
    officer: str
    figures: Counter[str]


def counted(replica: Replica, first: date, last: date) -> Iterator[Counted]:
    """Yield every dossier that adds to the figures from `first` to `last`, both days whole."""
    moves = status_moves(replica)
    for record, state in replica.states():
        dots = state.dots()  # not those of entries that are held back
        course = [
            (status, local_time(millis(timestamp)).date())
            for timestamp, dot, status, _ in sorted(moves[record])
            if dot in dots
        ]
        if _was_over(state, course, first):
            continue
        read = known(replica, record, state)
        if read is None:
            continue
        found = figures(read.course(course), first, last)
        if found:
            officer = read.assignee or state.officer.hex()
            yield Counted(record, read.procedure, officer, found)


def sum_up(replica: Replica, first: date, last: date, found: Iterable[Counted]) -> Shape:
    """Return the figures that dossiers add up to."""
    total: Counter[str] = Counter()
    by_procedure: dict[str, Counter[str]] = defaultdict(Counter)
    by_officer: dict[str, Counter[str]] = defaultdict(Counter)
    for item in found:
        total += item.figures
        by_procedure[item.procedure] += item.figures
        by_officer[item.officer] += item.figures
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "total": _row(total),
        "procedures": [
            {"code": code, "name": procedure_name(code), **_row(added)}
            for code, added in sorted(by_procedure.items())
        ],
        "officers": [
            {"officer": who, "name": called(replica, who), **_row(added)}
            for who, added in sorted(by_officer.items())
        ],
    }


def status_moves(replica: Replica) -> dict[RecordId, list[Move]]:
    """Return every status that an entry wrote, by record, in the order of the chains."""
    found: dict[RecordId, list[Move]] = defaultdict(list)
    for chain in list(replica.holding.chains.values()):
        span = (chain.row.base_seq + 1, chain.row.head.seq)
        for seq, entry in replica.holding.entries(chain, *span):
            read = replica.follower.read(chain, seq, entry, {})
            if read is None:
                continue
            header, changeset, records = read
            when, dot, who = header.timestamp, replica.holding.dot(chain, seq), header.officer
            for record, change in zip(records, changeset.records, strict=True):
                found[record] += ((when, dot, status, who) for status in _written(change))
    return found


def _written(change: RecordChange) -> Iterable[str]:
    values = [change.values.get(STATUS), *(w.value for w in change.writes if w.field == STATUS)]
    return [value for value in values if isinstance(value, str)]


def _was_over(state: RecordState, course: list[tuple[str, date]], first: date) -> bool:
    """Whether a dossier had come and gone before the first day: most have, and are not read."""
    days = [read_day(value) for value in state.plain_values((RECEIVED_ON,))]
    before = all(day is not None and day < first for day in days)
    return before and bool(course) and course[-1][0] in CLOSED and course[-1][1] < first


class Known(NamedTuple):
    """What of a dossier the figures need."""

    procedure: str
    assignee: str
    received_on: date
    due: date | None
    papers_known: int

    def course(self, moves: list[tuple[str, date]]) -> Course:
        """Return what became of the dossier, with its moves."""
        return Course(self.received_on, self.due, moves, self.papers_known)


def known(replica: Replica, record: RecordId, state: RecordState) -> Known | None:
    """Return what the figures need, None for what does not count.

    A whole view takes 0.4 ms, which a hundred thousand dossiers multiply; so it is made only of
    those that are disputed, withdrawn or apologised for.
    """
    if state.type != DOSSIER.id or state.made is None:
        return None
    if not _is_plain(state):
        return known_by_view(replica, record, state)
    values = [state.plain_values((field,)) for field in _FIELDS]
    procedure, assignee, received_on, due = (found[0] if found else None for found in values)
    papers = state.living_values(PAPERS, elements=True)
    known = sum(isinstance(p, list) and len(p) > 4 and p[4] == KNOWN_STATE for p in papers)  # noqa: PLR2004 - the state's place
    day = read_day(received_on)
    if day is None:
        return None
    return Known(str(procedure), str(assignee or ""), day, read_day(due), known)


_FIELDS = (PROCEDURE, ASSIGNEE, RECEIVED_ON, DUE_ON)


def _is_plain(state: RecordState) -> bool:
    """Whether each value stands alone, nothing was withdrawn, and no other date was promised."""
    kinds = (value[1] for value in state.living_values(NOTES, elements=True) if value)
    return (
        all(len(cell) < 2 for cell in state.cells.values())  # noqa: PLR2004 - two versions
        and not state.living((RETRACTION, None))
        and promised_first(str(kind) for kind in kinds) is None
    )


def known_by_view(replica: Replica, record: RecordId, state: RecordState) -> Known | None:
    """Return the same of a dossier from its whole view."""
    view = replica.follower.projection.view(record, state)
    received_on = read_day(view.value("received_on"))
    if view.retracted or view.held or received_on is None:
        return None
    due = promised_first(note_kinds(view)) or read_day(view.value("due_on"))
    known = sum(text_parts(item)[4] == KNOWN_STATE for item in view.elements("papers"))
    assignee = str(view.value("assignee") or "")
    return Known(str(view.value("procedure")), assignee, received_on, due, known)


def called(replica: Replica, who: str) -> str:
    """Return an officer's name from an id in hexadecimal; an assignee may be a name already."""
    try:
        officer = bytes.fromhex(who)
    except ValueError:
        return who
    return officer_name(replica, OfficerId(officer)) if len(officer) == ID_BYTES else who


def _row(found: Counter[str]) -> dict[str, int]:
    return {name: found[name] for name in FIGURES}


def _brief(row: Shape) -> str:
    shown = [f"{label(FIGURE_WORDS, name)} {row[name]}" for name in FIGURES if row[name]]
    return ", ".join(shown)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="first", required=True, metavar="DATE", help="the first day")
    parser.add_argument("--to", dest="last", required=True, metavar="DATE", help="the last day")
