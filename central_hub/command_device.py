"""`device list|revoke|retire|restore`.

What holds: a revocation cuts each feed of a device at a position (seq and hash), by default at what
the hub holds now; what comes later is verified, kept in quarantine, and can be adopted.
"""

from __future__ import annotations

import argparse

from central_hub.city import City, Office
from device_home.command import DONE, Command, Output
from device_home.shapes import ACTIVE
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import NO_OFFICER, DeviceKey
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted
from sync_protocol.replica.holding import Chain, Holding


def device_row(office: Office, item: Granted) -> dict[str, object]:
    """Return a device as lists show it to machines."""
    revoke = office.replica.holding.roster.revoked(item.device)
    lapse = office.replica.holding.roster.lapses.get(item.device)
    contact = office.contacts.of(item.device)
    return {
        "id": short_name(item.device),
        "ward": office.ward.code,
        "role": item.role,
        "label": item.label,
        "delegated": item.delegated,
        "revoked": None if revoke is None else revoke.reason,
        "lapsed": lapse is not None and lapse.lapsed,
        "cuts": [] if revoke is None else [_mark_row(mark) for mark in revoke.cuts],
        "feeds": [
            {"feed": chain.feed.hex(), "seq": chain.row.head.seq}
            for chain in _chains(office, item.device)
        ],
        "last_contact_ms": contact.heard_ms or None,
        "last_sync_ms": contact.synced_ms or None,
    }


def _mark_row(mark: Mark) -> dict[str, object]:
    return {"feed": mark.feed.hex(), "seq": mark.seq}


def _chains(office: Office, device: DeviceKey) -> list[Chain]:
    chains = office.replica.holding.chains.values()
    return [chain for chain in chains if chain.device == device]


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [device_row(office, item) for office, item in city.devices(arguments.ward)]
    for row in rows:
        state = row["revoked"] or ("lapsed" if row["lapsed"] else ACTIVE)
        delegated = " (delegated)" if row["delegated"] else ""
        who = f"{row['id']}  {row['ward']:<10} {row['role']:<7}"
        output.say(f"{who} {state:<11} {row['label']}{delegated}")
    if not rows:
        output.say("No device is enrolled yet. Make an invitation with “invite”.")
    output.data(rows)
    return DONE


def _configure_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device's id, its start, or its name")
    parser.add_argument("--ward", metavar="CODE")


def _configure_cut(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at",
        metavar="FEED:SEQ",
        action="append",
        default=[],
        help="cut this feed here, not at what the hub holds now (may be given again)",
    )


def _configure_revoke(parser: argparse.ArgumentParser) -> None:
    _configure_one(parser)
    parser.add_argument("--reason", required=True, choices=[g.LOST, g.COMPROMISED])
    _configure_cut(parser)


def _configure_restore(parser: argparse.ArgumentParser) -> None:
    _configure_one(parser)
    _configure_cut(parser)


def _revoke(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, item = city.device(arguments.id, arguments.ward)
    state_revocation(office, item.device, arguments.reason, arguments.at)
    output.say(f"{short_name(item.device)} is revoked ({arguments.reason}).")
    output.say("What it wrote until now counts. What still comes waits in “quarantine list”.")
    output.data(device_row(office, item))
    return DONE


def _retire(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, item = city.device(arguments.id, arguments.ward)
    state_revocation(office, item.device, g.RETIRED, [])
    output.say(f"{short_name(item.device)} is retired. What it wrote stays.")
    output.data(device_row(office, item))
    return DONE


def _restore(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, item = city.device(arguments.id, arguments.ward)
    revoke = office.replica.holding.roster.revoked(item.device)
    if revoke is None:
        raise NotAllowedError("This device is not revoked. Nothing was changed.")
    if arguments.at:
        raise_cut(office, revoke, arguments.at)
        output.say("The cut was raised; what lies before it counts now.")
    else:
        version = revoke.version + 1
        office.replica.say([g.Revoke(item.device, g.RESTORED, [], version)], NO_OFFICER)
        output.say(f"{short_name(item.device)} is restored; all that it wrote counts again.")
    output.data(device_row(office, item))
    return DONE


def state_revocation(office: Office, device: DeviceKey, reason: str, at: list[str]) -> None:
    """Cut every feed of a device where the hub holds it now, or at the given positions.

    Raises `InputError` for a position that is not held.
    """
    chosen = [mark for text in at for mark in _positions(office, device, text)]
    feeds = {mark.feed for mark in chosen}
    held = office.replica.holding.frontier(device)
    cuts = [mark for mark in held if mark.feed not in feeds]
    cuts += [mark for mark in chosen if mark.seq]
    before = office.replica.holding.roster.revocations.get(device)
    version = 1 if before is None else before.version + 1
    office.replica.say([g.Revoke(device, reason, cuts, version)], NO_OFFICER)


def raise_cut(office: Office, revoke: g.Revoke, at: list[str]) -> None:
    """State a revocation again with higher cuts. Raises `InputError` where one is not higher."""
    holding = office.replica.holding
    cuts = list(revoke.cuts)
    for text in at:
        higher = _positions(office, revoke.device, text)
        lower = [cut for cut in cuts if any(_is_before(holding, cut, mark) for mark in higher)]
        feeds = {mark.feed for mark in higher}
        if not lower and any(cut.feed in feeds for cut in cuts):
            raise InputError("That feed is cut there or later already; give a higher position.")
        cuts = [cut for cut in cuts if cut not in lower]
        cuts += [mark for mark in higher if not any(_covers(holding, cut, mark) for cut in cuts)]
    statement = g.Revoke(revoke.device, revoke.reason, cuts, revoke.version + 1)
    office.replica.say([statement], NO_OFFICER)


def _covers(holding: Holding, cut: Mark, mark: Mark) -> bool:
    """Whether the entry at `mark` lies at or before `cut`, on the way there."""
    owner = holding.find(mark)
    return owner is not None and holding.reaches(cut, owner, mark.seq)


def _is_before(holding: Holding, cut: Mark, mark: Mark) -> bool:
    return cut != mark and _covers(holding, mark, cut)


def _positions(office: Office, device: DeviceKey, text: str) -> list[Mark]:
    """Read FEED:SEQ as marks of a feed of `device`, one for each branch that differs there.

    Raises `InputError` where the hub holds none.
    """
    feed, _, number = text.strip().lower().partition(":")
    if not feed or not number.isdecimal():
        raise InputError("A position looks like FEED:SEQ, both from “device list --json”.")
    seq = int(number)
    chains = [chain for chain in _chains(office, device) if chain.feed.hex().startswith(feed)]
    if not chains:
        raise InputError("This device has no such feed. “device list --json” shows its feeds.")
    found = ((chain, office.replica.holding.short_hash_at(chain, seq)) for chain in chains)
    marks = [Mark(chain.feed, seq, short) for chain, short in found if short is not None]
    if not marks:
        last = max(chain.row.head.seq for chain in chains)
        raise InputError(f"The hub holds that feed up to {last} only.")
    return list(dict.fromkeys(marks))


COMMANDS: tuple[Command[City], ...] = (
    Command("device list", "list the devices", _list, _configure_list),
    Command("device revoke", "cut a lost or stolen device off", _revoke, _configure_revoke),
    Command("device retire", "take a device out of service", _retire, _configure_one),
    Command("device restore", "lift a revocation, or raise its cut", _restore, _configure_restore),
)
