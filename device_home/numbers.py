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

from datetime import date

from device_home.moves import read_day
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.number_block import Lease, NumberBlock
from sync_protocol.dossier.provisional_code import ENTROPY_BYTES, make_provisional_code
from sync_protocol.dossier.record_type import DOSSIER, OFFICIAL_CODE, PROVISIONAL_CODE
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, SchemaError
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query

_TAKEN = "numbers:"


def new_code(replica: Replica, day: date) -> dict[int, object]:
    """Return the code of a dossier received on `day`, by its field. Raises `StorageError` kinds."""
    official = _draw(replica, day)
    if official is not None:
        return {OFFICIAL_CODE: official}
    return {PROVISIONAL_CODE: make_provisional_code(day, random_bytes(ENTROPY_BYTES)).text}


def own_leases(replica: Replica, day: date) -> list[tuple[Lease, NumberBlock]]:
    """Return this feed's leases of a day, each with what is left of its numbers."""
    found = []
    for statement in replica.holding.roster.leases:
        lease = _lease(statement)
        block = lease.block(day) if lease is not None else None
        if lease is not None and block is not None and statement.feed == replica.own.feed:
            raw = replica.rooms.log.note(_key(lease, day))
            taken = block.next if raw is None else decode(raw, int)
            found.append((lease, NumberBlock(block.first, block.last, taken)))
    return found


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
