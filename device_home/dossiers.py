"""`dossier list`, `show`, `set` and `scan`: the same on hub, edge and tablet.

What holds: a save's parents are the dots that were displayed: those at the time of the command, or
those that a script says it saw (`--seen`, `--etag`). What the roster would hold back is refused
before it is saved. Who opens a scan is written down before the scan is opened.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

from device_home.app import App
from device_home.assignments import read_assignments, read_status
from device_home.codes import check_free
from device_home.command import DONE, Command, Output
from device_home.duties import read_scan
from device_home.edits import set_many, sort_words
from device_home.forms import assigned, form_remarks
from device_home.home import Home
from device_home.moves import Planned, Stated, awaited_paper, note, plan_move, remark_rows
from device_home.officers import acting_officer, check_allowed, check_settles, officer_option
from device_home.reading import dossier_lines
from device_home.scan_files import ScanFile, attached_paper
from device_home.shapes import (
    SCAN_READ,
    Shape,
    Ticks,
    dot_text,
    etag,
    manifest_of,
    read_dot,
    row,
    ticks_text,
    whole,
)
from sync_protocol import limits
from sync_protocol.attachment import Manifest
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.intake import paper
from sync_protocol.dossier.record_type import DOSSIER, NOTE_REMARK
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import ID_BYTES, Dot, OfficerId, RecordId
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import Shown, edit, edit_element
from sync_protocol.replica import Replica, Written
from sync_protocol.storage.files import disk_errors, replace
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView


def dossier_commands() -> list[Command[App]]:
    """Return the commands."""
    return [
        Command("dossier list", "list dossiers, newest first", run_list, _list_options),
        Command("dossier show", "show one dossier, with all that is known of it", run_show, _id),
        Command("dossier set", "change a dossier", run_set, _set_options),
        Command("dossier scan", "open a scan of a paper and write it to a file", run_scan, _scan),
    ]


# --------------------------------------------------------------------------------- reading


def find_record(replica: Replica, text: str) -> RecordId:
    """Return the record whose id begins with `text`. Raises `InputError`."""
    try:
        return replica.resolve_id(text)
    except ValueError as cause:
        raise InputError("That id is not hexadecimal. Copy it again from the list.") from cause


def load(replica: Replica, record: RecordId) -> tuple[RecordView, RecordState]:
    """Return one record as it is read, and its state. Raises `InputError` where there is none."""
    stored = replica.rooms.views.load([record]).get(record)
    if stored is None or stored.type != DOSSIER.id:
        raise InputError(not_shown([replica], record.hex()))
    state = decode_state(stored.state, stored.pending)
    return replica.follower.projection.view(record, state), state


def not_shown(replicas: Sequence[Replica], wanted: str) -> str:
    """Return why no dossier is shown whose id begins with `wanted`."""
    held = [item for replica in replicas for item in replica.rooms.views.held()]
    if any(record.hex().startswith(wanted) for item in held for record in item.records):
        return "This dossier has come and is held back: “quarantine list” shows why."
    return "No dossier has that id here: it has not come yet, or it was erased."


def rows(replica: Replica, query: Query) -> list[Shape]:
    """Return one page of a list."""
    ticks = Ticks(replica)
    found = []
    for stored in replica.rooms.views.find(query):
        state = decode_state(stored.state, stored.pending)
        found.append(row(replica.follower.projection.view(stored.id, state), state, ticks))
    return found


def run_list(app: App, arguments: Namespace, output: Output) -> int:
    """List dossiers."""
    replica = app.replica(arguments)
    before = None
    if arguments.before:
        record = find_record(replica, arguments.before)
        stored = replica.rooms.views.load([record]).get(record)
        before = None if stored is None else (stored.order, stored.id)
    query = Query(
        type=DOSSIER.id,
        facet=read_status(arguments.status) if arguments.status else "",
        text=fold(arguments.text),
        disputed=arguments.disputed,
        before=before,
        limit=min(arguments.limit, limits.SEARCH_RESULTS_MAX),
    )
    found = rows(replica, query)
    output.data(found)
    for item in found:
        marks = " ⚠ hai bản khác nhau" if item["conflicts"] else ""
        output.say(
            f"{item['id'][:20]}  {item['received_on']}  {item['status_name']}  {item['name']}"
            f" – {item['procedure_name']}{marks}\n    {ticks_text(item['saved'])}"
        )
    if not found:
        output.say("No dossier fits.")
    return DONE


def run_show(app: App, arguments: Namespace, output: Output) -> int:
    """Show one dossier."""
    replica = app.replica(arguments)
    view, state = load(replica, find_record(replica, arguments.id))
    shape = whole(replica, view, state)
    output.data(shape)
    for line in dossier_lines(shape):
        output.say(line)
    return DONE


# --------------------------------------------------------------------------------- writing


def run_set(app: App, arguments: Namespace, output: Output) -> int:
    """Change a dossier; with `--file`, many."""
    replica = app.replica(arguments)
    sort_words(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    if bool(arguments.file) == bool(arguments.id):
        raise InputError("Name one dossier, or a file of edits with --file. Nothing was saved.")
    if arguments.file:
        return set_many(arguments, output, lambda words: _set_one(replica, officer, words, output))
    _set_one(replica, officer, arguments, output)
    return DONE


def _set_one(replica: Replica, officer: OfficerId, arguments: Namespace, output: Output) -> None:
    view, _ = load(replica, find_record(replica, arguments.id))
    if arguments.etag and arguments.etag != etag(view):
        raise NotAllowedError(
            "The dossier has changed since it was read. Nothing was saved: read it again."
        )
    seen = None if arguments.seen is None else frozenset(map(read_dot, arguments.seen))
    check_writable(view)  # before a scan is stored for nothing
    elements = _elements(replica, view, arguments, output)
    stated = Stated(arguments.reason, tuple(arguments.missing or ()))
    saved = save_edits(replica, officer, view, Edits(arguments.fields, seen, elements, stated))
    if saved is None:
        output.data({"id": view.id.hex(), "changed": False, "etag": etag(view)})
        output.say("Nothing differs from what stands there.")
        return
    view, _ = load(replica, view.id)
    planned = saved.planned
    odd = (*planned.remarks, *form_remarks(view, arguments.fields))
    answer = {"id": view.id.hex(), "changed": True, "dot": dot_text(saved.written.dot)}
    moved = {"due_on": planned.due_on} if planned.due_on else {}
    output.data(answer | {"etag": etag(view)} | moved | remark_rows(odd, output))
    output.say("Saved on this device.")
    if planned.due_on:
        output.say(f"The wait is over; now due on {planned.due_on}.")


class Edits(NamedTuple):
    """What a person did to one dossier: fields typed as `field=value`, and elements to add.

    `seen` are the dots that were displayed; None: all that are displayed now.
    """

    words: list[str]
    seen: frozenset[Dot] | None = None
    elements: Sequence[CellWrite] = ()
    stated: Stated = Stated()


class SavedEdits(NamedTuple):
    """What was written, and what a move of the status brought with it."""

    written: Written
    planned: Planned


def save_edits(
    replica: Replica, officer: OfficerId, view: RecordView, edits: Edits
) -> SavedEdits | None:
    """Save what differs from what was shown; None where nothing does.

    Raises `InputError` and `NotAllowedError`.
    """
    check_writable(view)
    words, answers = assigned(view, edits.words, edits.seen)
    typed = _typed(view, words)
    if code := typed.get("official_code"):
        check_free(replica, view.id, str(code))
    planned = plan_move(replica, officer, view, typed, edits.stated)
    if planned.due_on:
        typed["due_on"] = planned.due_on
    change = _plain_change(view, typed, edits.seen)
    change = _with_elements(view, change, [*edits.elements, *planned.writes, *answers])
    if change is None:
        return None
    check_settles(replica, officer, view, change)
    return SavedEdits(save(replica, officer, change), planned)


def save(replica: Replica, officer: OfficerId, change: RecordChange) -> Written:
    """Save one change, if the officer may. Raises `NotAllowedError`."""
    check_allowed(replica, officer, [change])
    return replica.write([change], officer)


def check_writable(view: RecordView) -> None:
    """Raise `NotAllowedError` for a record that this version must not write."""
    if view.read_only:
        raise NotAllowedError(
            "A newer version of the program wrote this dossier: update the program to change it. "
            "Nothing was changed."
        )


def _typed(view: RecordView, words: list[str]) -> dict[str, object]:
    """Return the values that were typed, by field. Raises `InputError`."""
    displayed = {item.name: item.value for item in view.fields if item.element is None}
    typed = read_assignments(words, displayed)
    for name, value in typed.items():
        if value is None and DOSSIER.by_name[name].required:
            raise InputError(f"“{name}” can't be empty. Nothing was saved.")
    both = {**displayed, **typed}
    received, due = str(both.get("received_on") or ""), str(both.get("due_on") or "")
    if {"received_on", "due_on"} & typed.keys() and due and due < received:
        raise refused("due_on", "is before the day of reception", "due-before-received")
    return typed


def _plain_change(
    view: RecordView, typed: dict[str, object], seen: frozenset[Dot] | None
) -> RecordChange | None:
    shown = {}
    for item in view.fields:
        if item.element is None:
            dots = item.dots if seen is None else tuple(d for d in item.dots if d in seen)
            # A value whose dots were not all seen is no value that was shown: it must be written.
            value = item.value if dots == item.dots else None
            shown[item.name] = Shown(value, dots)
    for name in typed.keys() - shown.keys():
        shown[name] = Shown(None, ())
    return edit(DOSSIER, view.id, shown, typed)


def _elements(
    replica: Replica, view: RecordView, arguments: Namespace, output: Output
) -> list[CellWrite]:
    found = [new_note(text) for text in arguments.note or ()]
    if arguments.add_paper:
        kind, name = arguments.add_paper
        row_ = paper(kind, clean(name, "paper"))
        if arguments.scan:
            scan = ScanFile(output.path(arguments.scan), arguments.scan)
            row_ = attached_paper(replica, scan, kind, clean(name, "paper"))
        found.append(_paper_write(view, kind, row_))
    elif arguments.scan:
        raise InputError("A scan belongs to a paper: give --add-paper TYPE NAME as well.")
    return found


def new_note(text: str) -> CellWrite:
    """Return the write that adds a person's note. Raises `InputError`."""
    cleaned = clean(text, "note", lines=True)
    if not cleaned:
        raise InputError("A note can't be empty. Nothing was saved.")
    return note(cleaned, NOTE_REMARK)


