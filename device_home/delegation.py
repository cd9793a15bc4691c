"""What this station granted while the city was away lapses, unless the city confirms it in time.

What holds: the station itself says so, once, cutting at what it holds then; what the tablet brings
later is kept for review, and counts after all as soon as the city confirms the tablet.
"""

from __future__ import annotations

from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.identity import DeviceKey
from sync_protocol.log.entry import read_header
from sync_protocol.membership import grant as g
from sync_protocol.membership.lapse import delegations_due
from sync_protocol.replica import Replica
from sync_protocol.replica.holding import CONTROL_NOTE, Chain


def lapsed_grants(replica: Replica) -> list[g.Statement]:
    """Return the statements that are due."""
    roster = replica.holding.roster
    if not any(item.delegated for item in roster.grants.values()):
        return []  # nearly always: the city confirms at the next exchange
    due = delegations_due(roster, _granted_ms(replica), replica.character.wall())
    return [g.Revoke(device, g.LAPSED, replica.holding.frontier(device)) for device in due]


def _granted_ms(replica: Replica) -> dict[DeviceKey, int]:
    """Return when this device granted others, by its own entries."""
    found: dict[DeviceKey, int] = {}
    own = replica.keys.public
    for chain in replica.holding.chains.values():
        for seq in _control_seqs(replica, chain) if chain.device == own else ():
            for _, entry in replica.holding.entries(chain, seq, seq):
                said = replica.holding.read_control(entry, {})
                at = _written_ms(entry.header)
                for statement in said[1] if said else ():
                    if isinstance(statement, g.Grant):
                        found[statement.device] = max(at, found.get(statement.device, 0))
    return found


def _control_seqs(replica: Replica, chain: Chain) -> list[int]:
    keys = replica.rooms.log.notes(f"{CONTROL_NOTE}{chain.number:08d}:")
    return [
        seq for seq in (int(key.rsplit(":", 1)[1]) for key in keys) if seq <= chain.row.head.seq
    ]


def _written_ms(header: bytes) -> int:
    try:
        return millis(read_header(header).timestamp)
    except PeerError:
        return 0
