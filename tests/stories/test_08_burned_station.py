"""Story 8. The station destroyed after three days offline, a replacement enrolled with the
recovery key: nothing acknowledged lost.

What was acknowledged rests on the second device in reach: a tablet that synced with the station,
or a second station that was given a folder each evening.
"""

import shutil
from pathlib import Path

import pytest

from tests.stories.conftest import LAN, WARD
from tests.town.process import Program
from tests.town.town import Town, dossiers, free_port

pytestmark = pytest.mark.process

DAYS = 3


def burn(home: Path) -> None:
    shutil.rmtree(home)


def replace_station(city: Town) -> Program:
    """Enrol a new station, and let the recovery key give it the ward's key."""
    fresh = city.enrol("edge", "new", WARD)
    row = next(r for r in city.hub.ask("device", "list") if r["label"] == "new")
    words = ("--recovery-key", str(city.recovery_key), "--device", row["id"])
    assert city.hub.ask("ward", "rekey", WARD, *words)["keys"] == 1
    fresh.ask("sync")
    return fresh


def check_scan(city: Town, station: Program, record: str) -> None:
    """The new station opens a scan that was captured before it was there."""
    target = city.folder / "opened.jpg"
    shown = station.ask("dossier", "show", record)
    number = str(shown["papers"][-1]["n"])
    station.ask("dossier", "scan", record, number, "--to", str(target), "--officer", LAN)
    assert target.read_bytes().startswith(b"\xff\xd8"), "a page image"


def test_a_tablet_had_it_all(city: Town) -> None:
    old = city.enrol("edge", "old", WARD)
    city.cut_line()
    served = old.serve("--host", "127.0.0.1", "--port", "0")
    tablet = city.program("tablet", "tablet")
    tablet.must("init")
    tablet.must("enrol", "--invite", old.ask("invite", "--label", "T")["invite"])
    at_desk: list[str] = []
    in_field: list[str] = []
    for day in range(DAYS):
        at_desk += city.capture(old, f"desk-{day}", 4, seed=100 + day)
        in_field += city.capture(tablet, f"field-{day}", 3, seed=200 + day, scans=True)
        tablet.ask("sync")  # each evening, in the office
    served.kill()
    burn(old.home)

    city.line_back()
    fresh = replace_station(city)
    port = str(free_port())
    with_tablets = fresh.serve("--host", "127.0.0.1", "--port", port)
    tablet.must("enrol", "--invite", fresh.ask("invite", "--label", "T")["invite"])
    tablet.ask("sync")
    fresh.ask("sync")
    tablet.ask("sync")
    everything = {*at_desk, *in_field}
    assert {row["id"] for row in dossiers(fresh)} == everything
    assert {row["id"] for row in dossiers(city.hub, "--ward", WARD)} == everything
    check_scan(city, fresh, in_field[0])
    tablet.ask("sync")
    assert all(row["saved"]["hub"] for row in dossiers(tablet))
    fresh.ask("sync")
    city.check_equal(WARD, [fresh])
    assert city.hub.ask("quarantine", "list", "--ward", WARD) == []
    with_tablets.stop()


def test_a_second_station_had_it_all(city: Town) -> None:
    old = city.enrol("edge", "old", WARD)
    second = city.enrol("edge", "second", WARD)
    old.ask("sync")
    second.ask("sync")
    city.cut_line()
    told: list[str] = []
    shared = city.folder / "shared"
    shared.mkdir()
    for day in range(DAYS):
        told += city.capture(old, f"day-{day}", 4, seed=300 + day, scans=True)
        old.ask("bundle", "export", str(shared), "--to", "second")
        second.ask("bundle", "import", str(shared))
        old.ask("bundle", "import", str(shared))  # the receipt
    assert all(row["saved"]["edge"] for row in dossiers(old))
    assert not any(row["saved"]["hub"] for row in dossiers(old))
    burn(old.home)

    city.line_back()
    fresh = replace_station(city)
    second.ask("sync")
    fresh.ask("sync")
    assert {row["id"] for row in dossiers(fresh)} == set(told)
    assert fresh.ask("health")["scans_waiting"] == 0
    check_scan(city, fresh, told[0])
    city.settle(WARD, [fresh, second])
    assert city.hub.ask("verify")["sound"]
    assert city.hub.ask("quarantine", "list", "--ward", WARD) == []
