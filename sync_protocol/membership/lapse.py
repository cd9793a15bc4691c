"""Who has been silent for too long, or was not confirmed for too long.

The hub says who is silent, and who is back; an edge takes back what it granted while the hub was
away, and no hub confirmed.

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


def delegations_due(
    roster: Roster, granted_ms: Mapping[DeviceKey, int], now_ms: int
) -> list[DeviceKey]:
    """Return the devices whose grants by this edge were confirmed by no hub for too long.

    `granted_ms` says when this edge granted them, by the clock of `now_ms`. That clock decides when
    it is said, once; what is said then counts everywhere alike. A device of which something was
    said before (locked, or restored by a supervisor since) is left as it is.
    """
    return [
        device
        for device, at in sorted(granted_ms.items())
        if now_ms - at >= limits.DELEGATED_GRANT_DAYS * _DAY_MS
        and device not in roster.revocations
        and (known := roster.grants.get(device)) is not None
        and known.delegated
    ]


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