def _paper_write(view: RecordView, kind: str, value: list[object]) -> CellWrite:
    """Return the write of a paper that was handed in: it is the one that was asked for, if any."""
    awaited = awaited_paper(view, kind)
    if awaited is None:
        return edit_element(DOSSIER, "papers", random_bytes(ID_BYTES), value, None)
    shown = Shown(awaited.value, awaited.dots)
    return edit_element(DOSSIER, "papers", awaited.element or b"", value, shown)


def _with_elements(
    view: RecordView, change: RecordChange | None, writes: Sequence[CellWrite]
) -> RecordChange | None:
    if not writes:
        return change
    first = () if change is None else change.writes
    return RecordChange(view.id, DOSSIER.id, {}, (*first, *writes))


# ----------------------------------------------------------------------------------- scans


def run_scan(app: App, arguments: Namespace, output: Output) -> int:
    """Open a scan; that it was read is saved first."""
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    view, _ = load(replica, find_record(replica, arguments.id))
    papers = view.elements("papers")
    if not 0 < arguments.n <= len(papers):
        raise InputError(f"This dossier has {len(papers)} papers.")
    manifest = manifest_of(papers[arguments.n - 1].value)
    if manifest is None:
        raise InputError("That paper has no scan.")
    target = output.path(arguments.to)
    if target.exists():
        raise InputError("There is a file of that name already. Nothing was written.")
    plain = open_scan(app.home, replica, officer, view.id, manifest)
    with disk_errors("writing the scan"):
        replace(target, plain)
    output.data(
        {"id": view.id.hex(), "scan": manifest.id.hex(), "file": str(target), "bytes": len(plain)}
    )
    output.say(f"Written: {len(plain)} bytes. That it was opened is noted in the dossier.")
    return DONE


