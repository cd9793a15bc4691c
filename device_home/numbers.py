"""The code that a dossier gets when it is received here: leased, else provisional.

What holds:
* A number is noted as taken, durably, before the code is shown to anybody: what fails afterwards
  leaves a gap, never a number that is given twice. A number that stands in a dossier already is
  passed over, should the note of it have been lost.
* A lease is its feed's. A home that was restored or copied speaks in a new feed, so it never goes
  on where the old one was.
* No lease, or every number of the day taken: a provisional code. Nobody waits for a number.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from device_home.moves import read_day
from device_home.shapes import Shape
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.number_block import Lease, NumberBlock
from sync_protocol.dossier.provisional_code import ENTROPY_BYTES, make_provisional_code
from sync_protocol.dossier.record_type import DOSSIER, OFFICIAL_CODE, PROVISIONAL_CODE
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, SchemaError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import NO_OFFICER, DeviceKey, FeedId
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query

NUMBERS_MAX = 200
"""Numbers of one lease that are looked for one by one: four times what `tablet numbers` hands."""
_TAKEN = "numbers:"


def new_code(replica: Replica, day: date) -> dict[int, object]:
    """Return the code of a dossier received on `day`, by its field. Raises `StorageError` kinds."""
    official = _draw(replica, day)
    if official is not None:
        return {OFFICIAL_CODE: official}
    return {PROVISIONAL_CODE: make_provisional_code(day, random_bytes(ENTROPY_BYTES)).text}


def own_leases(replica: Replica, day: date) -> list[tuple[Lease, NumberBlock]]:
    """Return this feed's leases of a day, each with what is left of its numbers."""
    roster, own = replica.holding.roster, replica.own.feed
    found = []
    for statement in [*roster.leases, *roster.handed]:
        lease = _lease(statement)
        block = lease.block(day) if lease is not None and lease.incarnation == own else None
        if lease is None or block is None:
            continue
        last = min((part.first - 1 for part in _parts(roster, lease, day)), default=block.last)
        raw = replica.rooms.log.note(_key(lease, day))
        taken = block.next if raw is None else decode(raw, int)
        if taken <= last:
            found.append((lease, NumberBlock(block.first, last, taken)))
    return found


def _parts(roster: Roster, lease: Lease, day: date) -> list[g.Lease]:
    """Return the parts of a lease that were handed on and hold on a day; they lie at its end."""
    return [
        part
        for part in roster.handed
        if part.agency == lease.agency
        and lease.first <= part.first <= lease.last
        and part.feed != lease.incarnation
        and part.valid_from <= day.isoformat() <= part.valid_until
    ]


def hand_on(replica: Replica, feed: FeedId, count: int, today: date) -> g.Lease:
    """Hand the last `count` numbers of every day, from tomorrow on, to another feed.

    From tomorrow, because nobody knows which of today's are taken. Raises `InputError`.
    """
    tomorrow = today + timedelta(days=1)
    with replica.lock:
        for lease, block in own_leases(replica, tomorrow):
            if count <= block.left:
                part, _ = block.split(count)
                days = (tomorrow.isoformat(), lease.valid_until.isoformat())
                stated = g.Lease(feed, lease.agency, part.first, part.last, *days)
                replica.say([stated], NO_OFFICER)
                return stated
    raise InputError("This station has no lease with so many numbers left. Nothing was done.")


def newest_feed(replica: Replica, device: DeviceKey) -> FeedId:
    """Return the feed in which a device speaks now. Raises `InputError` where that is not known."""
    declared = [c.declared for c in replica.holding.chains.values() if c.device == device]
    replaced = {
        item.declaration.supersedes.feed for item in declared if item.declaration.supersedes
    }
    found = {item.feed for item in declared} - replaced
    if len(found) != 1:
        raise InputError(
            "This device has not said anything yet, or was copied: let it sync, then try again. "
            "Nothing was done."
        )
    return found.pop()


def never_arrived(replica: Replica, feeds: AbstractSet[FeedId], day: date) -> list[int]:
    """Return the numbers of a day that were handed to these feeds and stand in no dossier here."""
    found: list[int] = []
    for statement in replica.holding.roster.handed:
        lease = _lease(statement)
        block = lease.block(day) if lease is not None and lease.incarnation in feeds else None
        if lease is not None and block is not None:
            looked_at = range(block.first, block.last + 1)[:NUMBERS_MAX]
            found += [n for n in looked_at if not _is_bound(replica, str(lease.code(day, n)))]
    return found


def lease_row(replica: Replica, lease: g.Lease) -> Shape:
    """Return a lease as lists show it to machines; `device` is empty for a feed not held."""
    chains = replica.holding.chains.values()
    device = next((c.device for c in chains if c.feed == lease.feed), None)
    return {
        "device": "" if device is None else short_name(device),
        "agency": lease.agency,
        "first": lease.first,
        "last": lease.last,
        "from": lease.valid_from,
        "until": lease.valid_until,
    }


def lease_text(row: Shape) -> str:
    """Return a lease as lists show it to a person."""
    whose = row["device"] or "(an older feed)"
    days = f"{row['from']} – {row['until']}"
    return f"{whose}  {row['agency']}  {row['first']}–{row['last']}  {days}"


def _lease(statement: g.Lease) -> Lease | None:
    """Return a lease as the dossier knows it; None for one of a form that is not ours."""
    first_day, last_day = read_day(statement.valid_from), read_day(statement.valid_until)
    if first_day is None or last_day is None:
        return None
    try:
        NumberBlock.fresh(statement.first, statement.last)
    except SchemaError:
        return None
    bounds = (statement.first, statement.last, first_day, last_day)
    return Lease(statement.agency, statement.feed, *bounds)


def _draw(replica: Replica, day: date) -> str | None:
    """Take the next number of the day; None where none is left."""
    with replica.lock:
        for lease, block in own_leases(replica, day):
            while (taken := block.take()) is not None:
                number, block = taken  # noqa: PLW2901 - what is left of it
                with replica.rooms.log.transaction(durable=True):
                    replica.rooms.log.put_note(_key(lease, day), encode(block.next))
                try:
                    code = str(lease.code(day, number))
                except InputError:  # an agency that makes no code: the city's slip
                    break
                if not _is_bound(replica, code):
                    return code
    return None


def _is_bound(replica: Replica, code: str) -> bool:
    return bool(replica.rooms.views.find(Query(type=DOSSIER.id, text=fold(code), limit=1)))


def _key(lease: Lease, day: date) -> str:
    return f"{_TAKEN}{lease.incarnation.hex()}:{lease.agency}:{lease.first}:{day.isoformat()}"
