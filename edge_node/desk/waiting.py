"""What waits for somebody: dossiers to be filed at the portal, and people to be called.

What holds: at most `due.LOOKED_AT_MAX` dossiers of each status are looked at, the newest; it is
counted anew only after something was written.
"""

from __future__ import annotations

from typing import NamedTuple

from edge_node.desk.due import of_status
from edge_node.desk.kept import kept
from edge_node.notices import Due, due_notices
from edge_node.portal import lacks_code
from sync_protocol.clock import millis
from sync_protocol.dossier.record_type import ASSIGNEE
from sync_protocol.dossier.status import Status
from sync_protocol.identity import RecordId
from sync_protocol.replica import Replica

_NEVER_TAKEN = frozenset({Status.REFUSED, Status.STOPPED})


class Queued(NamedTuple):
    """A dossier without the portal's code: captured when (ms), and whose it is."""

    captured: int
    record: RecordId
    owner: str


def queued(replica: Replica) -> list[Queued]:
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

    return kept(replica, "portal", None, count)


def to_call(replica: Replica) -> list[Due]:
    """Return who must be told something, those not tried yet first."""
    return kept(replica, "calls", None, lambda: due_notices(replica))
