"""Compare sums with a peer now and then; a mismatch heals both sides from their own logs."""

from __future__ import annotations

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.exchange.scans import Ask
from sync_protocol.identity import DeviceKey
from sync_protocol.replica import audit
from sync_protocol.replica.replica import Replica
from sync_protocol.wire.message import Kind
from sync_protocol.wire.snapshot import AuditAsk, Audited, differing

_LAST = "audit:"


def is_due(replica: Replica, peer: DeviceKey) -> bool:
    """Whether the last comparison with this peer is long ago. The first day none is made."""
    now = replica.character.wall()
    note = replica.rooms.log.note(_LAST + peer.hex())
    if note is None:
        _remember(replica, peer, now)
        return False
    return abs(now - decode(note, int)) >= limits.AUDIT_HOURS * 3_600_000


def _remember(replica: Replica, peer: DeviceKey, now: int) -> None:
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        store.put_note(_LAST + peer.hex(), encode(now))


def compare(replica: Replica, peer: DeviceKey, ask: Ask) -> list[int]:
    """Compare with a peer of equal frontier; return the buckets that differed, healed here."""
    replica.follow()
    if not audit.is_settled(replica):
        return []
    root = replica.holding.frontier_root()
    version = replica.holding.roster.merge_version
    body = AuditAsk(root, version, audit.sums(replica))
    answer, rest = ask(Kind.AUDIT, body, [], Audited)
    list(rest)
    if not answer.comparable:
        return []
    _remember(replica, peer, replica.character.wall())
    if answer.differing:
        audit.heal(replica, answer.differing)
    return answer.differing


def answer(replica: Replica, body: AuditAsk) -> Audited:
    """Compare with what the initiator says; heal what differs here before answering."""
    replica.follow()
    version = replica.holding.roster.merge_version
    same = (body.root, body.merge_version) == (replica.holding.frontier_root(), version)
    if not same or not audit.is_settled(replica):
        return Audited(False, [])
    found = differing(audit.sums(replica), body.sums)
    if found:
        audit.heal(replica, found)
    return Audited(True, found)
