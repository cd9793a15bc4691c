"""Every command of the hub: its JSON, idle and while `serve` runs; and what bad input gets."""

from __future__ import annotations

import json
import re
import socket
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.integration.hub.city_fixture import NAME, WARD, Town, found
from tests.integration.process_fixture import Program, edge, tablet

pytestmark = pytest.mark.process
BAD = 1
USAGE = 2


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return found(tmp_path)


def diagnosis(program: Program, *words: str) -> str:
    """Run a command that fails: exit 1, one sentence, the same for machines; return its code."""
    answer = program.run(*words, "--json")
    assert answer.code == BAD, answer
    told = json.loads(answer.out)
    assert told["diagnosis"] in answer.err
    assert "Traceback" not in answer.err
    return str(told["error"])


# ------------------------------------------------------------------------------ init, serve


def test_init_leaves_the_offline_keys_outside_the_home(town: Town) -> None:
    away = town.folder / "hub-takeaway"
    assert {path.name for path in away.iterdir()} == {"city-root.key", "recovery.key", "README.txt"}
    assert {path.stat().st_mode & 0o777 for path in away.iterdir()} == {0o600}
    secrets = [
        bytes.fromhex("".join(digits[:-1]))
        for name in ("city-root.key", "recovery.key")
        for digits in [line.split() for line in (away / name).read_text().splitlines()]
        if len(digits) == 9 and "#" not in digits
    ]
    assert len(secrets) == 4
    for path in town.hub.home.rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_bytes() for secret in secrets), path


def test_init_where_a_hub_is_changes_nothing(town: Town) -> None:
    before = (town.folder / "hub-takeaway" / "recovery.key").read_text()
    assert diagnosis(town.hub, "init") == "not-allowed"
    assert diagnosis(town.hub, "init", "--take-away", str(town.hub.home / "x")) == "bad-input"
    assert (town.folder / "hub-takeaway" / "recovery.key").read_text() == before
    assert town.hub.ask("ward", "list")


def test_a_second_serve_on_the_same_home_says_so(town: Town) -> None:
    with town.hub.serving():
        answer = town.hub.run("serve", "--port", "0")
        assert answer.code == BAD
        assert "store-busy" in answer.err
        assert not answer.out


def test_serve_answers_health_and_authority_to_anybody(town: Town) -> None:
    town.hub.ok("ward", "add", "00071", "Phường Thử")
    with town.hub.serving() as url:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with urllib.request.urlopen(url + "/health", context=context, timeout=10) as answer:
            health = json.load(answer)
        assert health["ok"] is True
        assert health["wards"] == 2
        assert NAME not in json.dumps(health, ensure_ascii=False)
        with urllib.request.urlopen(url + "/ca", context=context, timeout=10) as answer:
            assert answer.read().startswith(b"-----BEGIN CERTIFICATE-----")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + "/sync/v1", b"\0\0\0\1x", context=context, timeout=10)
        assert refused.value.code == 400
        refused.value.close()


