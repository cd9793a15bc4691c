"""`digest`, `verify`, `health`: what a home says of itself.

What holds: `verify` changes nothing but that a chunk which is not what its address says is
dropped, so that it counts as missing and is fetched again. Its refold runs beside the work that
goes on; only the last step, over what came meanwhile, holds the views still. `health` says nothing
of anybody: counts, ages and codes only.
"""

from __future__ import annotations

import hashlib
import shutil
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from device_home.app import App
from device_home.command import DONE, FAILED, Command, Output
from device_home.home import Home
from device_home.notes import clock_offset_ms, last_contact_ms, last_success_ms
from sync_protocol import limits
from sync_protocol.attachment import Manifest
from sync_protocol.clock import millis
from sync_protocol.errors import PeerError, StorageError, SyncError
from sync_protocol.log.entry import read_header
from sync_protocol.log.feed import Head
from sync_protocol.log.journal import open_frame
from sync_protocol.log.seal import check_seal, decode_seal
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica, audit
from sync_protocol.replica.follow import Follower
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.rejudge import Rejudge
from sync_protocol.storage.store import ViewStore

PROBLEMS_SHOWN_MAX = 20


def upkeep_commands() -> list[Command[App]]:
    """Return the commands that need an opened ward; `repair` has a module of its own."""
    return [
        Command("digest", "frontier, number of records and hash of the views", run_digest),
        Command("verify", "check everything that is stored", run_verify),
        Command("health", "how this device is", run_health),
    ]


# ---------------------------------------------------------------------------------- digest


def run_digest(app: App, arguments: Namespace, output: Output) -> int:
    """Say what is compared between replicas."""
    replica = app.replica(arguments)
    replica.follow()
    found = replica.digest()
    output.data({"frontier": found.frontier, "records": found.records, "sha256": found.sha256})
    output.say(f"{found.records} records\nfrontier {found.frontier}\nviews    {found.sha256}")
    return DONE


# ---------------------------------------------------------------------------------- verify


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: how many parts of it, and what is wrong."""

    name: str
    count: int
    problems: tuple[str, ...] = ()


def verify(replica: Replica) -> list[Check]:
    """Check log, journal, pages, scans and views of one ward."""
    return [
        check_chains(replica),
        check_journal(replica),
        check_pages(replica),
        check_chunks(replica),
        check_views(replica),
    ]


def check_chains(replica: Replica) -> Check:
    """Hash every chain again, up to its seal, and check the seal's signature."""
    problems: list[str] = []
    entries = 0
    for chain in replica.holding.chains.values():
        name = f"feed {chain.feed.hex()[:12]}"
        try:
            entries += _check_chain(replica, chain)
        except _WrongError as wrong:
            problems.append(f"{name}: {wrong}")
        except (PeerError, StorageError) as problem:
            problems.append(f"{name}: {problem.diagnosis}")
    return Check("chains", entries, tuple(problems))


class _WrongError(Exception):
    """A chain is not what it says; the text tells how."""


def _check_chain(replica: Replica, chain: Chain) -> int:
    row = chain.row
    start = max(Head(row.base_seq, b""), row.floor, key=lambda head: head.seq).seq
    before = replica.holding.hash_at(chain, start)
    if before is None:
        raise _WrongError("its beginning is missing")
    at = Head(start, before)
    count = 0
    for seq, entry in replica.rooms.log.entries(chain.number, start + 1, row.staged.seq):
        body_is = entry.body is None or hashlib.sha256(entry.body).digest() == entry.body_hash
        if seq != at.seq + 1 or not body_is:
            raise _WrongError(f"entry {at.seq + 1} is missing or damaged")
        at = Head(seq, entry.follow(at.hash))
        count += 1
        if seq == row.head.seq and at != row.head:
            raise _WrongError("its entries do not lead to its head")
    if at.seq < row.head.seq:
        raise _WrongError(f"entries {at.seq + 1} to {row.head.seq} are missing")
    if row.head.seq:
        _check_seal(chain)
    return count


def _check_seal(chain: Chain) -> None:
    seal = decode_seal(chain.row.seal)
    check_seal(seal, chain.device)
    if (seal.seq, seal.hash) != chain.row.head or seal.feed != chain.feed:
        raise _WrongError("its seal is for another head")


