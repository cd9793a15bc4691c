"""The apology for a delay: the reason and a new date, told to the citizen before the old one.

Source: “Văn bản xin lỗi và đề nghị gia hạn thời gian giải quyết” (Mẫu 04 of Circular
03/2025/TT-VPCP); at most once, and before the due date (Decree 61/2018/NĐ-CP art. 19, since 2025
Decree 118/2025/NĐ-CP). Whoever is late has to apologise all the same, so these two only warn.

What holds: the date that was promised first stays known, in the kind of the apology's note
("apology:2026-11-20"): a new date makes nobody on time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.text import refused
from sync_protocol.dossier.working_calendar import WorkingCalendar

_KIND = "apology:"
_OPEN = frozenset({Status.RECEIVED, Status.PROCESSING, Status.SUPPLEMENT, Status.PAYMENT})


def check_apology(
    status: str,
    due: date | None,
    until: date,
    *,
    kinds: Sequence[str],
    today: date,
    calendar: WorkingCalendar,
) -> tuple[Remark, ...]:
    """Check a new date for a dossier that was due on `due`; return what to look at.

    `kinds` are those of its notes, oldest first, `today` the local day. Raises `InputError`.
    """
    if status not in _OPEN or due is None:
        raise refused("status", "is not one in which a dossier is due", "not-due")
    if until <= due or until < today:
        raise refused("until", "must be later than the due date, and not past", "until")
    if not calendar.is_working(until):
        raise refused("until", "is a day off", "day-off")
    remarks = []
    if any(kind.startswith(_KIND) for kind in kinds):
        remarks.append(Remark("apology-again", "due_on"))
    if today > due:
        remarks.append(Remark("apology-too-late", "due_on"))
    return tuple(remarks)


def apology_kind(due: date) -> str:
    """Return the kind of the note of an apology for a dossier that was due on `due`."""
    return f"{_KIND}{due.isoformat()}"


def promised_first(kinds: Iterable[str]) -> date | None:
    """Return the due date before any apology, by the kinds of the notes, oldest first.

    None where there was no apology.
    """
    for kind in kinds:
        if kind.startswith(_KIND):
            try:
                return date.fromisoformat(kind[len(_KIND) :])
            except ValueError:  # a newer version's
                continue
    return None
