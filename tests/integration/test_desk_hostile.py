"""What is tried at the desk beyond single pages: whose session lives, whose words are data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device_home.publications import publication
from sync_protocol.dossier.catalogue import catalogue, shipped_files
from sync_protocol.dossier.edition import go_by
from sync_protocol.dossier.publication import publish, read_publication
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.desk_pages import pages
from tests.integration.exchange.office import Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'); drop table record; --",
    "{{ 7*7 }} {% for x in y %}",
    "=cmd|' /C calc'!A0",
    "\u202egpj.exe",
    "%s %n {0}",
    "../../etc/passwd",
)
PROCEDURE = """
[[procedure]]
code = "{code}"
vi = '''{name}'''
en = '''{name}'''
official = '''{name}'''
"""


@pytest.fixture(autouse=True)
def by_the_program() -> Iterator[None]:
    yield
    go_by(dict)


def test_words_of_a_published_edition_are_data_on_every_page(tmp_path: Path) -> None:
    files = shipped_files()
    version = catalogue().edition.version + 1
    files["edition.toml"] = f'version = {version}\nread_on = 2026-12-01\nsource = "x"\n'
    for number, name in enumerate(HOSTILE):
        files["certification.toml"] += PROCEDURE.format(code=f"1.99999{number}", name=name)
    go_by(lambda: files)
    assert catalogue().edition.version == version, "it is the hostile one that is in force"
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    desk = pages(edge, tmp_path)
    desk.get("/intake")
    assert desk.status == 200
    for number, name in enumerate(HOSTILE):
        assert "<script>alert" not in desk.page
        assert "<img src=x" not in desk.page
        desk.get(f"/intake/1.99999{number}")
        assert desk.status == 200, name
        assert "<img src=x" not in desk.page
        assert "<script>alert" not in desk.page
        assert "49" not in desk.page.partition("<h1")[2].partition("</h1>")[0]
    assert ask(edge, "dossier", "list") == []


@pytest.mark.parametrize("role", [g.DISABLED, g.SUPERVISOR])
def test_a_session_ends_when_its_officer_is_disabled_or_stated_anew(
    tmp_path: Path, role: str
) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    desk, other = pages(edge, tmp_path), pages(edge, tmp_path, CHIEF)
    desk.get("/")
    assert desk.status == 200
    office.hub.say([g.Officer(CLERK, "An", role, version=9)], NO_OFFICER)
    office.sync(edge)
    desk.get("/")
    assert (desk.status, desk.headers["Location"]) == (302, "/sign-in")
    other.get("/")
    assert other.status == 200, "nobody else's session ends"


def test_a_forged_edition_counts_nowhere_not_even_adopted() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    files = shipped_files()
    files["edition.toml"] = 'version = 999\nread_on = 2026-12-01\nsource = "forged"\n'
    change = publish(read_publication(files), None)
    assert change is not None
    dots = [edge.write([change], officer).dot for officer in (NO_OFFICER, CHIEF)]
    office.sync(edge)
    office.hub.say([g.Adopt([g.wire_dot(dot) for dot in dots])], CHIEF)
    for replica in (edge, other, edge, other):
        office.sync(replica)
    for replica in (office.hub, edge, other):
        replica.follow()
        assert publication(replica) is None
        assert {row.reason for row in replica.rooms.views.held()} == {"not-allowed"}


def test_a_made_up_session_opens_nothing(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    desk = pages(edge, tmp_path)
    for token in ("", "x", "0" * 43, "' or 1=1 --", "\u0111" * 20, "a" * 3000):
        desk.client.set_cookie("__Host-desk", token, domain="station", secure=True)
        desk.get("/")
        assert desk.status in (302, 400, 401, 431), token
        assert "An" not in desk.text.split()


def test_one_code_on_two_dossiers_is_seen_everywhere_and_cannot_be_typed(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    code = "000.00.01.H26-261123-0008"
    first, second = made(edge, CLERK), made(other, CHIEF)
    for replica, record in ((edge, first), (other, second)):
        ask(replica, "dossier", "set", record, f"official_code={code}")
    for replica in (edge, other, edge):
        office.sync(replica)
    counts = edge.rooms.views.counts()
    assert (counts.disputed, counts.clashes) == (0, 1)
    desk = pages(edge, tmp_path)
    for record, twin in ((first, second), (second, first)):
        desk.get(f"/dossier/{record}")
        assert "trùng với hồ sơ khác" in desk.text
        assert f"/dossier/{twin}" in desk.page
    third = made(edge, CLERK)
    assert run(edge, "dossier", "set", third, f"official_code={code}").code == 1
    desk.get(f"/dossier/{third}/edit")
    desk.send("/edit", **{"f.official_code": code})
    assert desk.status == 400
    assert "hồ sơ khác" in desk.text
    ask(edge, "dossier", "set", second, "official_code=000.00.01.H26-261123-0009")
    desk.get(f"/dossier/{first}")
    assert "trùng với hồ sơ khác" not in desk.text
