"""`export portal`: the ward's dossiers and their progress as a file for the national system.

What holds: the file is written where the person says, and nothing is sent anywhere. Statuses go
out as they stand. What was exported once goes again when it has changed, or with `--everything`.
"""

from __future__ import annotations

import argparse
import json
from argparse import Namespace

from device_home.command import DONE, Command, Output
from device_home.device import Device
from device_home.lines import open_lines, read_lines
from edge_node.portal import Export, keep_acknowledged, keep_export, make_export
from sync_protocol.errors import InputError
from sync_protocol.storage.files import disk_errors, replace

_ACKNOWLEDGED_LINES_MAX = 100_000
"""A ward's dossiers of ten years, one code a line."""


def portal_commands() -> list[Command[Device]]:
    """Return the command."""
    words = "write dossiers and their progress for the national portal"
    return [Command("export portal", words, run_export, _options)]


def run_export(device: Device, arguments: Namespace, output: Output) -> int:
    """Write the file, and note what it holds."""
    replica = device.replica()
    taken = 0
    if arguments.acknowledged:
        taken = keep_acknowledged(replica, _codes(output, arguments.acknowledged))
    target = output.path(arguments.out)
    if target.exists():
        raise InputError("There is a file of that name already. Nothing was written.")
    export = make_export(replica, device.home.place().name, everything=arguments.everything)
    content = export_bytes(export)
    with disk_errors("writing the export"):
        replace(target, content)
    keep_export(replica, export.noted)
    count = {**export.answer["count"], "exported_now": len(export.noted)}
    output.data({"file": str(target), "bytes": len(content), "acknowledged_now": taken, **count})
    output.say(f"Written: {len(export.noted)} dossiers, {len(content)} bytes.")
    if left := count["HoSo"] - len(export.noted):
        output.say(f"{left} more did not fit: export again for the next file.")
    output.say(
        f"Exported before: {count['before']}. Something is missing: {count['missing']}. "
        f"Passports, for which there is no slot: {count['no_passport_slot']}."
    )
    return DONE


def export_bytes(export: Export) -> bytes:
    """Return the file, in UTF-8."""
    return json.dumps(export.answer, ensure_ascii=False, indent=1).encode()


def _codes(output: Output, name: str) -> set[str]:
    codes = set()
    with open_lines(output.path(name), f"file of codes “{name}”") as file:
        for number, line in read_lines(file):
            if number > _ACKNOWLEDGED_LINES_MAX:
                raise InputError("The file of codes is longer than any ward's. Nothing was noted.")
            codes.add(line.decode("utf-8", "replace").strip("\ufeff \t"))
    return codes - {""}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--acknowledged", default="", metavar="FILE", help="codes that the portal took, one a line"
    )
    parser.add_argument(
        "--everything", action="store_true", help="also what was exported and has not changed"
    )
