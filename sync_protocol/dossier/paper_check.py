"""Which papers a dossier still needs, and which the citizen must not be asked for (again).

Sources: what the ward has once taken is used again (Circular 01/2023/TT-VPCP); a paper whose data
are in a published database of the state is not asked for (Resolution 66.7/2025/NQ-CP, in force from
1 January 2026). A database that can't be reached is work for the office, never a demand for paper.

What holds: every paper of the procedure is answered for, with the ground on which it is not asked
for. What the ward holds counts for the kinds that prove something that stays true ("reusable" in
the catalogue), and only where a scan or the paper itself was kept: what was compared and given back
without a picture is not there any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from sync_protocol.dossier.catalogue import Catalogue
from sync_protocol.dossier.procedure import Channel, Procedure, Requirement

KNOWN_STATE = "known"
_HANDED_IN = ("submitted", "compared")
_DATABASES_FROM = date(2026, 1, 1)
"""When Resolution 66.7/2025/NQ-CP came into force."""


class Answer(StrEnum):
    """What is to be said of one paper."""

    HERE = "here"
    KNOWN = "known"
    HELD = "held"
    NOT_NEEDED = "not-needed"
    CONDITIONAL = "conditional"
    NEEDED = "needed"


GROUNDS: Mapping[Answer, str] = MappingProxyType(
    {Answer.HELD: "TT 01/2023/TT-VPCP", Answer.NOT_NEEDED: "NQ 66.7/2025/NQ-CP"}
)
"""Why a paper is not asked for."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A paper of some dossier: its type and state, and whether a scan of it is kept.

    `dossier` and `n` say where it lies, for whoever wants to look at it.
    """

    dossier: bytes
    n: int
    type: str
    state: str
    has_scan: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """One required paper, what is to be said of it, and the paper that proves it, if one does."""

    requirement: Requirement
    answer: Answer
    evidence: HandedIn | None = None


def check_papers(
    catalogue: Catalogue,
    procedure: Procedure,
    *,
    channel: Channel,
    received_on: date | None,
    own: Sequence[HandedIn],
    others: Sequence[HandedIn],
) -> list[Checked]:
    """Answer for each paper that `procedure` asks for when it is filed by `channel`.

    `own` are the dossier's papers, `others` those of the same person's other dossiers, the newest
    first. A dossier without a date of reception is one of today.
    """
    reusable = {name for name, kind in catalogue.papers.items() if kind.reusable}
    held = [paper for paper in others if paper.type in reusable and _is_kept(paper)]
    by_law = received_on is None or received_on >= _DATABASES_FROM
    return [
        _checked(requirement, own, held, by_law=by_law)
        for requirement in procedure.papers
        if requirement.belongs_to(channel)
    ]


def at_the_counter(procedure: Procedure) -> list[Requirement]:
    """Return the papers that an officer may ask for: not what a database of the state knows.

    For dossiers received from 1 January 2026 on (Resolution 66.7/2025/NQ-CP).
    """
    asked = [item for item in procedure.papers if item.belongs_to(Channel.DIRECT)]
    return [item for item in asked if item.known_from is None]


def _checked(
    requirement: Requirement, own: Sequence[HandedIn], held: Sequence[HandedIn], *, by_law: bool
) -> Checked:
    here = _fitting(requirement, (p for p in own if p.state in (*_HANDED_IN, KNOWN_STATE)))
    if here is not None:
        is_known = here.state == KNOWN_STATE
        return Checked(requirement, Answer.KNOWN if is_known else Answer.HERE, here)
    found = _fitting(requirement, held)
    if found is not None:
        return Checked(requirement, Answer.HELD, found)
    if requirement.known_from is not None and by_law:
        return Checked(requirement, Answer.NOT_NEEDED)
    return Checked(requirement, Answer.CONDITIONAL if requirement.when else Answer.NEEDED)


def _fitting(requirement: Requirement, papers: Iterable[HandedIn]) -> HandedIn | None:
    """Return the first paper of the required type, or of one that does as well."""
    types = (requirement.type, *requirement.instead)
    return next((paper for paper in papers if paper.type in types), None)


def _is_kept(paper: HandedIn) -> bool:
    return paper.state in _HANDED_IN and (paper.has_scan or paper.state == _HANDED_IN[0])
