"""`ward numbers`: lease a station a range of every day's official numbers, and list the leases.

What holds: two leases of one agency never share a number of a day, in whatever ward they are. A
lease is never taken back, because nobody knows which of its numbers were used; it ends with its
last day. It names the newest feed of the station, so that a station which was restored gets none
of the old one's numbers.
"""

from __future__ import annotations

import argparse

from central_hub.city import City
from device_home.command import DONE, Command, Output
from device_home.moves import read_day
from device_home.numbers import lease_row, lease_text, newest_feed
from sync_protocol.dossier.dossier_code import DossierCode
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.text import refused
from sync_protocol.errors import NotAllowedError
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g

NUMBER_MAX = 9999
"""Of four digits, as in Circular 01/2018/TT-VPCP, art. 19: 25 times a busy ward's 400 a day."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="the ward's code")
    parser.add_argument("--device", default="", metavar="ID", help="the station; none: list")
    parser.add_argument("--agency", default="", metavar="CODE", help="such as H26.1")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first number")
    parser.add_argument("--last", type=int, default=NUMBER_MAX, metavar="N", help="the last one")
    parser.add_argument("--from", dest="since", default="", metavar="DATE", help="today, if absent")
    parser.add_argument("--until", default="", metavar="DATE", help="the last day")


def _numbers(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office = city.office(city.ward(arguments.code).id)
    if arguments.device:
        lease = _lease(city, arguments)
        _check_free(city, lease)
        office.replica.say([lease], NO_OFFICER)
    rows = [lease_row(office.replica, item) for item in office.replica.holding.roster.leases]
    output.data(rows)
    for row in rows:
        output.say(lease_text(row))
    if not rows:
        output.say("No numbers are leased: this ward's stations give provisional codes.")
    return DONE


def _lease(city: City, arguments: argparse.Namespace) -> g.Lease:
    """Return what was asked for. Raises `InputError`, `NotAllowedError`."""
    office, device = city.device(arguments.device, arguments.code)
    if device.role != g.EDGE or office.replica.holding.roster.revoked(device.device) is not None:
        raise NotAllowedError("Only a station that is not revoked gets numbers. Nothing was done.")
    today = local_time(city.home.wall()).date()
    since, until = read_day(arguments.since) or today, read_day(arguments.until)
    if until is None or until < since:
        raise refused("until", "is a day such as 2027-10-31, not before “from”", "date")
    if not 1 <= arguments.first <= arguments.last <= NUMBER_MAX:
        raise refused("first", f"and “last” are numbers from 1 to {NUMBER_MAX}, in order", "range")
    DossierCode(arguments.agency, since, arguments.first)  # that it makes a code
    bounds = (arguments.first, arguments.last, since.isoformat(), until.isoformat())
    return g.Lease(newest_feed(office.replica, device.device), arguments.agency, *bounds)


def _check_free(city: City, wanted: g.Lease) -> None:
    for office in city.chosen(None):
        for other in office.replica.holding.roster.leases:
            if other.agency == wanted.agency and _overlap(other, wanted):
                raise NotAllowedError(
                    f"Some of these numbers are leased already, in ward {office.ward.code}. "
                    "Nothing was done."
                )


def _overlap(one: g.Lease, other: g.Lease) -> bool:
    """Whether two leases share a number of a day; days are compared as they are written."""
    days = one.valid_from <= other.valid_until and other.valid_from <= one.valid_until
    return days and one.first <= other.last and other.first <= one.last


COMMANDS: tuple[Command[City], ...] = (
    Command("ward numbers", "lease a station official numbers, or list", _numbers, _configure),
)
