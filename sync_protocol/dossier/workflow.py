"""Which status may follow which, what must be said with it, and who may do it.

Sources: the ten statuses and their moves are those of the provincial one-stop systems under Decree
118/2025/NĐ-CP (the national portal publishes no table of its own); that a refusal is the head's act
and a supplement is asked for paper by paper, with its reason, stands in the procedures' own texts;
the forms are those of Circular 03/2025/TT-VPCP (Mẫu 02 supplement, 03 refusal, 05 stop).

What holds:
* This is asked when an officer writes, never by who reads: what was written elsewhere, by whatever
  version, is merged and shown as it is.
* Nobody skips back: after a supplement or a withdrawal a dossier goes on from where it was.
* A move that needs a reason, or that must find its way back, leaves a note of the kind "2>5": the
  status before and after. Notes are never lost in a merge, so what is known of the way stays known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.labels import ENGLISH, STATUSES, label
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError, NotAllowedError

PAUSES = frozenset({Status.SUPPLEMENT, Status.PAYMENT})
"""While a dossier waits for the citizen, the office's time stands still (Mẫu 02; status 6)."""
SUPERVISED = frozenset({Status.REFUSED})
"""“The officer reports to the centre's leader, who issues the refusal”: no clerk's own act."""

_FORWARD: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.FILED: frozenset(
            {Status.RECEIVED, Status.REFUSED, Status.SUPPLEMENT, Status.WITHDRAWAL}
        ),
        # READY at once is normal for what is done the same day.
        Status.RECEIVED: frozenset(
            {
                Status.PROCESSING,
                Status.SUPPLEMENT,
                Status.PAYMENT,
                Status.WITHDRAWAL,
                Status.STOPPED,
                Status.READY,
            }
        ),
        Status.PROCESSING: frozenset(
            {
                Status.SUPPLEMENT,
                Status.PAYMENT,
                Status.WITHDRAWAL,
                Status.STOPPED,
                Status.READY,
            }
        ),
        Status.PAYMENT: frozenset({Status.PROCESSING, Status.STOPPED, Status.READY}),
        # Back only to correct a wrong result, with its reason: never silently.
        Status.READY: frozenset({Status.RETURNED, Status.PROCESSING}),
    }
)
_AFTER_SUPPLEMENT: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {  # by where it was asked for: what was never received is refused, the rest is stopped
        Status.FILED: frozenset({Status.RECEIVED, Status.REFUSED, Status.WITHDRAWAL}),
        Status.RECEIVED: frozenset({Status.RECEIVED, Status.STOPPED, Status.WITHDRAWAL}),
        Status.PROCESSING: frozenset({Status.PROCESSING, Status.STOPPED, Status.WITHDRAWAL}),
    }
)
_WITHDRAWN_FROM = frozenset({Status.FILED, Status.RECEIVED, Status.PROCESSING, Status.SUPPLEMENT})
_REASONED = frozenset({Status.REFUSED, Status.SUPPLEMENT, Status.STOPPED})
_CORRECTION = (Status.READY, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Move:
    """What an officer wants: the next status, why, how many papers are asked for, and by whom.

    `lacking`: papers that were asked for before have not come.
    """

    to: Status
    reason: str = ""
    papers: int = 0
    lacking: bool = False
    supervises: bool = False


def followers(now: Status, earlier: Status | None = None) -> frozenset[Status]:
    """Return the statuses that may follow `now`; none after the last ones.

    `earlier` is where a supplement or a withdrawal began. Where that is not known (the dossier came
    from elsewhere), every way back is open.
    """
    if now is Status.SUPPLEMENT:
        known = _AFTER_SUPPLEMENT.get(earlier) if earlier else None
        return frozenset().union(*_AFTER_SUPPLEMENT.values()) if known is None else known
    if now is Status.WITHDRAWAL:
        back = frozenset({earlier}) if earlier in _WITHDRAWN_FROM else _WITHDRAWN_FROM
        return frozenset(item for item in back if item) | {Status.STOPPED}
    return _FORWARD.get(now, frozenset())


def next_statuses(standing: Sequence[str], kinds: Sequence[str]) -> list[Status]:
    """Return what may follow where these statuses stand, in the order of their numbers.

    `standing` is one status, or the several that are disputed: then one of them must be chosen
    before anything moves on. `kinds` are those of the dossier's notes, oldest first. A status that
    is unknown to this version leads nowhere.
    """
    known = {found for code in standing if (found := read_status_code(code)) is not None}
    if len(standing) == 1:
        known = {to for now in known for to in followers(now, earlier(now, kinds))}
    return sorted(known, key=lambda status: int(status.value))


def check_move(standing: Sequence[str], kinds: Sequence[str], move: Move) -> tuple[Remark, ...]:
    """Check a move from what stands, as `next_statuses` takes it; return what to look at.

    Raises `InputError` for one that is not lawful or lacks its reason or its papers,
    `NotAllowedError` where it is not this officer's to make.
    """
    lawful = next_statuses(standing, kinds)
    if move.to not in lawful:
        words = ", ".join(label(STATUSES, item, ENGLISH) for item in lawful) or "nothing"
        raise refused("status", f"may not be that now; what may follow is: {words}", "transition")
    if len(standing) > 1:
        return ()  # it chooses between moves that have been made, and were explained then
    if move.to in SUPERVISED and not move.supervises:
        raise NotAllowedError(
            "Only a supervisor refuses a dossier (--officer). Nothing was changed.",
            reason="move-supervisor",
        )
    if needs_reason(standing, move.to) and not move.reason:
        raise InputError(
            "This status needs its reason, in words (--reason). Nothing was changed.",
            reason="move-reason",
        )
    if move.to is Status.SUPPLEMENT and not move.papers:
        raise InputError(
            "Say paper by paper what is missing (--missing TYPE WHAT). Nothing was changed.",
            reason="move-papers",
        )
    return tuple(_remarks(standing, kinds, move))


def _remarks(standing: Sequence[str], kinds: Sequence[str], move: Move) -> Iterator[Remark]:
    # “One list, whole and exact, once”: by Decision 766/QĐ-TTg a second one counts as late.
    if move.to is Status.SUPPLEMENT and earlier(Status.SUPPLEMENT, kinds) is not None:
        yield Remark("supplement-again", "status")
    goes_on = move.to in (Status.RECEIVED, Status.PROCESSING)
    if Status.SUPPLEMENT in standing and goes_on and move.lacking:
        yield Remark("papers-still-missing", "papers")


def needs_reason(standing: Sequence[str], to: Status) -> bool:
    """Whether the law asks for a reason: refusal, supplement, stop, a result taken back."""
    return to in _REASONED or any((now, to) == _CORRECTION for now in standing)


def is_noted(standing: Sequence[str], to: Status) -> bool:
    """Whether a move leaves a note: it has a reason, or must find its way back."""
    return needs_reason(standing, to) or to in PAUSES or to is Status.WITHDRAWAL


# -------------------------------------------------------------------------------- notes of moves


def move_kind(now: str, to: Status) -> str:
    """Return the kind of the note that a move leaves: "2>5"."""
    return f"{now}>{to.value}"


def read_move_kind(kind: str) -> tuple[Status, Status] | None:
    """Return the statuses before and after, or None for a note of another kind."""
    before, arrow, after = kind.partition(">")
    now, to = read_status_code(before), read_status_code(after)
    return None if not arrow or now is None or to is None else (now, to)


def earlier(now: Status, kinds: Iterable[str]) -> Status | None:
    """Return the status before `now`, by the notes of moves, oldest first; None if none says."""
    moves = [move for kind in kinds if (move := read_move_kind(kind)) is not None]
    return next((before for before, after in reversed(moves) if after is now), None)


def read_status_code(code: str) -> Status | None:
    """Return the status with this national number, or None for one of a newer version."""
    return Status(code) if code in {item.value for item in Status} else None
