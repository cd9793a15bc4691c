"""`dossier papers`: what is still needed, what is there, and what must not be asked for again.

What holds: only dossiers of the very same identity document are looked at; `--take` writes down
what was offered, with where it lies, so that it is counted and stays with the dossier.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections import Counter

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.dossiers import check_writable, find_record, load, save
from device_home.moves import read_day
from device_home.officers import acting_officer, officer_option
from device_home.shapes import Shape, manifest_of, text_parts, values_by_id
from sync_protocol import limits
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.intake import paper
from sync_protocol.dossier.labels import (
    ENGLISH,
    PAPER_ANSWERS,
    STATE_DATABASES,
    VIETNAMESE,
    label,
)
from sync_protocol.dossier.paper_check import (
    GROUNDS,
    KNOWN_STATE,
    Answer,
    Checked,
    HandedIn,
    check_papers,
)
from sync_protocol.dossier.procedure import Channel
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.summary import summarise
from sync_protocol.errors import InputError
from sync_protocol.identity import ID_BYTES, RecordId
from sync_protocol.merge.state import decode_state
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import edit_element
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView


def paper_commands() -> list[Command[App]]:
    """Return the command."""
    return [Command("dossier papers", "say which papers are still needed", run_papers, _options)]


def run_papers(app: App, arguments: Namespace, output: Output) -> int:
    """Answer for every paper that the dossier's procedure asks for."""
    replica = app.replica(arguments)
    view, _ = load(replica, find_record(replica, arguments.id))
    others = _others(replica, view)
    checked = _checked(view, others, Channel(arguments.channel))
    if arguments.take:
        officer = acting_officer(app.home, replica, arguments, output)
        check_writable(view)
        writes = _taken(checked, others)
        if writes:
            save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, writes))
        view, _ = load(replica, view.id)
        checked = _checked(view, others, Channel(arguments.channel))
    rows = [_row(item, view, others) for item in checked]
    count = Counter(item.answer.value for item in checked)
    answers = {answer.value: count[answer.value] for answer in Answer}
    output.data({"id": view.id.hex(), "papers": rows, "count": answers})
    for row in rows:
        output.say(_line(row))
    return DONE


def _checked(
    view: RecordView, others: dict[RecordId, RecordView], channel: Channel
) -> list[Checked]:
    procedure = catalogue().find(str(view.value("procedure")))
    if procedure is None:
        raise InputError("The catalogue does not know this procedure; a newer one may.")
    return check_papers(
        catalogue(),
        procedure,
        channel=channel,
        received_on=read_day(view.value("received_on")),
        own=_handed_in(view),
        others=[row for other in others.values() for row in _handed_in(other)],
    )


def _handed_in(view: RecordView) -> list[HandedIn]:
    rows = []
    for n, item in enumerate(view.elements("papers"), start=1):
        kind, _, _, _, state, *_ = text_parts(item)
        has_scan = manifest_of(item.value) is not None
        rows.append(HandedIn(view.id, n, kind, state, has_scan))
    return rows


def _others(replica: Replica, view: RecordView) -> dict[RecordId, RecordView]:
    """Return this person's other dossiers, the newest first; none without an identity document."""
    identity = view.value("identity")
    number = identity[1] if isinstance(identity, list) and len(identity) > 1 else None
    if not isinstance(number, str) or not number:
        return {}
    query = Query(type=DOSSIER.id, text=fold(number), limit=limits.SEARCH_RESULTS_MAX)
    found = {}
    for stored in replica.rooms.views.find(query):
        state = decode_state(stored.state, stored.pending)
        other = replica.follower.projection.view(stored.id, state)
        field = other.field("identity")
        is_same = field is not None and not field.conflict and field.value == identity
        if is_same and stored.id != view.id and not other.retracted and not other.held:
            found[stored.id] = other
    return found


def _taken(checked: list[Checked], others: dict[RecordId, RecordView]) -> tuple[CellWrite, ...]:
    """Return the writes by which what the ward holds becomes a known paper of this dossier."""
    writes = []
    for item in checked:
        if item.answer is Answer.HELD and item.evidence is not None:
            source = others[RecordId(item.evidence.dossier)]
            kind, name, attachment, manifest, *_ = source.elements("papers")[
                item.evidence.n - 1
            ].value
            where = f"Hồ sơ {source.id.hex()[:20]}, giấy tờ {item.evidence.n}"
            value = paper(
                kind, name, attachment=attachment, manifest=manifest, state=KNOWN_STATE, note=where
            )
            element = random_bytes(ID_BYTES)
            writes.append(edit_element(DOSSIER, "papers", element, value, None))
    return tuple(writes)


def _row(item: Checked, own: RecordView, others: dict[RecordId, RecordView]) -> Shape:
    required = item.requirement
    kind = catalogue().papers[required.type]
    found = item.evidence
    evidence = None
    if found is not None:
        source = own if found.dossier == own.id else others[RecordId(found.dossier)]
        summary = summarise(values_by_id(source))
        evidence = {
            "id": source.id.hex(),
            "code": summary.code,
            "received_on": summary.received_on,
            "n": found.n,
            "state": found.state,
            "has_scan": found.has_scan,
        }
    condition = catalogue().conditions.get(required.when)
    return {
        "type": required.type,
        VIETNAMESE: kind.vi,
        ENGLISH: kind.en,
        "answer": item.answer.value,
        "when": condition.vi if condition else "",
        "present": required.present,
        "known_from": required.known_from.value if required.known_from else None,
        "ground": GROUNDS.get(item.answer, ""),
        "evidence": evidence,
    }


def _line(row: Shape) -> str:
    """Return what a person reads of one paper."""
    details = [row["when"]] if row["answer"] == Answer.CONDITIONAL else []
    if row["answer"] == Answer.NOT_NEEDED:
        details.append(f"tra {label(STATE_DATABASES, row['known_from'])}")
    if row["answer"] == Answer.HELD:
        evidence = row["evidence"]
        details.append(f"hồ sơ {evidence['id'][:20]}, giấy tờ {evidence['n']}")
    details += [row["ground"]] if row["ground"] else []
    tail = f" – {'; '.join(details)}" if details else ""
    return f"{label(PAPER_ANSWERS, row['answer'])}: {row[VIETNAMESE]}{tail}"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
    parser.add_argument(
        "--channel",
        default=Channel.DIRECT.value,
        choices=[channel.value for channel in Channel],
        help="how it was filed (%(default)s)",
    )
    parser.add_argument("--take", action="store_true", help="write down what the ward holds")
    officer_option(parser)
