"""Who the officers are, who acts, and whether they may do what a command is about to write.

What holds:
* An officer is called by the whole id, by words of the name, or by the id's beginning. People say
  the given name, which comes last, and type without marks: so each word may begin any word of the
  name. Those are meant whom the words fit best: the whole name, whole words with their marks, whole
  words, beginnings. Where that leaves more than one they are listed, and nobody acts.
* What the roster would hold back is refused here, in one sentence, before anything is saved. The
  judgement is the replica's own (membership.judgement), never a second one.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.home import Home
from sync_protocol.dossier.folding import fold, name_key
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
from sync_protocol.membership.roster import Roster
from sync_protocol.record.change import Changeset, RecordChange
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

_SENTENCES = {
    "not-allowed": "This officer's role does not give the right to write that.",
    "officer-unknown": "This ward does not know that officer.",
    "officer-disabled": "That officer is disabled.",
    "no-grant-yet": "This device's grant has not come yet: let it sync once.",
}
_ID_DIGITS_MIN = 4
"""Of an id's beginning: fewer could be a slip, and somebody else would act."""


def officer_option(parser: argparse.ArgumentParser) -> None:
    """Add `--officer` to a command."""
    parser.add_argument(
        "--officer",
        default="",
        metavar="WHO",
        help="who acts: an officer's name or part of it, or id",
    )


def officer_commands() -> list[Command[App]]:
    """Return the command of a station or tablet; the hub has its own."""
    return [Command("officer list", "list the officers of this ward", _run_list)]


def _run_list(app: App, arguments: argparse.Namespace, output: Output) -> int:
    known = officers_of(app.replica(arguments).holding.roster)
    rows = [officer_row(item, app.home.place().code) for item in known]
    output.data(rows)
    list_officers(rows, output.say)
    return DONE


def officer_row(known: g.Officer, ward: str) -> dict[str, Any]:
    """Return an officer as lists show them to machines."""
    return {
        "id": known.officer.hex(),
        "ward": ward,
        "name": known.name,
        "role": known.role,
        "version": known.version,
    }


def list_officers(rows: Iterable[dict[str, Any]], say: Callable[[str], None]) -> None:
    """Show officers to a person."""
    lines = [f"{row['id']}  {row['ward']:<10} {row['role']:<13} {row['name']}" for row in rows]
    for line in lines or ["No officer yet. The hub adds one with “officer add”."]:
        say(line)


def officers_of(roster: Roster) -> list[g.Officer]:
    """Return a ward's officers as they stand now, in the order of Vietnamese names."""
    known = (roster.officer_now(officer) for officer in roster.officers)
    return sorted(
        (item for item in known if item), key=lambda item: (name_key(item.name), item.officer)
    )


def officers_called(roster: Roster, text: str) -> list[g.Officer]:
    """Return the officers whom `text` fits best: none, the one that is meant, or several."""
    wanted = unicodedata.normalize("NFC", text).strip().lower()
    known = officers_of(roster)
    fits = [_fit(item, wanted) for item in known]
    best = max(fits, default=0)
    return [item for item, fit in zip(known, fits, strict=True) if fit == best > 0]


def _fit(known: g.Officer, wanted: str) -> int:
    """Return how well what was typed fits an officer; 0 where it does not."""
    words, name = fold(wanted).split(), fold(known.name).split()
    if not words:
        return 0
    called = known.name.lower()
    tests = (
        known.officer.hex() == wanted,
        called == wanted,
        words == name,
        _among(wanted.split(), called.split(), str.__eq__),  # marks that are typed are meant
        _among(words, name, str.__eq__),
        _among(words, name, str.startswith),
        len(wanted) >= _ID_DIGITS_MIN and known.officer.hex().startswith(wanted),
    )
    return next((len(tests) - at for at, holds in enumerate(tests) if holds), 0)


def _among(words: list[str], name: list[str], fits: Callable[[str, str], bool]) -> bool:
    """Return whether each word fits a word of the name, in the order of the name."""
    rest = iter(name)
    return all(any(fits(part, word) for part in rest) for word in words)


def one_officer(rows: Sequence[dict[str, Any]], output: Output) -> None:
    """Check that exactly one officer is meant; several are listed. Raises `InputError`."""
    if not rows:
        raise InputError("No officer is called so: see “officer list”. Nothing was changed.")
    if len(rows) > 1:
        list_officers(rows, lambda line: output.note(line + "\n"))
        raise InputError(
            "Several officers are called so: say more of the name, or give the id. "
            "Nothing was changed."
        )


def acting_officer(
    home: Home, replica: Replica, arguments: argparse.Namespace, output: Output
) -> OfficerId:
    """Return who acts: the option, else the setting `officer`, else the device itself.

    Raises `InputError` where nobody, or more than one, is meant; these are listed.
    """
    text: str = (arguments.officer or home.settings.text("officer")).strip()
    if not text:
        return NO_OFFICER
    found = officers_called(replica.holding.roster, text)
    one_officer([officer_row(item, home.place().code) for item in found], output)
    return found[0].officer


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


def supervises(replica: Replica, officer: OfficerId) -> bool:
    """Whether `officer` is a supervisor or administrator of this ward, as far as is known."""
    known = replica.holding.roster.officer_now(officer)
    return known is not None and known.role in g.SUPERVISING


def check_supervises(replica: Replica, officer: OfficerId) -> None:
    """Check that `officer` is a supervisor or administrator. Raises `NotAllowedError`."""
    if not supervises(replica, officer):
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
