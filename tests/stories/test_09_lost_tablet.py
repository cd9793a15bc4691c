"""Story 9. A tablet lost on a bus while the hub is away: locked at the station, what it wrote
before comes in, what comes after waits for review."""

import pytest

from tests.stories.conftest import LAN, WARD
from tests.town.town import Town, dossiers

pytestmark = pytest.mark.process


def test_a_lost_tablet_is_locked_at_the_station(city: Town) -> None:
    station = city.enrol("edge", "station", WARD)
    city.cut_line()
    served = station.serve("--host", "127.0.0.1", "--port", "0")
    tablet = city.program("tablet", "tablet")
    tablet.must("init")
    tablet.must("enrol", "--invite", station.ask("invite", "--label", "Máy bảng 1")["invite"])
    before = city.capture(tablet, "before", 3, seed=91, scans=True)
    tablet.ask("sync")

    assert station.refused("tablet", "lock", "Máy bảng 1")["error"] == "not-allowed"
    locked = station.ask("tablet", "lock", "Máy bảng 1", "--officer", LAN)
    assert (locked["state"], locked["kept"]) == ("locked", 3)
    after = city.capture(tablet, "after", 2, seed=92)
    heard = tablet.run("sync", "--json")
    assert (heard.code, heard.json()["standing"]) == (1, "revoked-locked"), "it is told"
    assert {row["id"] for row in dossiers(station)} == set(before)
    held = station.ask("quarantine", "list")
    assert {record for item in held for record in item["records"]} == set(after)
    assert {item["reason"] for item in held} == {"revoked-locked"}
    assert {item["device_label"] for item in held} == {"Máy bảng 1"}

    city.line_back()
    station.ask("sync")
    assert {row["id"] for row in dossiers(city.hub, "--ward", WARD)} == set(before)
    at_hub = city.hub.ask("quarantine", "list", "--ward", WARD)
    assert {record for item in at_hub for record in item["records"]} == set(after)

    dots = [item["id"] for item in held]
    assert station.refused("quarantine", "adopt", *dots)["error"] == "not-allowed"
    station.ask("quarantine", "adopt", *dots, "--officer", LAN)
    station.ask("sync")
    both = {*before, *after}
    assert {row["id"] for row in dossiers(station)} == both
    assert {row["id"] for row in dossiers(city.hub, "--ward", WARD)} == both
    assert city.hub.ask("quarantine", "list", "--ward", WARD) == []
    city.check_equal(WARD, [station])

    later = city.capture(tablet, "later", 1, seed=93)
    tablet.run("sync")
    still = station.ask("quarantine", "list")
    assert [item["records"] for item in still] == [later], "whatever it writes waits"
    served.stop()
