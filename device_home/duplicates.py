"""`dossier duplicates`, and what `intake` is warned of: dossiers that may have been captured twice.

What holds: a warning, never a block; and bounded: of those that search finds, the newest are
compared.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.dossiers import find_record, load
from device_home.shapes import Ticks, row, values_by_id
from sync_protocol.dossier.duplicate import Capture, may_be_one, read_capture
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.identity import RecordId
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView

_COMPARED_MAX = 50


def duplicate_commands() -> list[Command[App]]:
    """Return the command."""
    words = "list the dossiers that may be the same one, captured twice"
    return [Command("dossier duplicates", words, run_duplicates, _options)]


def alike(
    replica: Replica, capture: Capture, searches: Sequence[str]
) -> dict[RecordId, tuple[RecordView, RecordState]]:
    """Return those that `searches` find and that may be this capture, the newest first."""
    found: dict[RecordId, tuple[RecordView, RecordState]] = {}
    for text in searches:
        query = Query(type=DOSSIER.id, text=text, limit=_COMPARED_MAX)
        for stored in replica.rooms.views.find(query):
            if stored.id in found:
                continue
            state = decode_state(stored.state, stored.pending)
            view = replica.follower.projection.view(stored.id, state)
            if not view.retracted and may_be_one(capture, read_capture(values_by_id(view))):
                found[stored.id] = (view, state)
    return found


def run_duplicates(app: App, arguments: Namespace, output: Output) -> int:
    """List the dossiers that may be this one."""
    replica = app.replica(arguments)
    view, state = load(replica, find_record(replica, arguments.id))
    ticks = Ticks(replica)
    capture = read_capture(values_by_id(view))
    others = alike(replica, capture, capture.searches)
    others.pop(view.id, None)
    own = row(view, state, ticks)
    found = [row(*other, ticks) for other in others.values()]
    output.data({"id": view.id.hex(), "duplicates": found})
    for item in [own, *found] if found else []:
        output.say(
            f"{item['id'][:20]}  {item['received_on']}  {item['status_name']}  {item['name']}"
            f" – {item['procedure_name']}  {item['code']}"
        )
    if not found:
        output.say("No other dossier here seems to be the same one.")
    return DONE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")


class Like(NamedTuple):
    """What may be the same dossier: saved records, and earlier lines of the run."""

    records: tuple[RecordId, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(slots=True)
class Watch:
    """Finds what a run of intake captures twice: among what was there, and in the run itself.

    The lines of the run wait to be saved, so search can't find them yet. So many are remembered;
    after that it begins anew, and what was saved till then is searched.
    """

    replica: Replica
    remembered_max: int = 50_000
    _lines: dict[str, list[tuple[int, Capture]]] = field(default_factory=lambda: defaultdict(list))
    _record_by_line: dict[int, RecordId] = field(default_factory=dict)
    _was_empty: bool = False

    def __post_init__(self) -> None:
        """Look whether there is anything to search in."""
        self._was_empty = not self.replica.rooms.views.counts().by_facet

    def look(self, number: int, capture: Capture) -> Like:
        """Return what may be this line's dossier, and remember the line."""
        if len(self._lines) > self.remembered_max:
            self._lines.clear()
            self._record_by_line.clear()
            self._was_empty = False
        # One search a line, the number's where there is one: a search by name costs six times that,
        # and would make a long file several times slower. `dossier duplicates` searches both.
        searches = [] if self._was_empty else capture.searches[:1]
        records = tuple(alike(self.replica, capture, searches))
        keys = {fold(capture.name), capture.number} - {""}
        lines = {
            line for key in keys for line, other in self._lines[key] if may_be_one(capture, other)
        }
        for key in keys:
            self._lines[key] = [*self._lines[key][1 - _COMPARED_MAX :], (number, capture)]
        return Like(records, tuple(sorted(lines)))

    def saved(self, number: int, record: RecordId) -> None:
        """Remember which record a line became."""
        self._record_by_line[number] = record

    def records(self, like: Like) -> list[RecordId]:
        """Return the records of what was found; a line that was refused has none."""
        lines = (self._record_by_line.get(number) for number in like.lines)
        return sorted({*like.records, *(record for record in lines if record)})
