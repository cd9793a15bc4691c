"""A real TLS hub, and a station whose clock stands at the 2nd of January 1970.

No message depends on a right clock: it enrols, captures, syncs, serves a tablet, and is only told
that its clock is wrong.
"""

import shutil
import subprocess

import pytest

from tests.town.town import town

WARD = "00070"
THEN = "1970-01-02 00:00:00"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed"),
]


def in_1970() -> dict[str, str]:
    """Return what `faketime` puts into a program's environment, with timers left as they are."""
    found = subprocess.run(["faketime", THEN, "env"], capture_output=True, text=True, check=True)
    settings = dict(line.split("=", 1) for line in found.stdout.splitlines() if "=" in line)
    return {
        "LD_PRELOAD": settings["LD_PRELOAD"],
        "FAKETIME": f"@{THEN}",  # it begins there, and goes on
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def test_a_station_in_1970_works_like_any_other() -> None:
    with town() as place:
        place.found((WARD, "Phường Hoàn Kiếm"))
        old = place.enrol("edge", "old", WARD, extra=in_1970())
        now = place.enrol("edge", "now", WARD)
        old.ask("sync")
        now.ask("sync")
        ids = place.capture(old, "old", 5, seed=1, scans=True)
        place.capture(now, "now", 5, seed=2, scans=True)
        both = place.settle(WARD, [old, now])
        assert both["records"] == 10
        assert place.hub.ask("quarantine", "list", "--ward", WARD) == []

        old.ask("dossier", "set", ids[0], "phone=0912000111")
        now.ask("dossier", "set", ids[0], "phone=0912000222")
        place.settle(WARD, [old, now])
        conflicts = old.ask("conflict", "list")
        assert [item["field"] for item in conflicts] == ["phone"], "no clock decided"
        now.ask("dossier", "set", ids[1], "phone=0912000333")
        place.settle(WARD, [old, now])
        old.ask("dossier", "set", ids[1], "phone=0912000444")  # later by cause, older by clock
        place.settle(WARD, [old, now])
        assert now.ask("dossier", "show", ids[1])["fields"]["phone"]["value"] == "0912000444"
        assert len(now.ask("conflict", "list")) == 1

        health = old.run("health")
        assert "clock of this machine is wrong" in health.out
        assert old.ask("verify")["sound"]

        served = old.serve("--host", "127.0.0.1", "--port", "0")
        tablet = place.program("tablet", "tablet")
        tablet.must("init")
        tablet.must("enrol", "--invite", old.ask("invite")["invite"])
        place.capture(tablet, "field", 3, seed=3)
        tablet.ask("sync")
        served.kill()  # libfaketime breaks the sleep with which the server's own stop waits
        place.settle(WARD, [old, now])
        assert place.digest(place.hub, WARD)["records"] == 13
