"""`motcua-edge`: the program of the ward's station, and its command `serve`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path

from device_home.apologies import apology_commands
from device_home.bindings import binding_commands
from device_home.bundles import bundle_commands
from device_home.command import DONE, Command, Output, Program
from device_home.conflicts import conflict_commands
from device_home.device import Device
from device_home.dossiers import dossier_commands
from device_home.duplicates import duplicate_commands
from device_home.handing import hand_over
from device_home.intake import intake_commands
from device_home.joining import joining_commands
from device_home.officers import officer_commands
from device_home.papers import paper_commands
from device_home.pins import pin_commands
from device_home.quarantine import quarantine_commands
from device_home.repair import repair_commands
from device_home.slips import slip_commands
from device_home.upkeep import upkeep_commands, version
from edge_node.catalogue_commands import catalogue_commands
from edge_node.commands import station_commands
from edge_node.lookups import lookup_commands
from edge_node.portal_commands import portal_commands
from edge_node.print_commands import print_commands
from edge_node.statistics_commands import statistics_commands
from sync_protocol.errors import StoreBusyError
from sync_protocol.membership.grant import EDGE

PORT = 8444
_OWNER_WAIT_S = 5.0
_LOOK_S = 0.5


def run_serve(_device: Device, arguments: Namespace, output: Output) -> int:
    """Serve until SIGTERM or SIGINT. Prints one line, `ready URL`, once tablets can come in."""
    from edge_node.station import Station  # Flask and its friends: `serve` alone needs them

    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    device = _own(arguments.home, ended)
    try:
        station = Station(PROGRAM, device, (arguments.host, arguments.port))
        station.start()
        try:
            output.emit("out", f"ready {station.url}\n")
            while not ended.wait(_LOOK_S):
                pass
        finally:
            station.stop()
    finally:
        device.close()
    return DONE


def _own(folder: Path, ended: threading.Event) -> Device:
    """Own the home; a command that is just ending is waited for."""
    deadline = time.monotonic() + _OWNER_WAIT_S
    while True:
        try:
            return Device.open(folder)
        except StoreBusyError:
            if time.monotonic() > deadline or ended.wait(_LOOK_S / 5):
                raise


def _serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="0.0.0.0", help="the address to serve on")  # noqa: S104 - tablets come from the office's network
    parser.add_argument("--port", type=int, default=PORT, help=f"{PORT} unless given; 0: any")


PROGRAM: Program[Device] = Program(
    name="motcua-edge",
    version=version,
    description="The ward's station: captures, serves the office's tablets, calls the city.",
    commands=[
        *joining_commands(EDGE, "motcua-tablet"),
        Command("serve", "serve tablets and call the city", run_serve, _serve_options, alone=True),
        *station_commands(),
        *statistics_commands(),
        *print_commands(),
        *portal_commands(),
        *lookup_commands(),
        *catalogue_commands(),
        *intake_commands(),
        *dossier_commands(),
        *apology_commands(),
        *binding_commands(),
        *slip_commands(),
        *duplicate_commands(),
        *paper_commands(),
        *officer_commands(),
        *pin_commands(),
        *conflict_commands(),
        *quarantine_commands(),
        *upkeep_commands(),
        *repair_commands(),
        *bundle_commands(),
    ],
    open_app=Device.open,
    close_app=Device.close,
    hand_over=hand_over,
    default_home="motcua-edge",
)


def main() -> None:
    """Run the command line."""
    sys.exit(PROGRAM.main())
