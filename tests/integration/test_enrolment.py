"""A device joins a ward, or is told in one sentence why not, with nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.hub_fixture import running_hub
from tests.integration.process_fixture import Answer, Program, edge, tablet

pytestmark = pytest.mark.process


def refused(answer: Answer, code: str) -> None:
    """One sentence, the right exit code, no traceback."""
    assert answer.code == 1, answer
    assert f"[{code}]" in answer.err, answer
    assert "Traceback" not in answer.err
    assert answer.err.strip().count("\n") == 0, answer.err


@pytest.fixture
def station(tmp_path: Path) -> Program:
    found = edge(tmp_path, "edge")
    found.ok("init")
    return found


def test_an_invitation_is_spent_once(tmp_path: Path, station: Program) -> None:
    with running_hub(tmp_path / "hub") as hub:
        text = hub.invite("edge", "Trạm 1")
        answer = station.ask("enrol", "--invite", text)
        assert answer["enrolled"]
        assert answer["synced"]
        assert (answer["code"], answer["role"]) == ("00070", "edge")
        assert len(hub.replica.holding.roster.ward_keys) == 1  # the edge made the ward's key

        again = station.ask("enrol", "--invite", text)  # its answer may have been lost
        assert again["device"] == answer["device"]

        other = edge(tmp_path, "thief")
        other.ok("init")
        refused(other.run("enrol", "--invite", text), "invitation")
        assert station.ask("sync")["requests"] == 1


def test_a_second_invitation_of_the_same_office_is_refused_and_stays_good(
    tmp_path: Path, station: Program
) -> None:
    with running_hub(tmp_path / "hub") as hub:
        first = hub.invite("edge", "Trạm 1")
        station.ok("enrol", "--invite", first)
        second = hub.invite("edge", "Trạm 2")
        answer = station.run("enrol", "--invite", second)
        refused(answer, "not-allowed")
        assert "Phường Hoàn Kiếm (00070) as edge already" in answer.err
        station.ok("enrol", "--invite", first)
        other = edge(tmp_path, "other")
        other.ok("init")
        assert other.ask("enrol", "--invite", second)["synced"]
        port = hub.port
        hub.stop()
        hub.start()  # at another address: the device may follow
        assert hub.port != port
        assert station.ask("enrol", "--invite", hub.invite("edge"))["synced"]


def test_enrolled_but_not_yet_synced_is_told_whole(tmp_path: Path, station: Program) -> None:
    unreachable = Program(station.module, station.home, {"MOTCUA_PEER_URL": "https://127.0.0.1:1"})
    with running_hub(tmp_path / "hub") as hub:
        answer = unreachable.run("enrol", "--invite", hub.invite("edge"), "--json")
        assert answer.code == 1
        assert set(answer.json) == {
            *("enrolled", "ward", "code", "name", "role", "device", "synced"),
            *("error", "diagnosis"),
        }
        assert (answer.json["enrolled"], answer.json["synced"]) == (True, False)
        assert answer.json["error"] == "unreachable"
        assert station.ask("sync")["requests"] > 1


def test_expired_mistyped_and_foreign_invitations(tmp_path: Path, station: Program) -> None:
    with running_hub(tmp_path / "hub") as hub:
        refused(station.run("enrol", "--invite", hub.invite("edge", hours=-1)), "invitation")
        good = hub.invite("edge")
        refused(station.run("enrol", "--invite", good[:-9]), "bad-input")
        refused(station.run("enrol", "--invite", "MC9" + good[3:]), "bad-input")
        refused(station.run("enrol", "--invite", hub.invite("tablet")), "bad-input")
        assert station.run("enrol").code == 2
        refused(station.run("sync"), "not-enrolled")
        refused(station.run("dossier", "list"), "not-enrolled")
        station.ok("enrol", "--invite", good)  # nothing of all that spent it


def test_without_a_line_the_same_invitation_serves_later(tmp_path: Path, station: Program) -> None:
    with running_hub(tmp_path / "hub") as hub:
        text, port = hub.invite("edge"), hub.port
        hub.stop()
        answer = station.run("enrol", "--invite", text)
        refused(answer, "unreachable")
        assert "same invitation" in answer.err
        hub.start(port)
        assert station.ask("enrol", "--invite", text)["synced"]


def test_another_machine_at_the_same_address(tmp_path: Path, station: Program) -> None:
    with (
        running_hub(tmp_path / "hub") as hub,
        running_hub(tmp_path / "other", start=False) as other,
    ):
        text, port = hub.invite("edge"), hub.port
        late = hub.invite("tablet")
        station.ok("enrol", "--invite", text)
        hub.stop()
        other.start(port)
        refused(station.run("sync"), "wrong-peer")  # another authority
        handheld = tablet(tmp_path, "tablet")
        handheld.ok("init")
        refused(handheld.run("enrol", "--invite", late), "wrong-peer")
        other.stop()
        other.ca_pem, other.ca_key = hub.ca_pem, hub.ca_key  # even with the authority's key stolen
        other.start(port)
        answer = handheld.run("enrol", "--invite", late)
        assert answer.code == 1
        assert "Traceback" not in answer.err
        assert station.run("sync").code == 1
        other.stop()
        hub.start(port)
        assert station.ask("sync")["requests"] >= 1
        assert handheld.ask("enrol", "--invite", late)["role"] == "tablet"


def test_a_home_is_made_once_and_stays_in_its_ward(tmp_path: Path, station: Program) -> None:
    refused(station.run("init"), "not-allowed")
    refused(edge(tmp_path, "nowhere").run("digest"), "bad-input")
    with running_hub(tmp_path / "hub") as hub, running_hub(tmp_path / "other") as other:
        station.ok("enrol", "--invite", hub.invite("edge"))
        refused(station.run("enrol", "--invite", other.invite("edge")), "not-allowed")
        assert station.ask("sync")["requests"] == 1
