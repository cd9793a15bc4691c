"""`repair`: views from the log, the log from the peer, own entries from the journal, chunks again.

What holds:
* Nothing is deleted: a damaged store is put aside under `damaged-<n>/` beside the new one.
* A log that is put aside loses nothing that was acknowledged: a journal that holds its feed from
  the beginning gives the feed back, and it goes on. Otherwise this device's feed ends and the new
  one is another incarnation; what the old journal holds is put back into the old feed, byte for
  byte, and pushed. Neither needs a peer; a peer that can be reached fills in the rest.
* All of it may be repeated, and goes on where it was.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from device_home.command import DONE, FAILED, Command, Output
from device_home.device import Device
from device_home.home import own_declarations
from device_home.upkeep import Check, check_chains, check_pages, manifests, verify, why
from sync_protocol.errors import (
    NewerStoreError,
    PeerError,
    StorageError,
    StoreBusyError,
    StoreFullError,
    SyncError,
    WrongKeyError,
)
from sync_protocol.identity import FeedId
from sync_protocol.log.block import pack, spans
from sync_protocol.log.entry import SHORT_HASH_BYTES
from sync_protocol.log.feed import read_declaration
from sync_protocol.log.journal import JournalFrame, open_frame
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.replica import Offer, Replica
from sync_protocol.storage.files import disk_errors, make_folder, sync_folder
from sync_protocol.storage.journal import FileJournal
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews

if TYPE_CHECKING:
    from sync_protocol.identity import WardId

_LOG, _VIEWS = "log.db", "views.db"
_SIDES = ("", "-wal", "-shm")


@dataclass(slots=True)
class Repaired:
    """What was done."""

    log_aside: bool = False
    views_aside: bool = False
    put_back: int = 0
    scans_asked: int = 0
    synced: bool = False
    why_not: str = ""


def repair_commands() -> list[Command[Device]]:
    """Return the command."""
    return [Command("repair", "mend what `verify` found", run_repair, _options)]


def run_repair(device: Device, arguments: Namespace, output: Output) -> int:
    """Mend what can be mended, and verify."""
    done = Repaired()
    place = device.home.place()
    _set_aside(device, place.ward, done, force=arguments.log)
    replica = device.replica()
    if done.log_aside:  # the journal that is whole gave its feed back when the new log opened
        done.put_back += replica.author.put_back
    done.put_back += put_back(device, replica)
    _try_sync(device, done)
    done.put_back += put_back(device, replica)
    replica.rebuild()
    done.scans_asked = ask_for_scans(replica)
    if done.put_back or done.scans_asked:
        _try_sync(device, done)
    checks = verify(replica)
    return _tell(done, checks, output)


def _tell(done: Repaired, checks: Sequence[Check], output: Output) -> int:
    wrong = [f"{item.name}: {text}" for item in checks for text in item.problems]
    output.data(
        {
            "sound": not wrong,
            "log_aside": done.log_aside,
            "views_aside": done.views_aside,
            "put_back": done.put_back,
            "scans_asked": done.scans_asked,
            "synced": done.synced,
            "problems": len(wrong),
        }
    )
    if done.log_aside:
        output.say("The log was damaged; it was put aside and made anew.")
    if done.put_back:
        output.say(f"{done.put_back} entries of this device were put back from its journal.")
    if not done.synced:
        output.note(f"The peer could not be asked: {done.why_not}\nRun “repair” again later.\n")
    for text in wrong[:20]:
        output.say(f"✗ {text}")
    output.say("Everything is sound." if not wrong else "Not everything is mended yet.")
    return FAILED if wrong else DONE


def _try_sync(device: Device, done: Repaired) -> None:
    try:
        device.sync()
        done.synced, done.why_not = True, ""
    except StorageError:
        raise
    except SyncError as problem:
        done.synced, done.why_not = False, why(problem)


# ------------------------------------------------------------------------- putting aside


def _set_aside(device: Device, ward: WardId, done: Repaired, *, force: bool) -> None:
    """Put damaged stores aside, so that the next opening makes new ones."""
    folder = device.home.ward_folder(ward)
    log_bad, views_bad = force, False
    try:
        replica = device.replica()
        pages = check_pages(replica).problems
        log_bad = log_bad or any(text.startswith("log") for text in pages)
        log_bad = log_bad or bool(check_chains(replica).problems)
        views_bad = any(text.startswith("views") for text in pages)
    except (NewerStoreError, StoreBusyError, StoreFullError):
        raise  # it is not damaged
    except (StorageError, WrongKeyError, PeerError):
        log_bad = log_bad or not _opens_log(device, folder)
        views_bad = not _opens_views(device, folder)
        if not log_bad and not views_bad:
            log_bad = True  # it opens, and can't be read: its content is damaged
    if log_bad or views_bad:
        device.close_replica()
        aside = _new_aside(folder)
        with disk_errors("putting a damaged store aside"):
            if log_bad:
                _move(folder, _LOG, aside)
            _move(folder, _VIEWS, aside)  # views follow the log's own numbers: never kept without
    done.log_aside, done.views_aside = log_bad, log_bad or views_bad


def _opens_log(device: Device, folder: Path) -> bool:
    key = device.home.vault.key(f"log/{folder.name}")
    try:
        store = SqliteLog(str(folder / _LOG), key)
    except (StorageError, WrongKeyError):
        return False
    damaged = bool(store.check())
    store.close()
    return not damaged


def _opens_views(device: Device, folder: Path) -> bool:
    key = device.home.vault.key(f"views/{folder.name}")
    try:
        store = SqliteViews(str(folder / _VIEWS), key)
    except (StorageError, WrongKeyError):
        return False
    damaged = bool(store.check())
    store.close()
    return not damaged


def _new_aside(folder: Path) -> Path:
    number = 1
    while (aside := folder / f"damaged-{number}").exists():
        number += 1
    with disk_errors("putting a damaged store aside"):
        make_folder(aside)
    return aside


def _move(folder: Path, name: str, aside: Path) -> None:
    for side in _SIDES:
        path = folder / (name + side)
        if path.exists():
            path.rename(aside / path.name)
    sync_folder(aside)
    sync_folder(folder)


# ------------------------------------------------------------------------- own entries


def put_back(device: Device, replica: Replica) -> int:
    """Put entries of this device's old feeds back from the journals; return how many were new."""
    declared = own_declarations(device.home)
    total = 0
    for frames in _old_frames(device, replica):
        by_feed: dict[FeedId, list[JournalFrame]] = {}
        for frame in frames:
            by_feed.setdefault(frame.feed, []).append(frame)
        for feed, found in by_feed.items():
            if feed != replica.own.feed:
                total += _put_back(device, replica, declared.get(feed), found)
    return total


