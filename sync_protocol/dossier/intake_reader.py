"""Takes a JSON object apart, key by key, and refuses what nobody asked for.

Every refusal names the place as the file's author sees it ("applicant.phone", "papers[2].type").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TypeVar

from sync_protocol import limits
from sync_protocol.dossier.json_line import shown_key
from sync_protocol.dossier.text import clean, refused, tidy

T = TypeVar("T")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTIAL_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_YEARS = range(1850, 2200)
"""Nobody born earlier applies, and nothing is due later; a year outside is a slip of the hand."""
_DRIVE = re.compile(r"[A-Za-z]:")
_PATH_CHARACTERS_MAX = 255


class Reader:
    """One JSON object being read; each key can be taken once."""

    def __init__(self, value: object, where: str = "") -> None:
        """Open `value`, found at `where`. Raises `InputError` if it is no object."""
        if not isinstance(value, dict):
            raise refused(where, "must be an object: {…}", "type")
        self._rest: dict[str, object] = dict(value)
        self._where = where

    def path(self, key: str) -> str:
        """Return the place of `key` as people see it."""
        return f"{self._where}.{key}" if self._where else key

    def finish(self) -> None:
        """Refuse what was not taken. Raises `InputError`."""
        if self._rest:
            key = self.path(shown_key(next(iter(self._rest))))
            raise refused(key, "is no key of an intake file; look for a slip", "unknown-key")

    def text(self, key: str) -> str:
        """Take a text that must be there."""
        return self._present(key, self.optional_text(key))

    def optional_text(self, key: str, *, lines: bool = False) -> str | None:
        """Take a text; null and blank ones are absent."""
        value = self._rest.pop(key, None)
        if value is None:
            return None
        if type(value) is str and (done := tidy(value)) is not None:  # nearly every text there is
            return done or None
        return _text(value, self.path(key), lines=lines) or None

    def amount(self, key: str) -> str:
        """Take a number that must be there: a whole one, or text."""
        value = self._rest.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            self._rest[key] = str(value) if abs(value) < 10**15 else "?"
        return self.text(key)

    def day(self, key: str) -> str:
        """Take a whole date that must be there."""
        return self._present(key, self.optional_day(key))

    def optional_day(self, key: str, *, partial: bool = False) -> str | None:
        """Take a date; with `partial`, a year or a month will do."""
        text = self.optional_text(key)
        if text is None:
            return None
        if not (_PARTIAL_DAY if partial else _DAY).fullmatch(text) or not _is_real_day(text):
            wanted = "YYYY, YYYY-MM or YYYY-MM-DD" if partial else "YYYY-MM-DD"
            raise refused(self.path(key), f"is no date: write {wanted}", "date")
        return text

    def inner(self, key: str) -> Reader:
        """Take an object that must be there."""
        return self._present(key, self.optional_inner(key))

    def optional_inner(self, key: str) -> Reader | None:
        """Take an object, or None where it is absent."""
        value = self._rest.pop(key, None)
        return None if value is None else Reader(value, self.path(key))

    def inners(self, key: str) -> Iterator[Reader]:
        """Take a list of objects."""
        for index, value in enumerate(self._list(key, limits.ATTACHMENTS_PER_RECORD_MAX), start=1):
            yield Reader(value, f"{self.path(key)}[{index}]")

    def texts(self, key: str, count_max: int) -> Iterator[str]:
        """Take a list of texts, of several lines each; blank ones are dropped."""
        for index, value in enumerate(self._list(key, count_max), start=1):
            text = _text(value, f"{self.path(key)}[{index}]", lines=True)
            if text:
                yield text

    def paths(self, key: str) -> Iterator[str]:
        """Take a list of file paths that stay below the folder they are relative to.

        They are kept to the letter: on some disks two forms of one name are two files.
        """
        for index, value in enumerate(self._list(key, limits.ATTACHMENTS_PER_RECORD_MAX), start=1):
            where = f"{self.path(key)}[{index}]"
            if not isinstance(value, str) or not _stays_below(value):
                raise refused(where, "must be a path inside the folder of the file", "path")
            yield value

    def _list(self, key: str, count_max: int) -> list[object]:
        value = self._rest.pop(key, None)
        if value is None:
            return []
        if not isinstance(value, list):
            raise refused(self.path(key), "must be a list: […]", "type")
        if len(value) > count_max:
            raise refused(self.path(key), f"has more than {count_max} members", "count")
        return value

    def _present(self, key: str, value: T | None) -> T:
        if value is None:
            raise refused(self.path(key), "is missing", "missing")
        return value


def _text(value: object, where: str, *, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise refused(where, "must be a text: “…”", "type")
    return clean(value, where, lines=lines)


def _is_real_day(text: str) -> bool:
    try:
        day = date.fromisoformat(text + "-01-01"[len(text) - 4 :])  # the first day of what is known
    except ValueError:
        return False
    return day.year in _YEARS


def _stays_below(path: str) -> bool:
    return (
        0 < len(path) <= _PATH_CHARACTERS_MAX
        and "\\" not in path
        and not path.startswith("/")
        and not _DRIVE.match(path)
        and all(part not in ("", ".", "..") for part in path.split("/"))
        and all(character.isprintable() or character in "\u00a0\u3000" for character in path)
    )
