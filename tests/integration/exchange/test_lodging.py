"""Chunks that no dossier names: bounded per device, swept after a time, never once receipted."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from sync_protocol import limits
from sync_protocol.attachment import attachment_id, read_manifest
from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.errors import LimitExceededError
from sync_protocol.exchange.scans import Chunks
from sync_protocol.identity import NO_OFFICER, DeviceKey
from sync_protocol.replica import Replica
from sync_protocol.replica.lodging import lodged, sweep_lodged
from sync_protocol.wire.chunk import ChunksPut
from tests.integration.exchange.office import DAY_MS, Office

SENDER, OTHER = DeviceKey(b"s" * 32), DeviceKey(b"o" * 32)
SIZE = 5000


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def hub(office: Office, monkeypatch: pytest.MonkeyPatch) -> Replica:
    monkeypatch.setattr(limits, "LODGED_BYTES_MAX", 3 * SIZE)
    return office.hub


def address(chunk: bytes) -> bytes:
    return hashlib.sha256(chunk).digest()


def put(
    chunks: Chunks, *brought: bytes, sender: DeviceKey = SENDER, scan: list[bytes] | None = None
) -> None:
    """Bring chunks as parts of `scan` (addresses), or of none."""
    scans = [] if scan is None else [(bytes(attachment_id(scan)), scan)]
    body = ChunksPut([address(item) for item in brought], [len(item) for item in brought], scans)
    chunks.put(body, iter(brought), sender)


def pieces(count: int) -> list[bytes]:
    return [os.urandom(SIZE) for _ in range(count)]


def test_a_device_leaves_so_much_and_no_more(hub: Replica) -> None:
    chunks = Chunks(hub)
    brought = pieces(4)
    with pytest.raises(LimitExceededError):
        put(chunks, *brought)
    assert [hub.rooms.chunks.has(address(item)) for item in brought] == [True, True, True, False]
    put(chunks, *brought[:3])
    put(chunks, brought[3], sender=OTHER)
    with pytest.raises(LimitExceededError):
        put(Chunks(hub), *pieces(1))
    tiny = [os.urandom(8) for _ in range(3)]
    with pytest.raises(LimitExceededError):
        put(chunks, *tiny, sender=OTHER)


def test_what_a_dossier_names_is_taken_in_beside_what_is_refused_and_counts_no_more(
    office: Office, hub: Replica
) -> None:
    edge = office.edge()
    manifest = edge.attach(os.urandom(9000), "image/jpeg")
    named = read_manifest(manifest)
    parts = [edge.rooms.chunks.get(item) or b"" for item in named.chunks]
    chunks = Chunks(hub)
    put(chunks, *parts, scan=named.chunks)
    assert len(lodged(hub)) == 1
    put(chunks, pieces(1)[0])
    office.now_ms += DAY_MS
    with pytest.raises(LimitExceededError):
        put(chunks, *pieces(1))
    page = paper("page", "Trang", attachment=named.id, manifest=manifest)
    change = read_intake(json.dumps(next(sample(1, 5))).encode()).change([page])
    edge.write([change], NO_OFFICER)
    office.sync(edge, scans=False)
    office.now_ms += DAY_MS
    put(chunks, *pieces(1))
    assert named.chunks[0] not in lodged(hub)
    for item in named.chunks:
        hub.rooms.chunks.remove(item)
    extra = pieces(1)[0]
    body = ChunksPut(
        [address(extra), *named.chunks],
        [len(extra), *map(len, parts)],
        [(bytes(named.id), named.chunks)],
    )
    put(chunks, *pieces(1))
    with pytest.raises(LimitExceededError):
        chunks.put(body, iter([extra, *parts]), SENDER)
    assert hub.scans.holds(named.chunks)


def test_what_was_never_named_goes_after_a_month_but_not_what_was_receipted(
    office: Office, hub: Replica
) -> None:
    chunks = Chunks(hub)
    half, whole = pieces(2)
    put(chunks, half, scan=[address(half), b"x" * 32])
    put(chunks, whole, scan=[address(whole), b"y" * 32])  # a liar's name for another's chunk
    put(chunks, whole, scan=[address(whole)])
    assert sweep_lodged(hub) == 0
    office.now_ms += (limits.LODGED_DAYS + 1) * DAY_MS
    assert sweep_lodged(hub) == 1
    assert not hub.rooms.chunks.has(address(half))
    assert hub.rooms.chunks.has(address(whole))
    assert sweep_lodged(hub) == 0
