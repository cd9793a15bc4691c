"""Who acts: `--officer`, and whether that officer may do what a command is about to write.

What holds: what the roster would hold back is refused here, in one sentence, before anything is
saved. The judgement is the replica's own (membership.judgement), never a second one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from device_home.home import Home
from sync_protocol.dossier.folding import fold
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import ID_BYTES, NO_OFFICER, Dot, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.membership.judgement import (
    ADMITTED,
    Author,
    Verdict,
    judge_author,
    judge_changeset,
    role_in_force,
)
from sync_protocol.record.change import Changeset, RecordChange
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

_SENTENCES = {
    "not-allowed": "This officer's role does not give the right to write that.",
    "officer-unknown": "This ward does not know that officer.",
    "officer-disabled": "That officer is disabled.",
    "no-grant-yet": "This device's grant has not come yet: let it sync once.",
}


def officer_option(parser: argparse.ArgumentParser) -> None:
    """Add `--officer` to a command."""
    parser.add_argument(
        "--officer", default="", metavar="WHO", help="who acts: an officer's id, or name's start"
    )


def acting_officer(home: Home, replica: Replica, arguments: argparse.Namespace) -> OfficerId:
    """Return who acts: the option, else the setting `officer`, else the device itself.

    Raises `InputError` where nobody, or more than one, is meant.
    """
    text: str = (arguments.officer or home.settings.text("officer")).strip()
    if not text:
        return NO_OFFICER
    roster = replica.holding.roster
    found = []
    for officer in roster.officers:
        known = roster.officer_now(officer)
        is_id = officer.hex() == text.lower()
        if known is not None and (is_id or fold(known.name).startswith(fold(text))):
            found.append(officer)
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise InputError("Several officers are called so: give the id. Nothing was changed.")
    raise InputError("This ward has no officer called so. Nothing was changed.")


def officer_name(replica: Replica, officer: OfficerId) -> str:
    """Return an officer's name, empty for the device itself or somebody unknown."""
    known = replica.holding.roster.officer_now(officer) if len(officer) == ID_BYTES else None
    return "" if known is None else known.name


def check_allowed(
    replica: Replica, officer: OfficerId, changes: Sequence[RecordChange] = ()
) -> None:
    """Check that what `officer` is about to write would be admitted. Raises `NotAllowedError`."""
    verdict = _verdict(replica, officer, changes)
    if verdict != ADMITTED:
        sentence = _SENTENCES.get(verdict.reason, "This device or officer may not write that.")
        raise NotAllowedError(f"{sentence} Nothing was changed.", reason=verdict.reason)


def check_settles(
    replica: Replica, officer: OfficerId, view: RecordView, change: RecordChange
) -> None:
    """Check that nobody settles by writing over one of two versions what is another's to settle.

    A reader sees only how many values a write replaces; who writes sees what is displayed. Raises
    `NotAllowedError`.
    """
    role = role_in_force(replica.holding.roster, _author(replica, officer))
    kind = replica.schema.by_id.get(change.type)
    disputed = {(item.field, item.element) for item in view.conflicts}
    for write in change.writes if kind is not None else ():
        field = kind.by_id.get(write.field) if kind is not None else None
        settlers = field.settlers if field is not None else ()
        if settlers and role not in settlers and (write.field, write.element) in disputed:
            raise NotAllowedError(
                "Two versions stand there, and this officer may not settle it. Nothing was changed."
            )


def check_supervises(replica: Replica, officer: OfficerId) -> None:
    """Check that `officer` is a supervisor or administrator. Raises `NotAllowedError`."""
    known = replica.holding.roster.officer_now(officer)
    if known is None or known.role not in g.SUPERVISING:
        raise NotAllowedError("Only a supervisor may do that (--officer). Nothing was changed.")


def _author(replica: Replica, officer: OfficerId) -> Author:
    own = replica.own
    seq = own.row.head.seq + 1
    seen = {feed: mark.seq for feed, mark in replica.marks().items()}
    return Author(
        Dot(own.feed, seq),
        replica.keys.public,
        officer,
        seen,
        replica.follower.within_cut(own, seq),
    )


def _verdict(replica: Replica, officer: OfficerId, changes: Sequence[RecordChange]) -> Verdict:
    author = _author(replica, officer)
    roster = replica.holding.roster
    verdict = judge_author(roster, author)
    if verdict != ADMITTED or not changes:
        return verdict
    return judge_changeset(roster, replica.schema, author, Changeset(tuple(changes)))
