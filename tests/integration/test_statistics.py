"""A ward's figures: from the log, by procedure and by officer."""

from __future__ import annotations

import json
from typing import Any

from edge_node.statistics_commands import known, known_by_view
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.identity import OfficerId
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS

DAYS = ("--from", "2026-11-01", "--to", "2026-11-30")


def made(replica: Replica, officer: OfficerId, **changed: Any) -> str:
    plain = {"status": "received", "received_on": "2026-11-23", "due_on": "2026-11-25"}
    row = {**next(iter(sample(1, 1))), **plain, "procedure": "1.004873", **changed}
    change = read_intake(json.dumps(row).encode()).change()
    return replica.write([change], officer).records[0].hex()


def test_figures_come_from_what_happened_and_stay_what_they_were() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    quick, slow, sorry, _left = (made(edge, CLERK) for _ in range(4))
    made(edge, CHIEF, procedure="1.001193", status="filed")
    helped = made(edge, CHIEF, procedure="1.001193", due_on="2026-11-30")
    office.sync(edge)
    office.sync(other)
    ask(edge, "dossier", "set", quick, "status=ready")
    ask(edge, "dossier", "apologise", sorry, "--until", "2026-11-27", "--reason", "Đông người.")
    office.now_ms += 3 * DAY_MS  # Thursday
    for record in (slow, sorry):
        ask(other, "dossier", "set", record, "status=ready", officer=CHIEF)
    for replica in (other, edge, other):
        office.sync(replica)
    found = ask(edge, "statistics", *DAYS)
    assert found["total"] == {
        "received": 5, "in_time": 1, "late": 2, "untimed": 0, "waiting": 2, "overdue": 1,
        "papers_known": 0,
    }  # fmt: skip
    assert [(row["code"], row["received"]) for row in found["procedures"]] == [
        ("1.001193", 1),
        ("1.004873", 4),
    ]
    assert {row["name"]: row["received"] for row in found["officers"]} == {"An": 4, "Bình": 1}
    assert ask(other, "statistics", *DAYS) == found

    december = ("--from", "2026-12-01", "--to", "2026-12-31")
    assert ask(edge, "statistics", *december)["total"]["waiting"] == 2
    wednesday = ("--from", "2026-11-01", "--to", "2026-11-25")
    assert ask(edge, "statistics", *wednesday)["total"]["late"] == 0
    ask(edge, "dossier", "set", helped, "assignee=Tổ một cửa")
    office.now_ms += 30 * DAY_MS
    ask(edge, "dossier", "set", quick, "status=4", "--reason", "Sai ngày sinh.")
    later = ask(edge, "statistics", *DAYS)
    assert later["total"] == {**found["total"], "overdue": later["total"]["overdue"]}
    again = ask(edge, "statistics", *december)["total"]
    assert (again["waiting"], again["received"]) == (3, 0)
    ask(edge, "dossier", "set", quick, "status=8", "--reason", "Công dân rút.")
    over = ask(edge, "statistics", "--from", "2027-01-01", "--to", "2027-01-31")["total"]
    assert (over["waiting"], over["late"]) == (2, 0)
    assert "Tổ một cửa" in {row["name"] for row in later["officers"]}


def test_days_that_are_none_are_refused() -> None:
    edge = staffed(Office()).edge()
    for days in (("2026-11-31", "2026-12-01"), ("2026-12-01", "2026-11-01")):
        answer = run(edge, "statistics", "--from", days[0], "--to", days[1])
        assert (answer.code, answer.lines[0]["error"]) == (1, "bad-input")
    assert ask(edge, "statistics", *DAYS)["total"]["received"] == 0


def test_what_is_read_without_a_view_is_what_the_view_says() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    papers = [{"type": "to-khai", "name": "Tờ khai", "state": "known"}]
    plain, edited, disputed, sorry, gone = (made(edge, CLERK, papers=papers) for _ in range(5))
    office.sync(edge)
    office.sync(other)
    for replica, who, due in ((edge, "An", "2026-11-26"), (other, "Bình", "2026-11-27")):
        ask(replica, "dossier", "set", disputed, f"assignee={who}", f"due_on={due}")
    ask(edge, "dossier", "set", edited, "status=ready", "assignee=An", "due_on=2026-11-30")
    ask(edge, "dossier", "apologise", sorry, "--until", "2026-11-27", "--reason", "Đông.")
    wanted = ("--missing", "to-khai", "Chưa ký.", "--reason", "Chưa ký.")
    ask(edge, "dossier", "set", gone, "status=5", *wanted)
    for replica in (other, edge, other):
        office.sync(replica)
    found = {}
    for record, state in edge.states():
        found[record.hex()] = known(edge, record, state)
        assert found[record.hex()] == known_by_view(edge, record, state)
    assert [found[r].papers_known for r in (plain, edited, gone)] == [1, 1, 0]  # type: ignore[union-attr]
