"""What a hub's receipts spoke of, and a restored copy of it holds no longer, is brought again."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from sync_protocol import limits
from sync_protocol.attachment import read_manifest
from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.errors import LimitExceededError
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.exchange.scans import ScanCourier
from sync_protocol.identity import NO_OFFICER, AttachmentId
from sync_protocol.replica import Replica, Rooms
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from tests.integration.exchange.office import Office


def capture_scan(replica: Replica, seed: int = 5) -> AttachmentId:
    """Write a dossier with one scan; return the scan."""
    manifest = replica.attach(os.urandom(300_000), "image/jpeg")
    scan = read_manifest(manifest).id
    page = paper("page", "Trang", attachment=scan, manifest=manifest)
    line = json.dumps(next(sample(1, seed))).encode()
    replica.write([read_intake(line).change([page])], NO_OFFICER)
    return scan


def copied(office: Office) -> Rooms:
    """Return what a backup of the hub holds now."""
    copies: list[Any] = [MemoryLog(), MemoryViews(), MemoryJournal(), MemoryChunks()]
    rooms: Any = office.hub.rooms
    for mine, theirs in zip(
        copies, (rooms.log, rooms.views, rooms.journal, rooms.chunks), strict=True
    ):
        mine.restore(theirs.snapshot())
    log, views, journal, chunks = copies
    return Rooms(log, views, journal, chunks, rooms.journal_key)


@pytest.mark.parametrize("text_was_there", [True, False])
def test_a_hub_restored_without_being_told_gets_its_scans_again(*, text_was_there: bool) -> None:
    office = Office()
    edge = office.edge()
    backup = copied(office)
    scan = capture_scan(edge)
    if text_was_there:
        office.sync(edge, scans=False)
        backup = copied(office)
    office.sync(edge)
    assert edge.receipts.scan_safety(scan).hub
    assert not edge.scans.waiting()

    office.hub = office.replica(office.hub_keys, backup)
    office.hub.follow()
    office.sync(edge)
    office.sync(edge)
    assert office.hub.scans.holds(office.hub.scans.waiting().get(scan, []))
    assert not office.hub.scans.waiting(), "it lacks nothing"
    assert edge.receipts.scan_safety(scan).hub
    assert not edge.scans.waiting()


def test_who_lacks_many_names_others_each_time() -> None:
    office = Office()
    edge = office.edge()
    count = limits.SCANS_LACKING_SHOWN_MAX + 3
    scans = {capture_scan(edge, seed) for seed in range(count)}
    office.sync(edge, scans=False)
    chunks = Responder(office.hub, Nonces())._chunks
    first, second, third = chunks.lacking(), chunks.lacking(), chunks.lacking()
    assert len(first) == limits.SCANS_LACKING_SHOWN_MAX
    assert {AttachmentId(name) for name, _ in [*first, *second]} == scans
    assert third


def test_what_is_not_here_whole_or_has_another_name_is_not_queued() -> None:
    office = Office()
    edge = office.edge()
    scan = capture_scan(edge)
    office.sync(edge)
    courier = ScanCourier(edge, lambda *_: pytest.fail("nothing is asked"))
    hub = office.hub.keys.public
    courier.offer_again([(bytes(scan), [bytes(32)]), (bytes(16), [bytes(32)])], hub)
    assert not edge.scans.waiting()
    assert edge.receipts.scan_safety(scan).hub
    with pytest.raises(LimitExceededError):
        courier.offer_again([(bytes(scan), [])] * (limits.SCANS_LACKING_SHOWN_MAX + 1), hub)
