"""What the hub does of itself: silent devices, and wards that nobody uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from central_hub.city import City, Office
from central_hub.duties import PAUSE_S, Duties, look_after
from central_hub.founding import found_city
from sync_protocol import limits
from sync_protocol.clock import wall_ms
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.identity import WardId, device_id
from sync_protocol.membership import grant as g
from sync_protocol.wire import message as m

DAY_MS = 86_400_000


class Clock:
    def __init__(self) -> None:
        self.ahead_ms = 0
        self.s = 0.0

    def wall(self) -> int:
        return wall_ms() + self.ahead_ms

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def city(tmp_path: Path, clock: Clock) -> Iterator[City]:
    found_city(tmp_path / "hub", tmp_path / "away")
    opened = City.open(tmp_path / "hub", clock.wall)
    yield opened
    opened.close()


def ward_with_edge(city: City, code: str = "00001") -> tuple[Office, DeviceKeys]:
    office = city.office(city.add_ward(code, "Phường A", []).id)
    edge = DeviceKeys.generate()
    office.registrar.grant(edge.public, edge.agreement.public, g.EDGE, "e")
    return office, edge


def test_the_hub_says_who_is_silent_and_who_is_back(city: City, clock: Clock) -> None:
    office, edge = ward_with_edge(city)
    assert look_after(office) == 0, "who was never heard is none of our business"
    office.contacts.heard(device_id(edge.public), m.Kind.SAME)
    assert look_after(office) == 0
    clock.ahead_ms += limits.LAPSED_DAYS * DAY_MS
    assert look_after(office) == 1
    roster = office.replica.holding.roster
    assert roster.lapses[edge.public].lapsed
    assert roster.revoked(edge.public) is None, "nothing is held back"
    assert look_after(office) == 0
    office.contacts.heard(device_id(edge.public), m.Kind.SAME)
    assert look_after(office) == 1
    assert not office.replica.holding.roster.lapses[edge.public].lapsed


def test_each_ward_has_its_turn_once_a_day_and_not_in_the_first_hour(
    city: City, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("00001", "00002"):
        ward_with_edge(city, code)
    seen: list[str] = []
    monkeypatch.setattr(
        "central_hub.duties.look_after", lambda office: seen.append(office.ward.code)
    )
    duties = Duties(city, clock.monotonic)
    assert duties.work() == PAUSE_S
    clock.s = 3600
    for _ in range(5):
        duties.work()
        clock.s += PAUSE_S
    assert seen == ["00001", "00002"]
    clock.s += 86_400
    duties.work()
    assert seen == ["00001", "00002", "00001"]


def test_a_ward_that_nobody_uses_is_closed_and_opens_again(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = ward_with_edge(city)
    head = office.replica.own.row.head
    assert city.close_idle() == 0, "it was opened just now"
    monkeypatch.setattr(limits, "WARD_IDLE_S", 0.0)
    with city.visit(office.ward.id) as visited:
        assert visited is office
        assert city.close_idle() == 0, "somebody is in it"
    with city.command():
        assert city.close_idle() == 0, "a command may be in it"
    assert city.close_idle() == 1
    assert city.offices_open() == []
    with city.visit(office.ward.id) as again:
        assert again.replica is not office.replica
        assert again.replica.own.row.head == head


def test_before_too_many_are_open_the_longest_unvisited_is_closed(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    wards: list[WardId] = [ward_with_edge(city, f"0000{n}")[0].ward.id for n in range(3)]
    with city.visit(wards[0]):
        pass
    monkeypatch.setattr(limits, "WARDS_OPEN_MAX", 2)
    assert city.close_idle() == 1
    assert [office.ward.id for office in city.offices_open()] == [wards[2], wards[0]]
