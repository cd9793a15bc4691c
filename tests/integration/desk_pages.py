"""The desk's pages over a replica in memory, without a server: what they answer, and to whom."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask.testing import FlaskClient

from device_home.home import Settings
from edge_node.desk.mount import ROUTES
from edge_node.desk.sessions import Sessions
from edge_node.desk.site import SESSION_COOKIE, Desk, make_desk
from sync_protocol.identity import OfficerId
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK
from tests.integration.desk_fixture import Forms


@dataclass
class Pages:
    """One officer's browser at a desk."""

    client: FlaskClient
    page: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    def get(self, path: str) -> str:
        return self._take(self.client.get(path, base_url="https://station"))

    def post(self, path: str, form: dict[str, Any]) -> str:
        return self._take(self.client.post(path, data=form, base_url="https://station"))

    def send(self, ending: str, **typed: Any) -> str:
        """Send a form of this page, with what was typed; follow where it leads."""
        action, values = Forms.of(self.page).form(ending)
        self.post(action, {**values, **typed})
        if self.status == 302:
            self.get(self.headers["Location"])
        return self.text

    def form(self, ending: str) -> dict[str, str]:
        return Forms.of(self.page).form(ending)[1]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", self.page)))

    def _take(self, answer: Any) -> str:
        self.status, self.headers, self.raw = answer.status_code, dict(answer.headers), answer.data
        self.page = answer.data.decode("utf-8", "replace")
        return self.text


def desk_of(replica: Replica, folder: Path, sessions: Sessions | None = None) -> Desk:
    """Return what pages work on, over a replica in memory."""
    place = SimpleNamespace(name="Phường Thử Nghiệm", code="00070", responder=b"")
    vault = SimpleNamespace(officers=dict)
    home: Any = SimpleNamespace(
        vault=vault,
        folder=folder,
        settings=Settings({}),
        place=lambda: place,
        enrolment=lambda: None,
    )
    device: Any = SimpleNamespace(home=home, replica=lambda *_: replica)
    return Desk(device, sessions or Sessions(), lambda: None)


def pages(replica: Replica, folder: Path, officer: OfficerId = CLERK) -> Pages:
    """Return the pages as this officer, signed in, sees them."""
    desk = desk_of(replica, folder)
    app = make_desk(desk, ROUTES)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    found = replica.holding.roster.officer_now(officer)
    assert found is not None
    client = app.test_client()
    token = desk.sessions.begin(found, chooses_pin=False)
    client.set_cookie(SESSION_COOKIE, token, domain="station", secure=True)
    return Pages(client)


def chief_pages(replica: Replica, folder: Path) -> Pages:
    """Return the pages as the supervisor sees them."""
    return pages(replica, folder, CHIEF)
