"""Rot on the disk: each flipped bit is noticed, and what it hit comes back.

ROT_DATABASE_BITS=10000, ROT_WAL_BITS=2000 and ROT_REPAIRS=100 play the full figures. Bundles and
snapshots have their own such tests, in `exchange/`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device_home.device import Device
from device_home.enrolment import join
from device_home.home import Home
from device_home.upkeep import check_chains, check_journal, check_pages, verify
from sync_protocol.attachment import open_scan, read_manifest
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.errors import SyncError
from sync_protocol.identity import NO_OFFICER
from sync_protocol.log.block import unpack
from sync_protocol.log.feed import follow
from sync_protocol.record.change import Changeset
from sync_protocol.replica import Act, Offer, Replica
from sync_protocol.replica.replica import SCAN_KEY_NOTE
from sync_protocol.storage.blob import FileChunks
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge
from tests.small_ward import Stores as MemoryStores
from tests.small_ward import Ward, make, open_replica

DATABASE_BITS = int(os.environ.get("ROT_DATABASE_BITS", "400"))
WAL_BITS = int(os.environ.get("ROT_WAL_BITS", "100"))
REPAIRS = int(os.environ.get("ROT_REPAIRS", "4"))
SYNCED, UNSENT = 300, 60

pytestmark = [pytest.mark.process, pytest.mark.timeout(3600)]
Tell = Callable[[str], None]


@dataclass
class Station:
    """A station at rest: its folder, and what it held when it was sound."""

    folder: Path
    hub: Hub
    records: int
    sha256: str

    def copy(self, to: Path) -> Path:
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
        return to


def capture(replica: Replica, count: int, seed: int) -> None:
    lines = (json.dumps(item).encode() for item in sample(count, seed))
    acts = [Act(NO_OFFICER, Changeset((read_intake(line).change(),))) for line in lines]
    replica.write_many(acts)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("rot")
    with running_hub(folder / "hub") as hub:
        device = Device(Home.create(folder / "edge"))
        join(device.home, hub.invite("edge"), "edge")
        device.sync()
        capture(device.replica(), SYNCED, 1)
        device.sync()
        device.close()  # all of it lies in the databases now, and only this lies in the WAL:
        device = Device.open(folder / "edge")
        capture(device.replica(), UNSENT, 2)
        digest = device.replica().digest()
        found = Station(folder / "cut", hub, digest.records, digest.sha256)
        shutil.copytree(
            folder / "edge", found.folder, ignore=shutil.ignore_patterns("*.sock", "*.lock")
        )  # as a power cut leaves it
        device.close()
        yield found


def ward(folder: Path) -> Path:
    return next((folder / "wards").iterdir())


def flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


# -------------------------------------------------------------------------------- databases


def notices(path: Path, key: bytes) -> bool:
    """Whether opening a store, or checking its pages, tells that something is wrong."""
    kind = SqliteLog if path.name == "log.db" else SqliteViews
    try:
        store = kind(str(path), key)
    except SyncError:
        return True
    try:
        return bool(store.check())
    except SyncError:
        return True
    finally:
        store.close()


def test_every_flipped_bit_of_the_databases_is_noticed(
    station: Station, tmp_path: Path, figure: Tell
) -> None:
    folder = station.copy(tmp_path / "edge")
    home = Home.open(folder)
    place = ward(folder)
    home.open_replica(home.place().ward, home.place().root).close()  # the WAL goes into the file
    keys = {name: home.vault.key(f"{name}/{place.name}") for name in ("log", "views")}
    sound = {name: (place / f"{name}.db").read_bytes() for name in keys}
    assert not any(notices(place / f"{name}.db", key) for name, key in keys.items())
    chance = random.Random(1)
    missed = []
    for _ in range(DATABASE_BITS):
        name = chance.choices(list(keys), [len(sound[one]) for one in keys])[0]
        bit = chance.randrange(8 * len(sound[name]))
        path = place / f"{name}.db"
        flip(path, bit)
        if not notices(path, keys[name]):
            missed.append((name, bit))
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.write_bytes(sound[name])
    home.close()
    size = sum(map(len, sound.values()))
    figure(f"{DATABASE_BITS} bits of {size:,} B of databases: {len(missed)} not noticed")
    assert not missed


def damaged(station: Station, folder: Path, chance: random.Random, name: str) -> Program:
    """Return a station of which one bit of a database is flipped."""
    station.copy(folder)
    path = ward(folder) / name
    flip(path, chance.randrange(8 * path.stat().st_size))
    return edge(folder.parent, folder.name)


def test_what_the_rot_hit_comes_back(station: Station, tmp_path: Path, figure: Tell) -> None:
    chance = random.Random(2)
    whole = 0
    for number in range(REPAIRS):
        name = ("log.db", "views.db")[number % 2]
        program = damaged(station, tmp_path / f"edge-{number}", chance, name)
        program.run("repair", "--json")
        found = program.ask("digest")
        whole += (found["records"], found["sha256"]) == (station.records, station.sha256)
        assert program.ask("verify")["sound"]
    figure(f"{REPAIRS} repairs: {whole} with every one of {station.records} dossiers back")
    assert whole == REPAIRS


def test_what_nobody_else_has_comes_back_without_a_line(
    station: Station, tmp_path: Path, figure: Tell
) -> None:
    """The journal gives back what this device wrote; who it is, it hears when there is a line."""
    chance = random.Random(3)
    hub, port = station.hub, station.hub.port
    back = 0
    for number in range(max(1, REPAIRS // 2)):
        program = damaged(station, tmp_path / f"edge-{number}", chance, "log.db")
        hub.stop()
        try:
            told = program.run("repair", "--json").json
        finally:
            hub.start(port)
        assert told["log_aside"]
        back += told["put_back"] >= UNSENT
        program.ok("sync")
        found = program.ask("digest")
        assert (found["records"], found["sha256"]) == (station.records, station.sha256)
    figure(f"{max(1, REPAIRS // 2)} repairs without a line: {back} with every unsent dossier back")
    assert back == max(1, REPAIRS // 2)


# --------------------------------------------------------------------------- write-ahead log


def test_every_flipped_bit_of_the_wal_is_noticed_and_the_rows_are_there(
    station: Station, tmp_path: Path, figure: Tell
) -> None:
    """SQLite drops the tail of a damaged WAL without a word: the journal knows better."""
    chance = random.Random(3)
    wal = ward(station.folder) / "log.db-wal"
    size = wal.stat().st_size
    assert size > 32 * 1024, "the fixture left nothing in the WAL"
    counts = {"noticed": 0, "harmless": 0, "missed": 0}
    rows = 0
    for _ in range(WAL_BITS):
        folder = station.copy(tmp_path / "edge")
        flip(ward(folder) / wal.name, chance.randrange(8 * size))
        what, records = reopened(folder, station)
        counts[what] += 1
        rows += records
    wanted = WAL_BITS * station.records
    figure(
        f"{WAL_BITS} bits of {size:,} B of WAL: {counts['noticed']} noticed, {counts['harmless']} "
        f"hit nothing that counts, {counts['missed']} missed; {rows / wanted:.2%} of the rows there"
    )
    assert not counts["missed"]
    assert rows == wanted


def reopened(folder: Path, station: Station) -> tuple[str, int]:
    """Return what an opening made of a damaged WAL, and how many rows are there."""
    home = Home.open(folder)
    try:
        place = home.place()
        path = ward(folder) / "log.db"
        try:
            bare = SqliteLog(str(path), home.vault.key(f"log/{place.ward.hex()}"))
            left = max((row.head.seq for row in bare.chains()), default=0)
            bare.close()  # what SQLite itself made of it
        except SyncError:
            return "noticed", 0
        replica = home.open_replica(place.ward, place.root)
        try:
            replica.follow()
            sound = not any(
                check(replica).problems for check in (check_chains, check_journal, check_pages)
            )
            digest = replica.digest()
            same = sound and (digest.records, digest.sha256) == (station.records, station.sha256)
            lost = left < SYNCED + UNSENT
            if lost:
                return ("noticed" if replica.author.notice and same else "missed"), digest.records
            return ("harmless" if same else "missed"), digest.records
        finally:
            replica.close()
    finally:
        home.close()


# ----------------------------------------------------------------------- blocks and chunks


def test_every_flipped_byte_of_a_block_is_refused(figure: Tell) -> None:
    writer = Ward("writer")
    replica = writer["writer"]
    for number in range(256):
        make(replica, f"Nguyễn Văn {number}")
    chain = replica.own
    start, packed = chain.declared.start, replica.rooms.log.packed(chain.number, 1, 256)
    sound = follow(start, unpack(packed, None).entries)
    reader = open_replica("reader", MemoryStores())
    admitted = same = 0
    for at in range(len(packed)):
        bad = bytearray(packed)
        bad[at] ^= 1 << at % 8
        offer = Offer(chain.feed, 1, start.hash[:16], bytes(bad))
        admission = reader.ingest([chain.declared.raw], [chain.row.seal], [offer])
        if admission.entries:
            # zstd has bits that say nothing: then the entries are the same, and so are the hashes.
            same += follow(start, unpack(bytes(bad), None).entries) == sound
            admitted += 1
            reader = open_replica("reader", MemoryStores())
    figure(f"{len(packed):,} flipped bytes of a block: {admitted - same} admitted as others")
    assert admitted == same
    offer = Offer(chain.feed, 1, start.hash[:16], packed)
    assert reader.ingest([chain.declared.raw], [chain.row.seal], [offer]).entries == 256


def test_every_flipped_byte_of_a_chunk_is_noticed(tmp_path: Path, figure: Tell) -> None:
    ward_ = Ward("edge")
    replica = ward_["edge"]
    scan = random.Random(4).randbytes(6000)
    manifest = read_manifest(replica.attach(scan, "image/jpeg"))
    key = replica.rooms.log.note(SCAN_KEY_NOTE + manifest.id.hex())
    assert key is not None
    address = manifest.chunks[0]
    chunk = replica.rooms.chunks.get(address)
    assert chunk is not None
    chunks = FileChunks(tmp_path / "chunks")
    for at in range(len(chunk)):
        chunks.put(address, chunk)
        path = next(p for p in (tmp_path / "chunks").rglob("*") if p.name == address.hex())
        flip(path, 8 * at + at % 8)
        assert chunks.get(address) is None
        assert not chunks.has(address), "it counts as missing, and is fetched again"
    chunks.put(address, chunk)
    assert open_scan(manifest, key, chunks.get) == scan
    figure(f"{len(chunk):,} flipped bytes of a chunk: every one noticed")


def test_every_flipped_byte_of_a_scans_manifest_is_noticed() -> None:
    """The manifest lies in a signed entry; by itself it opens only what it was made for."""
    replica = Ward("edge")["edge"]
    scan = random.Random(5).randbytes(3000)
    raw = replica.attach(scan, "image/jpeg")
    sound = read_manifest(raw)
    key = replica.rooms.log.note(SCAN_KEY_NOTE + sound.id.hex())
    assert key is not None
    for at in range(len(raw)):
        bad = bytearray(raw)
        bad[at] ^= 1 << at % 8
        try:
            found = read_manifest(bytes(bad))
            opened = open_scan(found, key, replica.rooms.chunks.get)
        except SyncError:
            continue
        assert opened is None or opened == scan, "another picture must never come out"


def test_a_sound_station_verifies(station: Station, tmp_path: Path) -> None:
    """What the others are measured against."""
    home = Home.open(station.copy(tmp_path / "edge"))
    replica = home.open_replica(home.place().ward, home.place().root)
    assert not [text for check in verify(replica) for text in check.problems]
    replica.close()
    home.close()
