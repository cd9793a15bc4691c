"""What holds for every page of the desk, whatever was added last: by the table of routes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from edge_node.desk.mount import ROUTES
from edge_node.desk.site import Allowed, Route
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, staffed
from tests.integration.desk_pages import Pages, chief_pages
from tests.integration.exchange.office import Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
NEVER_SAID = ("hub", "edge", "đồng bộ", "xung đột", "cách ly")
READ = [route for route in ROUTES if route.method == "GET"]
WRITTEN = [route for route in ROUTES if route.method == "POST"]


class Inline(HTMLParser):
    """Everything of a page that only a nonce should allow, or that somebody put in."""

    def __init__(self) -> None:
        super().__init__()
        self.sins: list[str] = []

    @classmethod
    def of(cls, page: str) -> Inline:
        """Read a page."""
        found = cls()
        found.feed(page)
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.sins += [f"{tag} {name}" for name in names if name.startswith("on") or name == "style"]
        if tag in ("style", "iframe") or (tag == "script" and "src" not in names):
            self.sins.append(tag)


def ward() -> tuple[Replica, str]:
    """Return a station where a hostile dossier stands in every list."""
    edge = staffed(Office(now_ms=MONDAY_MS)).edge("Máy một")
    person: dict[str, Any] = {
        "name": HOSTILE,
        "citizen_number": "097190000024",
        "phone": "0912000123",
    }
    person |= {"birth_place": HOSTILE, "address": {"line": HOSTILE, "unit": HOSTILE}}
    papers = [{"type": "to-khai", "name": HOSTILE, "state": "missing", "note": HOSTILE}]
    plain: dict[str, Any] = {"applicant": person, "papers": papers, "notes": [HOSTILE]}
    record = made(edge, CLERK, **plain)
    for status in ("filed", "processing", "supplement", "ready", "returned"):
        made(edge, CLERK, status=status, **plain)
    ask(edge, "dossier", "set", record, f"assignee={HOSTILE[:60]}", officer=CHIEF)
    return edge, record


def paths(route: Route, record: str) -> list[str]:
    """Return addresses of a route."""
    path = route.path.replace("<record>", record).replace("<int:n>", "1")
    codes = ["1.004873"] if "/intake/" in path else ["4", "5", "6", "7", "8", "9", "10"]
    return [path.replace("<code>", code) for code in codes] if "<code>" in path else [path]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pages, str]:
    edge, record = ward()
    folder: Path = tmp_path_factory.mktemp("desk")
    return chief_pages(edge, folder), record


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("route", READ, ids=lambda route: route.name)
def test_markup_is_text_and_nothing_is_inline(
    desk: tuple[Pages, str], route: Route, language: str
) -> None:
    pages, record = desk
    pages.client.set_cookie("__Host-desk-language", language, domain="station", secure=True)
    for path in paths(route, record):
        pages.get(path)
        assert pages.status in (200, 302, 404), (path, pages.status)
        if not pages.headers["Content-Type"].startswith("text/html"):
            continue
        found = Inline.of(pages.page)
        assert not found.sins, path
        shown = pages.text.lower()
        for word in NEVER_SAID:
            assert not re.search(rf"\b{word}\b", shown), (path, word)
        assert len(pages.raw) < 150 * 1024, path


@pytest.mark.parametrize("route", WRITTEN, ids=lambda route: route.name)
def test_no_change_without_the_token(desk: tuple[Pages, str], route: Route) -> None:
    pages, record = desk
    for path in paths(route, record):
        pages.post(path, {"csrf": "x" * 43, "text": "x", "reason": "x"})
        assert pages.status == 403, path


def test_every_page_of_dossiers_needs_an_officer() -> None:
    opened = [route for route in ROUTES if "<record>" in route.path]
    assert {route.allowed for route in opened} <= {Allowed.OFFICER, Allowed.SUPERVISOR}
