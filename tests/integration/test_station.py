"""The station while it serves: tablets, commands handed over, restarts, kills, a locked tablet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge, tablet, write_lines

pytestmark = pytest.mark.process


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as found:
        yield found


@pytest.fixture
def station(tmp_path: Path, hub: Hub) -> Program:
    found = edge(tmp_path, "edge", MOTCUA_IDLE_CHECK_S="1")
    found.ok("init")
    found.ok("enrol", "--invite", hub.invite("edge", "Trạm"))
    return found


def handheld(folder: Path, station: Program, name: str) -> Program:
    found = tablet(folder, name)
    found.ok("init")
    text = station.ask("invite", "--label", name)["invite"]
    found.ok("enrol", "--invite", text)
    return found


def wait_for(check: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def test_a_tablet_reaches_the_city_through_the_station(
    tmp_path: Path, hub: Hub, station: Program
) -> None:
    page = write_scans(tmp_path / "scans", 1, 3)[0].name
    lines = list(sample(5, 1))
    write_lines(tmp_path / "d.jsonl", [{**lines[0], "scans": [f"scans/{page}"]}, *lines[1:]])
    with station.serving():
        pad = handheld(tmp_path, station, "pad")
        record = pad.ok("intake", "d.jsonl", "--json").lines[0]["id"]
        saved = {"device": True, "edge": False, "hub": False, "backed_up": False}
        assert pad.ask("dossier", "show", record)["saved"] == saved
        assert pad.ask("sync")["entries_sent"] == 5
        assert pad.ask("dossier", "show", record)["saved"]["edge"]
        wait_for(lambda: len(list(hub.replica.states())) == 5)
        wait_for(lambda: pad.ask("sync") and pad.ask("dossier", "show", record)["saved"]["hub"])
        scan = next(p["scan"] for p in pad.ask("dossier", "show", record)["papers"] if p["scan"])
        assert scan["saved"]["edge"]
        assert {item["delegated"] for item in station.ask("tablet", "list")} == {False}
        assert pad.ask("digest")["sha256"] == station.ask("digest")["sha256"]
        assert pad.ask("verify")["sound"]


def test_a_replayed_tablet_invitation(tmp_path: Path, hub: Hub, station: Program) -> None:
    with station.serving():
        text = station.ask("invite")["invite"]
        hub.stop()  # the city is away: the station enrols by itself
        pads = [tablet(tmp_path, name) for name in ("pad1", "pad2")]
        for pad in pads:
            pad.ok("init")
        pads[0].ok("enrol", "--invite", text)
        answer = pads[1].run("enrol", "--invite", text)
        assert (answer.code, "[invitation]" in answer.err) == (1, True)
        write_lines(tmp_path / "d.jsonl", list(sample(3, 1)))
        pads[0].ok("intake", "d.jsonl")
        pads[0].ok("sync")
        assert station.ask("digest")["records"] == 3
        assert station.ask("tablet", "list")[-1]["delegated"]


def test_every_command_works_while_it_serves(tmp_path: Path, hub: Hub, station: Program) -> None:
    write_lines(tmp_path / "d.jsonl", [*sample(4, 1), {"procedure": "none"}])
    with station.serving():
        answer = station.run("intake", "d.jsonl", "--json")
        assert answer.code == 1
        assert len([row for row in answer.lines if row.get("saved")]) == 4
        assert "line 5: " in answer.err
        record = answer.lines[0]["id"]
        station.ok("dossier", "set", record, "phone=0912000111")
        assert station.ask("dossier", "list", "--text", "0912000111")[0]["id"] == record
        assert station.ask("conflict", "list") == []
        assert station.ask("quarantine", "list") == []
        assert station.ask("health")["records"] == 4
        assert station.ask("verify")["sound"]
        station.ok("sync")
        assert station.ask("repair")["sound"]
        assert station.ok("sample", "--count", "1").out
        assert station.run("dossier", "show", "ffffff").code == 1
        assert station.run("dossier").code == 2
        busy = station.run("serve", "--port", "0")
        assert (busy.code, "[store-busy]" in busy.err) == (1, True)
        many = [station.start("dossier", "list", "--json") for _ in range(6)]
        for process in many:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert record in out
    assert hub.replica.digest().sha256 == station.ask("digest")["sha256"]


def test_killed_and_started_again(tmp_path: Path, hub: Hub, station: Program) -> None:
    write_lines(tmp_path / "d.jsonl", list(sample(40, 1)))
    process = station.start("serve", "--host", "127.0.0.1", "--port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready ")
    acknowledged = station.ok("intake", "d.jsonl", "--json").lines
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    with station.serving():
        found = {item["id"] for item in station.ask("dossier", "list", "--limit", "200")}
        assert {row["id"] for row in acknowledged} <= found
        assert station.ask("verify")["sound"]
        station.ok("sync")
    assert hub.replica.digest().sha256 == station.ask("digest")["sha256"]


def test_a_lost_tablet_is_locked_without_the_city(
    tmp_path: Path, hub: Hub, station: Program
) -> None:
    supervisor = hub.officer("Trần Văn Thử", "supervisor").hex()
    station.ok("sync")
    with station.serving():
        pad = handheld(tmp_path, station, "pad")
        write_lines(tmp_path / "before.jsonl", list(sample(3, 1)))
        write_lines(tmp_path / "after.jsonl", list(sample(2, 2)))
        pad.ok("intake", "before.jsonl")
        pad.ok("sync")
        hub.stop()
        assert station.run("tablet", "lock", "pad").code == 1  # nobody in particular may not
        answer = station.ask("tablet", "lock", "pad", "--officer", supervisor)
        assert (answer["state"], answer["kept"]) == ("locked", 3)
        pad.ok("intake", "after.jsonl")
        pad.run("sync")
        wait_for(lambda: len(station.ask("quarantine", "list")) == 2)
        assert station.ask("digest")["records"] >= 3
        held = [item["id"] for item in station.ask("quarantine", "list")]
        locked = [row["id"] for row in station.ask("tablet", "list") if row["state"] == "locked"]
        assert [item["device"] for item in station.ask("quarantine", "list")] == 2 * locked
        assert {item["reason"] for item in station.ask("quarantine", "list")} == {"revoked-locked"}
        said = station.ask("quarantine", "show", held[0])
        assert "name" in {item["field"] for item in said["changes"]}
        assert station.run("quarantine", "show", f"{held[0][:-1]}77").code == 1
        assert station.run("quarantine", "adopt", *held).code == 1
        done = station.ask("quarantine", "adopt", *held, "--officer", supervisor)
        assert done == {"decided": 2, "held": 0}
        assert station.ask("digest")["records"] == 5


def test_it_stops_at_once_and_says_one_line(station: Program) -> None:
    process = station.start("serve", "--host", "127.0.0.1", "--port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready ")
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, "Traceback" in err) == (0, "", False)
    assert time.monotonic() - started < 10


def test_a_taken_port_is_told(station: Program, hub: Hub) -> None:
    answer = station.run("serve", "--host", "127.0.0.1", "--port", str(hub.port))
    assert (answer.code, answer.err.count("\n")) == (1, 1), answer
    assert "[store-busy]" in answer.err


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_during_intake_loses_nothing_acknowledged(
    tmp_path: Path, hub: Hub, station: Program, seed: int
) -> None:
    write_lines(tmp_path / "d.jsonl", list(sample(3000, seed)))
    process = subprocess.Popen(
        station.command("intake", "d.jsonl", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env=station.environment(),
    )
    assert process.stdout is not None
    for _ in range(1 + 400 * seed):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()  # not `communicate`: it forgets what `readline` has read ahead
    process.stdout.close()
    process.wait(30)
    whole = [line for line in rest.splitlines(keepends=True) if line.endswith("}\n")]
    acknowledged = 1 + 400 * seed + sum(json.loads(line)["saved"] for line in whole)
    assert station.ask("verify")["sound"]
    records = station.ask("digest")["records"]
    assert acknowledged <= records <= 3000
    again = station.ok("intake", "d.jsonl", "--json")
    assert sum(1 for row in again.lines if row.get("duplicate")) >= acknowledged
    assert 3000 <= station.ask("digest")["records"] <= 3000 + 256
    station.ok("sync")
    assert hub.replica.digest().sha256 == station.ask("digest")["sha256"]
