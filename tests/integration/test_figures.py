"""The figures to reach, measured on real processes, real HTTPS and real disks.

FIGURES_DOSSIERS (10000) and FIGURES_ENTRIES (1000000) size the heavy two.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from device_home.device import Device
from device_home.dossiers import find_record, load
from device_home.home import Home
from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.encoding import compress
from sync_protocol.identity import NO_OFFICER, WardId
from sync_protocol.log.block import pack
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.log.feed import Head, declare
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.record.diff import Shown, edit
from sync_protocol.storage.store import ChainRow
from tests.town.process import Program
from tests.town.town import Town, acknowledged, dossiers, saved, town

DOSSIERS = int(os.environ.get("FIGURES_DOSSIERS", "10000"))
ENTRIES = int(os.environ.get("FIGURES_ENTRIES", "1000000"))
MEMORY_MAX_MB = 200
IDLE_BYTES_MAX = 300
EDITS, EDITS_BYTES_MAX = 100, 4096
REQUESTS_MAX = 6
OPEN_S_MAX = 1.0
DISK_BYTES, ROOM_BYTES = 16 * 1024 * 1024, 3 * 1024 * 1024
WARD = "00070"

pytestmark = [pytest.mark.process, pytest.mark.timeout(1200)]
Tell = Callable[[str], None]


@pytest.fixture
def place() -> Iterator[Town]:
    with town() as found:
        found.found((WARD, "Phường Hoàn Kiếm"))
        yield found


def peak_mb(device: Program, *words: str) -> tuple[float, dict[str, int]]:
    """Run a command in a process of its own; return its peak memory and what it reported."""
    prefix, device.prefix = device.prefix, (sys.executable, "-m", "tests.town.peak")
    try:
        answer = device.must(*words, "--json", timeout_s=600)
    finally:
        device.prefix = prefix
    last = answer.err.strip().splitlines()[-1].split()
    assert last[0] == "peak_kib"
    return int(last[1]) / 1024, answer.lines()[-1]


def test_ten_thousand_dossiers(place: Town, figure: Tell) -> None:
    """Memory of capture, push and pull; bytes against zstd-3 of the same lines; requests."""
    one, two = place.enrol("edge", "one", WARD), place.enrol("edge", "two", WARD)
    one.ask("sync")
    path = place.intake_file("many", DOSSIERS, seed=1)
    lines = len(zstd_3(path))
    peaks = {}
    peaks["intake"], _ = peak_mb(one, "intake", str(path))
    peaks["push"], pushed = peak_mb(one, "sync")
    peaks["pull"], pulled = peak_mb(two, "sync")
    served = place.line_back()
    peaks["city"] = resident_peak_mb(served.running.process.pid)
    assert pushed["entries_sent"] >= DOSSIERS
    assert pulled["entries_received"] >= DOSSIERS
    both = place.settle(WARD, [one, two], rounds=1)
    assert both["records"] == DOSSIERS
    shown = ", ".join(f"{name} {value:.0f} MB" for name, value in peaks.items())
    figure(f"{DOSSIERS:,} dossiers, peak memory: {shown}")
    figure(
        f"{DOSSIERS:,} dossiers: {pushed['bytes_sent']:,} B in {pushed['requests']} requests up, "
        f"{pulled['bytes_received']:,} B in {pulled['requests']} down; zstd-3 of the lines "
        f"{lines:,} B; {pushed['duration_ms']} and {pulled['duration_ms']} ms"
    )
    assert max(peaks.values()) <= MEMORY_MAX_MB
    assert pushed["bytes_sent"] <= lines
    assert pulled["bytes_received"] <= lines
    assert pushed["requests"] <= REQUESTS_MAX
    assert pulled["requests"] <= REQUESTS_MAX


def zstd_3(path: Path) -> bytes:
    return compress(path.read_bytes(), level=3)


def resident_peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    row = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(row.split()[1]) / 1024


def test_idle_check_and_a_hundred_edits(place: Town, figure: Tell) -> None:
    edge = place.enrol("edge", "edge", WARD)
    ids = place.capture(edge, "some", 2 * EDITS, seed=1)
    edge.ask("sync")
    idle = edge.ask("sync")
    bytes_idle = idle["bytes_sent"] + idle["bytes_received"]
    figure(f"idle check: {idle['requests']} request, {bytes_idle} B of bodies")
    assert idle["requests"] == 1
    assert bytes_idle <= IDLE_BYTES_MAX

    device = Device.open(edge.home)
    try:
        edit_phones(device, ids[:EDITS])
        done = device.sync().outcome
    finally:
        device.close()
    figure(f"{EDITS} edits: {done.bytes_sent:,} B up in {done.requests} requests")
    assert done.entries_sent == EDITS
    assert done.bytes_sent <= EDITS_BYTES_MAX
    place.check_equal(WARD, [edge])


def edit_phones(device: Device, ids: list[str]) -> None:
    chance = random.Random(1)
    for text in ids:
        replica = device.replica()
        view, _ = load(replica, find_record(replica, text))
        shown = {
            item.name: Shown(item.value, item.dots) for item in view.fields if item.element is None
        }
        phone = {"phone": f"091{chance.randrange(10**7):07d}"}
        change = edit(DOSSIER, view.id, shown, phone)
        assert change is not None
        replica.write([change], NO_OFFICER)


def test_a_long_log_opens_at_once(tmp_path: Path, figure: Tell) -> None:
    """Nothing is replayed at the start, however long the log is."""
    home = Home.create(tmp_path / "home")
    ward, root = WardId(bytes(16)), SigningKey(bytes(32))
    home.open_replica(ward, root.public).close()
    fill(home, ward, root)
    began = time.perf_counter()
    replica = home.open_replica(ward, root.public)
    took = time.perf_counter() - began
    length = sum(chain.row.head.seq for chain in replica.holding.chains.values())
    replica.close()
    home.close()
    size = (home.ward_folder(ward) / "log.db").stat().st_size
    figure(f"a log of {length:,} entries ({size / 1e6:.0f} MB) opens in {took * 1000:.0f} ms")
    assert length >= ENTRIES
    assert took < OPEN_S_MAX


def fill(home: Home, ward: WardId, root: SigningKey) -> None:
    """Append a long feed of somebody else, block by block, straight to the store."""
    keys = DeviceKeys(SigningKey(hashlib.sha256(b"other").digest()), AgreementKey(bytes(32)))
    declared = declare(keys, ward, b"longfeed")
    replica = home.open_replica(ward, root.public)
    store = replica.rooms.log
    head = declared.start
    row = ChainRow(0, declared.raw, 0, 0, head, head, Head(0, b""), b"")
    with store.transaction(durable=True):
        row = replace(row, number=store.put_chain(row))
    block = [entry(number) for number in range(256)]
    while head.seq < ENTRIES:
        with store.transaction(durable=False):
            for _ in range(min(64, -(-(ENTRIES - head.seq) // 256))):
                packed = pack(head.seq + 1, block, None)
                head = store.append(row.number, head, block, packed)
            seal = encode_seal(make_seal(keys.signing, declared.feed, *head))
            store.put_chain(replace(row, head=head, staged=head, seal=seal))
    replica.close()


def entry(number: int) -> Entry:
    header = Header(1_790_000_000_000 << 16, NO_OFFICER, 1, CHANGESET, [])
    return Entry.of(header, hashlib.sha256(str(number).encode()).digest() * 3)


# ------------------------------------------------------------------------------ full disk


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[tuple[str, ...]]:
    """Make a folder a small disk; else yield a prefix that bounds each file."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0
        and subprocess.run(words, capture_output=True, check=False).returncode == 0
    )
    limit = shutil.which("prlimit")
    if not mounted and limit is None:
        pytest.skip("neither a small disk nor a bound on files can be had here")
    try:
        yield () if mounted else (str(limit), f"--fsize={ROOM_BYTES // 2}")
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_room_makes_it_good(place: Town, figure: Tell) -> None:
    disk = place.folder / "disk"
    with small_disk(disk) as prefix:
        reserve = {"MOTCUA_DISK_RESERVE_BYTES": "0"}
        edge = place.enrol("edge", "disk/edge", WARD, label="edge", extra=reserve)
        ballast = disk / "ballast"
        if not prefix:
            ballast.write_bytes(bytes(DISK_BYTES - ROOM_BYTES))
        edge.prefix = prefix
        path = place.intake_file("big", 4000, seed=1)
        answer = edge.run("intake", str(path), "--json")
        told = acknowledged([f"{line}\n" for line in answer.out.splitlines()])
        assert answer.code == 1, answer.err[-500:]
        last = answer.lines()[-1]
        # A bound on files is told as a disk that can't be written, for there is room.
        assert last["error"] == ("storage" if prefix else "store-full"), last
        assert "safe" in last["diagnosis"]
        assert 0 < len(told) < 4000

        edge.prefix = ()
        ballast.unlink(missing_ok=True)
        assert set(told) <= {row["id"] for row in dossiers(edge)}
        again = saved(edge.must("intake", str(path), "--json"))
        assert set(told) <= set(again)
        assert len(set(again)) == 4000
        edge.ask("sync")
        place.check_equal(WARD, [edge])
        assert edge.ask("verify")["sound"]
        figure(f"disk full after {len(told):,} of 4,000 dossiers: 0 lost, all 4,000 with room made")
