"""Story 8: an edge is destroyed; a new one is enrolled, and opens the ward by the recovery key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.hub.city_fixture import WARD, found, png
from tests.integration.hub.test_commands import diagnosis
from tests.integration.process_fixture import Program

pytestmark = pytest.mark.process


def test_a_new_station_gets_everything_back_and_opens_the_scans(tmp_path: Path) -> None:
    town = found(tmp_path)
    with town.hub.serving():
        station = town.station("trạm cũ")
        station.ok("intake", str(town.dossiers(12, 1, scans=4)))
        station.ok("sync")
        before = station.ask("digest")
        burned = town.device_id("trạm cũ")
        shutil.rmtree(station.home)
        town.hub.ok("device", "revoke", burned, "--reason", "lost")

        fresh = town.station("trạm mới")
        fresh.ok("sync")
        assert fresh.ask("digest")["sha256"] == before["sha256"]
        with_scan = [
            row["id"]
            for row in fresh.ask("dossier", "list", "--limit", "200")
            if any(paper["scan"] for paper in fresh.ask("dossier", "show", row["id"])["papers"])
        ]
        assert len(with_scan) == 4
        words = ("ward", "rekey", WARD, "--device", town.device_id("trạm mới"), "--recovery-key")
        assert _papers_opened(fresh, with_scan, tmp_path / "before") == []

        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        other = found(elsewhere)
        assert diagnosis(town.hub, *words, other.recovery_key) == "wrong-key"
        root = str(tmp_path / "hub-takeaway" / "city-root.key")
        assert diagnosis(town.hub, *words, root) == "wrong-key"
        assert diagnosis(town.hub, *words, str(tmp_path / "none.key")) == "bad-input"
        gone = ("ward", "rekey", WARD, "--device", burned, "--recovery-key", town.recovery_key)
        assert diagnosis(town.hub, *gone) == "not-allowed"

        assert town.hub.ask(*words, town.recovery_key)["keys"] >= 1
        fresh.ok("sync")
        opened = _papers_opened(fresh, with_scan, tmp_path / "after")
        assert sorted(opened) == sorted(png(1000 + number) for number in range(4))
        assert fresh.ask("verify")["sound"]


def _papers_opened(station: Program, dossiers: list[str], folder: Path) -> list[bytes]:
    """Try to open the scan of each dossier; return those that opened."""
    folder.mkdir()
    found_: list[bytes] = []
    for number, dossier in enumerate(dossiers):
        papers = station.ask("dossier", "show", dossier)["papers"]
        n = next(str(paper["n"]) for paper in papers if paper["scan"])
        target = folder / f"{number}.png"
        station.run("dossier", "scan", dossier, n, "--to", str(target))
        if target.exists():
            found_.append(target.read_bytes())
    return found_
