"""A tablet's day: it lets go of what is closed, old and safe, and brings back what is asked for."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device_home.command import DONE, FAILED, Output
from device_home.device import Device
from device_home.fetching import run_fetch
from device_home.home import Home, Settings
from device_home.joining import joining_commands
from device_home.upkeep import figures, warnings
from sync_protocol import limits
from sync_protocol.clock import wall_ms
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.encoding import encode
from sync_protocol.identity import NO_OFFICER, RecordId
from sync_protocol.record.diff import Shown, edit
from sync_protocol.replica import audit
from sync_protocol.replica.receipts import BACKED_UP_NOTE
from tests.integration.exchange.office import capture
from tests.integration.hub_fixture import Hub, running_hub

DAY_MS = 86_400_000


@dataclass
class Pad:
    """A tablet in this process, whose clock can be moved."""

    device: Device
    ahead: list[int]
    said: list[str] = field(default_factory=list)

    def later(self, days: int) -> None:
        self.ahead[0] += days * DAY_MS

    def fetch(self, record: RecordId) -> tuple[int, dict[str, object]]:
        said: list[str] = []
        output = Output(lambda _stream, text: said.append(text), True, Path.cwd())
        code = run_fetch(self.device, Namespace(id=record.hex()), output)
        return code, json.loads("".join(said))

    def purged(self, record: RecordId) -> bool:
        view = self.device.replica().read(record)
        assert view is not None
        return view.purged


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as found:
        yield found


@pytest.fixture
def pad(tmp_path: Path, hub: Hub) -> Iterator[Pad]:
    ahead = [0]
    home = Home.create(tmp_path / "pad", wall=lambda: wall_ms() + ahead[0])
    device = Device(home)
    enrol = next(c for c in joining_commands("tablet", "") if c.name == "enrol")
    output = Output(lambda _stream, _text: None, True, Path.cwd())
    invite = hub.invite("tablet", "Máy")
    assert enrol.run(device, Namespace(invite=invite, label=""), output) == DONE
    yield Pad(device, ahead)
    device.close()


def closed_and_backed_up(hub: Hub, pad: Pad) -> RecordId:
    """Capture a dossier, close it, bring it to the hub, and let the hub say it is backed up."""
    replica = pad.device.replica()
    record = capture(replica, 1)[0]
    view = replica.read(record)
    assert view is not None
    status = view.field("status")
    assert status is not None
    shown = {"status": Shown(status.value, status.dots)}
    change = edit(DOSSIER, record, shown, {"status": "10"})
    assert change is not None
    replica.write([change], NO_OFFICER)
    pad.device.sync()
    log = hub.replica.rooms.log
    with hub.replica.lock, log.transaction(durable=True):
        log.put_note(BACKED_UP_NOTE, encode(hub.replica.holding.frontier()))
    pad.device.sync()
    assert not pad.purged(record)
    return record


def test_once_a_day_a_tablet_lets_go_and_what_is_fetched_stays(hub: Hub, pad: Pad) -> None:
    record = closed_and_backed_up(hub, pad)
    pad.later(limits.RETENTION_DAYS + 1)
    pad.device.sync()
    assert pad.purged(record)
    assert pad.fetch(record) == (DONE, {"id": record.hex(), "fetched": True})
    pad.later(1)
    pad.device.sync()
    assert not pad.purged(record), "somebody asked for it"
    pad.later(limits.RETENTION_DAYS)
    pad.device.sync()
    assert pad.purged(record)


def test_zero_days_keep_everything(hub: Hub, pad: Pad) -> None:
    record = closed_and_backed_up(hub, pad)
    pad.device.home.settings = Settings({"retention_days": 0})
    pad.later(1000)
    pad.device.sync()
    assert not pad.purged(record)


def test_what_is_asked_for_without_a_line_comes_with_the_next_one(hub: Hub, pad: Pad) -> None:
    record = closed_and_backed_up(hub, pad)
    pad.later(limits.RETENTION_DAYS + 1)
    pad.device.sync()
    port = hub.port
    hub.stop()
    code, answer = pad.fetch(record)
    assert (code, answer["fetched"]) == (FAILED, False)
    assert answer["error"] in {"transport", "unreachable"}
    hub.start(port)
    pad.device.sync()
    assert not pad.purged(record)


def test_an_audit_that_differed_shows_in_health_for_a_month(pad: Pad) -> None:
    replica, home = pad.device.replica(), pad.device.home
    assert figures(home, replica)["audit_differed_s"] == -1
    before = warnings(figures(home, replica))
    audit.heal(replica, [1])
    found = figures(home, replica)
    assert (found["audits_differing"], found["audit_healed"]) == (1, 0)
    assert len(warnings(found)) == len(before) + 1
    pad.later(limits.AUDIT_SHOWN_DAYS)
    assert len(warnings(figures(home, replica))) <= len(before)
