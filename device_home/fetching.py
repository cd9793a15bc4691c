"""`dossier fetch`: bring back what this tablet let go of.

What holds: that it is wanted is remembered before anybody is asked, so without a line it comes with
the next exchange. It stays as long as a dossier that was edited that day.
"""

from __future__ import annotations

import argparse
from argparse import Namespace

from device_home.command import DONE, FAILED, Command, Output
from device_home.device import Device
from device_home.dossiers import find_record, load
from sync_protocol.errors import SyncError
from sync_protocol.replica.fetching import want_records


def fetching_commands() -> list[Command[Device]]:
    """Return the command."""
    return [Command("dossier fetch", "bring back what this tablet let go of", run_fetch, _options)]


def run_fetch(device: Device, arguments: Namespace, output: Output) -> int:
    """Fetch one dossier; without a line, say that it comes later."""
    replica = device.replica()
    record = find_record(replica, arguments.id)
    answer: dict[str, object] = {"id": record.hex(), "fetched": not load(replica, record)[0].purged}
    if not answer["fetched"]:
        want_records(replica, [record])
        try:
            device.sync()
        except SyncError as problem:
            answer |= {"error": problem.code, "diagnosis": problem.diagnosis}
        answer["fetched"] = not load(replica, record)[0].purged
    output.data(answer)
    output.say(
        "It is here."
        if answer["fetched"]
        else "It is not here yet: it comes with the next exchange that goes through."
    )
    return DONE if answer["fetched"] else FAILED


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
