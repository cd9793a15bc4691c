"""Whose work a dossier is, and who stands in for whom on which days."""

from __future__ import annotations

from pathlib import Path

from device_home.deputies import deputies
from edge_node.desk.waiting import mine
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.desk_pages import chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS, made


def test_a_dossier_is_given_to_an_officer_and_stands_among_their_work(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge)
    chief, clerk = chief_pages(edge, tmp_path), pages(edge, tmp_path)
    assert "Việc của tôi: 0" in clerk.get("/")
    chief.get(f"/dossier/{record}/assign")
    chief.send("/assign", officer=CLERK.hex())
    assert "Người thụ lý An" in chief.text, "by name, never as an id"
    assert CLERK.hex() not in chief.text
    assert "Việc của tôi: 1" in clerk.get("/")
    clerk.get("/mine")
    assert record in clerk.page
    assert mine(edge, CHIEF) == []
    ask(edge, "dossier", "set", record, "status=ready")
    assert mine(edge, CLERK) == [], "what is ready needs them no more"
    clerk.get(f"/dossier/{record}/assign")
    clerk.send("/assign", officer="ff" * 16)
    assert clerk.status == 400
    clerk.get(f"/dossier/{record}/assign")
    clerk.send("/assign", officer="")
    assert (
        "assignee" not in ask(edge, "dossier", "show", record)["fields"]
        or not ask(edge, "dossier", "show", record)["fields"]["assignee"]["value"]
    )


def test_a_deputy_stands_in_on_its_days_is_shown_and_ends(tmp_path: Path) -> None:
    office = Office(now_ms=MONDAY_MS)
    edge = staffed(office).edge()
    record = made(edge, status="filed")
    chief, clerk = chief_pages(edge, tmp_path), pages(edge, tmp_path)
    chief.get("/deputies")
    for first, last in (("27/11/2026", "24/11/2026"), ("24/11/2026", "24/11/2027"), ("", "")):
        chief.send("/deputies", officer=CLERK.hex(), first=first, last=last)
        assert chief.status == 400, (first, last)
    chief.send(
        "/deputies", officer=CLERK.hex(), first="24/11/2026", last="27/11/2026", reason="Họp."
    )
    assert "Họp." in chief.text
    assert "được ủy quyền thay" not in clerk.get("/"), "not before its first day"
    office.now_ms += DAY_MS
    for path in ("/", f"/dossier/{record}", f"/dossier/{record}/move/3"):
        text = clerk.get(path)
        assert "An được ủy quyền thay Bình" in text, path
    other = office.edge("hai")
    office.sync(edge)
    office.sync(other)
    assert len(deputies(other)) == 1, "the log carries it"
    clerk.get("/deputies")
    assert not [action for action in ("/deputies/end",) if action in clerk.page]
    chief.get("/deputies")
    chief.send("/deputies/end")
    assert "được ủy quyền thay" not in clerk.get("/")
    assert "Không có ủy quyền nào" in chief.text


def test_a_deputy_gains_no_right(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, status="filed")
    chief = chief_pages(edge, tmp_path)
    chief.get("/deputies")
    chief.send("/deputies", officer=CLERK.hex(), first="23/11/2026", last="27/11/2026")
    refused = run(edge, "dossier", "set", record, "status=refused", "--reason", "x", officer=CLERK)
    assert refused.code == 1
    clerk = pages(edge, tmp_path)
    clerk.get("/")
    token = {"csrf": clerk.form("/search")["csrf"], "officer": CHIEF.hex()}
    clerk.post("/deputies", {**token, "first": "23/11/2026", "last": "27/11/2026"})
    assert clerk.status == 403
