"""Nobody is kept out: axe finds nothing against WCAG 2 A and AA on any page of the desk.

Each page is answered by the desk itself, over a ward in memory that holds one of everything, and
looked at by Chromium: in Vietnamese at a desk's and a tablet's size, in English at the smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from playwright.sync_api import Route as Asked

from edge_node.desk.site import Route
from sync_protocol.exchange.enrol import short_name
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, staffed
from tests.integration.desk_pages import Pages, chief_pages
from tests.integration.exchange.office import Office
from tests.integration.test_desk_every_page import READ
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made
from tests.town.browser import DESK_SIZE, TABLET_SIZE, WAIT_MS, chromium

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RUN = """async () => {
  const levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, {runOnly: levels, resultTypes: ["violations"]});
  const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}
    ${node.failureSummary}`);
  return found.violations.flatMap(told);
}"""
ADDRESS = "https://station"
LOOKS = (("vi", DESK_SIZE), ("vi", TABLET_SIZE), ("en", TABLET_SIZE))
BY_MOVE = {"4": "received", "5": "received", "6": "received", "7": "received", "8": "withdrawal"}
BY_MOVE |= {"1": "refused", "2": "filed", "3": "filed", "9": "processing", "10": "ready"}
STATUSES = ("received", "filed", "processing", "supplement", "payment", "withdrawal", "ready")


def one_of_everything() -> tuple[Replica, dict[str, str]]:
    """Return a station with a dossier of every open status, two versions, calls and remarks."""
    office = staffed(Office(now_ms=MONDAY_MS))
    tablet = office.join(g.TABLET, "Máy bảng 1")
    edge = office.edge("Quầy 1")
    papers = [{"type": "to-khai", "name": "Tờ khai", "state": "missing", "note": "Chưa ký."}]
    found = {"tablet": short_name(tablet.keys.public)}
    found |= {
        status: made(edge, CLERK, status=status, papers=papers, due_on=f"2026-11-{day}")
        for day, status in enumerate(STATUSES, start=23)
    }
    disputed = found["disputed"] = made(edge, CLERK)
    dots = ask(edge, "dossier", "show", disputed)["fields"]["phone"]["dots"]
    for officer, phone in ((CLERK, "0912000111"), (CHIEF, "0912000222")):
        words = ("dossier", "set", disputed, f"phone={phone}", "--seen", *dots)
        ask(edge, *words, officer=officer)
    ask(edge, "dossier", "set", found["received"], "--note", "Hẹn gọi lại.", officer=CLERK)
    return edge, found


def addresses(route: Route, found: dict[str, str]) -> list[str]:
    """Return where the pages of a route are, each with something on it."""
    path = f"/desk{route.path.replace('<int:n>', '1')}"
    if route.name == "move":
        return [
            path.replace("<record>", found[status]).replace("<code>", code)
            for code, status in BY_MOVE.items()
            if status in found
        ]
    path = path.replace("<device>", found["tablet"])
    path = path.replace("<code>", "1.001193").replace(
        "<record>", found["disputed" if route.name == "versions" else "received"]
    )
    return [path, f"{path}?saved=new", f"{path}?slip=void"] if route.name == "dossier" else [path]


class Window:
    """A browser's window whose questions the desk answers, without a station between."""

    def __init__(self, page: Page, pages: Pages) -> None:
        page.set_default_timeout(WAIT_MS)
        page.route("**/*", self._answer)
        self.page = page
        self._pages = pages
        self.status = 0

    def _answer(self, asked: Asked) -> None:
        request = asked.request
        answer = self._pages.client.open(
            request.url.removeprefix(ADDRESS).removeprefix("/desk"),
            base_url=f"{ADDRESS}",
            method=request.method,
            data=request.post_data_buffer or b"",
            content_type=request.headers.get("content-type"),
            follow_redirects=True,
        )
        if request.is_navigation_request():
            self.status = answer.status_code
        if answer.mimetype == "application/pdf":  # what a browser without a screen can't show
            asked.fulfill(status=204)
            return
        asked.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=answer.get_data()
        )

    def look(self) -> list[str]:
        """Return what axe says against the page that is shown."""
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(RUN)
        return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Window, dict[str, str]]]:
    edge, found = one_of_everything()
    pages = chief_pages(edge, tmp_path_factory.mktemp("desk"))
    with chromium() as browser:
        yield Window(browser.new_page(), pages), found


def speak(window: Window, language: str) -> None:
    window._pages.client.set_cookie("__Host-desk-language", language, domain="station", secure=True)


@pytest.mark.parametrize("route", READ, ids=lambda route: route.name)
def test_axe_finds_nothing(seen: tuple[Window, dict[str, str]], route: Route) -> None:
    window, found = seen
    told = []
    for path in addresses(route, found):
        for language, size in LOOKS:
            speak(window, language)
            window.page.set_viewport_size({"width": size[0], "height": size[1]})
            if route.name in NO_PAGES:
                continue
            window.page.goto(f"{ADDRESS}{path}")
            assert window.status == 200, path
            told += [f"{language} {size[0]} {path}: {item}" for item in window.look()]
    assert not told, "\n".join(told)


NO_PAGES = frozenset({"figures_table", "takings_table", "news", "news_now"})
"""Tables for a spreadsheet, and what an open page asks by itself."""


def test_axe_finds_nothing_where_something_went_wrong(
    seen: tuple[Window, dict[str, str]],
) -> None:
    window, _ = seen
    page = window.page
    speak(window, "vi")
    told = []
    page.goto(f"{ADDRESS}/desk/intake/1.004873")
    page.get_by_label("Họ và tên", exact=True).first.fill("Trần Thử")
    page.get_by_label("Số định danh", exact=True).first.fill("097090000024")
    page.get_by_label("Số điện thoại", exact=True).first.fill("12")
    page.get_by_role("button", name="Tiếp nhận và in phiếu", exact=True).click()
    page.get_by_text("Không phải số điện thoại").wait_for()
    told += window.look()
    page.goto(f"{ADDRESS}/desk/intake/1.004873")
    page.get_by_label("Họ và tên", exact=True).first.fill("Nguyễn Thị Lưu Ý")
    page.get_by_label("Số định danh", exact=True).first.fill("097190000024")
    page.get_by_role("button", name="Tiếp nhận và in phiếu", exact=True).click()
    page.get_by_text("chỉ dùng để thử").first.wait_for()
    told += window.look()
    page.goto(f"{ADDRESS}/desk/nowhere")
    assert window.status == 404
    told += window.look()
    assert not told, "\n".join(told)


def test_axe_would_find_something(seen: tuple[Window, dict[str, str]]) -> None:
    window, _ = seen
    window.page.goto(f"{ADDRESS}/desk/calls")
    window.page.evaluate(
        """() => {
          const dim = document.createElement("p");
          dim.append("mờ");
          dim.style.color = "#bbb";
          document.querySelector("main").append(dim, document.createElement("input"));
        }"""
    )
    assert {item.partition(":")[0] for item in window.look()} == {"color-contrast", "label"}
