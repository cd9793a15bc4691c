"""Who may not settle a dispute can't do so by writing over one of its two versions."""

from __future__ import annotations

import json

from device_home.shapes import dot_text
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.identity import NO_OFFICER
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.exchange.office import Office


def test_a_clerk_cant_make_two_versions_equal_and_a_supervisor_settles() -> None:
    office = staffed(Office())
    edge, other = office.edge("một"), office.edge("hai")
    row = {**next(iter(sample(1, 1))), "status": "received"}
    record = edge.write([read_intake(json.dumps(row).encode()).change()], NO_OFFICER).records[0]
    office.sync(edge)
    office.sync(other)
    ask(edge, "dossier", "set", record.hex(), "status=9", officer=CLERK)
    ask(other, "dossier", "set", record.hex(), "status=4", officer=CLERK)
    office.sync(edge)
    office.sync(other)
    office.sync(edge)
    view = edge.read(record)
    assert view is not None
    status = view.field("status")
    assert status is not None
    assert len(status.siblings) == 2
    for sibling in status.siblings:
        for value in ("9", "4"):
            words = ("dossier", "set", record.hex(), f"status={value}")
            answer = run(edge, *words, "--seen", dot_text(sibling.dot), officer=CLERK)
            assert (answer.code, answer.lines[0]["error"]) == (1, "not-allowed")
    for command in (["dossier", "set", record.hex(), "status=10"],
                    ["conflict", "settle", record.hex(), "status", "--value", "10"]):  # fmt: skip
        assert run(edge, *command, officer=CHIEF).lines[0]["error"] == "bad-input"
    ask(edge, "dossier", "set", record.hex(), "status=4", officer=CHIEF)
    settled = edge.read(record)
    assert settled is not None
    assert not settled.conflicts
