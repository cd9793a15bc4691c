"""The devices of a ward, as its station knows them: inviting, locking, reopening, what is known.

What holds: an invitation is kept as its hash only, so its string is there once, when it is made. A
lock cuts at what the station holds; what the hub has revoked no station reopens, and that is told.
What a tablet says of itself is shown as its word, with when it was heard.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from device_home.home import Home
from device_home.numbers import never_arrived
from device_home.shapes import ACTIVE, Shape, device_state
from edge_node.authority import authority, served_url
from sync_protocol import limits
from sync_protocol.clock import millis
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.exchange.enrol import Registrar, check_terms, short_name
from sync_protocol.identity import DeviceKey, OfficerId
from sync_protocol.log.entry import read_header
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted
from sync_protocol.replica import Replica, Written
from sync_protocol.wire.enrol import write_invitation

_HEALTH = "health-of:"
_HEARD = "heard_ms"
NUMBERS_DAYS = 3
"""A lost tablet is missed within a long week-end; each day and number is one look-up of 1 ms."""


class Locked(NamedTuple):
    """How many entries of a device count, and the entry that says so."""

    kept: int
    written: Written


class Missing(NamedTuple):
    """Numbers of one day that were a device's to give and stand in no dossier here."""

    day: date
    numbers: list[int]


def invite(
    home: Home, replica: Replica, label: str, url: str = "", hours: int = limits.INVITATION_HOURS
) -> tuple[str, str]:
    """Return a one-time invitation for a tablet, good for `hours`, and the address it leads to.

    Raises `NotAllowedError` before this station's own grant has come, and `InputError`.
    """
    if not replica.is_enrolled():
        raise NotAllowedError("This station's own grant has not come yet: let it sync once.")
    url = url or home.settings.text("url") or served_url(replica)
    if not url:
        raise InputError("Where tablets meet this station is not known: run “serve” or give --url.")
    check_terms(url, hours)
    from sync_protocol.crypto.certificate import fingerprint  # late: it is slow to load

    mark = fingerprint(authority(home)[0])
    return write_invitation(Registrar(replica).invite(g.TABLET, label, url, mark, hours)), url


def device_rows(replica: Replica) -> list[Shape]:
    """Return every device of the ward."""
    roster = replica.holding.roster
    return [_device_row(replica, item) for item in roster.grants.values()]


def _device_row(replica: Replica, item: Granted) -> Shape:
    chains = replica.holding.chains.values()
    return {
        "id": short_name(item.device),
        "label": item.label,
        "role": item.role,
        "delegated": item.delegated,
        "state": device_state(replica, item.device),
        "entries": sum(c.row.head.seq for c in chains if c.device == item.device),
    }


def find_tablet(replica: Replica, text: str) -> Granted:
    """Return the tablet of this id, beginning of it, or label. Raises `InputError`."""
    found = [
        item
        for item in replica.holding.roster.grants.values()
        if item.role == g.TABLET
        and (short_name(item.device).startswith(text.lower()) or item.label == text)
    ]
    if len(found) != 1:
        raise InputError(
            "No tablet of this ward is called so; see “tablet list”."
            if not found
            else "Several tablets are called so: give more of the id."
        )
    return found[0]


def lock(replica: Replica, officer: OfficerId, device: DeviceKey) -> Locked:
    """Lock a tablet: what is held of it now counts, what comes later waits for review.

    The officer must have been checked to supervise: readers count it from nobody else.
    """
    cuts = replica.holding.frontier(device)
    return Locked(sum(cut.seq for cut in cuts), _state(replica, officer, device, g.LOCKED))


def reopen(replica: Replica, officer: OfficerId, device: DeviceKey) -> Written:
    """Lift a lock of this ward: all that the tablet wrote counts. For a supervisor, as `lock`.

    Raises `NotAllowedError` for a device that is not locked, or that the city has revoked.
    """
    if device_state(replica, device) != g.LOCKED:
        raise NotAllowedError(
            "Only a lock of this ward is lifted here. Nothing was changed.", reason="not-locked"
        )
    written = _state(replica, officer, device, g.RESTORED)
    if device_state(replica, device) != ACTIVE:
        raise NotAllowedError(
            "The city has revoked this device: only the city lifts that. Nothing was changed.",
            reason="city-locked",
        )
    return written


def _state(replica: Replica, officer: OfficerId, device: DeviceKey, reason: str) -> Written:
    with replica.lock:
        cuts = replica.holding.frontier(device)
        before = replica.holding.roster.revocations.get(device)
        version = 1 if before is None else before.version + 1
        return replica.say([g.Revoke(device, reason, cuts, version)], officer)


def missing_numbers(replica: Replica, device: DeviceKey, today: date) -> list[Missing]:
    """Return the numbers handed to a device, of the last days, that stand in no dossier here."""
    feeds = {chain.feed for chain in replica.holding.chains.values() if chain.device == device}
    days = [today - timedelta(days=ago) for ago in range(NUMBERS_DAYS)]
    found = [Missing(day, never_arrived(replica, feeds, day)) for day in days]
    return [item for item in found if item.numbers]


def newest_ms(replica: Replica, device: DeviceKey) -> int:
    """Return when a device wrote its newest entry that is held here, by its own clock; 0: none."""
    found = [0]
    for chain in replica.holding.chains.values():
        seq = chain.row.head.seq
        for _, entry in replica.holding.entries(chain, seq, seq) if chain.device == device else ():
            found.append(millis(read_header(entry.header).timestamp))
    return max(found)


# ------------------------------------------------------------------- what tablets say of themselves


def keep_device_health(replica: Replica, device: DeviceKey, figures: dict[str, int | str]) -> None:
    """Keep what a tablet says of itself and when we heard it (ms), within a bound."""
    raw = encode({**figures, _HEARD: replica.character.wall()})
    if len(raw) <= limits.KIB:
        store = replica.rooms.log
        with replica.lock, store.transaction(durable=False):
            store.put_note(f"{_HEALTH}{device.hex()}", raw)


def device_health(replica: Replica, device: DeviceKey) -> dict[str, Any]:
    """Return what a tablet last said of itself; empty where it never did."""
    raw = replica.rooms.log.note(f"{_HEALTH}{device.hex()}")
    return {} if raw is None else decode(raw, dict[str, Any])
