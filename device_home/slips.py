"""The slip of a dossier: made at reception, made anew when it was lost or printed wrongly.

What holds: whoever holds the new slip opens the status, whoever holds the old one no longer does.
So a new one is made only for somebody whose identity was looked at, with a reason, and both stand
in the dossier. Dossiers that came by a file have no slip until one is printed: a secret that nobody
holds proves nothing.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from datetime import date

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.dossiers import check_writable, find_record, load, save
from device_home.moves import note, read_day
from device_home.numbers import new_code
from device_home.officers import acting_officer, officer_option
from device_home.shapes import etag
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier import record_type
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.provisional_code import PREFIX
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.slip import ENTROPY_BYTES, Slip, make_slip_secret, opens
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError
from sync_protocol.identity import OfficerId, RecordId
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView

NEW_SLIP = "new-slip"
"""The kind of the note that says why a slip was made anew."""
_LIKE_MAX = 20


def slip_commands() -> list[Command[App]]:
    """Return the command."""
    words = "make a dossier's slip anew; the old one is void"
    return [Command("dossier slip", words, run_slip, _options)]


def run_slip(app: App, arguments: Namespace, output: Output) -> int:
    """Make a slip anew."""
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    view, _ = load(replica, find_record(replica, arguments.id))
    if not arguments.identity_seen:
        raise InputError(
            "Look at the person's identity document first, then say so with --identity-seen. "
            "Nothing was changed."
        )
    renew_slip(replica, officer, view, arguments.reason)
    view, _ = load(replica, view.id)
    output.data({"id": view.id.hex(), "etag": etag(view)})
    output.say("The old slip is void. Print the new one: print 01.")
    return DONE


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why the old one is void")
    parser.add_argument("--identity-seen", action="store_true", help="who asks was looked at")
    officer_option(parser)


def received(replica: Replica, change: RecordChange, slip: Slip | None = None) -> RecordChange:
    """Return the change that captures a dossier, with its code and its slip.

    `slip` is one that the citizen holds already, of a dossier that did not come: it stays good.
    """
    day = read_day(change.values.get(record_type.RECEIVED_ON))
    if day is None:
        raise AssertionError("a dossier is received on a day")
    made = {**new_code(replica, day), record_type.SLIP: _secret()} if slip is None else _as(slip)
    return RecordChange(change.record, change.type, {**change.values, **made}, change.writes)


def _as(slip: Slip) -> dict[int, object]:
    is_provisional = slip.code.startswith(f"{PREFIX}-")
    field = record_type.PROVISIONAL_CODE if is_provisional else record_type.OFFICIAL_CODE
    return {field: slip.code, record_type.SLIP: slip.secret}


def slip_of(view: RecordView) -> Slip | None:
    """Return the slip of a dossier: the code that citizens know, and its secret."""
    secret = view.value("slip")
    code = view.value("official_code") or view.value("provisional_code")
    return Slip(str(code), str(secret)) if secret and code else None


def ensure_slip(replica: Replica, officer: OfficerId, view: RecordView, today: date) -> RecordView:
    """Return the dossier with a slip: one that came by a file gets its code and secret now.

    Raises `NotAllowedError` and `StorageError` kinds.
    """
    if slip_of(view) is not None:
        return view
    check_writable(view)
    made: dict[int, object] = {}
    if not (view.value("official_code") or view.value("provisional_code")):
        made |= new_code(replica, read_day(view.value("received_on")) or today)
    if not view.value("slip"):
        made[record_type.SLIP] = _secret()
    _write(replica, officer, view, made)
    return load(replica, view.id)[0]


def renew_slip(replica: Replica, officer: OfficerId, view: RecordView, reason: str) -> None:
    """Make a new secret, which voids the old one, and note why.

    Raises `InputError`, `NotAllowedError` and `StorageError` kinds.
    """
    check_writable(view)
    said = clean(reason, "reason", lines=True)
    if not said:
        raise refused("reason", "must say why the slip is made anew", "slip-reason")
    _write(replica, officer, view, {record_type.SLIP: _secret()}, note(said, NEW_SLIP))


def find_slip(replica: Replica, slip: Slip) -> tuple[RecordId, bool] | None:
    """Return the dossier of a slip, and whether the slip is the one that holds; None for none.

    A code may stand on several dossiers; the secret says which is meant.
    """
    query = Query(type=DOSSIER.id, text=fold(slip.code), limit=_LIKE_MAX)
    found: list[tuple[RecordId, bool]] = []
    for stored in replica.rooms.views.find(query):
        view, _ = load(replica, stored.id)
        if slip.code in _values(view, "official_code") + _values(view, "provisional_code"):
            found.append((stored.id, opens(slip.secret, _values(view, "slip"))))
    return max(found, key=lambda item: item[1], default=None)


def _values(view: RecordView, name: str) -> list[object]:
    """Return what a field displays, and what stands beside it."""
    field = view.field(name)
    return [] if field is None else [field.value, *(item.value for item in field.siblings)]


def _write(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    values: dict[int, object],
    *elements: CellWrite,
) -> None:
    seen = {item.field: item.dots for item in view.fields if item.element is None}
    writes = [CellWrite(field, None, value, seen.get(field, ())) for field, value in values.items()]
    save(replica, officer, RecordChange(view.id, DOSSIER.id, {}, (*writes, *elements)))


def _secret() -> str:
    return make_slip_secret(random_bytes(ENTROPY_BYTES))
