"""`print`: the national forms as PDF, for a printer or a file.

What holds: the file is written where the person says, and nowhere else; it lies there in clear, as
paper does. That a dossier's first slip is printed gives it its secret, and is saved first.
"""

from __future__ import annotations

import argparse
from argparse import Namespace

from device_home.command import DONE, Command, Output
from device_home.device import Device
from device_home.dossiers import find_record, load
from device_home.moves import read_day
from device_home.officers import acting_officer, officer_option
from device_home.slips import ensure_slip
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError
from sync_protocol.identity import OfficerId
from sync_protocol.replica import Replica
from sync_protocol.storage.files import disk_errors, replace

SLIP_FORM, DAYBOOK_FORM = "01", "07"
NUMBERS = ("01", "02", "03", "04", "05", "06", DAYBOOK_FORM)


def print_commands() -> list[Command[Device]]:
    """Return the command."""
    return [Command("print", "print a form of a dossier, or the daybook", run_print, _options)]


def run_print(device: Device, arguments: Namespace, output: Output) -> int:
    """Write one form as PDF."""
    replica = device.replica()
    target = output.path(arguments.out)
    if target.exists():
        raise InputError("There is a file of that name already. Nothing was written.")
    ward = device.home.place().name
    if arguments.form == DAYBOOK_FORM:
        content = _daybook(replica, ward, arguments)
    else:
        if not arguments.id:
            raise InputError("Name the dossier. Nothing was written.")
        officer = acting_officer(device.home, replica, arguments, output)
        content = form_of(replica, ward, arguments.form, arguments.id, officer)
    with disk_errors("writing the form"):
        replace(target, content)
    output.data({"form": arguments.form, "file": str(target), "bytes": len(content)})
    output.say(f"Written: {len(content)} bytes, in clear: delete it once it is printed.")
    return DONE


def form_of(replica: Replica, ward: str, form: str, text: str, officer: OfficerId) -> bytes:
    """Return a form of the dossier whose id begins with `text`; its slip is made if need be.

    Raises `InputError`, `NotAllowedError` and `StorageError` kinds.
    """
    from edge_node.printing.facts import gather  # late: reportlab takes 0.2 s to load
    from edge_node.printing.forms import print_form

    record = find_record(replica, text)
    if form == SLIP_FORM:
        view, _ = load(replica, record)
        ensure_slip(replica, officer, view, local_time(replica.character.wall()).date())
    return print_form(form, gather(replica, ward, record, officer))


def _daybook(replica: Replica, ward: str, arguments: Namespace) -> bytes:
    from edge_node.printing.daybook import print_daybook

    first = read_day(arguments.first)
    last = read_day(arguments.last) if arguments.last else first
    if arguments.id or first is None or last is None or first > last:
        raise refused("from", "and “to” are days such as 2026-11-20, in their order", "days")
    return print_daybook(replica, ward, first, last)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("form", choices=NUMBERS, help="the form's number (Mẫu)")
    parser.add_argument("id", nargs="?", default="", metavar="DOSSIER", help="its id or beginning")
    parser.add_argument("--from", dest="first", default="", metavar="DATE", help="07: first day")
    parser.add_argument("--to", dest="last", default="", metavar="DATE", help="07: the last day")
    parser.add_argument("--out", required=True, metavar="FILE", help="the PDF to write")
    officer_option(parser)
