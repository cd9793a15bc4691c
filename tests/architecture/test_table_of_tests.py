"""`tests/README.md` names only tests that are there, and every room of tests."""

import re
from pathlib import Path

ROOM = Path(__file__).parents[1]
TABLE = (ROOM / "README.md").read_text("utf-8")


def named() -> list[tuple[str, str]]:
    """Return (file, test or class names) of every reference; “…” stands for the file before."""
    found, file = [], ""
    for text in re.findall(r"`([^`\s]+)`", TABLE):
        path, _, names = text.partition("::")
        if path != "…" and not (path.endswith(".py") and "/" in path):
            continue
        file = file if path == "…" else path
        found.append((file, names))
    return found


def test_every_test_that_the_table_names_is_there() -> None:
    assert len(named()) > 40
    for file, names in named():
        path = ROOM / file
        assert path.is_file(), file
        text = path.read_text("utf-8")
        for name in filter(None, names.split("::")):
            assert re.search(rf"\b(def|class) {name}\b", text), f"{file}::{name}"


def test_every_room_has_its_question() -> None:
    rooms = {path.parent.name for path in ROOM.glob("*/__init__.py")}
    assert not {room for room in rooms if f"| `{room}/` |" not in TABLE}
