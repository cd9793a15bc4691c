"""Whom the office must tell something: papers are asked for, a date has moved, a result is ready.

A notice is nothing that is kept: it follows from where the dossier stands and from its notes. What
is kept is that somebody was told, or was not reached, as a note that says why ("reached:result").

What holds:
* A notice stands until a note of the same reason, written after it, says that the person was told;
  one that says that nobody was reached takes nothing away.
* What is sent holds no name, no number, no code and no link: whoever holds the phone may read it,
  and a message with a link would look like a fraud.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sync_protocol.dossier.apology import promised_first
from sync_protocol.dossier.status import Status


class Why(StrEnum):
    """Why somebody must be told."""

    SUPPLEMENT = "supplement"
    DELAY = "delay"
    RESULT = "result"


class Outcome(StrEnum):
    """What came of it."""

    REACHED = "reached"
    MISSED = "missed"
    SENT = "sent"


_BY_STATUS = {Status.SUPPLEMENT: Why.SUPPLEMENT, Status.READY: Why.RESULT}
_DELAYED = frozenset({Status.RECEIVED, Status.PROCESSING, Status.PAYMENT})
NOTICED = (*_BY_STATUS, *sorted(_DELAYED))
"""The statuses in which somebody may have to be told."""

TEXTS = {
    Why.SUPPLEMENT: (
        "{ward}: hồ sơ của ông/bà cần bổ sung giấy tờ. Xin mời đến hoặc gọi bộ phận một cửa.",
        "{ward}: your dossier needs more papers. Please come or call the one-stop desk.",
    ),
    Why.DELAY: (
        (
            "{ward}: xin lỗi ông/bà, hồ sơ phải hẹn lại ngày trả. Xin gọi bộ phận một cửa để biết "
            "ngày mới."
        ),
        "{ward}: we are sorry, your result will be late. Please call the one-stop desk.",
    ),
    Why.RESULT: (
        "{ward}: hồ sơ của ông/bà đã có kết quả. Xin mời đến bộ phận một cửa nhận.",
        "{ward}: your result is ready. Please collect it at the one-stop desk.",
    ),
}
"""What a gateway sends, in Vietnamese and English; `ward` is the office's name."""


class Told(NamedTuple):
    """A note of a dossier: its kind, and when it was written (a timestamp)."""

    kind: str
    at: int


class Notice(NamedTuple):
    """That somebody must be told, since when, and how often nobody was reached, last when."""

    why: Why
    since: int
    missed: int = 0
    last: int = 0


def notice_kind(outcome: Outcome, why: Why) -> str:
    """Return the kind of the note that says what came of a notice."""
    return f"{outcome}:{why}"


def due_notice(status: str, since: int, notes: Sequence[Told]) -> Notice | None:
    """Return what a dossier's person must be told: its status stands `since` (a timestamp)."""
    why = _BY_STATUS.get(status)  # type: ignore[call-overload]  # a status is a text
    if status in _DELAYED:
        apologies = [note.at for note in notes if promised_first([note.kind])]
        why, since = (Why.DELAY, max(apologies)) if apologies else (None, 0)
    if why is None:
        return None
    kinds = {notice_kind(outcome, why): outcome for outcome in Outcome}
    told = [(kinds[note.kind], note.at) for note in notes if note.kind in kinds and note.at > since]
    if any(outcome is not Outcome.MISSED for outcome, _ in told):
        return None
    return Notice(why, since, len(told), max((at for _, at in told), default=0))
