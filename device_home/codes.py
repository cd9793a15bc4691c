"""The official codes of dossiers: each is one dossier's."""

from __future__ import annotations

from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.record_type import DOSSIER, OFFICIAL_CODE
from sync_protocol.dossier.text import refused
from sync_protocol.identity import RecordId
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Claim, Query

_LIKE_MAX = 20


def check_free(replica: Replica, record: RecordId, code: str) -> None:
    """Refuse a code that another dossier has here. Raises `InputError`."""
    for other in replica.rooms.views.find(Query(DOSSIER.id, text=fold(code), limit=_LIKE_MAX)):
        cell = decode_state(other.state, other.pending).living((OFFICIAL_CODE, None))
        if other.id != record and code in {item.value for item in cell.values()}:
            raise refused("code", f"is bound already, to {other.id.hex()[:20]}", "code-taken")


def clashing(replica: Replica) -> dict[RecordId, list[RecordId]]:
    """Return the other dossiers with the same code, for each that has one in common."""
    found: dict[RecordId, list[RecordId]] = {}
    clashes: dict[Claim, tuple[RecordId, ...]] = replica.rooms.views.clashes()
    for records in clashes.values():
        for record in records:
            found.setdefault(record, []).extend(other for other in records if other != record)
    return found
