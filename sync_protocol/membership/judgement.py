"""The judgement on one entry: admitted, held back with a reason, or waiting for its grant.

A function of the roster and the entry alone, so that every replica that holds the same set judges
alike. Adoption overrules a refusal; erasure overrules everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from sync_protocol.identity import NO_OFFICER, DeviceKey, Dot, FeedId, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster
from sync_protocol.record.change import CellWrite, Changeset, RecordChange
from sync_protocol.record.schema import DEVICE_ROLE, RETRACTION, Field, Schema


class Standing(Enum):
    """What becomes of an entry."""

    ADMITTED = "admitted"
    PENDING = "pending"
    HELD = "held"


class Verdict(NamedTuple):
    """Standing, and for what is held back the reason (a stable kebab-case code)."""

    standing: Standing
    reason: str = ""


ADMITTED = Verdict(Standing.ADMITTED)
PENDING = Verdict(Standing.PENDING, "no-grant-yet")


class Author(NamedTuple):
    """Who wrote an entry, and what they had seen. `within_cut` is False beyond a revocation."""

    dot: Dot
    device: DeviceKey
    officer: OfficerId
    seen: Mapping[FeedId, int]
    within_cut: bool


def held(reason: str) -> Verdict:
    """Return the verdict that holds an entry back."""
    return Verdict(Standing.HELD, reason)


def judge_author(roster: Roster, author: Author) -> Verdict:
    """Judge whether the writer may write at all."""
    device_role = roster.role_of(author.device)
    if device_role is None:
        return PENDING
    if author.dot in roster.adopted:
        return ADMITTED
    if author.dot in roster.rejected:
        return held("rejected")
    if not author.within_cut:
        revoke = roster.revoked(author.device)
        return held("revoked-" + (revoke.reason if revoke else "hub"))
    if author.officer != NO_OFFICER and device_role != g.HUB:
        role = roster.officer_role(author.officer, author.seen)
        if role is None:
            return held("officer-unknown")
        if role == g.DISABLED:
            return held("officer-disabled")
    return ADMITTED


def judge_changeset(
    roster: Roster, schema: Schema, author: Author, changeset: Changeset
) -> Verdict:
    """Judge what an admitted writer says: each cell must be theirs to write."""
    if roster.role_of(author.device) == g.HUB:
        return ADMITTED
    if is_hubs_alone(schema, changeset):  # whoever adopts it has no such right to give
        return held("not-allowed")
    if author.dot in roster.adopted:
        return ADMITTED
    role = role_in_force(roster, author)
    if any(change.type not in schema.by_id for change in changeset.records):
        # Rights of a type that is not known here can't be judged; a newer version judges again.
        return held("newer-type")
    for change in changeset.records:
        if not _may_write(schema, change, role):
            return held("not-allowed")
    return ADMITTED


def is_hubs_alone(schema: Schema, changeset: Changeset) -> bool:
    """Whether a changeset speaks of a record type that only hubs write."""
    kinds = (schema.by_id.get(change.type) for change in changeset.records)
    return any(kind is not None and kind.hub_only for kind in kinds)


def role_in_force(roster: Roster, author: Author) -> str:
    """Return the role under which an entry was written."""
    if author.officer == NO_OFFICER:
        return g.HUB if author.device in roster.hubs else DEVICE_ROLE
    return roster.officer_role(author.officer, author.seen) or g.DISABLED


def _may_write(schema: Schema, change: RecordChange, role: str) -> bool:
    kind = schema.by_id[change.type]
    if RETRACTION in change.values and kind.retractors and role not in kind.retractors:
        return False
    for number in kind.restricted.intersection(change.values):
        if role not in kind.by_id[number].writers:
            return False
    for write in change.writes:
        if write.field == RETRACTION:
            if kind.retractors and role not in kind.retractors:
                return False
        elif (write.parents or write.field in kind.restricted) and not _may_write_cell(
            kind.by_id.get(write.field), write, role
        ):
            return False
    return True


def _may_write_cell(field: Field | None, write: CellWrite, role: str) -> bool:
    if field is None:
        return True
    if field.writers and role not in field.writers:
        return False
    settles = len(write.parents) > 1
    return not (settles and field.settlers and role not in field.settlers)
