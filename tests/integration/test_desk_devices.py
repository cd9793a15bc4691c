"""The ward's devices at the desk: who is there, an invitation, a lock and its lifting."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge_node.tablets
from device_home.shapes import device_state
from edge_node.desk.devices import OPEN_MAX, ranges
from edge_node.tablets import keep_device_health, missing_numbers, reopen
from sync_protocol.dossier.local_time import local_time
from sync_protocol.errors import NotAllowedError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.wire.enrol import read_invitation
from tests.integration.desk import CHIEF, ask, staffed
from tests.integration.desk_pages import chief_pages, pages
from tests.integration.exchange.office import DAY_MS, Office, capture


def with_tablet(office: Office) -> tuple[Replica, Replica]:
    """Return a station and a tablet that has brought it two dossiers."""
    edge, tablet = staffed(office).edge("Trạm"), office.join(g.TABLET, "Máy quầy 1")
    office.sync(edge)
    office.sync(tablet, edge)
    capture(tablet, 2)
    office.sync(tablet, edge)
    return edge, tablet


def test_the_devices_are_listed_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    office = Office()
    edge, tablet = with_tablet(office)
    desk = chief_pages(edge, tmp_path)
    assert "chưa rõ" in desk.get("/devices"), "a tablet that was never heard"
    told: dict[str, int | str] = {
        "entries_unsent": 7,
        "free_bytes": 1,
        "clock_offset_ms": DAY_MS,
        "version": "9.9",
    }
    keep_device_health(edge, tablet.keys.public, told)
    office.now_ms += 2 * 3_600_000
    text = desk.get("/devices")
    for words in ("Máy quầy 1", "Máy tính bảng", "2 giờ trước", "7", "Sắp hết chỗ", "Đồng hồ sai"):
        assert words in text
    assert "Thành phố đã xác nhận" in text
    clerk = pages(edge, tmp_path)
    clerk.get("/devices")
    assert clerk.status == 403


def test_an_invitation_is_shown_once_and_says_how_long_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, _ = with_tablet(Office())
    monkeypatch.setattr(edge_node.tablets, "authority", lambda _: (AUTHORITY, b""))
    monkeypatch.setattr(edge_node.tablets, "served_url", lambda _: "https://192.0.2.7:8444")
    desk = chief_pages(edge, tmp_path)
    desk.get("/devices")
    desk.send("/invite", label="Máy quầy 2", hours="8")
    assert "<svg" in desk.page
    assert "style=" not in desk.page
    assert "còn 8 giờ" in desk.text
    line = desk.page.partition('class="secret">')[2].partition("<")[0]
    found = read_invitation(line)
    assert (found.url, found.role) == ("https://192.0.2.7:8444", g.TABLET)
    again = desk.get("/devices")
    assert line not in desk.page
    assert "Máy quầy 2" in again, "that it waits is shown, its secret is not"
    for _ in range(OPEN_MAX):
        desk.send("/invite")
    assert desk.status == 400


@pytest.fixture(autouse=True, scope="module")
def _authority() -> None:
    global AUTHORITY  # noqa: PLW0603 - made once: it is slow
    from datetime import UTC, datetime

    from sync_protocol.crypto.certificate import make_authority

    AUTHORITY = make_authority("x", datetime(2026, 11, 23, tzinfo=UTC))[0]


AUTHORITY = b""


def test_a_lock_says_what_it_will_do_does_it_and_is_lifted(tmp_path: Path) -> None:
    office = Office()
    edge, tablet = with_tablet(office)
    desk, device = chief_pages(edge, tmp_path), short_name(tablet.keys.public)
    text = desk.get(f"/devices/{device}/lock")
    assert "2 lần ghi" in text
    assert "Chờ kiểm tra" in text
    assert "Máy đã khóa" in desk.send("/lock")
    assert device_state(edge, tablet.keys.public) == g.LOCKED
    revoke = edge.holding.roster.revoked(tablet.keys.public)
    assert revoke is not None
    capture(tablet, 1, seed=5)
    office.sync(tablet, edge)
    assert edge.rooms.views.counts().held == 1
    said = ask(edge, "quarantine", "list")
    assert {item["reason"] for item in said} == {"revoked-locked"}
    assert "Mở lại" in desk.get(f"/devices/{device}/lock")
    assert "Máy đã mở lại" in desk.send("/reopen")
    assert (device_state(edge, tablet.keys.public), edge.rooms.views.counts().held) == ("active", 0)
    with pytest.raises(NotAllowedError):
        reopen(edge, CHIEF, tablet.keys.public)
    desk.get("/devices/ffffffff/lock")
    assert desk.status == 404


def test_what_the_city_revoked_only_the_city_lifts(tmp_path: Path) -> None:
    office = Office()
    edge, tablet = with_tablet(office)
    office.hub.say([g.Revoke(tablet.keys.public, g.LOCKED, [])], NO_OFFICER)
    office.sync(edge)
    desk = chief_pages(edge, tmp_path)
    desk.get(f"/devices/{short_name(tablet.keys.public)}/lock")
    desk.send("/reopen")
    assert (desk.status, "chỉ thành phố" in desk.text) == (409, True)
    assert device_state(edge, tablet.keys.public) == g.LOCKED


def test_numbers_that_never_arrived_are_named(tmp_path: Path) -> None:
    office = Office()
    edge, tablet = with_tablet(office)
    today = local_time(office.now_ms).date().isoformat()
    agency, days = "000.00.01.H26", (today, "2099-12-31")
    office.hub.say([g.Lease(edge.own.feed, agency, 1, 100, *days)], NO_OFFICER)
    office.sync(edge)
    edge.say([g.Lease(tablet.own.feed, agency, 91, 100, *days)], NO_OFFICER)
    [found] = missing_numbers(edge, tablet.keys.public, local_time(office.now_ms).date())
    assert ranges(found.numbers) == "91–100"
    day = local_time(office.now_ms)
    record = ask(edge, "dossier", "list")[0]["id"]
    ask(edge, "dossier", "set", record, f"official_code={agency}-{day:%y%m%d}-0093")
    text = chief_pages(edge, tmp_path).get(f"/devices/{short_name(tablet.keys.public)}/lock")
    assert "91–92, 94–100" in text


def test_ranges_are_written_as_people_do() -> None:
    assert ranges([]) == ""
    assert ranges([1, 2, 3, 7, 9, 10]) == "1–3, 7, 9–10"


def test_a_reopening_is_a_command_too() -> None:
    edge, _ = with_tablet(Office())
    ask(edge, "tablet", "lock", "Máy quầy 1", officer=CHIEF)
    assert ask(edge, "tablet", "reopen", "Máy quầy 1", officer=CHIEF)["state"] == "active"
