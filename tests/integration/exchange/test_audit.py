"""Sums are compared now and then; what is damaged is healed from the log, on whichever side."""

from __future__ import annotations

import pytest
from msgspec import structs

from sync_protocol import limits
from sync_protocol.exchange.audit import answer
from sync_protocol.identity import RecordId
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica, audit
from sync_protocol.wire.snapshot import AuditAsk, bucket_of
from tests.integration.exchange.office import DAY_MS, Office, capture, change_phone, same


@pytest.fixture
def office() -> Office:
    return Office()


def _ward(office: Office) -> tuple[Replica, list[RecordId]]:
    edge = office.edge()
    records = capture(edge, 50)
    change_phone(edge, records[3], "0911111111")
    office.sync(edge)
    assert not office.sync(edge).audited
    office.now_ms += DAY_MS
    return edge, records


def _damage(replica: Replica, record: RecordId) -> None:
    views = replica.rooms.views
    row = views.load([record])[record]
    state = row.state.replace(b"0", b"1", 1)
    assert state != row.state
    decode_state(state)
    with views.transaction():
        views.save([structs.replace(row, state=state)])


def test_where_all_agree_nothing_is_said_and_a_day_passes(office: Office) -> None:
    edge, _ = _ward(office)
    outcome = office.sync(edge)
    assert (outcome.audited, outcome.differing) == (True, [])
    assert not office.sync(edge).audited
    assert audit.alarm(edge) == audit.Alarm()


@pytest.mark.parametrize("side", ["edge", "hub"])
def test_a_damaged_state_is_found_and_healed_from_the_own_log(office: Office, side: str) -> None:
    edge, records = _ward(office)
    before = edge.digest()
    hurt, whole = (edge, office.hub) if side == "edge" else (office.hub, edge)
    for record in records[2:5]:
        _damage(hurt, record)
    assert hurt.digest() != before
    outcome = office.sync(edge)
    assert outcome.differing == sorted({bucket_of(record) for record in records[2:5]})
    assert edge.digest() == office.hub.digest() == before
    assert audit.alarm(hurt).healed == 3
    assert (audit.alarm(whole).healed, audit.alarm(whole).count) == (0, 1)


def test_a_lost_record_comes_back_and_a_made_up_one_goes(office: Office) -> None:
    edge, records = _ward(office)
    before = edge.digest()
    views = office.hub.rooms.views
    row = views.load([records[0]])[records[0]]
    with views.transaction():
        views.remove([records[1]])
        views.save([structs.replace(row, id=RecordId(bytes(16)))])
    office.sync(edge)
    assert office.hub.digest() == before
    assert audit.alarm(office.hub).healed == 2


def test_at_unequal_frontiers_nothing_is_compared(office: Office) -> None:
    edge, records = _ward(office)
    _damage(edge, records[0])
    other = office.edge("hai")
    capture(other, 1, seed=5)
    ask = AuditAsk(edge.holding.frontier_root(), 1, audit.sums(edge))
    assert not answer(other, ask).comparable


def test_a_damaged_tablet_takes_a_new_snapshot(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_LACK_ENTRIES", 10)
    edge, records = _ward(office)
    tablet = office.join(g.TABLET)
    office.sync(edge)
    assert office.sync(tablet, edge).snapshot == 50
    office.now_ms += DAY_MS
    _damage(tablet, records[7])
    assert office.sync(tablet, edge).differing == [bucket_of(records[7])]
    assert office.sync(tablet, edge).snapshot == 50
    assert same(tablet, edge)