def open_scan(
    home: Home, replica: Replica, officer: OfficerId, record: RecordId, manifest: Manifest
) -> bytes:
    """Return a scan in clear, once it is saved in the dossier that this officer opens it.

    Raises `WrongKeyError`, `InputError`, `NotAllowedError`.
    """
    plain = read_scan(home, replica, manifest)
    note = [manifest.id.hex(), SCAN_READ]
    write = edit_element(DOSSIER, "notes", random_bytes(ID_BYTES), note, None)
    save(replica, officer, RecordChange(record, DOSSIER.id, {}, (write,)))
    return plain


# --------------------------------------------------------------------------------- options


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")


def _list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status", default="", help="only this status: “received”, “Được tiếp nhận” or 2"
    )
    parser.add_argument("--text", default="", help="only those found by these words")
    parser.add_argument("--disputed", action="store_true", help="only those with two versions")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most N (to 200)")
    parser.add_argument("--before", default="", metavar="ID", help="go on after this dossier")


def _set_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", default="", metavar="ID", help="the dossier's id")
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="what to change")
    parser.add_argument("--note", action="append", metavar="TEXT", help="add a note")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why the status changes so")
    parser.add_argument(
        "--missing",
        action="append",
        nargs=2,
        metavar=("TYPE", "WHAT"),
        help="with status=supplement: a paper, and what is missing about it",
    )
    parser.add_argument("--add-paper", nargs=2, metavar=("TYPE", "NAME"), help="add a paper")
    parser.add_argument("--scan", default="", metavar="FILE", help="the new paper's scan")
    parser.add_argument("--file", default="", help="many edits: JSON lines of id and fields")
    parser.add_argument("--seen", nargs="+", metavar="DOT", help="replace only these values")
    parser.add_argument("--etag", default="", help="save only if nothing changed since")
    parser.set_defaults(more=())
    officer_option(parser)


def _scan(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("n", type=int, metavar="N", help="which paper, as “dossier show” counts")
    parser.add_argument("--to", required=True, metavar="FILE", help="the file to write")
    officer_option(parser)
