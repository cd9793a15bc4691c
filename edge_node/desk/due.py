"""Which dossiers are overdue, and which are due today, as far as their due date is known.

Only those that the office is working on count: while papers or a payment are waited for, the clock
stands by law. Where two due dates stand side by side, the earlier one counts. What holds: at most
`LOOKED_AT_MAX` dossiers of each status are looked at, the newest, and whether that was all is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import DOSSIER, DUE_ON
from sync_protocol.dossier.status import Status
from sync_protocol.identity import RecordId
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query

LOOKED_AT_MAX = 1000
"""Open dossiers of a ward in one status at a time."""
_RUNNING = (Status.RECEIVED.value, Status.PROCESSING.value)


class Due(NamedTuple):
    """The records, the longest overdue first; `whole`: every open dossier was looked at."""

    overdue: list[RecordId]
    today: list[RecordId]
    whole: bool


def due_records(replica: Replica) -> Due:
    """Return what is due by now."""
    today = f"{local_time(replica.character.wall()):%Y-%m-%d}"
    found: list[tuple[str, RecordId]] = []
    whole = True
    for status in _RUNNING:
        looked = 0
        for record, state in of_status(replica, status):
            looked += 1
            day = _due_on(state)
            if day and day <= today:
                found.append((day, record))
        whole = whole and looked < LOOKED_AT_MAX
    found.sort()
    return Due(
        [record for day, record in found if day < today],
        [record for day, record in found if day == today],
        whole,
    )


def _due_on(state: RecordState) -> str:
    cell = state.living((DUE_ON, None))
    return min((str(item.value) for item in cell.values() if item.value), default="")


def of_status(replica: Replica, status: str) -> Iterator[tuple[RecordId, RecordState]]:
    """Yield at most `LOOKED_AT_MAX` dossiers of a status (its national number), newest first."""
    before = None
    for _ in range(LOOKED_AT_MAX // limits.SEARCH_RESULTS_MAX):
        limit = limits.SEARCH_RESULTS_MAX
        page = replica.rooms.views.find(
            Query(type=DOSSIER.id, facet=status, before=before, limit=limit)
        )
        for stored in page:
            yield stored.id, decode_state(stored.state, stored.pending)
        if len(page) < limit:
            return
        before = (page[-1].order, page[-1].id)
