"""`ward numbers`: the hub leases, the station draws, nobody gets a number twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.hub.city_fixture import WARD, found
from tests.integration.hub.test_commands import diagnosis

pytestmark = pytest.mark.process


def test_a_lease_travels_to_its_station_and_is_given_once(tmp_path: Path) -> None:
    town = found(tmp_path)
    with town.hub.serving():
        station = town.station("one")
        device = town.device_id("one")
        words = ("ward", "numbers", WARD, "--device", device, "--until", "2099-12-31")
        first = ("--first", "1", "--last", "500")
        rows = town.hub.ask(*words, "--agency", "H26.1", *first, "--from", "2020-01-01")
        assert [(row["device"], row["first"], row["last"]) for row in rows] == [(device, 1, 500)]
        assert town.hub.ask("ward", "numbers", WARD) == rows
        again = (*words, "--agency", "H26.1")
        assert diagnosis(town.hub, *again, "--first", "500", "--last", "600") == "not-allowed"
        assert diagnosis(town.hub, *again, "--first", "0") == "bad-input"
        assert diagnosis(town.hub, *again, "--last", "10000") == "bad-input"
        assert diagnosis(town.hub, *words, "--agency", "nothing") == "bad-input"
        station.ok("sync")
    made = station.ok("intake", str(town.dossiers(1, 1)), "--json")
    record = made.lines[0]["id"]
    station.ok("print", "01", record, "--out", str(tmp_path / "slip.pdf"))
    code = station.ask("dossier", "show", record)["code"]
    assert code.startswith("H26.1-")
    assert code.endswith("-0001")
