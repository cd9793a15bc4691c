"""“Tiền thu trong ngày”: what each officer took on one day, by the payments' own entries.

What holds: a payment belongs to the day and officer that its entry names, for ever. A correction
changes what the payment counts for and is listed with it; one of an earlier day's payment is listed
on its own day as well, so no day's sum changes silently. Entries of one feed never go back in time:
so a day is found by halving, and only that day is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sync_protocol.clock import millis
from sync_protocol.dossier.local_time import HANOI, local_time
from sync_protocol.dossier.payment import Line, Payment, payments
from sync_protocol.dossier.record_type import DOSSIER, PAYMENTS
from sync_protocol.errors import PeerError
from sync_protocol.identity import OfficerId, RecordId
from sync_protocol.log.entry import read_header
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica
from sync_protocol.replica.holding import Chain
from sync_protocol.view import RecordView


class Taken(NamedTuple):
    """A payment of the day, or (`correction`) a line of the day about an earlier day's payment."""

    view: RecordView
    payment: Payment
    correction: Line | None = None


class Takings(NamedTuple):
    """One day: the payments by officer, and the corrections of earlier days' payments."""

    by_officer: dict[OfficerId, list[Taken]]
    earlier: list[Taken]

    @property
    def total(self) -> int:
        """All payments of the day, in đồng."""
        return sum(item.payment.amount for found in self.by_officer.values() for item in found)


def takings(replica: Replica, day: date) -> Takings:
    """Return what was taken on a local day."""
    records = set(_touched(replica, day))
    by_officer: dict[OfficerId, list[Taken]] = defaultdict(list)
    earlier: list[Taken] = []
    for record, stored in replica.rooms.views.load(sorted(records)).items():
        state = decode_state(stored.state, stored.pending)
        view = replica.follower.projection.view(record, state)
        for payment in payments(view) if stored.type == DOSSIER.id else ():
            if _day(payment.line) == day:
                by_officer[payment.line.officer].append(Taken(view, payment))
                continue
            made = [item for item in payment.corrections if _day(item) == day]
            earlier += [Taken(view, payment, item) for item in made]
    for found in by_officer.values():
        found.sort(key=lambda item: item.payment.line.order)
    return Takings(dict(by_officer), earlier)


def _day(line: Line) -> date:
    return local_time(line.time_ms).date()


def _touched(replica: Replica, day: date) -> Iterator[RecordId]:
    """Yield the dossiers in which an entry of this day wrote a payment."""
    start = _midnight_ms(day)
    end = _midnight_ms(day + timedelta(days=1))
    for chain in list(replica.holding.chains.values()):
        first, last = _first_since(replica, chain, start), _first_since(replica, chain, end) - 1
        for seq, entry in replica.holding.entries(chain, first, last) if first <= last else ():
            read = replica.follower.read(chain, seq, entry, {})
            if read is None:
                continue
            _, changeset, records = read
            for record, change in zip(records, changeset.records, strict=True):
                if any(write.field == PAYMENTS for write in change.writes):
                    yield record


def _midnight_ms(day: date) -> int:
    return int(datetime.combine(day, time(), HANOI).timestamp() * 1000)


def _first_since(replica: Replica, chain: Chain, start_ms: int) -> int:
    """Return the seq of the first entry written at or after a time, one past the head if none."""
    low, high = chain.row.base_seq + 1, chain.row.head.seq + 1
    while low < high:
        middle = (low + high) // 2
        if _written_ms(replica, chain, middle) < start_ms:
            low = middle + 1
        else:
            high = middle
    return low


def _written_ms(replica: Replica, chain: Chain, seq: int) -> int:
    for _, entry in replica.holding.entries(chain, seq, seq):
        try:
            return millis(read_header(entry.header).timestamp)
        except PeerError:
            break
    return 0
