"""A city with one ward and its supervisor, for each story; and a counter whose line is cut."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.town.browser import DESK_SIZE, Officer, chromium, officer
from tests.town.process import Program
from tests.town.town import Town, town

WARD, WARD_NAME = "00070", "Phường Hoàn Kiếm"
LAN, MINH, HOA = "Nguyễn Thị Lan", "Trần Văn Minh", "Lê Thị Hoa"
PIN = {LAN: "274918", MINH: "583061", HOA: "692471"}
RECEIVE, ALL_THE_SAME = "Tiếp nhận và in phiếu", "Vẫn tiếp nhận và in phiếu"
MARITAL, BIRTH = "1.004873", "1.001193"


@pytest.fixture
def city() -> Iterator[Town]:
    with town() as place:
        place.found((WARD, WARD_NAME))
        place.hub.ask("officer", "add", LAN, "--ward", WARD, "--role", "supervisor")
        yield place


@dataclass
class Desk:
    """A station that serves its desk, and a browser before it."""

    station: Program
    url: str
    browser: Browser
    known: set[str] = field(default_factory=set)
    """Who has chosen a PIN at this station."""

    @contextlib.contextmanager
    def sits(self, name: str, size: Sequence[int] = DESK_SIZE) -> Iterator[Officer]:
        """Somebody signs in at a window of their own; the first time by the code they got."""
        with officer(self.browser, self.url, size) as person:
            self.signs_in(person, name)
            yield person

    def signs_in(self, person: Officer, name: str) -> None:
        """Sign in at a window that is open."""
        if name in self.known:
            person.sign_in(name, PIN[name])
        else:
            code = self.station.ask("officer", "pin", name)["code"]
            person.first_use(name, str(code), PIN[name])
            self.known.add(name)
        if person.where.endswith("/clock"):  # this station's clock is not the city's
            person.tap("Đúng ngày giờ này")
        person.must_see("Việc cần làm bây giờ")
        person.actions = 0

    def shown(self, record: str) -> dict[str, Any]:
        """Return what the station knows of a dossier."""
        found: dict[str, Any] = self.station.ask("dossier", "show", record)
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def cut_off() -> Iterator[tuple[Program, str, set[str]]]:
    """A station whose city can't be reached any more: the hub is stopped, for good."""
    with town() as place:
        place.found((WARD, WARD_NAME))
        for name, role in ((LAN, "supervisor"), (MINH, "clerk")):
            place.hub.ask("officer", "add", name, "--ward", WARD, "--role", role)
        station = place.enrol("edge", "quay-1", WARD, label="Quầy 1")
        station.ask("sync")
        place.cut_line()
        served = station.serve("--host", "127.0.0.1", "--port", "0")
        yield station, served.url, set()
        served.stop()


@pytest.fixture
def desk(cut_off: tuple[Program, str, set[str]], browser: Browser) -> Desk:
    station, url, known = cut_off
    return Desk(station, url, browser, known)


def receive(person: Officer, procedure: str, name: str, number: str, **typed: str) -> str:
    """Receive somebody at the counter, every word typed; return the dossier's id."""
    person.go(f"intake/{procedure}")
    person.type("Họ và tên", name)
    if number:
        person.type("Số định danh", number)
    for label, text in typed.items():
        person.type(label.replace("_", " "), text)
    return save(person)


def save(person: Officer) -> str:
    """Tap the button that receives; where something is remarked upon, look, and tap again."""
    before = len(person.sheets)
    if person.offers(RECEIVE):
        person.tap(RECEIVE)
    if person.offers(ALL_THE_SAME):
        person.tap(ALL_THE_SAME)
    person.must_see("Đã lưu trên máy")
    person.printed(before + 1)
    return person.record


def slip_code(sheet: str) -> str:
    """Return what the QR code of a slip says, from what is printed beside it."""
    code = re.search(r"Mã hồ sơ[^:]*: (\S+)", sheet)
    secret = re.search(r"Mã bí mật[^:]*: (\w{4} \w{4} \w{5})", sheet)
    assert code is not None
    assert secret is not None, sheet
    return f"MC1:{code[1]}:{secret[1].replace(' ', '')}"
