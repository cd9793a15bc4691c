"""`health`, `verify` and `digest` over one ward or all."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any

from central_hub.backup import backup_age_s
from central_hub.city import City, Office
from device_home.command import DONE, FAILED, Command, Output
from device_home.shapes import ACTIVE
from device_home.upkeep import (
    PROBLEMS_SHOWN_MAX,
    Check,
    audit_figures,
    verify,
    version,
    warnings,
)
from sync_protocol.clock import millis
from sync_protocol.errors import PeerError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.log.entry import read_header
from sync_protocol.membership.grant import TABLET
from sync_protocol.membership.roster import Granted
from sync_protocol.replica.holding import Chain, Holding

_UNSENT = "entries_unsent"
_NOTHING_WRONG: dict[str, int | str] = {
    "protected_against_theft": 1,
    "free_bytes": 1 << 60,
    "clock_offset_ms": 0,
    "quarantined": 0,
    "conflicts": 0,
    "audit_differed_s": -1,
}
"""What `warnings` looks at, where a device has not said it."""


def _configure_ward(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ward", metavar="CODE", help="only this ward (default: all)")


# ---------------------------------------------------------------------------------- health


def ward_health(office: Office) -> dict[str, object]:
    """Return how a ward is: counts and ages in seconds; -1: never, or not known."""
    replica = office.replica
    now = replica.character.wall()
    counts = replica.rooms.views.counts()
    oldest = max(0, now - millis(counts.oldest_dispute)) // 1000 if counts.disputed else 0
    grants = replica.holding.roster.grants.values()
    lacking = sum(not replica.scans.holds(chunks) for chunks in replica.scans.waiting().values())
    return {
        "ward": office.ward.code,
        "id": office.ward.id.hex(),
        "name": office.ward.name,
        "records": counts.records,
        "quarantined": counts.held,
        "feeds_waiting": len(replica.follower.waiting),
        "conflicts": counts.disputed + counts.clashes,
        "oldest_conflict_s": oldest,
        "scans_lacking": lacking,
        "views_lag": replica.follower.lag(),
        "backup_age_s": backup_age_s(replica),
        **audit_figures(replica),
        "devices": [_device_health(office, item, now) for item in grants],
    }


def _device_health(office: Office, item: Granted, now: int) -> dict[str, object]:
    contact = office.contacts.of(item.device)
    reported_ms, figures = office.contacts.figures(item.device)
    revoke = office.replica.holding.roster.revoked(item.device)
    return {
        "id": short_name(item.device),
        "label": item.label,
        "role": item.role,
        "revoked": None if revoke is None else revoke.reason,
        "last_contact_s": _age_s(now, contact.heard_ms),
        "last_sync_s": _age_s(now, contact.synced_ms),
        "last_entry_s": _age_s(now, _last_entry_ms(office, item)),
        "frontier_lag": max(0, office.contacts.entries_held() - contact.entries),
        "unsent": int(figures.get(_UNSENT, -1)),
        "reported_s": _age_s(now, reported_ms),
        "feeds_parted": _feeds_parted(office, item),
        "figures": figures,
    }


def _feeds_parted(office: Office, item: Granted) -> int:
    """Count the feeds of a device that two machines went on writing."""
    holding = office.replica.holding
    feeds = {chain.feed for chain in holding.chains.values() if chain.device == item.device}
    return sum(map(holding.is_forked, feeds))


def _last_entry_ms(office: Office, item: Granted) -> int:
    """Return when the newest entry that is held of a device was written, by its own clock."""
    holding = office.replica.holding
    chains = [chain for chain in holding.chains.values() if chain.device == item.device]
    return max((_written_ms(holding, chain) for chain in chains), default=0)


def _written_ms(holding: Holding, chain: Chain) -> int:
    newest = chain.row.head.seq
    for _, entry in holding.entries(chain, newest, newest):
        try:
            return millis(read_header(entry.header).timestamp)
        except PeerError:
            break  # written by a newer version: when, is not known
    return 0


def _age_s(now_ms: int, then_ms: int) -> int:
    return max(0, now_ms - then_ms) // 1000 if then_ms else -1


def _health(city: City, arguments: argparse.Namespace, output: Output) -> int:
    offices = city.chosen(arguments.ward)
    rows = [ward_health(office) for office in offices]
    protected = city.home.vault.protected_against_theft
    for office, row in zip(offices, rows, strict=True):
        output.say(
            f"{row['ward']} {row['name']}: {row['records']} dossiers, {row['conflicts']} disputed, "
            f"{row['quarantined']} held back, views {row['views_lag']} behind, "
            f"backup {_ago(row['backup_age_s'])}"
        )
        for sentence in warnings({**_NOTHING_WRONG, **audit_figures(office.replica)}):
            output.say(f"    ⚠ {sentence}")
        devices = row["devices"]
        for item in devices if isinstance(devices, list) else ():
            state = item["revoked"] or ACTIVE
            who = f"{item['label'] or item['id']} ({item['role']}, {state})"
            output.say(f"    {who}: {_heard(item)}")
            if item["feeds_parted"]:
                output.say("        ⚠ Its disk was copied: two machines wrote as one.")
            for sentence in warnings({**_NOTHING_WRONG, **item["figures"]}):
                output.say(f"        ⚠ {sentence}")
    if not protected:
        output.say("⚠ Not protected against theft of this machine.")
    output.data({"version": version(), "protected_against_theft": protected, "wards": rows})
    return DONE


def _heard(item: dict[str, Any]) -> str:
    """Say when a device was heard. A tablet that only meets its station is not silent for that."""
    if item["role"] == TABLET and item["last_contact_s"] < 0:
        return f"heard through its station, newest entry written {_ago(item['last_entry_s'])}"
    unsent = item["unsent"] if item["unsent"] >= 0 else "unknown"
    heard, in_step = _ago(item["last_contact_s"]), _ago(item["last_sync_s"])
    return f"heard {heard}, in step {in_step}, unsent {unsent}"


def _ago(seconds: object) -> str:
    if not isinstance(seconds, int) or seconds < 0:
        return "never"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name} ago"
    return f"{seconds} s ago"


# ---------------------------------------------------------------------------------- verify


def _verify(city: City, arguments: argparse.Namespace, output: Output) -> int:
    sound = True
    rows = []
    for office in city.chosen(arguments.ward):
        checks = verify(office.replica)
        good = not any(item.problems for item in checks)
        sound = sound and good
        rows.append({"ward": office.ward.code, "sound": good, "checks": _check_rows(checks)})
        output.say(f"{'✓' if good else '✗'} {office.ward.code} {office.ward.name}")
        for item in checks:
            output.say(f"    {'✓' if not item.problems else '✗'} {item.name}: {item.count}")
            for text in item.problems[:PROBLEMS_SHOWN_MAX]:
                output.say(f"        {text}")
    output.data({"sound": sound, "wards": rows})
    return DONE if sound else FAILED


def _check_rows(checks: list[Check]) -> list[dict[str, object]]:
    return [
        {
            "check": item.name,
            "count": item.count,
            "problems": len(item.problems),
            "first": list(islice(item.problems, PROBLEMS_SHOWN_MAX)),
        }
        for item in checks
    ]


# ---------------------------------------------------------------------------------- digest


def digest_row(office: Office) -> dict[str, object]:
    """Return what is compared between replicas of a ward."""
    office.replica.follow()
    found = office.replica.digest()
    return {
        "ward": office.ward.code,
        "frontier": found.frontier,
        "records": found.records,
        "sha256": found.sha256,
    }


def _digest(city: City, arguments: argparse.Namespace, output: Output) -> int:
    rows = [digest_row(office) for office in city.chosen(arguments.ward)]
    for row in rows:
        output.say(f"{row['ward']}: {row['records']} records")
        output.say(f"    frontier {row['frontier']}\n    views    {row['sha256']}")
    output.data(rows[0] if arguments.ward else rows)
    return DONE


COMMANDS: tuple[Command[City], ...] = (
    Command("health", "how the wards and their devices are", _health, _configure_ward),
    Command("verify", "check everything that is stored", _verify, _configure_ward),
    Command("digest", "frontier, records and hash of the views", _digest, _configure_ward),
)
