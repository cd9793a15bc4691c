"""A station with a gateway: what people must be told goes out by itself, and is noted."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from sync_protocol.dossier.sample import sample
from tests.integration.hub_fixture import running_hub
from tests.integration.process_fixture import edge, write_lines

pytestmark = pytest.mark.process
WAIT_S = 30.0


def test_a_station_hands_notices_to_the_gateway_of_its_settings(tmp_path: Path) -> None:
    program, got = tmp_path / "send", tmp_path / "got"
    program.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\n"
        f"pathlib.Path(r'{got}').write_bytes(sys.stdin.buffer.read())\n",
        "utf-8",
    )
    program.chmod(0o700)
    with running_hub(tmp_path / "hub") as hub:
        station = edge(tmp_path, "edge", MOTCUA_GATEWAY=str(program))
        station.ok("init")
        station.ok("enrol", "--invite", hub.invite("edge", "Máy bàn"))
        station.ok("sync")
    row = {**next(iter(sample(1, 3))), "status": "ready", "due_on": None}
    row["applicant"] = {**row["applicant"], "phone": "0912000123"}  # type: ignore[dict-item]
    write_lines(tmp_path / "one.jsonl", [row])
    record = station.ok("intake", "one.jsonl", "--json").lines[0]["id"]
    kinds: list[str] = []
    with station.serving():
        ends = time.monotonic() + WAIT_S
        while "sent:result" not in kinds and time.monotonic() < ends:
            kinds = [note["kind"] for note in station.ask("dossier", "show", record)["notes"]]
    assert "sent:result" in kinds
    message = json.loads(got.read_bytes())
    assert message["to"] == "0912000123"
    assert str(row["applicant"]["name"]) not in message["text"]  # type: ignore[index]
