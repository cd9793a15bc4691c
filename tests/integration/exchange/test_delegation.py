"""A tablet that a station enrolled while the city was away, for longer than that may last."""

from __future__ import annotations

from device_home.delegation import lapsed_grants
from sync_protocol import limits
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from tests.integration.exchange.office import DAY_MS, Office, capture, same


def test_after_thirty_days_it_lapses_and_counts_again_once_the_city_confirms_it() -> None:
    office = Office()
    edge, other = office.edge("một"), office.edge("hai")
    office.sync(edge)
    keys = DeviceKeys.generate()
    Registrar(edge).grant(keys.public, keys.agreement.public, g.TABLET, "máy")
    tablet = office.replica(keys)
    office.sync(tablet, edge)
    early = capture(tablet, 2)
    office.sync(tablet, edge)
    office.sync(other, edge)
    assert lapsed_grants(edge) == []
    office.now_ms += limits.DELEGATED_GRANT_DAYS * DAY_MS
    assert lapsed_grants(other) == [], "who granted it says so"
    edge.say(lapsed_grants(edge), NO_OFFICER)
    assert lapsed_grants(edge) == []
    late = capture(tablet, 2, seed=2)
    assert office.sync(tablet, edge).standing == "revoked-lapsed"
    assert [edge.read(record) is not None for record in early + late] == [True, True, False, False]
    assert {row.reason for row in edge.rooms.views.held()} == {"revoked-lapsed"}
    office.sync(edge)
    assert Registrar(office.hub).countersign() == 1
    for replica in (edge, other):
        office.sync(replica)
    assert office.sync(tablet, edge).standing == ""
    assert edge.rooms.views.held() == []
    assert edge.read(late[0]) is not None
    assert same(office.hub, edge, other, tablet)


def test_what_a_supervisor_restored_does_not_lapse_again() -> None:
    office = Office()
    edge = office.edge()
    keys = DeviceKeys.generate()
    Registrar(edge).grant(keys.public, keys.agreement.public, g.TABLET, "máy")
    office.now_ms += limits.DELEGATED_GRANT_DAYS * DAY_MS
    due = lapsed_grants(edge)
    edge.say(due, NO_OFFICER)
    office.hub.say([g.Revoke(keys.public, g.RESTORED, [], 2)], NO_OFFICER)
    office.sync(edge)
    assert edge.holding.roster.revoked(keys.public) is None
    assert lapsed_grants(edge) == []
