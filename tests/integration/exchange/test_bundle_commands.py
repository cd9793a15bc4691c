"""The two commands over real homes: what they answer, and with which exit code."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import pytest

from device_home.bundles import OLD_KEY, agreement_keys, bundle_commands
from device_home.command import Output
from device_home.home import Home
from sync_protocol.errors import InputError, WrongWardError
from sync_protocol.identity import NO_OFFICER, device_id
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from tests.integration.exchange.office import Office, capture, same


class Device:
    """An opened program."""

    def __init__(self, home: Home, held: Sequence[Replica]) -> None:
        self.home = home
        self.held = held

    def replica(self, _arguments: Namespace) -> Replica:
        return self.held[0]

    def replicas(self) -> Sequence[Replica]:
        return self.held

    def run(self, *words: str, cwd: Path) -> tuple[int, dict]:
        command = next(c for c in bundle_commands() if c.name == f"bundle {words[0]}")
        parser = ArgumentParser()
        command.configure(parser)
        said: list[str] = []
        output = Output(lambda _stream, text: said.append(text), True, cwd)
        code = command.run(self, parser.parse_args(words[1:]), output)
        return code, json.loads("".join(said))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def edge(office: Office, tmp_path: Path) -> Device:
    home = Home.create(tmp_path / "home")
    keys = home.keys
    office.hub.say([g.Grant(keys.public, keys.agreement.public, g.EDGE, "Một")], NO_OFFICER)
    replica = home.open_replica(office.ward, office.root.public)
    office.sync(replica)
    return Device(home, [replica])


def _hub(office: Office, tmp_path: Path, *more: Replica) -> Device:
    home = Home.create(tmp_path / "hub-home")
    home.keys = office.hub_keys
    return Device(home, [*more, office.hub])


def test_a_stick_goes_there_and_its_receipt_comes_back(
    office: Office, edge: Device, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    capture(edge.held[0], 30)
    code, made = edge.run("export", "stick", "--to", "hub", cwd=tmp_path)
    assert (code, made["entries"], made["pieces"]) == (0, 30, 1)
    hub = _hub(office, tmp_path, Office(hub_keys=office.hub_keys).hub)
    code, shape = hub.run("import", "stick", cwd=tmp_path)
    assert (code, shape["entries"], shape["whole"], shape["answered"]) == (0, 30, True, 1)
    assert same(edge.held[0], office.hub)
    code, shape = edge.run("import", "stick", cwd=tmp_path)
    assert (code, shape["receipts"]) == (0, 1)
    assert edge.held[0].receipts.safety(edge.held[0].own, 30).hub


def test_what_is_missing_fails_with_its_sentence(
    office: Office, edge: Device, tmp_path: Path
) -> None:
    capture(edge.held[0], 3)
    edge.run("export", str(tmp_path), "--to", "hub", cwd=tmp_path)
    piece = next(tmp_path.glob("*.piece"))
    piece.write_bytes(piece.read_bytes()[:-1])
    code, shape = _hub(office, tmp_path).run("import", ".", "--no-receipt", cwd=tmp_path)
    assert code == 1
    assert [item["error"] for item in shape["problems"]] == ["bad-signature"] or shape["problems"]
    assert shape["missing"][0]["pieces"] == [1]
    assert shape["missing"][0]["of"] == 1


def test_another_wards_stick_is_refused(office: Office, edge: Device, tmp_path: Path) -> None:
    capture(edge.held[0], 3)
    edge.run("export", str(tmp_path), "--to", "hub", cwd=tmp_path)
    other = Office(hub_keys=office.hub_keys)
    with pytest.raises(WrongWardError):
        _hub(other, tmp_path).run("import", ".", cwd=tmp_path)


def test_nobody_writes_a_stick_to_itself(office: Office, edge: Device, tmp_path: Path) -> None:
    capture(edge.held[0], 3)
    own = device_id(edge.held[0].keys.public).hex()
    for device, name in ((_hub(office, tmp_path), "hub"), (edge, "Một"), (edge, own[:8])):
        with pytest.raises(InputError, match="this device itself"):
            device.run("export", str(tmp_path), "--to", name, cwd=tmp_path)
    assert not list(tmp_path.glob("*.piece"))


def test_old_keys_are_tried(edge: Device) -> None:
    edge.home.vault.put_secret(OLD_KEY + "1", bytes(range(32)))
    assert [key.secret for key in agreement_keys(edge.home)] == [
        edge.home.keys.agreement.secret,
        bytes(range(32)),
    ]
