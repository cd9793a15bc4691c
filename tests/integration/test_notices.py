"""Notices: who must be told, that they were, and what a gateway gets to see."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge_node.notices import ProgramGateway, due_notices, send_notices
from sync_protocol.dossier.notice import TEXTS
from tests.integration.desk import CLERK, ask, staffed
from tests.integration.desk_pages import pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made

WANTED = ("--missing", "to-khai", "Chưa ký.", "--reason", "Chưa ký.")
PERSON = {"name": "Nguyễn Thị Gọi", "citizen_number": "097190000024", "phone": "0912000123"}


class Modem:
    """A gateway that takes what it is told to take."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.sent: list[tuple[str, str]] = []

    def send(self, phone: str, text: str) -> bool:
        self.sent.append((phone, text))
        return self.takes


def whys(office: Office, replica: object) -> list[str]:
    return [item.notice.why.value for item in due_notices(replica)]  # type: ignore[arg-type]


def test_who_was_not_reached_stays_and_who_was_goes(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    supplement, delay, result, quiet = (
        made(edge, CLERK, applicant={**PERSON, "name": f"Nguyễn Gọi {n}"}) for n in range(4)
    )
    ask(edge, "dossier", "set", supplement, "status=5", *WANTED)
    ask(edge, "dossier", "apologise", delay, "--until", "2026-11-30", "--reason", "Đông.")
    ask(edge, "dossier", "set", result, "status=9")
    assert sorted(whys(office, edge)) == ["delay", "result", "supplement"]
    desk = pages(edge, tmp_path)
    desk.get("/")
    assert "3 Cần gọi hôm nay" in desk.text
    desk.get("/calls")
    for words in ("Chưa ký.", "30/11/2026", "0912000123", "Đã có kết quả"):
        assert words in desk.text
    assert "Nguyễn Gọi 3" not in desk.text
    assert ask(edge, "dossier", "show", quiet)["status"] == "2"
    office.now_ms += 1000
    desk.send(f"/calls/{result}", outcome="missed")
    assert "Chưa gặp 1 lần" in desk.text
    desk.get("/calls")
    desk.send(f"/calls/{delay}", outcome="reached")
    assert "Nguyễn Gọi 1" not in desk.text
    office.sync(edge)
    office.sync(other)
    assert whys(office, other) == ["supplement", "result"], "those not tried yet come first"
    note = ask(other, "dossier", "show", delay)["notes"][-1]
    assert (note["kind"], note["officer_name"]) == ("reached:delay", "An")
    office.now_ms += DAY_MS
    ask(edge, "dossier", "apologise", delay, "--until", "2026-12-01", "--reason", "Vẫn đông.")
    assert sorted(whys(office, edge)) == ["delay", "result", "supplement"], "told of the old date"
    ask(edge, "dossier", "set", result, "status=10")
    ask(edge, "dossier", "set", supplement, "status=2")
    assert whys(office, edge) == ["delay"]


def test_a_bad_outcome_is_refused(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, CLERK, status="ready")
    desk = pages(edge, tmp_path)
    desk.get("/calls")
    for typed in ({"outcome": "sent"}, {"outcome": "x"}, {"outcome": "reached", "why": "y"}):
        desk.send(f"/calls/{record}", **typed)
        assert desk.status == 400
        desk.get("/calls")
    assert len(due_notices(edge)) == 1


def test_a_gateway_gets_a_number_and_a_text_without_a_person_in_it() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    record = made(edge, CLERK, applicant=PERSON, status="ready")
    made(edge, CLERK, applicant={"name": "Không Số"}, status="ready")
    office.now_ms += 1000
    assert send_notices(edge, Modem(takes=False), "Phường Thử") == 0
    assert len(due_notices(edge)) == 2
    assert send_notices(edge, Modem(), "Phường Thử", stops=lambda: True) == 0
    modem = Modem()
    assert send_notices(edge, modem, "Phường Thử") == 1
    [(phone, text)] = modem.sent
    assert phone == "0912000123"
    assert "Phường Thử" in text
    for secret in ("Nguyễn", "Gọi", "097190000024", "0912000123", record[:8], "http", "1.004873"):
        assert secret not in text
    assert len(due_notices(edge)) == 1, "who has no number is called"
    assert send_notices(edge, modem, "Phường Thử") == 0


def test_no_text_has_room_for_anything_but_the_wards_name() -> None:
    for pair in TEXTS.values():
        for text in pair:
            assert text.count("{") == text.count("{ward}") == 1
            assert "/" not in text.replace("ông/bà", "")


@pytest.mark.parametrize(("ends", "taken"), [("0", True), ("1", False)])
def test_a_program_is_the_port_to_any_modem(tmp_path: Path, ends: str, taken: bool) -> None:
    program = tmp_path / "send"
    program.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\n"
        f"pathlib.Path(r'{tmp_path}/got').write_bytes(sys.stdin.buffer.read())\n"
        f"sys.exit({ends})\n",
        "utf-8",
    )
    program.chmod(0o700)
    assert ProgramGateway(program).send("0912000123", "Đã có kết quả.") is taken
    assert "Đã có kết quả." in (tmp_path / "got").read_text("utf-8")
    assert not ProgramGateway(tmp_path / "none").send("0912000123", "x")
