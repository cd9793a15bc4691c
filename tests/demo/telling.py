"""How the demo speaks: numbered steps, what happened in them, and the figures beside it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

WIDTH = 92


class StepError(AssertionError):
    """A step did not hold."""


class Telling:
    """Tells the steps to a person, and knows which one is being told."""

    def __init__(self, out: TextIO) -> None:
        """Speak to `out`."""
        self._out = out
        self._number = 0
        self._began = time.monotonic()
        self.title = "the beginning"

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell one step; a failure inside is named by its title."""
        self._number += 1
        self.title = title
        began = time.monotonic()
        self._line(f"\n{self._number:2}  {title}")
        yield
        self._line(f"    {'':{WIDTH - 12}}{time.monotonic() - began:5.1f} s")

    def say(self, text: str) -> None:
        """Tell something that happened."""
        self._line(f"    {text}")

    def quote(self, text: str) -> None:
        """Give a program's own words."""
        for line in text.strip().splitlines():
            self._line(f"      │ {line}")

    def holds(self, what: str, *, true: object) -> None:
        """Check something, and tell that it holds. Raises `StepError`."""
        if not true:
            raise StepError(f"it does not hold that {what}")
        self._line(f"    ✓ {what}")

    def figures(self, who: str, report: Mapping[str, Any]) -> None:
        """Tell what an exchange cost."""
        self._line(
            f"    {who:<18} {report['requests']} requests · {report['bytes_sent']:,} B sent · "
            f"{report['bytes_received']:,} B received · {report['entries_sent']} entries out, "
            f"{report['entries_received']} in · {report['duration_ms']} ms"
        )

    def end(self) -> None:
        """Tell how long it all took."""
        took_s = time.monotonic() - self._began
        self._line(f"\nAll {self._number} steps hold, in {took_s:.0f} s.")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
