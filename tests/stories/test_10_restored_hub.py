"""Story 10. The hub restored from yesterday's backup: everything comes back from the stations,
with no step taken by a person on them."""

import shutil
from functools import partial

import pytest

from tests.stories.conftest import WARD
from tests.town.process import Program
from tests.town.town import Town, dossiers, eventually

pytestmark = pytest.mark.process

OTHER, OTHER_NAME = "00376", "Xã Sóc Sơn"
SOON = {"MOTCUA_IDLE_CHECK_S": "1"}


def test_the_hub_comes_back_from_yesterdays_backup(city: Town) -> None:
    city.hub.ask("ward", "add", OTHER, OTHER_NAME)
    first = city.enrol("edge", "first", WARD, extra=SOON)
    village = city.enrol("edge", "village", OTHER, extra=SOON)
    told = {WARD: city.capture(first, "a", 5, seed=1, scans=True)}
    told[OTHER] = city.capture(village, "b", 4, seed=2, scans=True)
    city.settle(WARD, [first])
    city.settle(OTHER, [village])
    backup = city.folder / "yesterday.backup"
    city.hub.ask("backup", str(backup))
    first.ask("sync")

    # Today: more work, and a station that the backup has never heard of.
    late = city.enrol("edge", "late", WARD, extra=SOON)
    told[WARD] += city.capture(first, "c", 3, seed=3, scans=True)
    told[WARD] += city.capture(late, "d", 3, seed=4)
    told[OTHER] += city.capture(village, "e", 2, seed=5)
    city.settle(WARD, [first, late])
    city.settle(OTHER, [village])
    stations = {"first": first, "late": late, "village": village}
    served = [station.serve("--host", "127.0.0.1", "--port", "0") for station in stations.values()]

    city.kill_hub()
    shutil.rmtree(city.hub.home)
    city.hub.ask("restore", str(backup), "--recovery-key", str(city.recovery_key))
    assert len(dossiers(city.hub, "--ward", WARD)) == 5, "yesterday"
    city.line_back()
    for ward, device in ((WARD, first), (WARD, late), (OTHER, village)):
        eventually(f"{device.home.name} is in step", partial(in_step, city, ward, device))
    for ward, ids in told.items():
        assert {row["id"] for row in dossiers(city.hub, "--ward", ward)} == set(ids)
    assert all(row["saved"]["hub"] for row in dossiers(first))
    eventually("scans are back", lambda: not first.ask("health")["scans_waiting"])
    assert city.hub.ask("verify")["sound"]
    assert {row["label"] for row in city.hub.ask("device", "list")} == set(stations)
    for one in served:
        one.stop()


def in_step(city: Town, ward: str, device: Program) -> bool:
    return city.digest(city.hub, ward) == city.digest(device)
