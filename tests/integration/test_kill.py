"""`kill -9` of real processes at random moments: nothing acknowledged is lost, nothing is stuck.

KILLS=200 plays the full figure (default 20), KILL_SEED another play.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.process import Proxy
from tests.town.process import Program
from tests.town.town import Town, acknowledged, dossiers, eventually, saved, town

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILL_SEED", "1"))
WARD = "00070"
LINES = 300
BLOCK_BYTES = 48 * 1024
"""A block of 256 sample dossiers travels in 30 to 40 KiB; with the envelope and TLS."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(300 + 60 * KILLS)]


@dataclass
class Play:
    town: Town
    edge: Program
    chance: random.Random
    told: set[str] = field(default_factory=set)
    files: int = 0

    def file(self, count: int = LINES) -> Path:
        self.files += 1
        return self.town.intake_file(f"d{self.files}", count, seed=SEED * 10_000 + self.files)

    def capture(self, count: int = LINES) -> None:
        self.told.update(saved(self.edge.must("intake", str(self.file(count)), "--json")))

    def check_none_lost(self) -> None:
        """As many are here as were told; which ones, `check_all` asks in the end."""
        assert self.edge.ask("digest")["records"] >= len(self.told), "at the station"

    def check_all(self) -> None:
        """Each that was told is at the station and, once its views have followed, at the city."""
        self.edge.ask("sync")
        here = self.edge.ask("digest")["records"]
        eventually(
            "the city's views have followed",
            lambda: self.town.digest(self.town.hub, WARD)["records"] == here,
        )
        assert self.told <= {row["id"] for row in dossiers(self.edge)}, "at the station"
        assert self.told <= {row["id"] for row in dossiers(self.town.hub, "--ward", WARD)}
        self.town.check_equal(WARD, [self.edge])
        assert self.edge.ask("verify")["sound"]
        assert self.town.hub.ask("verify")["sound"]


@pytest.fixture
def play() -> Iterator[Play]:
    with town() as place:
        place.found((WARD, "Phường Hoàn Kiếm"))
        yield Play(place, place.enrol("edge", "edge", WARD), random.Random(SEED))


def test_intake_killed_at_any_moment(play: Play, figure: Callable[[str], None]) -> None:
    lost = unfinished = 0
    for _ in range(KILLS):
        path = play.file()
        running = play.edge.begin("intake", str(path), "--json")
        for _ in range(play.chance.choice((0, 1, 2, 3, 7, 60, 130, 260))):
            if running.line(60) is None:
                break
        time.sleep(play.chance.uniform(0, 0.03) if running.out() else play.chance.uniform(0, 1.2))
        running.kill()
        told = acknowledged(running.out())
        play.told.update(told)
        unfinished += len(told) < LINES
        again = play.edge.must("intake", str(path), "--json")  # a kill leaves nothing stuck
        ids = saved(again)
        assert len(set(ids)) == LINES
        lost += len(set(told) - set(ids))
        play.told.update(ids)
    play.check_all()
    figure(f"{KILLS} kills of an intake ({unfinished} in its midst): {lost} lost, 0 stuck")
    assert lost == 0
    assert unfinished > KILLS // 2


def test_sync_killed_at_any_moment_on_this_side(play: Play, figure: Callable[[str], None]) -> None:
    """The line is held after so many bytes: there the station is killed, and what it re-sends
    is counted by the proxy between the two."""
    worst = 0
    with_proxy = Proxy(play.town.port, play.town.folder)
    play.edge.extra["MOTCUA_PEER_URL"] = f"https://127.0.0.1:{with_proxy.port}"
    try:
        play.capture(4 * LINES)
        with_proxy.reset()
        play.edge.ask("sync")
        whole = with_proxy.reading()["up"]
        for _ in range(max(1, KILLS // 2)):
            play.capture(4 * LINES)
            with_proxy.reset()
            with with_proxy.tripwire(play.chance.randrange(1, whole * 9 // 10)):
                running = play.edge.begin("sync", "--json")
                with_proxy.wait_for_trip(60)
                running.kill()
            play.edge.ask("sync")
            worst = max(worst, with_proxy.reading()["up"] - whole)
            play.check_none_lost()
        play.check_all()
    finally:
        with_proxy.stop()
    figure(
        f"{KILLS // 2} kills of a station in mid-push: 0 lost, 0 stuck, re-sent at most "
        f"{worst:,} B of {whole:,} B"
    )
    assert worst <= BLOCK_BYTES


def test_sync_killed_at_any_moment_on_the_citys_side(
    play: Play, figure: Callable[[str], None]
) -> None:
    cut = 0
    for _ in range(max(1, KILLS // 2)):
        play.capture(2 * LINES)
        running = play.edge.begin("sync", "--json")
        time.sleep(play.chance.uniform(0.3, 1.2))
        play.town.kill_hub()
        cut += running.wait() != 0
        assert "[internal]" not in running.err()
        play.town.line_back()
        play.edge.ask("sync")
        play.check_none_lost()
    play.check_all()
    figure(f"{KILLS // 2} kills of the city ({cut} in mid-sync): 0 lost, 0 stuck")
