"""What waits for somebody: dossiers to be filed at the portal, people to be called, one's own work.

What holds: at most `due.LOOKED_AT_MAX` dossiers of each status are looked at, the newest; it is
counted anew only after something was written. The first page may take a count that is a little old.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from device_home.deputies import deputies
from device_home.officers import officer_name
from device_home.shapes import Shape
from edge_node.desk.due import Due as DueDays
from edge_node.desk.due import due_records, of_status
from edge_node.desk.kept import kept
from edge_node.notices import Due, due_notices
from edge_node.portal import lacks_code
from sync_protocol.clock import millis
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import APPROVAL, ASSIGNEE, STATUS
from sync_protocol.dossier.status import Status
from sync_protocol.identity import OfficerId, RecordId
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

_OPEN = (
    *(Status.FILED, Status.RECEIVED, Status.PROCESSING),
    *(Status.SUPPLEMENT, Status.PAYMENT, Status.WITHDRAWAL),
)
_NEVER_TAKEN = frozenset({Status.REFUSED, Status.STOPPED})


class Ready(NamedTuple):
    """A dossier whose result is ready, since when (a timestamp)."""

    since: int
    record: RecordId


class Queued(NamedTuple):
    """A dossier without the portal's code: captured when (ms), and whose it is."""

    captured: int
    record: RecordId
    owner: str


def queued(replica: Replica, fresh_s: int = 0) -> list[Queued]:
    """Return the dossiers that wait for the portal's code, the oldest first."""

    def count() -> list[Queued]:
        found = []
        for status in set(Status) - _NEVER_TAKEN:
            for record, state in of_status(replica, status.value):
                if lacks_code(state):
                    cell = state.living((ASSIGNEE, None)).values()
                    owner = next((str(i.value) for i in cell if i.value), state.officer.hex())
                    found.append(Queued(millis(state.timestamp), record, owner))
        return sorted(found)

    return kept(replica, "portal", None, count, fresh_s)[0]


def to_call(replica: Replica, fresh_s: int = 0) -> list[Due]:
    """Return who must be told something, those not tried yet first."""
    return kept(replica, "calls", None, lambda: due_notices(replica), fresh_s)[0]


def due_now(replica: Replica, fresh_s: int = 0) -> DueDays:
    """Return what is due by now, as `due.due_records` does."""
    return kept(replica, "due", None, lambda: due_records(replica), fresh_s)[0]


def uncollected(replica: Replica) -> list[Ready]:
    """Return whose result is ready, the longest first."""

    def count() -> list[Ready]:
        found = []
        for record, state in of_status(replica, Status.READY.value):
            cell = state.living((STATUS, None)).values()
            found.append(Ready(min((item.timestamp for item in cell), default=0), record))
        return sorted(found)

    return kept(replica, "uncollected", None, count)[0]


def to_approve(replica: Replica) -> list[RecordId]:
    """Return what is being worked on without an approval, the oldest first."""

    def count() -> list[RecordId]:
        states = of_status(replica, Status.PROCESSING.value)
        return [record for record, state in states if not state.living((APPROVAL, None))][::-1]

    return kept(replica, "approvals", None, count)[0]


def views_of(
    replica: Replica, records: Sequence[RecordId]
) -> Iterator[tuple[RecordView, RecordState]]:
    """Yield the dossiers with these ids, in their order, by one look into the store."""
    found = replica.rooms.views.load(list(records))
    for stored in (found[record] for record in records if record in found):
        state = decode_state(stored.state, stored.pending)
        yield replica.follower.projection.view(stored.id, state), state


def assigned(replica: Replica) -> dict[str, list[RecordId]]:
    """Return the open dossiers by whose they are: an id in hexadecimal, or a folded name."""

    def count() -> dict[str, list[RecordId]]:
        found: dict[str, list[RecordId]] = defaultdict(list)
        for status in _OPEN:
            for record, state in of_status(replica, status.value):
                for who in {str(i.value) for i in state.living((ASSIGNEE, None)).values()}:
                    found[fold(who)].append(record)
        return dict(found)

    return kept(replica, "assigned", None, count)[0]


def mine(replica: Replica, officer: OfficerId) -> list[RecordId]:
    """Return the open dossiers that were given to an officer, by id or by name."""
    found = assigned(replica)
    names = (fold(officer.hex()), fold(officer_name(replica, officer)))
    return list(dict.fromkeys(record for name in names for record in found.get(name, ())))


def stand_ins(replica: Replica, *, today_only: bool = False) -> list[Shape]:
    """Return who stands in for whom, today or still to come, as pages show it."""
    today = local_time(replica.character.wall()).date()
    found = [item for item in deputies(replica) if item.last >= today]
    return [
        {
            "id": item.record.hex(),
            "absent": officer_name(replica, item.absent),
            "deputy": officer_name(replica, item.deputy),
            "first": shown_day(item.first.isoformat()),
            "last": shown_day(item.last.isoformat()),
            "reason": item.reason,
        }
        for item in found
        if item.holds(today) or not today_only
    ]
