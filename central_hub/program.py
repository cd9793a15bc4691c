"""`motcua-hub`: its commands, and how they reach a hub that is being served."""

from __future__ import annotations

import argparse

from central_hub import (
    backup,
    command_catalogue,
    command_device,
    command_dossier,
    command_numbers,
    command_officer,
    command_quarantine,
    command_serve,
    command_upkeep,
    command_ward,
    restore,
)
from central_hub.city import City
from device_home.bundles import bundle_commands
from device_home.command import Command, Program
from device_home.handing import hand_over
from device_home.upkeep import version

DESCRIPTION = "The city's hub: wards, devices, what they saved, and its backup."


def _choose_ward(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE", required=True, help="the ward of the recipient")


def program() -> Program[City]:
    """Return the program."""
    commands: tuple[Command[City], ...] = (
        command_serve.INIT,
        command_serve.serve_command(program),
        *command_ward.COMMANDS,
        *command_numbers.COMMANDS,
        *command_device.COMMANDS,
        *command_officer.COMMANDS,
        *command_dossier.COMMANDS,
        *command_quarantine.COMMANDS,
        *command_catalogue.COMMANDS,
        *command_upkeep.COMMANDS,
        *backup.COMMANDS,
        *restore.COMMANDS,
        *bundle_commands(_choose_ward),
    )
    return Program(
        name="motcua-hub",
        version=version,
        description=DESCRIPTION,
        commands=commands,
        open_app=City.open,
        close_app=City.close,
        hand_over=hand_over,
        default_home="motcua-hub",
    )
