"""The demo itself: every step holds, in time; and it leaves nothing behind, however it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.town.browser import chromium, officer
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


def test_every_step_holds_and_a_desk_stays_open(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    began = time.monotonic()
    demo = begin(tmp_path)
    watch = threading.Timer(SECONDS_MAX, demo.kill)  # bounds every line that is waited for
    watch.start()
    try:
        told = until(demo, "Ctrl-C ends everything")
        figure(f"the demo takes {time.monotonic() - began:.0f} s")
        assert "All 11 steps hold" in told, told[-1500:]
        found = re.search(r"(https://127\.0\.0\.1:\d+)/\n\s+Nguyễn Thị Lan +(\d{8})\n", told)
        assert found, told[-1500:]
        with chromium() as browser, officer(browser, found[1]) as lan:
            lan.first_use("Nguyễn Thị Lan", found[2], "274918")
            lan.must_see("Hồ sơ theo tình trạng", "Phường Hoàn Kiếm")
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=60)
    finally:
        watch.cancel()
        demo.kill()
    assert demo.returncode == 0, out
    assert "Traceback" not in told + out
    eventually("nothing is left", lambda: not left_behind(tmp_path), 20)


def until(demo: "subprocess.Popen[str]", words: str) -> str:
    """Return what the demo says up to the line with these words, or all of it."""
    assert demo.stdout is not None
    told = ""
    for line in demo.stdout:
        told += line
        if words in line:
            break
    return told


def test_told_to_play_once_it_ends_by_itself(tmp_path: Path) -> None:
    without_steps = "from tests.demo import __main__ as d; d.STEPS = (); raise SystemExit(d.main())"
    answer = subprocess.run(
        [sys.executable, "-c", without_steps],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment({"TMPDIR": str(tmp_path), "DEMO_ONCE": "1"}),
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "All 0 steps hold" in answer.stdout
    assert "It stays up" not in answer.stdout
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_the_middle_it_ends_everything(tmp_path: Path, number: int) -> None:
    demo = begin(tmp_path)
    until(demo, "motcua-hub serves at")
    assert left_behind(tmp_path), "it is at work"
    demo.send_signal(number)
    out, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "Stopped" in out
    # What was just being started is ended by the system, a moment after the demo itself.
    eventually("nothing is left", lambda: not left_behind(tmp_path), 20)
