"""How the last exchanges went, kept beside the log: when somebody answered, and by which clock."""

from __future__ import annotations

from sync_protocol.encoding import decode, encode
from sync_protocol.replica import Replica

_CONTACT = "health:contact"
_SUCCESS = "health:success"
_OFFSET = "health:clock-offset"
_REPORTED = "health:reported"
_LET_GO = "let-go"


def keep_contact(replica: Replica, peer_time_ms: int) -> None:
    """Remember that the peer answered now, and how far our clock is from its."""
    now = replica.character.wall()
    notes = {_CONTACT: now}
    if peer_time_ms:
        notes[_OFFSET] = now - peer_time_ms
    _put(replica, notes)


def keep_success(replica: Replica) -> None:
    """Remember that a whole exchange went through now."""
    _put(replica, {_SUCCESS: replica.character.wall()})


def last_contact_ms(replica: Replica) -> int | None:
    """Return when the peer last answered, by our clock."""
    return _read(replica, _CONTACT)


def last_success_ms(replica: Replica) -> int | None:
    """Return when an exchange last went through, by our clock."""
    return _read(replica, _SUCCESS)


def clock_offset_ms(replica: Replica) -> int | None:
    """Return how far our clock was ahead of the peer's."""
    return _read(replica, _OFFSET)


def keep_report(replica: Replica) -> None:
    """Remember that the peer took down our figures now."""
    _put(replica, {_REPORTED: replica.character.wall()})


def last_report_ms(replica: Replica) -> int | None:
    """Return when the peer last took down our figures, by our clock."""
    return _read(replica, _REPORTED)


def keep_let_go(replica: Replica) -> None:
    """Remember that what may go was let go of now."""
    _put(replica, {_LET_GO: replica.character.wall()})


def last_let_go_ms(replica: Replica) -> int | None:
    """Return when what may go was last let go of, by our clock."""
    return _read(replica, _LET_GO)


def _put(replica: Replica, notes: dict[str, int]) -> None:
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        for key, value in notes.items():
            store.put_note(key, encode(value))


def _read(replica: Replica, key: str) -> int | None:
    raw = replica.rooms.log.note(key)
    return None if raw is None else decode(raw, int)
