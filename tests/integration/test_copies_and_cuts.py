"""Homes that were copied or restored, and revocations that reach into what was merged already."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.town.process import Program
from tests.town.town import Town, dossiers, town

WARD = "00070"

pytestmark = pytest.mark.process


@pytest.fixture
def place() -> Iterator[Town]:
    with town() as found:
        found.found((WARD, "Phường Hoàn Kiếm"))
        yield found


def copy_home(home: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("*.sock"))


def ids(program: Program, *words: str) -> set[str]:
    return {row["id"] for row in dossiers(program, *words)}


def two_copies(place: Town) -> tuple[Program, Program, list[str]]:
    """Copy a station, work on both, and let both sync; return them and what was told."""
    edge = place.enrol("edge", "edge", WARD)
    told = place.capture(edge, "a", 3, seed=1)
    edge.ask("sync")
    twin = place.program("edge", "twin")
    copy_home(edge.home, twin.home)
    told += place.capture(edge, "b", 2, seed=2)
    told += place.capture(twin, "c", 3, seed=3)
    for program in (edge, twin, edge, twin, edge):
        program.run("sync", "--json")
    return edge, twin, told


def test_a_restored_station_forks_nothing_away(place: Town) -> None:
    """Yesterday's disk image comes back, and somebody captures before the first sync."""
    edge, other = place.enrol("edge", "edge", WARD), place.enrol("edge", "other", WARD)
    told = place.capture(edge, "a", 5, seed=1)
    edge.ask("sync")
    copy_home(edge.home, place.folder / "image")
    told += place.capture(edge, "b", 3, seed=2)
    edge.ask("sync")
    copy_home(place.folder / "image", edge.home)
    told += place.capture(edge, "c", 2, seed=3)
    for _ in range(2):
        edge.ask("sync")
        other.ask("sync")
    assert ids(edge) == ids(other) == ids(place.hub, "--ward", WARD) == set(told)
    told += place.capture(edge, "d", 1, seed=4)  # and work goes on, in a new incarnation
    place.settle(WARD, [edge, other])
    assert ids(other) == set(told)
    feeds = {row["label"]: row["feeds"] for row in place.hub.ask("device", "list")}
    assert len({feed["feed"] for feed in feeds["edge"]}) == 2
    assert edge.ask("verify")["sound"]
    assert place.hub.ask("verify")["sound"]


def test_two_copies_of_one_station_lose_nothing(place: Town) -> None:
    edge, twin, told = two_copies(place)
    assert "copy-of-this-device-seen" in {p.ask("health")["notice"] for p in (edge, twin)}
    [ward] = place.hub.ask("health")["wards"]
    assert [item["feeds_parted"] for item in ward["devices"]] == [1], "the city is told"
    told += place.capture(edge, "d", 1, seed=4)
    told += place.capture(twin, "e", 1, seed=5)
    for program in (edge, twin, edge, twin):
        program.run("sync", "--json")
    assert ids(place.hub, "--ward", WARD) == set(told)
    assert ids(edge) == ids(twin) == set(told)


def test_a_revocation_takes_nothing_back_of_a_feed_that_had_parted(place: Town) -> None:
    _, _, told = two_copies(place)
    assert ids(place.hub, "--ward", WARD) == set(told)
    [device] = place.hub.ask("device", "list")
    place.hub.ask("device", "revoke", device["id"], "--reason", "lost")
    assert ids(place.hub, "--ward", WARD) == set(told), "both branches were held and counted"
    assert place.hub.ask("quarantine", "list") == []
    longest = max(device["feeds"], key=lambda feed: feed["seq"])
    at = f"{longest['feed']}:{longest['seq']}"
    answer = place.hub.run("device", "restore", device["id"], "--at", at)
    assert answer.code, "it is cut there already"
    assert ids(place.hub, "--ward", WARD) == set(told)


def test_what_was_merged_beyond_a_cut_is_taken_out_again(place: Town) -> None:
    """A device turns out to be compromised: it is cut at a position that others have passed."""
    sound, bad = place.enrol("edge", "sound", WARD), place.enrol("edge", "bad", WARD)
    mine = place.capture(sound, "mine", 1, seed=1)[0]
    place.settle(WARD, [sound, bad])
    phone = sound.ask("dossier", "show", mine)["fields"]["phone"]["value"]
    good = place.capture(bad, "good", 1, seed=2)
    bad.ask("sync")
    row = next(r for r in place.hub.ask("device", "list") if r["label"] == "bad")
    feed = row["feeds"][-1]
    late = place.capture(bad, "late", 2, seed=3)
    bad.ask("dossier", "set", mine, "phone=0912000666")
    place.settle(WARD, [bad, sound])
    assert ids(sound) == {mine, *good, *late}

    cut = f"{feed['feed']}:{feed['seq']}"
    place.hub.ask("device", "revoke", row["id"], "--reason", "compromised", "--at", cut)
    sound.ask("sync")
    assert ids(sound) == {mine, *good}
    shown = sound.ask("dossier", "show", mine)["fields"]["phone"]
    assert shown["value"] == phone, "the value that it had replaced is back"
    held = place.hub.ask("quarantine", "list", "--ward", WARD)
    assert {record for item in held for record in item["records"]} == {mine, *late}
    place.check_equal(WARD, [sound])

    wanted = [item["id"] for item in held if item["records"] == [late[0]]]
    place.hub.ask("quarantine", "adopt", *wanted)
    sound.ask("sync")
    assert ids(sound) == {mine, *good, late[0]}
    place.check_equal(WARD, [sound])
