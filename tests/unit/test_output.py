"""What a command prints can only be read: others wrote it, and perhaps to steer a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from device_home.command import Output

NASTY = "An\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\x00 Đỗ Thị Ý"


def printed(*, as_json: bool) -> tuple[Output, list[str]]:
    found: list[str] = []
    return Output(lambda _stream, text: found.append(text), as_json, Path("/")), found


def test_what_is_said_steers_no_terminal() -> None:
    output, found = printed(as_json=False)
    output.say(f"{NASTY}\nsecond line")
    output.note(NASTY)
    assert all(line.isprintable() for text in found for line in text.split("\n"))
    assert found[0].startswith("An�]0;owned��[2J��31m� Đỗ Thị Ý\nsecond")


def test_json_escapes_it_and_loses_nothing() -> None:
    output, found = printed(as_json=True)
    value = {"name": NASTY, "astral": "\U000e0001", "nested": [{"a": b"\x01"}]}
    output.data(value)
    assert found[0][:-1].isprintable()
    assert json.loads(found[0]) == {**value, "nested": [{"a": "01"}]}


def test_json_takes_keys_that_only_a_liar_writes() -> None:
    output, found = printed(as_json=True)
    output.data({"fields": [{b"\x01": {None: 1}, 7: (b"\x02",)}]})
    assert json.loads(found[0]) == {"fields": [{"01": {"None": 1}, "7": ["02"]}]}
