"""`quarantine list|show|adopt|reject`: what was held back, why, and what becomes of it.

What holds: an entry is named by its dot, FEED:SEQ. Adoption and rejection are control entries that
say who decided; an adopted entry counts everywhere as if its writer had been allowed.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from central_hub.city import City, Office
from central_hub.command_officer import supervising
from device_home.command import DONE, Command, Output
from device_home.quarantine import held_line, held_lines, held_row, held_shape, show_options
from device_home.shapes import Shape, dot_text, read_dot
from sync_protocol.errors import InputError
from sync_protocol.identity import NO_OFFICER, Dot, OfficerId
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


def _in_ward(item: HeldEntry, shape: Shape) -> Shape:
    return {**shape, "ward": item.office.ward.code}


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE")
    parser.add_argument("--device", metavar="ID")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [
        _in_ward(item, row)
        for office in city.chosen(arguments.ward)
        for item in held_entries(office)
        for row in [held_row(office.replica, item.held)]
        if row["device"].startswith((arguments.device or "").lower())
    ]
    for row in rows:
        output.say(f"{row['ward']}  {held_line(row)}")
    if not rows:
        output.say("Nothing is held back.")
    output.data(rows)
    return DONE


def _configure_show(parser: argparse.ArgumentParser) -> None:
    show_options(parser)
    parser.add_argument("--ward", metavar="CODE")


def _show(city: City, arguments: argparse.Namespace, output: Output) -> int:
    dot = read_dot(arguments.dot)
    for office in city.chosen(arguments.ward):
        for item in held_entries(office):
            if item.dot == dot:
                shape = held_shape(office.replica, item.held)
                output.data(_in_ward(item, shape))
                for line in held_lines(shape):
                    output.say(line)
                return DONE
    raise InputError("That is not held back here. “quarantine list” shows what is.")


def _configure_decide(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entries", nargs="*", metavar="FEED:SEQ", help="from “quarantine list”")
    parser.add_argument("--all", action="store_true", help="everything of one device")
    parser.add_argument("--device", metavar="ID", help="with --all: the device, by id or name")
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
    Command("quarantine show", "show what a held-back entry says", _show, _configure_show),
    Command("quarantine adopt", "let held entries count after all", _adopt, _configure_decide),
    Command("quarantine reject", "turn held entries down", _reject, _configure_decide),
)
