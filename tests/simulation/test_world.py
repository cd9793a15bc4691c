"""Does the whole world converge, whatever happens to it, and does one seed give one trace?

WORLD_MINUTES says for how long new worlds are played (CI: 10, over two processes; then fewer than
50 a minute fail the test). Every failure names the command that replays it.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.many import play_many, try_one
from tests.simulation.world import play

HERE = Path(__file__).parent
MINUTES = float(os.environ.get("WORLD_MINUTES", "1.5"))
WORLDS_PER_MINUTE_MIN = 50
FAULTS = ("cut", "reply cut", "lost", "doubled", "replayed", "meanwhile", "parted", "full", "clock")
FAULTS_AT_REST = ("power", "kill", "tail lost", "restored", "cloned", "lied", "erase", "revoke")


def failed_before() -> list[int]:
    lines = (HERE / "seed.txt").read_text("utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("seed", failed_before())
def test_a_seed_that_failed_before_holds_now(seed: int) -> None:
    _, verdict, text = try_one(seed)
    assert verdict is not None, text


@pytest.mark.parametrize("seed", [4, 11])
def test_one_seed_gives_one_trace_whatever_the_order_of_sets(seed: int) -> None:
    here = play(seed).trace
    code = f"from tests.simulation.world import play; print(play({seed}).trace)"
    for hashing in ("0", "12345"):
        other = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hashing},
            cwd=HERE.parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        assert other.stdout.strip() == here


@pytest.mark.timeout(int(MINUTES * 60) + 240)
def test_as_many_worlds_as_fit_keep_every_law(capsys: pytest.CaptureFixture[str]) -> None:
    report = play_many(itertools.count(1000), jobs=2, minutes=MINUTES)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.failures, str(report)
    missing = [name for name in (*FAULTS, *FAULTS_AT_REST) if not report.faults[name]]
    assert report.played < 100 or not missing, f"faults that never fired: {missing}"
    if "WORLD_MINUTES" in os.environ:
        assert report.played >= WORLDS_PER_MINUTE_MIN * MINUTES, str(report)
