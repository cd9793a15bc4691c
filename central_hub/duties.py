"""What the hub does of itself, once a day in each ward; and wards that nobody uses are closed.

* Pieces of scans that were left here long ago, and that nothing names, go.
* It says who has been silent for too long, and who is back. A device is heard when it calls, and by
  what it writes: a tablet calls its station, and only its entries come here.

What holds: one ward at a time, with a pause after each, so that a city of wards is no load; a ward
that fails is logged, and tried again a day later. Nothing is said in the first hour after a start:
whoever is there is heard until then, however long the hub itself was away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from central_hub.city import City, Office
from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.identity import NO_OFFICER, DeviceKey, WardId
from sync_protocol.log.entry import read_header
from sync_protocol.membership.lapse import lapses_due
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.lodging import sweep_lodged

PAUSE_S = 30.0
"""Between two wards: 579 take five hours."""
_FIRST_S = 3600.0
_DAY_S = 86_400.0


class Duties:
    """The work of a `Loop`: `work` does one ward's duties, and says when it wants to go on."""

    def __init__(self, city: City, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Prepare. `clock_s` never goes back."""
        self._city = city
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._done_s: dict[WardId, float] = {}

    def work(self) -> float:
        """Look after the ward that is due, if any; return the seconds to wait."""
        self._city.close_idle()
        now = self._clock_s()
        ward = self._due(now)
        if ward is not None:
            self._done_s[ward] = now
            with self._city.visit(ward) as office:
                look_after(office)
        return PAUSE_S

    def _due(self, now: float) -> WardId | None:
        if now - self._began_s < _FIRST_S:
            return None
        for row in self._city.wards():
            if now - self._done_s.get(row.id, now - _DAY_S) >= _DAY_S:
                return row.id
        return None


def look_after(office: Office) -> int:
    """Do what is due in a ward today; return how many statements were made."""
    replica = office.replica
    heard = {device: _heard_ms(office, device) for device in replica.holding.roster.grants}
    known = {device: at for device, at in heard.items() if at}
    due = lapses_due(replica.holding.roster, known, replica.character.wall())
    if due:
        replica.say(due, NO_OFFICER)
    sweep_lodged(replica)
    return len(due)


def _heard_ms(office: Office, device: DeviceKey) -> int:
    """Return when a device called, or wrote what came here; 0 for never."""
    chains = office.replica.holding.chains.values()
    now = office.replica.character.wall()
    written = (_written_ms(office, chain) for chain in chains if chain.device == device)
    # A clock that runs ahead would be heard for ever.
    return max([office.contacts.of(device).heard_ms, *(at for at in written if at <= now)])


def _written_ms(office: Office, chain: Chain) -> int:
    head = chain.row.head.seq
    for _, entry in office.replica.holding.entries(chain, head, head):
        try:
            return millis(read_header(entry.header).timestamp)
        except PeerError:
            return 0
    return 0
