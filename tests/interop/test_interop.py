"""A stranger's replica against a real hub, and against the vectors."""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop import replica as stranger
from tests.interop.replica import Feed, RefusedError, Replica

ROOT = Path(__file__).parents[2]
OURS = {"sync_protocol", "device_home", "edge_node", "mobile_app", "central_hub", "tests"}
PROCEDURE, NAME, STATUS, RECEIVED_ON = 1, 3, 7, 8
DOSSIER = {PROCEDURE: "1.001193", STATUS: "2", RECEIVED_ON: "2026-11-20"}


class Hub:
    """`motcua-hub` as a process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> Any:
        ended = subprocess.run(
            [*self.words(), *words, "--json"],
            capture_output=True, text=True, check=False, env=self.environment, timeout=60,
        )  # fmt: skip
        assert not ended.returncode, ended.stderr
        return json.loads(ended.stdout)

    def words(self) -> list[str]:
        return [sys.executable, "-m", "central_hub", "--home", str(self.home)]

    def invite(self, role: str = "tablet") -> str:
        return str(self.command("invite", "--ward", "00070", "--role", role)["invite"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    found = Hub(folder / "home")
    found.command("init", "--take-away", str(folder / "away"))
    found.command("ward", "add", "00070", "Phường Hoàn Kiếm")
    words = [*found.words(), "serve", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env=found.environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready https://")
        yield found
        process.terminate()
        process.wait(30)


def enrolled(hub: Hub, label: str) -> Replica:
    device = Replica(hub.invite())
    welcome = device.enrol(label)
    assert welcome[1:4] == ["00070", "Phường Hoàn Kiếm", "tablet"]
    assert device.exchange()
    assert device.is_granted()
    return device


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(stranger.__file__).read_text("utf-8"))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert not OURS & {name.partition(".")[0] for name in names}


@pytest.mark.process
def test_what_one_device_pushes_another_pulls(hub: Hub) -> None:
    first, second = enrolled(hub, "máy một"), enrolled(hub, "máy hai")
    written = first.write({**DOSSIER, NAME: "Nguyễn Văn Lạ"})
    assert first.exchange()
    assert first.is_receipted()
    assert not first.refused
    assert second.exchange()
    assert second.dossiers()[written][NAME] == "Nguyễn Văn Lạ"
    assert first.own is not None
    assert second.feeds[first.own.id].hashes == first.own.hashes
    shown = hub.command("dossier", "list", "--ward", "00070")
    assert written.hex() in {row["id"] for row in shown}


@pytest.mark.process
def test_nothing_new_costs_one_request(hub: Hub) -> None:
    device = enrolled(hub, "máy nghỉ")
    device.exchange()
    device.requests.clear()
    assert not device.exchange()
    assert device.requests == [stranger.HELLO]


@pytest.mark.process
def test_many_entries_come_over_in_blocks_packed_against_their_head(hub: Hub) -> None:
    first = enrolled(hub, "máy viết")
    written = [first.write({**DOSSIER, NAME: f"Trần Thị {n}"}) for n in range(600)]
    assert first.exchange()
    assert first.is_receipted()
    second = enrolled(hub, "máy đọc")
    assert set(written) <= set(second.dossiers())


@pytest.mark.process
def test_a_scan_travels_after_its_dossier(hub: Hub) -> None:
    device = enrolled(hub, "máy quét")
    manifest, scan, chunks = device.attach(os.urandom(300_000), "image/jpeg")
    paper = ["to-khai", "Tờ khai", scan, manifest, "submitted", None]
    written = device.write({**DOSSIER, NAME: "Có bản chụp"}, papers={os.urandom(16): paper})
    assert device.exchange()
    assert device.bring(scan, chunks)
    other = enrolled(hub, "máy xem")
    assert other.fetch([stranger.digest(chunk) for chunk in chunks]) == chunks
    shown = hub.command("dossier", "show", written.hex(), "--ward", "00070")
    assert scan.hex() in json.dumps(shown)


@pytest.mark.process
def test_a_revoked_device_is_told_so_and_reads_nothing(hub: Hub) -> None:
    device = enrolled(hub, "máy mất")
    device.write({**DOSSIER, NAME: "Trước"})
    assert device.exchange()
    name = stranger.digest(b"motcua/device/1", device.public)[:16].hex()
    hub.command("device", "revoke", name, "--reason", "lost")
    device.write({**DOSSIER, NAME: "Sau"})
    kind, told, _ = device.ask(stranger.HELLO, [b"", 0])
    assert (kind, told[5]) == (stranger.FRONTIER, "revoked-lost")
    device.push(device.take_receipt(told[0])[5])
    assert device.is_receipted()
    with pytest.raises(RefusedError, match="not-admitted"):
        device.ask(stranger.PULL, [[], 1, False])
    held = hub.command("quarantine", "list", "--ward", "00070")
    assert "revoked-lost" in {row["reason"] for row in held}


@pytest.mark.process
def test_an_invitation_is_spent_once(hub: Hub) -> None:
    invitation = hub.invite()
    Replica(invitation).enrol("một")
    with pytest.raises(RefusedError, match="invitation"):
        Replica(invitation).enrol("hai")


@pytest.mark.process
def test_a_device_that_is_not_enrolled_is_not_admitted(hub: Hub) -> None:
    device = enrolled(hub, "máy thật")
    other = Replica(hub.invite())
    other.ca, other.own = device.ca, device.own
    with pytest.raises(RefusedError, match="not-admitted"):
        other.ask(stranger.HELLO, [b"", 0])


@pytest.mark.process
def test_a_forged_entry_is_refused_by_name_and_harms_nothing_else(hub: Hub) -> None:
    device = enrolled(hub, "máy giả")
    device.write({**DOSSIER, NAME: "Thật"})
    assert device.own is not None
    header, body, known = device.own.entries[0]
    assert body is not None
    device.own.entries[0] = header, body[:-1] + b"!", known
    with pytest.raises(RefusedError):
        device.exchange()
    assert [row[1] for row in device.refused] == ["bad-signature"]
    device.own.entries[0] = header, body, known
    assert device.exchange()
    assert device.is_receipted()


# --- the vectors, read by the same stranger ---------------------------------------------------


def load(name: str) -> Any:
    return json.loads((ROOT / "tests" / "vector" / f"{name}.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def test_the_stranger_reads_feeds_as_we_do() -> None:
    for vector in load("entry"):
        feed = Feed(raw(vector["declaration"]))
        feed.take(raw(vector["packed"]), 1)
        feed.seal(raw(vector["seal"]))
        assert feed.hashes[1:] == [raw(row["chain_hash"]) for row in vector["entries"]]
        assert feed.sealed == len(feed.entries)
        assert feed.raw(1, feed.sealed) == raw(vector["raw_range"])


def test_the_stranger_unpacks_against_a_group_head() -> None:
    told, vector = load("group"), load("sealed")["range"]
    _, headers, salts, bodies, _ = stranger.unpack(raw(told["raw_head"]))
    feed = Feed(raw(load("entry")[0]["declaration"]))
    for index, (header, body) in enumerate(zip(headers, bodies, strict=True)):
        whole = salts[8 * index : 8 * index + 8] + body
        feed.put(header, whole, stranger.digest(whole))
    feed.take(raw(vector["against_head"]), 257)
    assert feed.raw(257, 259) == raw(vector["raw_range"])


@pytest.mark.parametrize("name", ["message", "receipt", "certificate", "changeset", "control"])
def test_the_strangers_messagepack_is_canonical_like_ours(name: str) -> None:
    for vector in load(name):
        for key in {"raw", "body", "request", "reply"} & set(vector):
            skipped = 8 if key == "body" else 64
            clear = raw(vector[key])[skipped:]
            assert stranger.pack(stranger.unpack(clear)) == clear


def test_the_stranger_checks_every_signature_alike() -> None:
    for vector in load("message"):
        request, reply = raw(vector["request"]), raw(vector["reply"])
        sender, responder = raw(vector["sender"]), raw(vector["responder"])
        stranger.check(sender, request[:64], "motcua/message/1", responder, request[64:])
        stranger.check(
            responder, reply[:64], "motcua/reply/1", stranger.digest(request), reply[64:]
        )
    for vector in load("certificate"):
        stranger.signed_body(raw(vector["raw"]), raw(vector["root"]), "motcua/certificate/1")
    for vector in load("receipt"):
        stranger.signed_body(raw(vector["raw"]), None, "motcua/receipt/1")


def test_the_stranger_names_frontiers_and_invitations_alike() -> None:
    for vector in load("frontier"):
        rows = [[raw(feed), seq, raw(short)] for feed, seq, short in vector["frontier"]]
        assert stranger.root(rows) == raw(vector["root"])
    told = load("enrolment")
    device = Replica(told["invitation"])
    assert device.url == told["invitation_says"]["url"]
    assert base64.b16encode(device.secret).decode().lower() == told["invitation_says"]["secret"]
