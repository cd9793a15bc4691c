"""`motcua-hub`: its commands, and how they reach a hub that is being served."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from central_hub import command_device, command_serve, command_ward
from central_hub.city import City
from device_home.command import Command, Program
from sync_protocol.errors import StoreBusyError, UnreachableError
from sync_protocol.transport.handover import hand_over

DESCRIPTION = "The city's hub: wards, devices, what they saved, and its backup."


def program() -> Program[City]:
    """Return the program."""
    commands: tuple[Command[City], ...] = (
        command_serve.INIT,
        command_serve.serve_command(program),
        *command_ward.COMMANDS,
        *command_device.COMMANDS,
    )
    return Program(
        name="motcua-hub",
        version=_version(),
        description=DESCRIPTION,
        commands=commands,
        open_app=City.open,
        close_app=City.close,
        hand_over=_hand_over,
        default_home=os.environ.get("MOTCUA_HOME", "motcua-hub"),
    )


def _version() -> str:
    try:
        return version("motcua")
    except PackageNotFoundError:
        return "0"


def _hand_over(home: Path, words: list[str], cwd: Path) -> Iterator[tuple[str, str]]:
    """Let the process that serves this home run the words."""
    try:
        for item in hand_over(home, "run", {"words": words, "cwd": str(cwd)}):
            for kind, text in item.items():
                yield kind, str(text)
    except UnreachableError as cause:
        raise StoreBusyError(
            "Another command is working with this hub. Nothing was changed; try again."
        ) from cause