def check_journal(replica: Replica) -> Check:
    """Check that the capture journal's end is our feed's head."""
    with replica.lock:
        own = replica.own
        frames = list(replica.rooms.journal.frames())
    last = None
    try:
        for raw in frames:
            frame = open_frame(replica.rooms.journal_key, raw)
            last = frame if frame.feed == own.feed else last
    except PeerError as problem:
        return Check("journal", len(frames), (f"a frame can't be read: {problem.code}",))
    end = Head(0, b"") if last is None else Head(last.seq, last.hash)
    if (own.row.head.seq or last is not None) and end != own.row.head:
        return Check("journal", len(frames), ("its end is not the head of this device's feed",))
    return Check("journal", len(frames))


def check_pages(replica: Replica) -> Check:
    """Check the pages of both databases."""
    found = [f"log: {text}" for text in replica.rooms.log.check()]
    found += [f"views: {text}" for text in replica.rooms.views.check()]
    return Check("pages", 2, tuple(found))


def check_chunks(replica: Replica) -> Check:
    """Check each chunk against its address, and that every scan is whole or on its way."""
    store = replica.rooms.chunks
    problems = []
    count = 0
    for address in list(store.addresses()):
        count += 1
        if store.get(address) is None:
            problems.append(f"chunk {address.hex()[:16]} is damaged")
    erased = replica.holding.roster.erased_chunks
    waiting = set(replica.scans.waiting())
    for manifest in manifests(replica):
        whole = replica.scans.holds(manifest.chunks) or erased.intersection(manifest.chunks)
        if not whole and manifest.id not in waiting:
            problems.append(f"scan {manifest.id.hex()} is not whole")
    return Check("chunks", count, tuple(problems))


def manifests(replica: Replica) -> Iterator[Manifest]:
    """Yield the manifest of every scan that a dossier refers to."""
    for stored in replica.rooms.views.scan():
        if stored.attachments:
            state = decode_state(stored.state, stored.pending)
            kind = replica.schema.by_id.get(state.type)
            if kind is not None:
                yield from replica.follower.projection.manifests(kind, state)


def check_views(replica: Replica) -> Check:
    """Fold the whole log again, in memory, and compare with what is stored."""
    from sync_protocol.storage.memory import MemoryViews  # late, as few commands need it

    fresh = MemoryViews()
    follower = Follower(replica.holding, fresh, replica.schema, replica.follower.projection)
    Rejudge(follower)
    follower.follow()
    with replica.view_lock:
        replica.follow()
        follower.follow()
        stored = _rows_hash(replica.rooms.views)
    again = _rows_hash(fresh)
    if stored != again:
        return Check("views", stored[0], ("they are not what the log gives: run “repair”",))
    return Check("views", stored[0])


def _rows_hash(views: ViewStore) -> tuple[int, bytes]:
    total = hashlib.sha256()
    count = 0
    for row in views.scan():
        total.update(row.id + hashlib.sha256(row.state).digest())
        count += 1
    for held in views.held():
        total.update(repr((held.chain, held.seq, held.reason)).encode())
    return count, total.digest()


def run_verify(app: App, arguments: Namespace, output: Output) -> int:
    """Check everything that is stored in one ward."""
    checks = verify(app.replica(arguments))
    sound = not any(item.problems for item in checks)
    output.data(
        {
            "sound": sound,
            "checks": [
                {
                    "check": item.name,
                    "count": item.count,
                    "problems": len(item.problems),
                    "first": list(islice(item.problems, PROBLEMS_SHOWN_MAX)),
                }
                for item in checks
            ],
        }
    )
    for item in checks:
        output.say(f"{'✓' if not item.problems else '✗'} {item.name}: {item.count}")
        for text in item.problems[:PROBLEMS_SHOWN_MAX]:
            output.say(f"    {text}")
    if not sound:
        output.say("Something is damaged. What is acknowledged stays safe: run “repair”.")
    return DONE if sound else FAILED


# ---------------------------------------------------------------------------------- health


def figures(home: Home, replica: Replica) -> dict[str, int | str]:
    """Return the figures of one ward: counts, ages in seconds, bytes, versions. -1: unknown."""
    now = replica.character.wall()
    counts = replica.rooms.views.counts()
    unsent, oldest = unsent_entries(home, replica)
    offset = clock_offset_ms(replica)
    return {
        "version": version(),
        "ward": replica.holding.ward.hex(),
        "role": replica.holding.roster.role_of(home.keys.public) or "",
        "entries_unsent": unsent,
        "oldest_unsent_s": 0 if not oldest else max(0, now - oldest) // 1000,
        "scans_waiting": len(replica.scans.waiting()),
        "records": counts.records,
        "quarantined": counts.held,
        "conflicts": counts.disputed + counts.clashes,
        "oldest_conflict_s": (
            max(0, now - millis(counts.oldest_dispute)) // 1000 if counts.disputed else 0
        ),
        "views_lag": replica.follower.lag(),
        "feeds_waiting": len(replica.follower.waiting),
        "journal_bytes": journal_bytes(home, replica),
        "free_bytes": shutil.disk_usage(home.folder).free,
        "clock_offset_ms": 0 if offset is None else offset,
        "protected_against_theft": int(home.vault.protected_against_theft),
        "last_contact_s": _age_s(now, last_contact_ms(replica)),
        "last_success_s": _age_s(now, last_success_ms(replica)),
        **audit_figures(replica),
        **_notice(replica, now),
    }


