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
from device_home.shapes import Shape, device_state
from edge_node.authority import authority, served_url
from sync_protocol import limits
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.exchange.enrol import Registrar, check_terms, short_name
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted
from sync_protocol.replica import Replica
from sync_protocol.storage.files import disk_errors
from sync_protocol.wire.enrol import write_invitation


def station_commands() -> list[Command[Device]]:
    """Return the commands."""
    return [
        Command("invite", "invite a tablet to this ward", run_invite, _invite_options),
        Command("tablet list", "list the devices of this ward", run_tablets),
        Command("tablet numbers", "hand a tablet official numbers", run_numbers, _numbers_options),
        Command("tablet lock", "lock a tablet at once", run_lock, _lock_options),
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
    replica = device.replica()
    if not replica.is_enrolled():
        raise NotAllowedError("This station's own grant has not come yet: let it sync once.")
    url = arguments.url or device.home.settings.text("url") or served_url(replica)
    if not url:
        raise InputError("Where tablets meet this station is not known: run “serve” or give --url.")
    check_terms(url, arguments.hours)
    from sync_protocol.crypto.certificate import fingerprint  # late: it is slow to load

    ca_pem, _ = authority(device.home)
    invitation = Registrar(replica).invite(
        arguments.role, arguments.label, url, fingerprint(ca_pem), arguments.hours
    )
    text = write_invitation(invitation)
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


def device_rows(replica: Replica) -> list[Shape]:
    """Return every device of the ward."""
    roster = replica.holding.roster
    return [_device_row(replica, item) for item in roster.grants.values()]


def _device_row(replica: Replica, item: Granted) -> Shape:
    chains = replica.holding.chains.values()
    return {
        "id": short_name(item.device),
        "label": item.label,
        "role": item.role,
        "delegated": item.delegated,
        "state": device_state(replica, item.device),
        "entries": sum(c.row.head.seq for c in chains if c.device == item.device),
    }


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
    item = _tablet(replica, arguments.device)
    roster = replica.holding.roster
    with replica.lock:
        cuts = replica.holding.frontier(item.device)
        before = roster.revocations.get(item.device)
        version = 1 if before is None else before.version + 1
        written = replica.say([g.Revoke(item.device, g.LOCKED, cuts, version)], officer)
    kept = sum(cut.seq for cut in cuts)
    output.data({"id": short_name(item.device), "state": g.LOCKED, "kept": kept})
    output.say(
        f"Locked. {kept} entries of it count; what comes later waits for review. "
        f"(entry {written.dot.seq})"
    )
    return DONE


def run_numbers(device: Device, arguments: Namespace, output: Output) -> int:
    """Hand a tablet a part of this station's numbers, and list what was handed on."""
    replica = device.replica()
    if arguments.device:
        today = local_time(replica.character.wall()).date()
        feed = newest_feed(replica, _tablet(replica, arguments.device).device)
        hand_on(replica, feed, arguments.count, today)
    rows = [lease_row(replica, item) for item in replica.holding.roster.handed]
    output.data(rows)
    for row in rows:
        output.say(lease_text(row))
    return DONE


def _numbers_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", default="", metavar="DEVICE", help="none: only list")
    parser.add_argument("--count", type=int, default=50, metavar="N", help="of every day; 50")


def _tablet(replica: Replica, text: str) -> Granted:
    found = [
        item
        for item in replica.holding.roster.grants.values()
        if item.role == g.TABLET
        and (short_name(item.device).startswith(text.lower()) or item.label == text)
    ]
    if len(found) != 1:
        raise InputError(
            "No tablet of this ward is called so; see “tablet list”."
            if not found
            else "Several tablets are called so: give more of the id."
        )
    return found[0]


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
