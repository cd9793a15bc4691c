"""`motcua-tablet`: the officer's tablet without its screens, on the same commands as the edge."""

from __future__ import annotations

import sys

from device_home.apologies import apology_commands
from device_home.bindings import binding_commands
from device_home.bundles import bundle_commands
from device_home.command import Program
from device_home.conflicts import conflict_commands
from device_home.device import Device
from device_home.dossiers import dossier_commands
from device_home.duplicates import duplicate_commands
from device_home.fetching import fetching_commands
from device_home.handing import hand_over
from device_home.intake import intake_commands
from device_home.joining import joining_commands
from device_home.officers import officer_commands
from device_home.papers import paper_commands
from device_home.quarantine import quarantine_commands
from device_home.repair import repair_commands
from device_home.slips import slip_commands
from device_home.upkeep import upkeep_commands, version
from sync_protocol.membership.grant import TABLET

PROGRAM: Program[Device] = Program(
    name="motcua-tablet",
    version=version,
    description="The officer's tablet, headless: captures anywhere, syncs with the ward's station.",
    commands=[
        *joining_commands(TABLET, "motcua-edge"),
        *intake_commands(),
        *dossier_commands(),
        *apology_commands(),
        *binding_commands(),
        *slip_commands(),
        *duplicate_commands(),
        *paper_commands(),
        *officer_commands(),
        *fetching_commands(),
        *conflict_commands(),
        *quarantine_commands(),
        *upkeep_commands(),
        *repair_commands(),
        *bundle_commands(),
    ],
    open_app=Device.open,
    close_app=Device.close,
    hand_over=hand_over,
    default_home="motcua-tablet",
)


def main() -> None:
    """Run the command line."""
    sys.exit(PROGRAM.main())
