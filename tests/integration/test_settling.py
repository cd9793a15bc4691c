"""Who may not settle a dispute can't do so by writing over one of its two versions."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from device_home.app import App
from device_home.command import DONE, Output
from device_home.dossiers import run_set
from device_home.home import Settings
from device_home.shapes import dot_text
from sync_protocol.errors import NotAllowedError
from sync_protocol.identity import OfficerId, RecordId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from tests.integration.exchange.office import Office, capture

CLERK, CHIEF = OfficerId(b"c" * 16), OfficerId(b"s" * 16)


def set_status(
    replica: Replica, record: RecordId, status: str, officer: OfficerId, seen: list[str] | None
) -> int:
    home = SimpleNamespace(settings=Settings({}), place=lambda: SimpleNamespace(code="00070"))
    app: Any = SimpleNamespace(home=home, replica=lambda _arguments: replica)
    arguments = Namespace(
        id=record.hex(), fields=[f"status={status}"], seen=seen, etag="", file="", note=None,
        add_paper=None, scan="", officer=officer.hex(), more=(),
    )  # fmt: skip
    output = Output(lambda _stream, _text: None, True, Path.cwd())
    return run_set(cast("App", app), arguments, output)


def test_a_clerk_cant_make_two_versions_equal_and_a_supervisor_settles() -> None:
    office = Office()
    officers = [g.Officer(CLERK, "An", g.CLERK), g.Officer(CHIEF, "Bình", g.SUPERVISOR)]
    office.hub.say(list(officers), OfficerId(b""))
    edge, other = office.edge("một"), office.edge("hai")
    record = capture(edge, 1)[0]
    office.sync(edge)
    office.sync(other)
    set_status(edge, record, "3", CLERK, None)
    set_status(other, record, "4", CLERK, None)
    office.sync(edge)
    office.sync(other)
    office.sync(edge)
    view = edge.read(record)
    assert view is not None
    status = view.field("status")
    assert status is not None
    assert len(status.siblings) == 2
    for sibling in status.siblings:
        for value in ("3", "4"):
            with pytest.raises(NotAllowedError):
                set_status(edge, record, value, CLERK, [dot_text(sibling.dot)])
    assert set_status(edge, record, "4", CHIEF, None) == DONE
    settled = edge.read(record)
    assert settled is not None
    assert not settled.conflicts
