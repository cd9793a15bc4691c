"""Officers at real pages: the system's Chromium, what somebody there sees, taps, types and scans.

`chromium()` opens one browser, and `officer()` one person's window in it, with cookies of its own.
A station's TLS stands on the ward's private authority, which no browser knows by itself; whether
pages trust it is the matter of `deploy/`, and looked past here. Every wait has an end.

What an officer does is counted, so that the steps of a job can be told: a tap, a group of keys, a
scan or a choice is one action each.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright
from pypdf import PdfReader

from tests.town.process import TownError

WAIT_MS = 20_000
"""A page is there in well under a second; a machine that is busy with other tests needs more."""
DESK_SIZE = (1440, 900)
TABLET_SIZE = (1024, 768)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Open the system's Chromium, without a screen."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise TownError("there is no Chromium here; deploy/system-packages.sh chromium fetches it")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Officer:
    """One person at one browser window of a station."""

    page: Page
    url: str
    actions: int = 0
    sheets: list[bytes] = field(default_factory=list)
    """Every PDF that came, in order: what would lie in the printer."""

    # --- what they see ----------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Return what stands on the page."""
        return re.sub(r"\s+", " ", self.page.locator("body").inner_text())

    @property
    def where(self) -> str:
        """Return the address of the page, without the station."""
        return self.page.url.removeprefix(self.url)

    @property
    def record(self) -> str:
        """Return the id of the dossier whose page this is."""
        found = re.search(r"/dossier/([0-9a-f]{32})", self.page.url)
        if found is None:
            raise TownError(f"this is no dossier's page: {self.where}")
        return found[1]

    def value(self, label: str) -> str:
        """Return what stands in a field."""
        return self.page.get_by_label(label, exact=True).first.input_value()

    def offers(self, button: str) -> bool:
        """Whether the page has a button of this name."""
        return self.page.get_by_role("button", name=button, exact=True).count() > 0

    # --- what they do -----------------------------------------------------------------------------

    def go(self, path: str) -> None:
        """Open a page by its address, as a bookmark would."""
        self.page.goto(f"{self.url}/desk/{path}")

    def tap(self, name: str, role: Any = "button", within: Locator | None = None) -> None:
        """Tap a button, and wait for what comes of it."""
        place = within if within is not None else self.page
        place.get_by_role(role, name=name, exact=True).first.click()
        self._did()

    def follow(self, name: str) -> None:
        """Tap a link, by the words in it."""
        self.page.get_by_role("link", name=name).first.click()
        self._did()

    def type(self, label: str, text: str) -> None:
        """Type into the first field of that name, over what stands there."""
        self.page.get_by_label(label, exact=True).first.fill(text)
        self.actions += 1

    def choose(self, label: str, option: str) -> None:
        """Choose one of a list."""
        self.page.get_by_label(label).first.select_option(label=option)
        self.actions += 1

    def scan(self, content: str, label: str = "") -> None:
        """Hold a code under the reader, which types it where the cursor is and presses Enter.

        With `label`, somebody taps into that field first.
        """
        if label:
            self.page.get_by_label(label, exact=True).first.click()
            self.actions += 1
        self.page.keyboard.insert_text(content)
        self.page.keyboard.press("Enter")
        self._did()

    def give(self, label: str, path: Path) -> None:
        """Choose a picture or a document for a field that takes one."""
        with self.page.expect_navigation():
            self.page.get_by_label(label).set_input_files(path)
        self._did()

    def sign_in(self, name: str, pin: str) -> None:
        """Sign in by PIN."""
        self.go("sign-in")
        self.type("Họ và tên", name)
        self.type("Mã PIN, hoặc mã dùng lần đầu", pin)
        self.tap("Vào làm việc")

    def first_use(self, name: str, code: str, pin: str) -> None:
        """Sign in for the first time, by a code that was handed over, and choose a PIN."""
        self.sign_in(name, code)
        self.type("Mã PIN mới", pin)
        self.type("Gõ lại mã PIN", pin)
        self.tap("Lưu mã PIN")
        self.must_see("Thoát")

    def sign_out(self) -> None:
        """Go."""
        self.tap("Thoát")

    # --- what must come of it ---------------------------------------------------------------------

    def must_see(self, *words: str) -> None:
        """Wait until all of these words stand on the page. Raises `TownError`."""
        for item in words:
            try:
                self.page.get_by_text(item).first.wait_for(state="visible", timeout=WAIT_MS)
            except Exception as cause:
                raise TownError(f"{item!r} is not on {self.where}: {self.text[:1500]}") from cause

    def printed(self, count: int = 1) -> str:
        """Wait for the sheet of that number; return the text on it."""
        for _ in range(WAIT_MS // 100):
            if len(self.sheets) >= count:
                return sheet_text(self.sheets[count - 1])
            self.page.wait_for_timeout(100)
        raise TownError(f"{len(self.sheets)} sheets were printed, not {count}: {self.where}")

    @property
    def sent_to_printer(self) -> int:
        """Return for how many sheets the page opened the browser's window for printing."""
        return int(self.page.evaluate("window.sheetsToPrinter || 0"))

    def print_form(self, button: str) -> str:
        """Tap a button that prints a form; return the text on it."""
        before = len(self.sheets)
        self.tap(button)
        return self.printed(before + 1)

    def _did(self) -> None:
        self.actions += 1
        self.page.wait_for_load_state("load")


@contextlib.contextmanager
def officer(browser: Browser, url: str, size: Sequence[int] = DESK_SIZE) -> Iterator[Officer]:
    """Open a window of its own at a station."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": size[0], "height": size[1]},
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
    )
    context.set_default_timeout(WAIT_MS)
    try:
        person = Officer(context.new_page(), url)
        context.add_init_script(_TELL_PRINTS)
        for path in ("**/print/*", "**/daybook"):
            context.route(path, lambda route: _print(person, route))
        yield person
    finally:
        context.unroute_all(behavior="ignoreErrors")  # a sheet on its way is let go
        context.close()


_TELL_PRINTS = "window.print = () => { top.sheetsToPrinter = (top.sheetsToPrinter || 0) + 1; };"


def _print(person: Officer, route: Route) -> None:
    """Ask the station for the sheet, and keep it; a browser without a screen can't show PDFs."""
    answer = route.fetch()
    body = answer.body()
    if not body.startswith(b"%PDF"):
        route.fulfill(response=answer, body=body)
        return
    person.sheets.append(body)
    route.fulfill(status=answer.status, headers={"Content-Type": "text/html"}, body="")


def sheet_text(pdf: bytes) -> str:
    """Return the text of a PDF."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return re.sub(r"\s+", " ", " ".join(pages))
