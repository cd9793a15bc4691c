"""The commands that only the ward's station has: invitations, tablets, samples.

Others live where they are shared: `device_home.joining`, `intake`, `dossiers`, `conflicts`,
`upkeep`, `repair`; `serve` is in `program`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from argparse import Namespace

from device_home.command import DONE, Command, Output
from device_home.device import Device
from device_home.numbers import hand_on, lease_row, lease_text, newest_feed
from device_home.officers import acting_officer, check_supervises, officer_option
from device_home.shapes import ACTIVE
from edge_node.tablets import device_rows, find_tablet, invite, lock, reopen
from sync_protocol import limits
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from sync_protocol.errors import InputError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.membership import grant as g
from sync_protocol.storage.files import disk_errors


def station_commands() -> list[Command[Device]]:
    """Return the commands."""
    return [
        Command("invite", "invite a tablet to this ward", run_invite, _invite_options),
        Command("tablet list", "list the devices of this ward", run_tablets),
        Command("tablet numbers", "hand a tablet official numbers", run_numbers, _numbers_options),
        Command("tablet lock", "lock a tablet at once", run_lock, _lock_options),
        Command("tablet reopen", "lift a lock of this ward", run_reopen, _lock_options),
        Command(
            "sample",
            "print synthetic dossiers for `intake`",
            run_sample,
            _sample_options,
            alone=True,
        ),
    ]


# ----------------------------------------------------------------------------- invitations


def run_invite(device: Device, arguments: Namespace, output: Output) -> int:
    """Make a one-time invitation, delegated until the city countersigns it."""
    home, replica = device.home, device.replica()
    text, url = invite(home, replica, arguments.label, arguments.url, arguments.hours)
    output.data({"invite": text, "role": arguments.role, "url": url, "hours": arguments.hours})
    import segno  # late, as few commands draw

    picture = io.StringIO()
    segno.make(text, error="l").terminal(out=picture, compact=True)
    output.say(picture.getvalue() + text)
    output.say(f"For one tablet, within {arguments.hours} hours.")
    return DONE


def _invite_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", default=g.TABLET, choices=[g.TABLET], help="what is invited")
    parser.add_argument("--label", default="", metavar="NAME", help="what the tablet is called")
    parser.add_argument("--url", default="", help="where tablets meet this station")
    parser.add_argument("--hours", type=int, default=limits.INVITATION_HOURS, metavar="N")


# --------------------------------------------------------------------------------- tablets


def run_tablets(device: Device, _arguments: Namespace, output: Output) -> int:
    """List the devices of the ward."""
    found = device_rows(device.replica())
    output.data(found)
    for item in found:
        output.say(f"{item['id']}  {item['role']}  {item['state']}  {item['label']}")
    return DONE


def run_lock(device: Device, arguments: Namespace, output: Output) -> int:
    """Lock a tablet: what is held of it now counts, what comes later waits for review."""
    replica = device.replica()
    officer = acting_officer(device.home, replica, arguments, output)
    check_supervises(replica, officer)
    item = find_tablet(replica, arguments.device)
    kept, written = lock(replica, officer, item.device)
    output.data({"id": short_name(item.device), "state": g.LOCKED, "kept": kept})
    output.say(
        f"Locked. {kept} entries of it count; what comes later waits for review. "
        f"(entry {written.dot.seq})"
    )
    return DONE


def run_reopen(device: Device, arguments: Namespace, output: Output) -> int:
    """Lift a lock: everything that the tablet wrote counts."""
    replica = device.replica()
    officer = acting_officer(device.home, replica, arguments, output)
    check_supervises(replica, officer)
    item = find_tablet(replica, arguments.device)
    written = reopen(replica, officer, item.device)
    output.data({"id": short_name(item.device), "state": ACTIVE})
    output.say(f"Reopened: what it wrote counts again. (entry {written.dot.seq})")
    return DONE


def run_numbers(device: Device, arguments: Namespace, output: Output) -> int:
    """Hand a tablet a part of this station's numbers, and list what was handed on."""
    replica = device.replica()
    if arguments.device:
        today = local_time(replica.character.wall()).date()
        feed = newest_feed(replica, find_tablet(replica, arguments.device).device)
        hand_on(replica, feed, arguments.count, today)
    rows = [lease_row(replica, item) for item in replica.holding.roster.handed]
    output.data(rows)
    for row in rows:
        output.say(lease_text(row))
    return DONE


def _numbers_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", default="", metavar="DEVICE", help="none: only list")
    parser.add_argument("--count", type=int, default=50, metavar="N", help="of every day; 50")


def _lock_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", metavar="DEVICE", help="the tablet's id, its start, or its name")
    officer_option(parser)


# --------------------------------------------------------------------------------- samples


def run_sample(_device: Device, arguments: Namespace, output: Output) -> int:
    """Print synthetic dossiers, one a line, in the format that `intake` reads."""
    if arguments.count < 0:
        raise InputError("“count” must not be negative.")
    folder = ""
    if arguments.scans:
        folder = os.path.relpath(output.path(arguments.scans), output.cwd)
        if folder.startswith(".."):
            raise InputError("The scans must lie below the folder that the file will lie in: here.")
        with disk_errors("writing the sample scans"):
            write_scans(output.path(arguments.scans), arguments.count, arguments.seed)
    for number, dossier in enumerate(sample(arguments.count, arguments.seed), start=1):
        if folder:
            dossier["scans"] = [f"{folder}/page-{number:05d}.jpg"]
        output.emit("out", json.dumps(dossier, ensure_ascii=False) + "\n")
    return DONE


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--scans", default="", metavar="DIR", help="one page image per dossier")
