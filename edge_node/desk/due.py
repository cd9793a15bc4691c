"""Which dossiers are overdue, and which are due today, as far as their due date is known.

Only those that the office is working on count: while papers or a payment are waited for, the clock
stands by law. What holds: at most `LOOKED_AT_MAX` dossiers are looked at, and whether that was all
is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from device_home.shapes import Shape, Ticks, row
from sync_protocol import limits
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.status import Status
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView

LOOKED_AT_MAX = 1000
"""Open dossiers of a ward at a time, twice over; 60 ms."""
_RUNNING = (Status.RECEIVED.value, Status.PROCESSING.value)


class Due(NamedTuple):
    """The rows, the longest overdue first; `whole`: every open dossier was looked at."""

    overdue: list[Shape]
    today: list[Shape]
    whole: bool


def due_rows(replica: Replica) -> Due:
    """Return what is due by now."""
    today = f"{local_time(replica.character.wall()):%Y-%m-%d}"
    found: list[tuple[str, RecordView, RecordState]] = []
    looked = 0
    for view, state in _running(replica):
        looked += 1
        due_on = str(view.value("due_on") or "")
        if due_on and due_on <= today:
            found.append((due_on, view, state))
        if looked >= LOOKED_AT_MAX:
            break
    ticks = Ticks(replica)
    found.sort(key=lambda item: item[0])
    rows = [(day, row(view, state, ticks)) for day, view, state in found]
    return Due(
        [shape for day, shape in rows if day < today],
        [shape for day, shape in rows if day == today],
        looked < LOOKED_AT_MAX,
    )


def _running(replica: Replica) -> Iterator[tuple[RecordView, RecordState]]:
    for status in _RUNNING:
        before = None
        while True:
            limit = limits.SEARCH_RESULTS_MAX
            query = Query(type=DOSSIER.id, facet=status, before=before, limit=limit)
            page = replica.rooms.views.find(query)
            for stored in page:
                state = decode_state(stored.state, stored.pending)
                yield replica.follower.projection.view(stored.id, state), state
            if len(page) < limit:
                break
            before = (page[-1].order, page[-1].id)
