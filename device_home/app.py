"""What the commands that hub, edge and tablet share ask of the program that offers them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Protocol

from device_home.home import Home
from sync_protocol.replica import Replica


class App(Protocol):
    """An opened program: its home, and the wards that it holds."""

    @property
    def home(self) -> Home:
        """The home that this process owns."""

    def replica(self, arguments: Namespace) -> Replica:
        """Return the ward that a command speaks of: a device's own, or the hub's by `--ward`.

        Raises `NotEnrolledError` and `InputError`.
        """

    def replicas(self) -> Sequence[Replica]:
        """Return every ward that is held here."""
