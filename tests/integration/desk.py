"""Commands of a station over a replica in memory: words in, their answers out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from device_home.command import Program
from device_home.home import Settings
from edge_node.program import PROGRAM
from sync_protocol.identity import NO_OFFICER, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from tests.integration.exchange.office import Office

CLERK, CHIEF = OfficerId(b"c" * 16), OfficerId(b"s" * 16)


class Answer(NamedTuple):
    """What a command said."""

    code: int
    lines: list[dict[str, Any]]
    err: str


def staffed(office: Office) -> Office:
    """Give an office a clerk and a supervisor."""
    officers = [g.Officer(CLERK, "An", g.CLERK), g.Officer(CHIEF, "Bình", g.SUPERVISOR)]
    office.hub.say(list(officers), NO_OFFICER)
    return office


def run(replica: Replica, *words: str, officer: OfficerId = NO_OFFICER) -> Answer:
    """Run a command as `officer` under `--json`."""
    settings = Settings({"officer": officer.hex() if officer else ""})
    place = SimpleNamespace(code="00070", name="Phường Hoàn Kiếm")
    app: Any = SimpleNamespace(
        home=SimpleNamespace(folder=Path.cwd(), settings=settings, place=lambda: place),
        replica=lambda *_: replica,
    )
    program: Program[Any] = Program(
        "desk",
        str,
        "",
        PROGRAM.commands,
        lambda _: None,
        lambda _: None,
        lambda *_: iter(()),
    )
    said: dict[str, str] = {"out": "", "err": ""}

    def emit(stream: str, text: str) -> None:
        said[stream] += text

    code = program.execute(app, Path.cwd(), [*words, "--json"], Path.cwd(), emit)
    lines = [json.loads(line) for line in said["out"].splitlines()]
    return Answer(code, lines, said["err"])


def ask(replica: Replica, *words: str, officer: OfficerId = NO_OFFICER) -> Any:
    """Run a command that must succeed, and return its answer."""
    answer = run(replica, *words, officer=officer)
    assert answer.code == 0, answer.err
    return answer.lines[-1]
