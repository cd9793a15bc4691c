"""`init`, `enrol` and `sync`: how an edge or a tablet begins, and meets its peer."""

from __future__ import annotations

import argparse
import socket
from argparse import Namespace

from device_home.command import DONE, FAILED, Command, Output
from device_home.device import Device, first_exchange
from device_home.enrolment import join
from device_home.home import Home
from device_home.notes import last_success_ms
from sync_protocol.errors import InputError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.wire.enrol import read_invitation


def joining_commands(role: str, program: str) -> list[Command[Device]]:
    """Return the commands of a device of this role; `program` is how the other role's is called."""

    def run_enrol(device: Device, arguments: Namespace, output: Output) -> int:
        if read_invitation(arguments.invite).role != role:
            raise InputError(
                f"This invitation is for another kind of device: use it with {program}. "
                "Nothing was changed."
            )
        return _enrol(device, arguments, output)

    return [
        Command("init", "make this device's home and keys", run_init, alone=True),
        Command("enrol", "join a ward with an invitation", run_enrol, _enrol_options),
        Command("sync", "exchange everything, once, now", run_sync),
    ]


def run_init(_device: Device, arguments: Namespace, output: Output) -> int:
    """Make a home."""
    home = Home.create(arguments.home)
    try:
        protected = home.vault.protected_against_theft
        device = short_name(home.keys.public)
        output.data({"home": str(arguments.home), "device": device, "protected": protected})
        output.say(f"Made: {arguments.home}\nThis device is {device}.")
        if not protected:
            output.note("Its keys are not protected against theft of this machine.\n")
    finally:
        home.close()
    return DONE


def _enrol(device: Device, arguments: Namespace, output: Output) -> int:
    label = arguments.label or socket.gethostname()[:40]
    place = join(device.home, arguments.invite, label)
    problem = first_exchange(device)
    answer: dict[str, object] = {
        "enrolled": True,
        "ward": place.ward.hex(),
        "code": place.code,
        "name": place.name,
        "role": place.role,
        "device": short_name(device.home.keys.public),
        "synced": problem is None,
    }
    if problem is not None:
        answer["error"], answer["diagnosis"] = problem.code, problem.diagnosis
    output.data(answer)
    output.say(f"Enrolled in {place.name} ({place.code}) as {place.role}.")
    if problem is None:
        return DONE
    output.note(
        f"The first exchange did not end: {problem.diagnosis} [{problem.code}] "
        "Run “sync” once there is a line.\n"
    )
    return FAILED


def run_sync(device: Device, _arguments: Namespace, output: Output) -> int:
    """Exchange once."""
    synced = device.sync()
    done = synced.outcome
    output.data(
        {
            "requests": done.requests,
            "bytes_sent": done.bytes_sent,
            "bytes_received": done.bytes_received,
            "entries_sent": done.entries_sent,
            "entries_received": done.entries_received,
            "chunks_sent": done.chunks_sent,
            "chunks_received": done.chunks_received,
            "conflicts_open": synced.conflicts_open,
            "standing": done.standing,
            "refused": {feed.hex(): problem.code for feed, problem in done.refused.items()},
            "last_success": last_success_ms(device.replica()),
            "duration_ms": synced.duration_ms,
            "cpu_ms": synced.cpu_ms,
        }
    )
    output.say(
        f"{done.entries_sent} entries sent, {done.entries_received} received in "
        f"{synced.duration_ms} ms; {synced.conflicts_open} conflicts open."
    )
    for feed, problem in done.refused.items():
        output.note(f"Feed {feed.hex()[:12]} was refused: {problem.diagnosis} [{problem.code}]\n")
    if done.standing:
        output.note(
            "This device was revoked. What it held unsent was handed over and is kept for review; "
            f"it reads nothing any more. [{done.standing}]\n"
        )
    return FAILED if done.refused or done.standing else DONE


def _enrol_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--invite", required=True, metavar="STRING", help="the invitation, whole")
    parser.add_argument("--label", default="", metavar="NAME", help="what this device is called")