def _notice(replica: Replica, now: int) -> dict[str, int | str]:
    """Return what this opening found, or else why the newest incarnation was opened."""
    reason, at = replica.author.last_notice()
    return {"notice": replica.author.notice or reason, "notice_s": _age_s(now, at or None)}


def audit_figures(replica: Replica) -> dict[str, int | str]:
    """Return what comparing sums with others has found: how often they differed, and when last."""
    found = audit.alarm(replica)
    return {
        "audits_differing": found.count,
        "audit_differed_s": _age_s(replica.character.wall(), found.last_ms or None),
        "audit_healed": found.healed,
    }


def unsent_entries(home: Home, replica: Replica) -> tuple[int, int]:
    """Return how many entries the peer has not receipted, and when the oldest was written (ms)."""
    place = home.enrolment()
    if place is None:
        return 0, 0  # the hub itself: nobody stands above it
    receipt = replica.receipts.newest(place.responder)
    known = {} if receipt is None else {mark.feed: mark.seq for mark in receipt.frontier}
    count, oldest = 0, 0
    for chain in replica.holding.chains.values():
        head, seq = chain.row.head.seq, max(known.get(chain.feed, 0), chain.row.floor.seq)
        if head > seq:
            count += head - seq
            for _, entry in replica.holding.entries(chain, seq + 1, seq + 1):
                written = _written_ms(entry.header)
                oldest = min(oldest or written, written)
    return count, oldest


def _written_ms(header: bytes) -> int:
    try:
        return millis(read_header(header).timestamp)
    except PeerError:
        return 0


def _age_s(now_ms: int, then_ms: int | None) -> int:
    return -1 if then_ms is None else max(0, now_ms - then_ms) // 1000


def journal_bytes(home: Home, replica: Replica) -> int:
    """Return the size of the capture journal on disk."""
    folder = home.ward_folder(replica.holding.ward) / "journal"
    return sum(path.stat().st_size for path in folder.glob("*.journal"))


def version() -> str:
    """Return the program's version."""
    from importlib import metadata  # late: it is slow to load

    try:
        return metadata.version("motcua")
    except metadata.PackageNotFoundError:
        return "0"  # run from a source tree


def run_health(app: App, arguments: Namespace, output: Output) -> int:
    """Say how this device is. A warning is no failure: exit 0."""
    found = figures(app.home, app.replica(arguments))
    output.data(found)
    for name, value in found.items():
        output.say(f"{name}: {value}")
    for sentence in warnings(found):
        output.say(f"⚠ {sentence}")
    return DONE


COPIED = frozenset({"forked", "copy-of-this-device-seen", "journal-behind", "journal-differs"})
"""Notices that say that the store was copied, restored, or lost its end."""


def warnings(found: dict[str, int | str]) -> list[str]:
    """Return what somebody should look after."""
    tests = (
        (not found["protected_against_theft"], "Not protected against theft of this machine."),
        (
            int(found["free_bytes"]) < limits.DISK_RESERVE_BYTES,
            "The disk is nearly full: make room.",
        ),
        (
            abs(int(found["clock_offset_ms"])) > limits.CLOCK_SUSPECT_MS,
            "The clock of this machine is wrong.",
        ),
        (int(found["quarantined"]) > 0, "Something is held back: see “quarantine list”."),
        (int(found["conflicts"]) > 0, "Somebody must decide: see “conflict list”."),
        (
            0 <= int(found["audit_differed_s"]) < limits.AUDIT_SHOWN_DAYS * 86_400,
            "What is shown here has differed from the peer's: run “verify” on both.",
        ),
        (
            0 <= int(found.get("notice_s", -1)) < limits.NOTICE_SHOWN_DAYS * 86_400
            and found.get("notice") in COPIED,
            "Its disk was copied or restored: two went on as one. Nothing is lost; find out who.",
        ),
    )
    return [sentence for due, sentence in tests if due]


def why(problem: SyncError) -> str:
    """Return an error as one line for a person."""
    return f"{problem.diagnosis} [{problem.code}]"
