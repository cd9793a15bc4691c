"""Who has been silent for too long, and who is back: what the hub says of it.

A lapsed device holds back no clean-up. It comes back by a snapshot; what it has unsent comes in
like any other work.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync_protocol import limits
from sync_protocol.identity import DeviceKey
from sync_protocol.membership.grant import Lapse
from sync_protocol.membership.roster import Roster

_DAY_MS = 86_400_000


def lapses_due(roster: Roster, heard_ms: Mapping[DeviceKey, int], now_ms: int) -> list[Lapse]:
    """Return the statements that are due. A device that was never heard is none of our business.

    `heard_ms` says when each device was last heard, by the same clock as `now_ms`.
    """
    due = []
    for device in sorted(roster.grants):
        heard = heard_ms.get(device)
        if heard is None or roster.revoked(device) is not None:
            continue
        known = roster.lapses.get(device)
        lapsed = known is not None and known.lapsed
        silent = now_ms - heard >= limits.LAPSED_DAYS * _DAY_MS
        if silent != lapsed:
            due.append(Lapse(device, silent, 1 if known is None else known.version + 1))
    return due
