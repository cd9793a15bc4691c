"""The demo itself: every step holds, in time; and it leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.town.process import ROOT, environment
from tests.town.town import eventually

SECONDS_MAX = 90 if "DEMO_STRICT" in os.environ else 280
"""90 s on a machine of its own; here other tests run beside it."""

pytestmark = pytest.mark.process


def begin(folder: Path, **extra: str) -> "subprocess.Popen[str]":
    """Start it as a script's background job is started: deaf to Ctrl-C until it says otherwise."""
    return subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-m", "tests.demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment({"TMPDIR": str(folder), **extra}),
    )


def left_behind(folder: Path) -> list[str]:
    """Return the processes that still speak of the folder, and the files in it."""
    found = [str(path) for path in folder.iterdir()]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(folder) in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_every_step_holds(tmp_path: Path, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    demo = begin(tmp_path, DEMO_ONCE="1")
    out, _ = demo.communicate(timeout=SECONDS_MAX)
    figure(f"the demo takes {time.monotonic() - began:.0f} s")
    assert demo.returncode == 0, out[-1500:]
    assert "All 10 steps hold" in out
    assert "Traceback" not in out
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle_it_ends_everything(tmp_path: Path, number: int) -> None:
    demo = begin(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "motcua-hub serves at" in line:
            break
    assert left_behind(tmp_path), "it is at work"
    demo.send_signal(number)
    out, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "Stopped" in out
    # What was just being started is ended by the system, a moment after the demo itself.
    eventually("nothing is left", lambda: not left_behind(tmp_path), 20)