def test_a_taken_port_is_one_sentence(town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = town.hub.run("serve", "--host", "127.0.0.1", "--port", port)
    assert answer.code == BAD
    assert "port" in answer.err


# ------------------------------------------------------------------------------------ wards


def test_wards_are_listed_and_may_succeed_each_other(town: Town) -> None:
    made = town.hub.ask("ward", "add", "00072", "  Phường   Mới ", "--succeeds", WARD)
    rows = {row["code"]: row for row in town.hub.ask("ward", "list")}
    assert rows["00072"]["name"] == "Phường Mới"
    assert rows[WARD]["successors"] == [made["id"]]
    assert set(rows[WARD]) == {
        "id", "code", "name", "successors", "edges", "tablets", "dossiers", "has_key",
    }  # fmt: skip
    assert diagnosis(town.hub, "ward", "add", WARD, "Again") == "not-allowed"
    for code in ("a b", "70", "0007", "000700", "0007O", "٠٠٠٧٠"):
        assert diagnosis(town.hub, "ward", "add", code, "Bad code") == "bad-input"
    assert diagnosis(town.hub, "ward", "add", "00073", " ") == "bad-input"


def test_an_unknown_ward_is_one_sentence(town: Town) -> None:
    for words in (
        ("invite", "--ward", "99999", "--role", "edge", "--url", "https://127.0.0.1:1"),
        ("device", "list", "--ward", "99999"),
        ("officer", "add", "An", "--ward", "99999", "--role", "clerk"),
        ("dossier", "list", "--ward", "99999"),
        ("verify", "--ward", "99999"),
    ):
        assert diagnosis(town.hub, *words) == "bad-input"


def test_wrong_usage_exits_with_2(town: Town) -> None:
    for words in (("ward", "add"), ("invite", "--ward", WARD, "--role", "hub"), ("no-such",)):
        assert town.hub.run(*words).code == USAGE


# ------------------------------------------------------------------------------ invitations


def test_an_invitation_is_a_string_and_a_picture(town: Town) -> None:
    assert diagnosis(town.hub, "invite", "--ward", WARD, "--role", "edge") == "bad-input"
    words = ("invite", "--ward", WARD, "--role", "edge", "--url", "https://10.0.0.5:8443")
    told = town.hub.ask(*words, "--label", "Trạm 1", "--hours", "1")
    assert told["invite"].startswith("MC1.")
    assert (told["ward"], told["role"], told["label"]) == (WARD, "edge", "Trạm 1")
    shown = town.hub.ok(*words).out
    assert "MC1." in shown
    assert "█" in shown


def test_an_invitation_is_spent_once(town: Town) -> None:
    with town.hub.serving():
        invite = town.invite(label="một")
        first, second = edge(town.folder, "e1"), edge(town.folder, "e2")
        first.ok("init")
        second.ok("init")
        first.ok("enrol", "--invite", invite)
        assert diagnosis(second, "enrol", "--invite", invite) == "invitation"
        assert diagnosis(second, "enrol", "--invite", invite[:-20]) == "bad-input"
        rows = town.hub.ask("device", "list")
    assert [(row["label"], row["role"], row["revoked"]) for row in rows] == [("một", "edge", None)]


# ---------------------------------------------------------------------------------- devices


def test_what_a_revoked_device_wrote_later_waits_and_can_be_adopted(town: Town) -> None:
    with town.hub.serving():
        station = town.station("e1")
        station.ok("intake", str(town.dossiers(5, 1)))
        station.ok("sync")
        ident = town.device_id("e1")
        row = town.hub.ask("device", "revoke", ident[:8], "--reason", "lost")
        assert row["revoked"] == "lost"
        assert row["cuts"] == row["feeds"]
        station.ok("intake", str(town.dossiers(3, 2)))
        station.run("sync")
        assert town.digest()["records"] == 5
        held = town.hub.ask("quarantine", "list")
        assert {item["reason"] for item in held} == {"revoked-lost"}
        assert {item["device"] for item in held} == {ident}
        one = held[0]["id"]
        shown = town.hub.ask("quarantine", "show", one)
        assert {"name", "procedure", "phone"} <= {item["field"] for item in shown["changes"]}
        assert shown["time"] == held[0]["time"] > 0
        said = town.hub.run("quarantine", "show", one)
        assert "Số điện thoại" in said.out
        record = held[0]["records"][0]
        assert "held back" in town.hub.run("dossier", "show", record).err
        boss = town.hub.ask("officer", "add", "Lê Bình", "--ward", WARD, "--role", "supervisor")
        told = town.hub.ask("quarantine", "adopt", one, "--by", boss["id"])
        assert told == {"adopted": [one], "held": len(held) - 1}
        assert diagnosis(town.hub, "quarantine", "adopt", one) == "bad-input"
        told = town.hub.ask("quarantine", "reject", held[1]["id"])
        assert told["rejected"] == [held[1]["id"]]
        town.hub.ask("quarantine", "adopt", "--all", "--device", ident)
        assert town.digest()["records"] == 8
        assert town.hub.ask("quarantine", "list", "--device", ident) == []


def test_a_revocation_can_be_lifted_or_its_cut_raised(town: Town) -> None:
    with town.hub.serving():
        station = town.station("e1")
        station.ok("intake", str(town.dossiers(4, 1)))
        station.ok("sync")
        ident = town.device_id("e1")
        feed = town.hub.ask("device", "list")[0]["feeds"][0]
        at = f"{feed['feed']}:{feed['seq'] - 2}"
        words = ("device", "revoke", ident, "--reason", "compromised", "--at")
        assert diagnosis(town.hub, *words, f"{feed['feed']}:{feed['seq'] + 1}") == "bad-input"
        assert diagnosis(town.hub, *words, "nonsense") == "bad-input"
        town.hub.ask(*words, at)
        assert town.digest()["records"] == 2
        higher = f"{feed['feed']}:{feed['seq'] - 1}"
        town.hub.ask("device", "restore", ident, "--at", higher)
        assert town.digest()["records"] == 3
        assert diagnosis(town.hub, "device", "restore", ident, "--at", at) == "bad-input"
        assert town.hub.ask("device", "restore", ident)["revoked"] is None
        assert town.digest()["records"] == 4
        assert town.hub.ask("device", "retire", ident)["revoked"] == "retired"
        assert town.digest()["records"] == 4
        assert diagnosis(town.hub, "device", "retire", "ffff") == "bad-input"


# --------------------------------------------------------------------------------- officers


def test_officers_come_change_and_go(town: Town) -> None:
    hub = town.hub
    made = hub.ask("officer", "add", "Trần Thị An", "--ward", WARD, "--role", "clerk")
    assert made == {**made, "name": "Trần Thị An", "role": "clerk", "ward": WARD, "version": 1}
    assert hub.ask("officer", "disable", "An")["role"] == "disabled"
    assert diagnosis(hub, "officer", "disable", "tran thi an") == "not-allowed"
    assert hub.ask("officer", "reset", made["id"])["role"] == "clerk"
    assert hub.ask("officer", "reset", made["id"], "--role", "supervisor")["version"] == 4
    assert [row["id"] for row in hub.ask("officer", "list")] == [made["id"]]
    other = hub.ask("officer", "add", "Lê Thúy An", "--ward", WARD, "--role", "clerk")["id"]
    answer = hub.run("officer", "disable", "an")
    assert answer.code == 1
    assert [line.split()[0] for line in answer.err.splitlines()[:-1]] == [other, made["id"]]
    assert hub.ask("officer", "disable", other[:10])["role"] == "disabled"
    assert diagnosis(hub, "officer", "reset", "nobody") == "bad-input"


# --------------------------------------------------------------------- dossiers and erasure


def test_an_erasure_needs_four_eyes_and_reaches_every_replica(town: Town) -> None:
    hub = town.hub
    with hub.serving():
        station = town.station("e1")
        station.ok("intake", str(town.dossiers(3, 1, scans=3)))
        station.ok("sync")
        rows = hub.ask("dossier", "list")
        assert len(rows) == 3
        assert {row["ward"] for row in rows} == {WARD}
        chosen = rows[1]
        shown = hub.ask("dossier", "show", chosen["id"][:16])
        assert shown["name"] == chosen["name"]
        assert shown["ward"] == WARD
        one, two, clerk = (
            hub.ask("officer", "add", name, "--ward", WARD, "--role", role)["id"]
            for name, role in (("A", "supervisor"), ("B", "administrator"), ("C", "clerk"))
        )
        words = ("erase", chosen["id"], "--reason", "Quyết định 12", "--by", one)
        assert diagnosis(hub, *words) == "not-allowed"
        assert diagnosis(hub, *words, "--by", one) == "not-allowed"
        assert diagnosis(hub, *words, "--by", clerk) == "not-allowed"
        assert diagnosis(hub, *words, "--by", "nobody") == "bad-input"
        told = hub.ask(*words, "--by", two)
        assert told["id"] == chosen["id"]
        assert told["entries"] == 1
        assert told["chunks"] >= 1
        assert diagnosis(hub, "dossier", "show", chosen["id"]) == "bad-input"
        station.ok("sync")
        left = {row["id"] for row in station.ask("dossier", "list")}
        assert left == {row["id"] for row in rows} - {chosen["id"]}
        assert hub.ask("verify")["sound"]
        assert station.ask("verify")["sound"]
        assert station.ask("digest")["sha256"] == town.digest()["sha256"]


# ----------------------------------------------------------------------------------- upkeep


def test_health_and_verify_speak_of_every_ward_and_device(town: Town) -> None:
    hub = town.hub
    with hub.serving():
        station = town.station("e1")
        station.ok("intake", str(town.dossiers(2, 1)))
        station.ok("sync")
        health = hub.ask("health")
        (ward,) = health["wards"]
        assert ward["ward"] == WARD
        assert ward["records"] == 2
        assert ward["backup_age_s"] == -1
        (device,) = ward["devices"]
        assert device["label"] == "e1"
        assert 0 <= device["last_contact_s"] < 60
        assert 0 <= device["last_sync_s"] < 60
        assert 0 <= device["last_entry_s"] < 60
        assert "e1 (edge, active): heard " in hub.ok("health").out
        assert "  active  " in hub.ok("device", "list").out
        checked = hub.ask("verify")
        assert checked["sound"] is True
        assert {item["check"] for item in checked["wards"][0]["checks"]} == {
            "chains", "journal", "pages", "chunks", "views",
        }  # fmt: skip
    after = hub.ask("health", "--ward", WARD)["wards"][0]["devices"][0]
    assert after["last_contact_s"] >= 0, "contacts are remembered"
    hub.ok("device", "revoke", town.device_id("e1"), "--reason", "lost")
    assert "e1 (edge, lost): heard " in hub.ok("health").out


def test_health_does_not_call_a_tablet_silent_that_meets_its_station(town: Town) -> None:
    hub = town.hub
    with hub.serving():
        station = town.station("e1")
        with station.serving():
            pad = tablet(town.folder, "pad")
            pad.ok("init")
            pad.ok("enrol", "--invite", station.ask("invite", "--label", "pad")["invite"])
            station.ok("sync")
            told = "pad (tablet, active): heard through its station, newest entry written"
            assert f"{told} never" in hub.ok("health").out
            pad.ok("intake", str(town.dossiers(1, 1)))
            pad.ok("sync")
            station.ok("sync")
            assert f"{told} 0 s ago" in re.sub(r"\d+ s ago", "0 s ago", hub.ok("health").out)
        hub.ok("device", "retire", town.device_id("pad"))
        assert "pad (tablet, retired): heard through its station" in hub.ok("health").out


def test_verify_names_a_damaged_chunk(town: Town) -> None:
    with town.hub.serving():
        station = town.station("e1")
        station.ok("intake", str(town.dossiers(1, 1, scans=1)))
        station.ok("sync")
    chunk = next(path for path in town.hub.home.rglob("chunks/??/??/*") if path.is_file())
    content = bytearray(chunk.read_bytes())
    content[100] ^= 1
    chunk.write_bytes(content)
    answer = town.hub.run("verify", "--json")
    assert answer.code == BAD
    (checks,) = [ward["checks"] for ward in answer.json["wards"]]
    assert [item["problems"] > 0 for item in checks if item["check"] == "chunks"] == [True]


def test_every_reporting_command_answers_alike_idle_and_served(town: Town) -> None:
    commands: list[tuple[str, ...]] = [
        ("ward", "list"),
        ("device", "list"),
        ("officer", "list"),
        ("dossier", "list"),
        ("quarantine", "list"),
        ("digest",),
        ("verify",),
    ]
    idle: list[Any] = [town.hub.ask(*words) for words in commands]
    with town.hub.serving():
        assert [town.hub.ask(*words) for words in commands] == idle
