"""Story 10: the hub is restored from yesterday's backup, and nothing acknowledged is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.hub.city_fixture import WARD, found, port_of
from tests.integration.process_fixture import Program

pytestmark = pytest.mark.process


def test_what_the_hub_lost_comes_back_from_the_edges_by_itself(tmp_path: Path) -> None:
    town = found(tmp_path)
    backup = tmp_path / "yesterday.backup"
    with town.hub.serving() as url:
        one, two = town.station("một"), town.station("hai")
        one.ok("intake", str(town.dossiers(10, 1, scans=2)))
        one.ok("sync")
        two.ok("sync")
        told = town.hub.ask("backup", str(backup))
        assert told["bytes"] == backup.stat().st_size
        one.ok("sync")
        assert _ticks(one)["backed_up"] == 10

        # Today, after the backup: dossiers, scans, an edit, an officer, a revocation.
        one.ok("intake", str(town.dossiers(7, 2, scans=3)))
        one.ok("sync")
        two.ok("sync")
        two.ok("intake", str(town.dossiers(5, 3, scans=2)))
        two.ok("sync")
        officer = town.hub.ask("officer", "add", "An", "--ward", WARD, "--role", "supervisor")
        three = town.station("ba")
        lost = town.device_id("ba")
        town.hub.ok("device", "revoke", lost, "--reason", "lost")
        one.ok("sync")
        two.ok("sync")
        before = town.digest()
        assert before["records"] == 22
        assert _ticks(one)["hub"] == 22
    shutil.rmtree(town.hub.home)

    restored = Program("central_hub", tmp_path / "hub2", {})
    told = restored.ask("restore", str(backup), "--recovery-key", town.recovery_key)
    assert told["wards"] == 1
    assert restored.ask("digest", "--ward", WARD)["records"] == 10
    assert restored.ask("verify")["sound"]

    with restored.serving(port_of(url)):
        # Whatever is done on the edges is what their uplink does by itself: one exchange after
        # another. The first one hears of the new incarnation.
        assert _ticks(one)["hub"] == 22, "before it hears, it believes the old receipts"
        first = one.ask("sync")
        assert first["entries_sent"] >= 7
        second = one.ask("sync")
        assert first["chunks_sent"] + second["chunks_sent"] >= 3, "scans were offered again"
        two.ok("sync")
        two.ok("sync")
        one.ok("sync")
        digests = [station.ask("digest")["sha256"] for station in (one, two)] + [
            restored.ask("digest", "--ward", WARD)["sha256"]
        ]
        assert set(digests) == {before["sha256"]}
        assert _ticks(one)["hub"] == 22
        assert restored.ask("verify")["sound"]
        (ward,) = restored.ask("health")["wards"]
        assert ward["scans_lacking"] == 0
        assert [row["id"] for row in restored.ask("officer", "list")] == [officer["id"]]
        gone = [row for row in restored.ask("device", "list") if row["id"] == lost]
        assert [row["revoked"] for row in gone] == ["lost"], "a revocation beats the grant"
        three.run("sync")
        assert one.ask("sync")["requests"] == 1, "and then all is quiet"


def test_old_receipts_count_for_nothing_once_the_new_incarnation_is_heard(tmp_path: Path) -> None:
    """The edge can reach the restored hub for its text, but not yet for what it holds alone."""
    town = found(tmp_path)
    backup = tmp_path / "yesterday.backup"
    with town.hub.serving() as url:
        station = town.station("một")
        town.hub.ok("backup", str(backup))
        station.ok("intake", str(town.dossiers(3, 1, scans=3)))
        station.ok("sync")
        assert _ticks(station)["hub"] == 3
        invite = town.invite()
    shutil.rmtree(town.hub.home)
    restored = Program("central_hub", tmp_path / "hub2", {})
    restored.ok("restore", str(backup), "--recovery-key", town.recovery_key)
    with restored.serving(port_of(url)):
        station.ok("sync")
        waiting = station.ask("health")["scans_waiting"]
        assert waiting in (0, 3)  # queued again, or already brought by the same exchange
        station.ok("sync")
        station.ok("sync")
        assert station.ask("health")["scans_waiting"] == 0
        assert _ticks(station)["hub"] == 3
        (ward,) = restored.ask("health")["wards"]
        assert ward["records"] == 3
        assert ward["scans_lacking"] == 0
        late = Program("edge_node", tmp_path / "late", {})
        late.ok("init")
        assert late.run("enrol", "--invite", invite).code == 1, "unspent invitations are void"


def _ticks(station: Program) -> dict[str, int]:
    """Count the dossiers that a station believes to be at the city, and in its backup."""
    rows = station.ask("dossier", "list", "--limit", "200")
    return {name: sum(row["saved"][name] for row in rows) for name in ("hub", "backed_up")}