def _old_frames(device: Device, replica: Replica) -> Iterator[list[JournalFrame]]:
    folder = device.home.ward_folder(replica.holding.ward) / "journal"
    for aside in sorted(folder.glob("damaged-*")):
        journal = FileJournal(aside)
        frames = []
        try:
            for raw in journal.frames():
                frames.append(open_frame(replica.rooms.journal_key, raw))  # noqa: PERF401 - up to the first bad one
        except PeerError:
            pass
        finally:
            journal.close()
        yield frames


def _put_back(
    device: Device, replica: Replica, declaration: bytes | None, frames: list[JournalFrame]
) -> int:
    chains = replica.holding.by_feed.get(frames[0].feed, [])
    head = max((chain.row.head.seq for chain in chains), default=0)
    missing = [frame for frame in frames if frame.seq > head]
    if not missing or (declaration is None and not chains):
        return 0
    raw = declaration if declaration is not None else chains[0].row.declaration
    before = {0: read_declaration(raw).start.hash, **{frame.seq: frame.hash for frame in frames}}
    last = missing[-1]
    seal = encode_seal(make_seal(device.home.keys.signing, last.feed, last.seq, last.hash))
    offers = []
    for first, end in spans(missing[0].seq, last.seq):
        entries = [frame.entry for frame in missing if first <= frame.seq <= end]
        known = before.get(first - 1) or _hash_before(replica, last.feed, first)
        if known is None or len(entries) != end - first + 1:
            return 0
        offers.append(Offer(last.feed, first, known[:SHORT_HASH_BYTES], pack(first, entries)))
    admission = replica.ingest([raw], [seal], offers)
    replica.follow()
    return admission.entries


def _hash_before(replica: Replica, feed: FeedId, first: int) -> bytes | None:
    for chain in replica.holding.by_feed.get(feed, []):
        found = replica.holding.hash_at(chain, first - 1)
        if found is not None:
            return found
    return None


# ------------------------------------------------------------------------------- scans


def ask_for_scans(replica: Replica) -> int:
    """Queue every scan that is not whole here, so that the next exchange fetches it."""
    waiting = replica.scans.waiting()
    erased = replica.holding.roster.erased_chunks
    found = {
        manifest.id: manifest.chunks
        for manifest in manifests(replica)
        if not replica.scans.holds(manifest.chunks) and not erased.intersection(manifest.chunks)
    }
    replica.scans.put({scan: chunks for scan, chunks in found.items() if scan not in waiting})
    return len(found)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log", action="store_true", help="put the log aside even where it looks sound"
    )
