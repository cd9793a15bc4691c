"""The closing line of the day: how many dossiers came in today, and at how many places they are.

What holds: a place counts once every entry of every dossier of today is there, by signed receipts:
this machine, another station of the ward, the city. Receipts come at any time, so this is never
kept; at most `TODAY_MAX` dossiers are looked at, the newest.
"""

from __future__ import annotations

from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.clock import millis
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.identity import Dot
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query

TODAY_MAX = 1000
"""A busy ward receives 300 a day."""


class Closing(NamedTuple):
    """How many dossiers were captured today, and the number of places at which all of them are."""

    dossiers: int
    places: int


def closing(replica: Replica) -> Closing:
    """Return the closing line's figures, as of now."""
    dots: set[Dot] = set()
    count = 0
    today = local_time(replica.character.wall()).date()
    before = None
    while count < TODAY_MAX:
        limit = limits.SEARCH_RESULTS_MAX
        page = replica.rooms.views.find(Query(type=DOSSIER.id, before=before, limit=limit))
        states = [decode_state(stored.state, stored.pending) for stored in page]
        of_today = [s for s in states if local_time(millis(s.timestamp)).date() == today]
        count += len(of_today)
        dots.update(*(state.dots() for state in of_today))
        if len(of_today) < limit:
            break
        before = (page[-1].order, page[-1].id)
    return Closing(count, min((_places(replica, dot) for dot in dots), default=1))


def _places(replica: Replica, dot: Dot) -> int:
    """Return at how many places an entry is, this machine among them."""
    chain = replica.holding.locate(dot)
    if chain is None:
        return 1
    safety = replica.receipts.safety(chain, dot.seq)
    return 1 + len(safety.edges) + safety.hub
