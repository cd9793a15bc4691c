"""A browser as far as the desk is concerned: cookies, forms, and the token in each of them."""

from __future__ import annotations

import html
import re
import tempfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests

from device_home.home import Home


class Forms(HTMLParser):
    """Every form of a page: its address, and what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._select = ""

    @classmethod
    def of(cls, page: str) -> Forms:
        """Read a page."""
        found = cls()
        found.feed(page)
        return found

    def form(self, ending: str) -> tuple[str, dict[str, str]]:
        """Return the form that is sent to such an address."""
        return next(item for item in self.forms if item[0].endswith(ending))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found["action"], {}))
        elif found.get("type") == "checkbox" and "checked" not in found:
            return  # a box that nobody ticked is not sent
        elif tag == "input" and self.forms and "name" in found:
            self.forms[-1][1][found["name"]] = found.get("value", "")
        elif tag == "select":
            self._select = found["name"]
            self.forms[-1][1].setdefault(self._select, "")
        elif tag == "option" and "selected" in found:
            self.forms[-1][1][self._select] = found["value"]


@dataclass
class Browser:
    """One browser at the desk of a station."""

    url: str
    ca: str
    session: requests.Session = field(default_factory=requests.Session)
    page: str = ""

    def get(self, path: str, **options: Any) -> requests.Response:
        answer = self.session.get(f"{self.url}{path}", verify=self.ca, timeout=60, **options)
        self.page = answer.text
        return answer

    def post(self, path: str, form: dict[str, str], **options: Any) -> requests.Response:
        answer = self.session.post(
            f"{self.url}{path}", data=form, verify=self.ca, timeout=60, **options
        )
        self.page = answer.text
        return answer

    def forms(self) -> list[tuple[str, dict[str, str]]]:
        return Forms.of(self.page).forms

    def form(self, ending: str) -> tuple[str, dict[str, str]]:
        return Forms.of(self.page).form(ending)

    def send(self, ending: str, **typed: str) -> requests.Response:
        """Send a form of this page, with what was typed."""
        action, values = self.form(ending)
        return self.post(action, {**values, **typed})

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", self.page)))

    def enter(self, name: str, pin: str) -> requests.Response:
        self.get("/desk/sign-in")
        return self.send("/sign-in", name=name, pin=pin)

    def first_use(self, name: str, code: str, pin: str) -> None:
        """Sign in for the first time."""
        self.enter(name, code)
        answer = self.send("/pin", pin=pin, again=pin)
        assert answer.url.endswith("/desk/"), self.text


def authority_file(home: Path, folder: Path) -> str:
    """Write the authority of a station whose home nobody owns now; return the file."""
    from edge_node.authority import authority

    opened = Home.open(home)
    try:
        pem, _ = authority(opened)
    finally:
        opened.close()
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem", delete=False) as file:
        file.write(pem)
    return file.name
