"""Mẫu 07: the daybook of the dossiers that were received on some days, with the numbers unused.

What holds: a number of a lease that no dossier has, though a later one was used, is named: a gap
that can be explained is no missing dossier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from device_home.moves import read_day
from edge_node.printing.facts import Facts, gather
from edge_node.printing.forms import head
from edge_node.printing.sheet import Block, gap, render, signatures, table, text
from sync_protocol.dossier.dossier_code import read_dossier_code
from sync_protocol.dossier.labels import STATUSES, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import RECEIVED_ON
from sync_protocol.dossier.status import Status
from sync_protocol.errors import InputError, LimitExceededError
from sync_protocol.identity import NO_OFFICER, RecordId
from sync_protocol.replica import Replica

ROWS_MAX = 2_000
"""A busy ward's week (400 a day): 8 s and 65 MB, measured. A month is printed in four parts."""
_HEADS = (
    *("TT", "Mã hồ sơ", "Tên thủ tục hành chính", "Người nộp, địa chỉ, điện thoại"),
    *("Nhận", "Hẹn trả", "Có kết quả", "Trả kết quả", "Tình trạng"),
)
_SHARES = (4, 15, 18, 19, 9, 9, 9, 9, 8)


def print_daybook(replica: Replica, ward: str, first: date, last: date) -> bytes:
    """Return the daybook of the days from `first` to `last` as PDF.

    Raises `LimitExceededError` for more rows than one print holds.
    """
    found = list(_received(replica, first, last))
    if len(found) > ROWS_MAX:
        raise LimitExceededError(
            f"These days have more than {ROWS_MAX} dossiers: print them in parts. "
            "Nothing was printed."
        )
    facts = [gather(replica, ward, record, NO_OFFICER) for record in found]
    facts.sort(key=lambda item: (item.moves[0].when if item.moves else item.today, item.code))
    days = f"Từ ngày {first:%d/%m/%Y} đến ngày {last:%d/%m/%Y}: {len(facts)} hồ sơ."
    blocks: list[Block] = [
        *head(ward, local_time(replica.character.wall()), "07"),
        text("SỔ THEO DÕI HỒ SƠ", "title", bold=True),
        text(days, "middle"),
        gap(),
        table(_HEADS, [_row(n, item) for n, item in enumerate(facts, start=1)], _SHARES),
    ]
    blocks += [text(words, "small") for words in _unused(replica, facts)]
    blocks.append(signatures(("", "", ""), ("NGƯỜI LẬP SỔ", "(Ký và ghi rõ họ tên)", "")))
    return render(blocks, "Mẫu 07 – Sổ theo dõi hồ sơ", wide=True)


def _received(replica: Replica, first: date, last: date) -> Iterator[RecordId]:
    for record, state in replica.states():
        days = [read_day(value) for value in state.plain_values((RECEIVED_ON,))]
        if any(day is not None and first <= day <= last for day in days):
            view = replica.follower.projection.view(record, state)
            if not view.retracted and not view.held:
                yield record


def _row(number: int, facts: Facts) -> tuple[str, ...]:
    who = "\n".join(filter(None, (facts.name, facts.address, facts.phone)))
    ends = [_last(facts, status) for status in (Status.READY, Status.RETURNED)]
    status = label(STATUSES, facts.status)
    first = (str(number), facts.code, facts.procedure[0], who)
    return (*first, facts.received_day, facts.due, *ends, status)


def _last(facts: Facts, status: Status) -> str:
    days = [move.when for move in facts.moves if move.status == status.value]
    return f"{days[-1]:%d/%m/%Y}" if days else ""


def _unused(replica: Replica, facts: list[Facts]) -> Iterator[str]:
    """Yield the numbers that were leased and passed by, by agency and day."""
    used: dict[tuple[str, date], set[int]] = defaultdict(set)
    for item in facts:
        with suppress(InputError):
            code = read_dossier_code(item.code)
            used[code.agency, code.received_on].add(code.number)
    for lease in replica.holding.roster.leases:
        for (agency, day), numbers in sorted(used.items()):
            mine = [n for n in numbers if lease.first <= n <= lease.last]
            if agency != lease.agency or not mine:
                continue
            gaps = sorted(set(range(lease.first, max(mine))) - numbers)
            if gaps:
                shown = ", ".join(f"{n:04d}" for n in gaps[:50])
                yield f"Số không dùng ({agency}, ngày {day:%d/%m/%Y}): {shown}."
