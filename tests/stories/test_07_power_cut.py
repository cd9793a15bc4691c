"""Story 7. Power cut in mid-scan; the station restarts unattended and goes on."""

import functools

import pytest

from tests.stories.conftest import WARD
from tests.town.process import Program
from tests.town.town import Town, acknowledged, dossiers, eventually, free_port, saved

pytestmark = pytest.mark.process

COUNT = 40
SEEN_BEFORE = 9


def unattended(town: Town, name: str) -> tuple[Program, tuple[str, ...]]:
    """Enrol a station; return it with the words by which the system starts it after a power cut."""
    station = town.enrol("edge", name, WARD, extra={"MOTCUA_IDLE_CHECK_S": "1"})
    return station, ("--host", "127.0.0.1", "--port", str(free_port()))


def chunks(program: Program) -> int:
    """Return how many chunks of scans lie whole in the program's home."""
    return sum(1 for path in program.home.glob("wards/*/chunks/**/*") if path.is_file())


def has_more_chunks(program: Program, count: int) -> bool:
    """Tell whether it holds more than so many."""
    return chunks(program) > count


def test_power_cut_while_a_clerk_captures(city: Town) -> None:
    station, words = unattended(city, "station")
    path = city.intake_file("papers", COUNT, seed=7, scans=True)
    served = station.serve(*words)
    clerk = station.begin("intake", str(path), "--json")
    for _ in range(SEEN_BEFORE):
        clerk.line(60)
    served.kill()
    clerk.wait()
    told = acknowledged(clerk.out())
    assert SEEN_BEFORE <= len(told) < COUNT, "the cut came in the middle"

    served = station.serve(*words)  # as the system does it: nobody types anything
    there = {row["id"]: row for row in dossiers(station)}
    assert set(told) <= set(there), "nothing acknowledged was lost"
    for record in told:
        paper = station.ask("dossier", "show", record)["papers"][-1]
        assert paper["scan"]["saved"]["device"], "and each has its scan whole"

    again = saved(station.must("intake", str(path), "--json"))
    assert len(set(again)) == COUNT, "the same file goes on where it stopped"
    assert set(told) <= set(again)
    eventually("all is at the city", lambda: not station.ask("health")["scans_waiting"])
    eventually("the city shows it", lambda: city.digest(city.hub, WARD) == city.digest(station))
    assert station.ask("verify")["sound"]
    served.stop()


def test_power_cut_while_a_tablet_brings_its_scans(city: Town) -> None:
    station, words = unattended(city, "station")
    served = station.serve(*words)
    tablet = city.program("tablet", "tablet")
    tablet.must("init")
    tablet.must("enrol", "--invite", station.ask("invite")["invite"])
    told = city.capture(tablet, "field", COUNT, seed=8, scans=True)
    total = chunks(tablet)
    for count in (total // 10, total // 3, 2 * total // 3):
        syncing = tablet.begin("sync", "--json")
        came = functools.partial(has_more_chunks, station, count)
        eventually("a part of it came", came, pause_s=0.002)
        served.kill()
        assert chunks(station) < total, "the cut came in the middle"
        assert syncing.wait() in (0, 1), "the tablet is told, and does not hang"
        served = station.serve(*words)
    tablet.ask("sync")
    assert {row["id"] for row in dossiers(station)} == set(told)
    eventually("every scan is at the city", lambda: not station.ask("health")["scans_waiting"])
    tablet.ask("sync")
    shown = tablet.ask("dossier", "show", told[-1])
    assert shown["papers"][-1]["scan"]["saved"] == {"device": True, "edge": True, "hub": True}
    assert station.ask("verify")["sound"]
    served.stop()
