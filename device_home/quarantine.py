"""`quarantine list`, `show`, `adopt` and `reject`: what is held back, and a person must judge.

What holds: what is held counts for nothing, and nothing of it is lost. It can be read before it is
judged. Adoption and rejection are a supervisor's.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.officers import (
    acting_officer,
    check_supervises,
    officer_name,
    officer_option,
)
from device_home.reading import NOBODY, field_text, value_text
from device_home.shapes import Shape, device_label, dot_text, read_dot, readable
from sync_protocol.clock import millis
from sync_protocol.errors import InputError, PeerError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import Dot, OfficerId, RecordId
from sync_protocol.log.entry import read_header
from sync_protocol.membership import grant as g
from sync_protocol.record.change import RecordChange
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Held


def quarantine_commands() -> list[Command[App]]:
    """Return the commands."""
    return [
        Command("quarantine list", "list what is held back, and why", run_list),
        Command("quarantine show", "show what a held-back entry says", run_show, show_options),
        Command("quarantine adopt", "let held-back entries count", run_adopt, _dots_options),
        Command("quarantine reject", "turn held-back entries down", run_reject, _dots_options),
    ]


# --------------------------------------------------------------------------------- reading


def held_rows(replica: Replica) -> list[Shape]:
    """Return what is held back, and why, by feed and seq."""
    return [held_row(replica, item) for item in replica.rooms.views.held()]


def held_row(replica: Replica, item: Held) -> Shape:
    """Return one held entry: who wrote it, when, of which dossiers. Not what it says."""
    chain = replica.holding.chains[item.chain]
    dot = replica.holding.dot(chain, item.seq)
    shape: Shape = {
        "id": dot_text(dot),
        "reason": item.reason,
        "device": short_name(chain.device),
        "device_label": device_label(replica, chain.device),
        "officer": "",
        "officer_name": "",
        "time": 0,
        "records": [record.hex() for record in item.records],
    }
    entry = replica.holding.entry(dot)
    try:
        header = None if entry is None else read_header(entry.header)
    except PeerError:
        header = None  # unreadable, and held for just that
    if header is not None:
        shape["officer"] = header.officer.hex()
        shape["officer_name"] = officer_name(replica, header.officer)
        shape["time"] = millis(header.timestamp)
    return shape


def held_line(row: Shape) -> str:
    """Return a held entry as one line for a person."""
    who = row["officer_name"] or NOBODY
    return f"{row['id']}  {row['reason']}  {_when(row['time'])}  {row['device_label']}  {who}"


def _when(time_ms: int) -> str:
    """Return a writer's time in this machine's time zone; a dash where it is not known."""
    if not time_ms:
        return "–"
    try:
        return datetime.fromtimestamp(time_ms / 1000).astimezone().strftime("%d/%m/%Y %H:%M")
    except (OverflowError, OSError, ValueError):
        return "–"  # a clock beyond all calendars


def find_held(replica: Replica, dot: Dot) -> Held | None:
    """Return the held entry of that name."""
    chains = replica.holding.chains
    held = replica.rooms.views.held()
    return next((h for h in held if replica.holding.dot(chains[h.chain], h.seq) == dot), None)


def held_shape(replica: Replica, item: Held) -> Shape:
    """Return one held entry with what it says; `changes` is empty where it can't be read."""
    return {**held_row(replica, item), "changes": list(_changes(replica, item))}


def _changes(replica: Replica, item: Held) -> Iterator[Shape]:
    chain = replica.holding.chains[item.chain]
    for seq, entry in replica.holding.entries(chain, item.seq, item.seq):
        read = replica.follower.read(chain, seq, entry, {})
        for record, change in zip(read[2], read[1].records, strict=True) if read else ():
            yield from _writes(replica, record, change)


def _writes(replica: Replica, record: RecordId, change: RecordChange) -> Iterator[Shape]:
    kind = replica.schema.by_id.get(change.type)
    written = [*change.values.items(), *((write.field, write.value) for write in change.writes)]
    for number, value in written:
        known = kind.by_id.get(number) if kind else None
        name = "retraction" if not number else str(number) if known is None else known.name
        yield {"record": record.hex(), "field": name, "value": readable(value)}


def held_lines(shape: Shape) -> Iterator[str]:
    """Yield the lines of one held entry."""
    yield held_line(shape)
    record = ""
    for item in shape["changes"]:
        if item["record"] != record:
            record = item["record"]
            yield f"  hồ sơ {record}"
        yield f"    {field_text(item['field'])}: {value_text(item['field'], item['value'])}"
    if not shape["changes"]:
        yield "  Nothing of it can be read here."


# -------------------------------------------------------------------------------- commands


def run_list(app: App, arguments: Namespace, output: Output) -> int:
    """List the quarantine."""
    found = held_rows(app.replica(arguments))
    output.data(found)
    for row in found:
        output.say(held_line(row))
    if not found:
        output.say("Nothing is held back.")
    return DONE


def run_show(app: App, arguments: Namespace, output: Output) -> int:
    """Show what a held entry says, before somebody judges it."""
    replica = app.replica(arguments)
    held = find_held(replica, read_dot(arguments.dot))
    if held is None:
        raise InputError("That is not held back here. “quarantine list” shows what is.")
    shape = held_shape(replica, held)
    output.data(shape)
    for line in held_lines(shape):
        output.say(line)
    return DONE


def run_adopt(app: App, arguments: Namespace, output: Output) -> int:
    """Let held-back entries count."""
    return _decide(app, arguments, output, g.Adopt)


def run_reject(app: App, arguments: Namespace, output: Output) -> int:
    """Turn held-back entries down."""
    return _decide(app, arguments, output, g.Reject)


def _decide(app: App, arguments: Namespace, output: Output, kind: type[g.Adopt | g.Reject]) -> int:
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    decide(replica, officer, [read_dot(text) for text in arguments.dots], kind)
    left = len(replica.rooms.views.held())
    output.data({"decided": len(arguments.dots), "held": left})
    output.say(f"Done. {left} entries are held back.")
    return DONE


def decide(
    replica: Replica, officer: OfficerId, dots: list[Dot], kind: type[g.Adopt | g.Reject]
) -> None:
    """Adopt or reject what is held back. Raises `InputError`, `NotAllowedError`."""
    check_supervises(replica, officer)
    there = {item["id"] for item in held_rows(replica)}
    if not {dot_text(dot) for dot in dots} <= there:
        raise InputError("One of these is not held back here. Nothing was changed.")
    replica.say([kind([g.wire_dot(dot) for dot in dots])], officer)


# --------------------------------------------------------------------------------- options


def show_options(parser: argparse.ArgumentParser) -> None:
    """Take the entry's name."""
    parser.add_argument("dot", metavar="ID", help="as “quarantine list” names it")


def _dots_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dots", nargs="+", metavar="ID", help="as “quarantine list” names them")
    officer_option(parser)
