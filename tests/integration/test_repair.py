"""Damage on the disk: noticed by `verify`, mended by `repair`, and nothing acknowledged lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge, write_lines

pytestmark = pytest.mark.process


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as found:
        yield found


@pytest.fixture
def station(tmp_path: Path, hub: Hub) -> Program:
    found = edge(tmp_path, "edge")
    found.ok("init")
    found.ok("enrol", "--invite", hub.invite("edge"))
    write_scans(tmp_path / "scans", 1, 3)
    lines = list(sample(400, 1))
    write_lines(tmp_path / "a.jsonl", [{**lines[0], "scans": ["scans/page-00001.jpg"]}, *lines[1:]])
    found.ok("intake", "a.jsonl")
    found.ok("sync")
    write_lines(tmp_path / "b.jsonl", list(sample(50, 2)))
    found.ok("intake", "b.jsonl")  # these 50 are here only
    return found


def ward(station: Program) -> Path:
    return next((station.home / "wards").iterdir())


def damage(path: Path, seed: int, count: int = 40) -> None:
    chance = random.Random(seed)
    raw = bytearray(path.read_bytes())
    for _ in range(count):
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)


def test_sound_stays_sound(station: Program) -> None:
    before = station.ask("digest")
    assert station.ask("verify")["sound"]
    answer = station.ask("repair")
    assert answer["sound"]
    assert not answer["log_aside"]
    assert answer["put_back"] == 0
    assert station.ask("digest")["sha256"] == before["sha256"]


@pytest.mark.parametrize("name", ["views.db", "log.db"])
def test_a_damaged_store_is_made_anew(station: Program, hub: Hub, name: str) -> None:
    before = station.ask("digest")
    damage(ward(station) / name, 7)
    assert station.run("verify").code == 1
    answer = station.ok("repair", "--json").json
    assert answer["sound"], answer
    assert answer["views_aside"]
    assert answer["log_aside"] == (name == "log.db")
    after = station.ask("digest")
    assert (after["records"], after["sha256"]) == (450, before["sha256"])
    station.ok("sync")
    assert hub.replica.digest().sha256 == after["sha256"]
    assert station.ask("verify")["sound"]


def test_without_a_line_own_work_is_put_back_all_the_same(station: Program, hub: Hub) -> None:
    before = station.ask("digest")
    port = hub.port
    hub.stop()
    damage(ward(station) / "log.db", 9)
    answer = station.run("repair", "--json").json
    assert answer["log_aside"]
    assert answer["put_back"] >= 450
    assert not answer["synced"]
    hub.start(port)
    assert station.ask("repair")["sound"]
    assert station.ask("digest")["sha256"] == before["sha256"]


def test_a_lost_or_rotten_chunk_is_fetched_again(station: Program) -> None:
    for spoil in ("flip", "lose"):
        chunk = next(p for p in (ward(station) / "chunks").rglob("*") if p.is_file())
        if spoil == "flip":
            damage(chunk, 1, 1)
        else:
            chunk.unlink()
        answer = station.run("verify", "--json")
        assert (answer.code, answer.json["sound"]) == (1, False)
        done = station.ask("repair")
        assert done["sound"], done
        assert done["scans_asked"] == 1
        assert station.ask("verify")["sound"]


def test_a_damaged_journal_opens_a_new_feed(station: Program, hub: Hub) -> None:
    before = station.ask("digest")
    damage(max((ward(station) / "journal").glob("*.journal")), 3)
    assert station.ask("digest")["records"] == before["records"]
    assert station.ask("health")["notice"].startswith("journal-"), "and it is told, not only once"
    station.ok("sync")
    assert station.ask("verify")["sound"]
    assert hub.replica.digest().sha256 == before["sha256"]
