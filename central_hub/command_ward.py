"""`ward add|list|rekey` and `invite`."""

from __future__ import annotations

import argparse
import io
from datetime import UTC, datetime

from central_hub.charter import load_address, load_tls
from central_hub.city import City, Office
from central_hub.command_catalogue import publish_as_elsewhere
from central_hub.paper_key import RECOVERY, load_paper_key
from device_home.command import DONE, Command, Output
from device_home.duties import WARD_KEY_PURPOSE
from sync_protocol import limits
from sync_protocol.crypto import seal
from sync_protocol.crypto.certificate import fingerprint
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.errors import InputError, NotAllowedError, WrongKeyError
from sync_protocol.exchange.enrol import check_terms, short_name
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted
from sync_protocol.wire.enrol import write_invitation

_LABEL_CHARS_MAX = 80


def ward_row(office: Office) -> dict[str, object]:
    """Return a ward as lists show it to machines."""
    profile = office.replica.holding.roster.profile
    grants = office.replica.holding.roster.grants.values()
    counts = office.replica.rooms.views.counts()
    return {
        "id": office.ward.id.hex(),
        "code": profile.code if profile else office.ward.code,
        "name": profile.name if profile else office.ward.name,
        "successors": [item.hex() for item in profile.successors] if profile else [],
        "edges": sum(item.role == g.EDGE for item in grants),
        "tablets": sum(item.role == g.TABLET for item in grants),
        "dossiers": sum(counts.by_facet.values()),
        "has_key": office.replica.holding.roster.ward_key() is not None,
    }


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="the official code")
    parser.add_argument("name", help="the name")
    parser.add_argument(
        "--succeeds",
        metavar="CODE",
        action="append",
        default=[],
        help="a ward that this one takes over from (may be given again)",
    )


def _add(city: City, arguments: argparse.Namespace, output: Output) -> int:
    row = city.add_ward(arguments.code, arguments.name, arguments.succeeds)
    publish_as_elsewhere(city, city.office(row.id))
    output.say(f"Ward {row.code} {row.name} is there. Invite its station next.")
    output.data(ward_row(city.office(row.id)))
    return DONE


def _list(city: City, _arguments: argparse.Namespace, output: Output) -> int:
    rows = [ward_row(office) for office in city.chosen(None)]
    for row in rows:
        output.say(
            f"{row['code']:<12} {row['name']}  edges {row['edges']}, tablets {row['tablets']}, "
            f"dossiers {row['dossiers']}"
        )
    if not rows:
        output.say("No ward yet. Add one with “ward add CODE NAME”.")
    output.data(rows)
    return DONE


def _configure_rekey(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="the ward's code")
    parser.add_argument("--recovery-key", required=True, metavar="FILE")
    parser.add_argument("--device", required=True, metavar="ID", help="the new station")


def _rekey(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, device = city.device(arguments.device, arguments.code)
    path = output.path(arguments.recovery_key)
    recovery = AgreementKey(load_paper_key(RECOVERY, path))
    shares = rekey(office, device, recovery)
    output.say(f"{len(shares)} key(s) of the ward were shared with {short_name(device.device)}.")
    output.say("It can open the ward's scans after its next exchange.")
    output.data({"device": short_name(device.device), "keys": len(shares)})
    return DONE


def rekey(office: Office, device: Granted, recovery: AgreementKey) -> list[g.KeyShare]:
    """Share every key of a ward with an edge, by the recovery key.

    Raises `NotAllowedError` for a device that may not hold it, `WrongKeyError` for another
    recovery key, `InputError` where the ward has no key yet.
    """
    roster = office.replica.holding.roster
    if device.role != g.EDGE or roster.revoked(device.device) is not None:
        raise NotAllowedError("Only an enrolled edge that is not revoked may hold the ward's key.")
    if not roster.ward_keys:
        raise InputError("This ward has no key yet: its first edge makes it. Nothing was done.")
    shares = []
    for item in roster.ward_keys:
        if item.recovery != recovery.public:
            raise WrongKeyError("That is not this city's recovery key. Nothing was done.")
        key = AgreementKey(seal.open_sealed(recovery, item.sealed, WARD_KEY_PURPOSE))
        if key.public != item.public:
            raise WrongKeyError("The ward's sealed key is not the one it should be.")
        sealed = seal.seal_to(device.agreement, key.secret, WARD_KEY_PURPOSE)
        shares.append(g.KeyShare(item.public, device.device, sealed))
    office.replica.say(shares, NO_OFFICER)
    return shares


def _configure_invite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", required=True, metavar="CODE")
    parser.add_argument("--role", required=True, choices=[g.EDGE, g.TABLET])
    parser.add_argument("--label", default="", help="what the device is called in lists")
    parser.add_argument("--url", default="", help="the address at which the device finds this hub")
    parser.add_argument("--hours", type=int, default=limits.INVITATION_HOURS)


def _invite(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office = city.office(city.ward(arguments.ward).id)
    url = arguments.url or city.home.settings.text("url") or load_address(city.home.vault)
    if not url:
        raise InputError("Give --url, or start “serve” once: an invitation carries the address.")
    check_terms(url, arguments.hours)
    if len(arguments.label) > _LABEL_CHARS_MAX:
        raise InputError(f"A label has at most {_LABEL_CHARS_MAX} characters.")
    known = fingerprint(load_tls(city.home.vault).ca_pem)
    invitation = office.registrar.invite(
        arguments.role, arguments.label, url, known, arguments.hours
    )
    text = write_invitation(invitation)
    expires_ms = city.home.wall() + arguments.hours * 3_600_000
    who = f"{arguments.role} of {office.ward.code} {office.ward.name}"
    output.say(f"For one {who}, to be used once, until {_until(expires_ms)}:")
    output.say("")
    output.say(text)
    output.say(_qr(text))
    output.data(
        {
            "invite": text,
            "ward": office.ward.code,
            "role": arguments.role,
            "label": arguments.label,
            "url": url,
            "expires_ms": expires_ms,
        }
    )
    return DONE


def _until(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _qr(text: str) -> str:
    import segno  # late: only an invitation needs it

    picture = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=picture, compact=True)
    return picture.getvalue()


COMMANDS: tuple[Command[City], ...] = (
    Command("ward add", "add a ward", _add, _configure_add),
    Command("ward list", "list the wards", _list),
    Command("ward rekey", "share a ward's keys with a new station", _rekey, _configure_rekey),
    Command("invite", "make a one-time invitation for a device", _invite, _configure_invite),
)
