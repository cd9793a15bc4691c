"""`conflict list` and `settle`: where two people wrote differently, a person decides.

What holds: a settlement lists exactly the dots that were displayed, so a value that nobody had seen
survives it.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from device_home.app import App
from device_home.assignments import read_value
from device_home.command import DONE, Command, Output
from device_home.dossiers import check_writable, find_record, load, save
from device_home.officers import (
    acting_officer,
    officer_option,
)
from device_home.reading import field_text, values_text
from device_home.shapes import (
    Shape,
    cell_values,
    dot_text,
    field_name,
)
from sync_protocol import limits
from sync_protocol.clock import millis
from sync_protocol.dossier.record_type import DOSSIER, SUPERVISOR
from sync_protocol.errors import InputError
from sync_protocol.identity import Dot, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.merge.conflict import Conflict
from sync_protocol.merge.register import Cell
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.schema import RETRACTION, FieldKind
from sync_protocol.replica import Replica, Written
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView


def conflict_commands() -> list[Command[App]]:
    """Return the commands."""
    return [
        Command("conflict list", "list what two people wrote differently", run_conflicts),
        Command("conflict settle", "say which value holds", run_settle, _settle_options),
    ]


# ------------------------------------------------------------------------------- conflicts


def disputed(replica: Replica) -> Iterator[tuple[RecordView, RecordState]]:
    """Yield every record with an open conflict, newest first."""
    before = None
    while True:
        query = Query(
            type=DOSSIER.id, disputed=True, before=before, limit=limits.SEARCH_RESULTS_MAX
        )
        page = replica.rooms.views.find(query)
        for stored in page:
            state = decode_state(stored.state, stored.pending)
            yield replica.follower.projection.view(stored.id, state), state
        if len(page) < limits.SEARCH_RESULTS_MAX:
            return
        before = (page[-1].order, page[-1].id)


def conflict_rows(replica: Replica) -> list[Shape]:
    """Return every open conflict, the oldest first."""
    now = replica.character.wall()
    found = [
        _conflict(replica, view, state, item, now)
        for view, state in disputed(replica)
        for item in view.conflicts
    ]
    for claim, records in replica.rooms.views.clashes().items():
        found.append(
            {
                "id": records[0].hex(),
                "field": field_name(claim.field, None),
                "kind": "claim",
                "since": 0,
                "age_s": 0,
                "owner": SUPERVISOR,
                "values": [],
                "records": [record.hex() for record in records],
            }
        )
    return sorted(found, key=lambda item: (item["since"], item["id"]))


def _conflict(
    replica: Replica, view: RecordView, state: RecordState, item: Conflict, now_ms: int
) -> Shape:
    cell = state.living((item.field, item.element))
    since = millis(item.since)
    field = DOSSIER.by_id.get(item.field)
    needs_supervisor = field is not None and SUPERVISOR in field.settlers
    values = cell_values(replica, item.field, cell, order(view, item, cell))
    owner = view.value("assignee") or (SUPERVISOR if needs_supervisor else g.CLERK)
    return {
        "id": view.id.hex(),
        "name": view.value("name"),
        "field": field_name(item.field, item.element),
        "kind": item.kind,
        "since": since,
        "age_s": max(0, (now_ms - since) // 1000),
        "owner": owner,
        "values": values,
    }


def order(view: RecordView, item: Conflict, cell: Cell) -> list[Dot]:
    """Return the dots of a conflict in the order in which values are shown and taken."""
    shown = next(
        (f for f in view.fields if (f.field, f.element) == (item.field, item.element)), None
    )
    if shown is not None:
        return [sibling.dot for sibling in shown.siblings]
    return sorted(cell, key=lambda dot: (-cell[dot].timestamp, dot))


def run_conflicts(app: App, arguments: Namespace, output: Output) -> int:
    """List the open conflicts."""
    found = conflict_rows(app.replica(arguments))
    output.data(found)
    for item in found:
        what = field_text(item["field"])
        output.say(f"{item['id'][:20]}  {what}  ({item['kind']}; for: {item['owner']})")
        for line in values_text(item["field"], item["values"]):
            output.say(line)
    if not found:
        output.say("Nothing is disputed.")
    return DONE


def run_settle(app: App, arguments: Namespace, output: Output) -> int:
    """Settle one conflict."""
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    view, state = load(replica, find_record(replica, arguments.id))
    item = _meant(view, arguments.field)
    cell = state.living((item.field, item.element))
    value = _chosen(arguments, item, cell, order(view, item, cell))
    written = settle(replica, officer, view, state, (item, value))
    view, _ = load(replica, view.id)
    answer = {
        "id": view.id.hex(),
        "field": arguments.field,
        "dot": dot_text(written.dot),
        "conflicts": len(view.conflicts),
    }
    output.data(answer)
    output.say(f"Settled. This dossier has {answer['conflicts']} open.")
    return DONE


def settle(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    state: RecordState,
    choice: tuple[Conflict, Any],
) -> Written:
    """Say which value of a conflict holds. Raises `NotAllowedError`."""
    check_writable(view)
    item, value = choice
    if item.field == RETRACTION and value is not None:
        value = [value[0] if isinstance(value, list) and value else "", _alive(state)]
    write = CellWrite(item.field, item.element, value, item.dots)
    return save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, (write,)))


def _meant(view: RecordView, text: str) -> Conflict:
    found = [
        item
        for item in view.conflicts
        if text == field_name(item.field, item.element)
        or (":" in text and field_name(item.field, item.element).startswith(text))
        or (item.element is not None and text == field_name(item.field, None))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError("Several elements of it are disputed: name one as the list does.")
    raise InputError("That field of the dossier is not disputed (any more). Nothing was changed.")


def _chosen(arguments: Namespace, item: Conflict, cell: Cell, dots: list[Dot]) -> Any:  # noqa: ANN401 - a stored value
    if arguments.take is not None:
        if not 0 < arguments.take <= len(dots):
            raise InputError(f"There are {len(dots)} values to take from. Nothing was changed.")
        return cell[dots[arguments.take - 1]].value
    field = DOSSIER.by_id.get(item.field)
    if field is None or item.element is not None:
        raise InputError("Here one of the values must be taken: give --take N.")
    value = read_value(field, arguments.value)
    if value is None and field.required:
        raise InputError(f"“{field.name}” can't be empty. Nothing was saved.")
    if field.kind is FieldKind.STATUS and value not in {cell[dot].value for dot in dots}:
        raise InputError("A status is settled by one of those that stand there, and then moves on.")
    return value


def _alive(state: RecordState) -> list[list[Any]]:
    keys = [key for key in state.keys() if key[0] != RETRACTION]  # noqa: SIM118 - no mapping
    dots = {dot for key in keys for dot in state.living(key)}
    return [g.wire_dot(dot) for dot in sorted(dots)]


# --------------------------------------------------------------------------------- options


def _settle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
    parser.add_argument("field", metavar="FIELD", help="the field, as “conflict list” names it")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--value", metavar="V", help="what holds")
    choice.add_argument("--take", type=int, metavar="N", help="take the N-th value of the list")
    officer_option(parser)
