"""The hub inside one process: its wards, contacts, countersigning, and what a copy must prove."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from central_hub.city import City
from central_hub.contact import Contacts
from central_hub.copying import copy_log
from central_hub.followers import Followers
from central_hub.founding import found_city
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.errors import (
    BadSignatureError,
    InputError,
    MalformedMessageError,
    NotAllowedError,
    WrongWardError,
)
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import NO_OFFICER, WardId, device_id
from sync_protocol.membership import grant as g
from sync_protocol.storage.memory import MemoryLog
from sync_protocol.wire import message as m


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    found_city(tmp_path / "hub", tmp_path / "away")
    opened = City.open(tmp_path / "hub")
    yield opened
    opened.close()


def test_a_ward_speaks_with_the_roots_certificate(city: City) -> None:
    row = city.add_ward("00001", "Phường A", [])
    roster = city.office(row.id).replica.holding.roster
    assert roster.role_of(city.home.keys.public) == g.HUB
    assert roster.profile == g.Profile("00001", "Phường A")
    assert city.office(row.id) is city.office(row.id)
    assert city.ward("00001") == city.ward(row.id.hex()) == row
    with pytest.raises(WrongWardError):
        city.office(WardId(bytes(16)))
    with pytest.raises(InputError):
        city.ward("0")


def test_wards_are_there_again_after_a_restart(tmp_path: Path) -> None:
    found_city(tmp_path / "hub", tmp_path / "away")
    city = City.open(tmp_path / "hub")
    row = city.add_ward("00001", "Phường A", [])
    feed = city.office(row.id).replica.own.feed
    city.close()
    city = City.open(tmp_path / "hub")
    assert city.wards() == [row]
    assert city.office(row.id).replica.own.feed == feed
    city.close()


def test_a_city_is_founded_once_and_its_keys_go_to_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "mine").touch()
    with pytest.raises(NotAllowedError):
        found_city(tmp_path / "hub", tmp_path / "away")
    assert not (tmp_path / "hub").exists()
    (tmp_path / "away" / "mine").unlink()
    found_city(tmp_path / "hub", tmp_path / "away")
    with pytest.raises(NotAllowedError):
        found_city(tmp_path / "hub", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_followers_countersign_what_edges_granted_but_for_the_revoked(city: City) -> None:
    row = city.add_ward("00001", "Phường A", [])
    office = city.office(row.id)
    edge, good, bad = (DeviceKeys.generate() for _ in range(3))
    office.registrar.grant(edge.public, edge.agreement.public, g.EDGE, "e")
    # As the roster stands after a push brought an edge's grants of two tablets.
    roster = office.replica.holding.roster
    for keys in (good, bad):
        roster.grants[keys.public] = roster.grants[edge.public]._replace(
            device=keys.public, role=g.TABLET, delegated=True
        )
    roster.revocations[bad.public] = g.Revoke(bad.public, g.LOST, [])
    assert office.registrar.countersign() == 1
    statements = office.replica.holding.roster.grants
    assert statements[good.public].delegated is False
    assert bad.public not in statements


def test_followers_fold_what_is_new_and_end_in_time(city: City) -> None:
    row = city.add_ward("00001", "Phường A", [])
    followers = Followers(city)
    followers.start()
    office = city.office(row.id)
    followers.wake(row.id)
    followers.stop()
    assert office.replica.follower.lag() == 0


def test_contacts_are_kept_and_figures_bounded(city: City) -> None:
    row = city.add_ward("00001", "Phường A", [])
    office = city.office(row.id)
    keys = DeviceKeys.generate()
    contacts = office.contacts
    assert contacts.of(keys.public).heard_ms == 0
    contacts.heard(device_id(keys.public), m.Kind.CHALLENGE)
    assert contacts.of(keys.public).synced_ms == 0
    contacts.heard(device_id(keys.public), m.Kind.SAME)
    assert contacts.of(keys.public).entries == contacts.entries_held() > 0
    contacts.save()
    again = Contacts(office.replica)
    assert again.of(keys.public) == contacts.of(keys.public)
    contacts.take_figures(keys.public, {"entries_unsent": 3})
    assert again.figures(keys.public)[1] == {"entries_unsent": 3}
    for figures in ({f"n{i}": i for i in range(65)}, {"a": "x" * 65}, {"b" * 65: 1}):
        with pytest.raises(MalformedMessageError):
            contacts.take_figures(keys.public, figures)  # type: ignore[arg-type]
    assert short_name(keys.public) == device_id(keys.public).hex()


def test_a_copied_log_is_the_same_and_a_changed_one_is_refused(city: City) -> None:
    row = city.add_ward("00001", "Phường A", [])
    replica = city.office(row.id).replica
    for number in range(300):  # beyond one block
        replica.say([g.Profile("00001", f"Phường {number}", [], number + 2)], NO_OFFICER)
    source = replica.rooms.log
    copy = MemoryLog()
    assert copy_log(source, copy, row.id) == 301
    assert copy.chains() == source.chains()
    assert copy.notes("") == source.notes("")
    own = replica.own.number
    assert list(copy.entries(own, 1, 999)) == list(source.entries(own, 1, 999))
    with pytest.raises(WrongWardError):
        copy_log(source, MemoryLog(), WardId(bytes(16)))
    bad = MemoryLog()
    copy_log(source, bad, row.id)
    with bad.transaction(durable=True):
        bad.truncate(own, 200)
    with pytest.raises(BadSignatureError):
        copy_log(bad, MemoryLog(), row.id)
