"""No line that nothing reaches, and no import that nothing reads."""

from pathlib import Path

from vulture import Vulture
from vulture.config import make_config

ROOT = Path(__file__).parents[2]


def _dead_code(source: str | None = None) -> list[str]:
    """List what vulture is sure of, in the given source or else in what we ship.

    Unused arguments are left to ruff's ARG rules: vulture doesn't know that the methods of a
    Protocol have no body, nor that an override keeps its parent's signature.
    """
    config = make_config(argv=["--config", str(ROOT / "pyproject.toml")])
    vulture = Vulture()
    if source is None:
        vulture.scavenge([str(ROOT / path) for path in config["paths"]])
    else:
        vulture.scan(source)
    found = vulture.get_unused_code(min_confidence=config["min_confidence"])
    return [item.get_report() for item in found if item.typ != "variable"]


def test_nothing_shipped_is_dead() -> None:
    dead = _dead_code()
    assert not dead, "\n".join(dead)


def test_a_dead_line_and_a_dead_import_are_seen_and_an_argument_is_not() -> None:
    assert len(_dead_code("import os\ndef walk(path):\n    return 1\n    print(2)\n")) == 2
