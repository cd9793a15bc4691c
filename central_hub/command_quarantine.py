"""`quarantine list|adopt|reject`: what was held back, why, and what becomes of it.

What holds: an entry is named by its dot, FEED:SEQ. Adoption and rejection are control entries that
say who decided; an adopted entry counts everywhere as if its writer had been allowed.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from central_hub.city import City, Office, device_label
from central_hub.command_officer import supervising
from device_home.command import DONE, Command, Output
from device_home.shapes import dot_text, read_dot
from sync_protocol.clock import millis
from sync_protocol.errors import InputError, PeerError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import NO_OFFICER, Dot, OfficerId
from sync_protocol.log.entry import read_header
from sync_protocol.membership import grant as g
from sync_protocol.replica.holding import Chain
from sync_protocol.storage.store import Held

DOTS_PER_STATEMENT = 4096


class HeldEntry(NamedTuple):
    """One entry in quarantine."""

    office: Office
    chain: Chain
    held: Held

    @property
    def dot(self) -> Dot:
        """The entry's name."""
        return self.office.replica.holding.dot(self.chain, self.held.seq)


def held_entries(office: Office) -> list[HeldEntry]:
    """Return a ward's quarantine, by feed and seq."""
    chains = office.replica.holding.chains
    return [HeldEntry(office, chains[row.chain], row) for row in office.replica.rooms.views.held()]


def held_row(item: HeldEntry) -> dict[str, object]:
    """Return a held entry as lists show it to machines."""
    entry = item.office.replica.holding.entry(item.dot)
    time_ms, officer = 0, ""
    if entry is not None:
        try:
            header = read_header(entry.header)
            time_ms, officer = millis(header.timestamp), header.officer.hex()
        except PeerError:
            pass  # unreadable: that is why it is held
    return {
        "id": dot_text(item.dot),
        "ward": item.office.ward.code,
        "device": short_name(item.chain.device),
        "label": device_label(item.office, item.chain.device),
        "officer": officer,
        "reason": item.held.reason,
        "records": [record.hex() for record in item.held.records],
        "time": time_ms,
    }


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE")
    parser.add_argument("--device", metavar="ID")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [
        row
        for office in city.chosen(arguments.ward)
        for row in map(held_row, held_entries(office))
        if str(row["device"]).startswith((arguments.device or "").lower())
    ]
    for row in rows:
        output.say(f"{row['id']}  ward {row['ward']}  {row['label']}  {row['reason']}")
    if not rows:
        output.say("Nothing is held back.")
    output.data(rows)
    return DONE


def _configure_decide(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entries", nargs="*", metavar="FEED:SEQ", help="from “quarantine list”")
    parser.add_argument("--all", action="store_true", help="everything of one device")
    parser.add_argument("--device", metavar="ID", help="with --all: the device")
    parser.add_argument("--by", default="", metavar="OFFICER", help="who decided")
    parser.add_argument("--ward", metavar="CODE")


def _adopt(city: City, arguments: argparse.Namespace, output: Output) -> int:
    return _decide(city, arguments, output, g.Adopt)


def _reject(city: City, arguments: argparse.Namespace, output: Output) -> int:
    return _decide(city, arguments, output, g.Reject)


def _decide(
    city: City,
    arguments: argparse.Namespace,
    output: Output,
    kind: type[g.Adopt | g.Reject],
) -> int:
    chosen = _chosen(city, arguments)
    by_ward: dict[bytes, list[HeldEntry]] = {}
    for item in chosen:
        by_ward.setdefault(item.office.ward.id, []).append(item)
    who = {
        ward: _officer(items[0].office, arguments.by, output) for ward, items in by_ward.items()
    }  # before anything is written
    for ward, items in by_ward.items():
        dots = [g.wire_dot(item.dot) for item in items]
        for start in range(0, len(dots), DOTS_PER_STATEMENT):
            part = dots[start : start + DOTS_PER_STATEMENT]
            items[0].office.replica.say([kind(part)], who[ward])
    done = "adopted" if kind is g.Adopt else "rejected"
    left = sum(len(held_entries(office)) for office in city.chosen(arguments.ward))
    output.say(f"{len(chosen)} entries {done}; {left} still wait.")
    output.data({done: [dot_text(item.dot) for item in chosen], "held": left})
    return DONE


def _officer(office: Office, text: str, output: Output) -> OfficerId:
    return supervising(office, text, output).officer if text else NO_OFFICER


def _chosen(city: City, arguments: argparse.Namespace) -> list[HeldEntry]:
    """Return the entries that a command names. Raises `InputError` where one is not held."""
    if arguments.all == bool(arguments.entries) or arguments.all != bool(arguments.device):
        raise InputError("Name the entries, or give --all and --device. Nothing was changed.")
    if arguments.all:
        office, item = city.device(arguments.device, arguments.ward)
        found = [one for one in held_entries(office) if one.chain.device == item.device]
        if not found:
            raise InputError("Nothing of that device is held back.")
        return found
    wanted = {read_dot(text) for text in arguments.entries}
    found = [
        item
        for office in city.chosen(arguments.ward)
        for item in held_entries(office)
        if item.dot in wanted
    ]
    if len(found) != len(wanted):
        raise InputError("Not all of those entries are held back. Nothing was changed.")
    return found


COMMANDS: tuple[Command[City], ...] = (
    Command("quarantine list", "list what is held back, and why", _list, _configure_list),
    Command("quarantine adopt", "let held entries count after all", _adopt, _configure_decide),
    Command("quarantine reject", "turn held entries down", _reject, _configure_decide),
)
