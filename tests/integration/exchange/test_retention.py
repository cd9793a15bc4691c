"""What a tablet lets go of, and what it never does."""

from __future__ import annotations

import json
import os

import pytest

from sync_protocol import limits
from sync_protocol.attachment import read_manifest
from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.status import CLOSED
from sync_protocol.identity import NO_OFFICER, RecordId
from sync_protocol.membership import grant as g
from sync_protocol.membership.lapse import lapses_due
from sync_protocol.record.diff import Shown, edit
from sync_protocol.replica import Replica, audit
from sync_protocol.replica.replica import SCAN_KEY_NOTE
from sync_protocol.replica.retention import LetGo, sweep
from tests.integration.exchange.office import DAY_MS, Office, capture, change_phone, same


@pytest.fixture
def office() -> Office:
    return Office()


def _close(replica: Replica, record: RecordId) -> None:
    view = replica.read(record)
    assert view is not None
    shown = view.field("status")
    assert shown is not None
    old = {"status": Shown(shown.value, shown.dots)}
    change = edit(DOSSIER, record, old, {"status": "10"})
    assert change is not None
    replica.write([change], NO_OFFICER)


def _tablet(office: Office, edge: Replica) -> Replica:
    tablet = office.join(g.TABLET)
    office.sync(edge)
    office.sync(tablet, edge)
    return tablet


def _capture_scan(replica: Replica) -> tuple[RecordId, bytes]:
    manifest = replica.attach(os.urandom(300_000), "image/jpeg")
    scan = read_manifest(manifest).id
    page = paper("page", "Trang", attachment=scan, manifest=manifest)
    line = json.dumps(next(sample(1, 5))).encode()
    return replica.write([read_intake(line).change([page])], NO_OFFICER).records[0], scan


def _everywhere(office: Office, tablet: Replica, edge: Replica) -> None:
    """Bring it to the edge and the hub, and their receipts back."""
    for _ in range(2):
        office.sync(tablet, edge)
        office.sync(edge)
    office.sync(tablet, edge)


def _later(office: Office, days: int = limits.RETENTION_DAYS + 1) -> None:
    office.now_ms += days * DAY_MS


def test_closed_old_and_safe_leaves_a_stub_and_its_scan_goes(office: Office) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    record, scan = _capture_scan(tablet)
    open_one = capture(tablet, 1)[0]
    _close(tablet, record)
    _everywhere(office, tablet, edge)
    before = tablet.digest()
    _later(office)
    assert sweep(tablet, CLOSED) == LetGo(records=1, chunks=2, keys=1)
    view = tablet.read(record)
    assert view is not None
    assert (view.purged, view.read_only, view.fields) == (True, True, ())
    assert not list(tablet.rooms.chunks.addresses())
    assert tablet.rooms.log.note(SCAN_KEY_NOTE + scan.hex()) is None
    kept = tablet.read(open_one)
    assert kept is not None
    assert not kept.purged
    assert tablet.digest() == before == edge.digest(), "a stub stands for what it was"
    name = edge.read(record).value("name")  # type: ignore[union-attr]
    row = tablet.rooms.views.load([record])[record]
    assert name.encode() not in row.state
    assert row.text == ""
    assert sweep(tablet, CLOSED) == LetGo()


def test_a_stub_is_fetched_then_shown(office: Office) -> None:
    from sync_protocol.exchange.initiate import Initiator
    from sync_protocol.exchange.respond import Nonces, Responder
    from tests.integration.exchange.office import Wire

    edge = office.edge()
    tablet = _tablet(office, edge)
    record = capture(tablet, 1)[0]
    _close(tablet, record)
    _everywhere(office, tablet, edge)
    _later(office)
    assert sweep(tablet, CLOSED).records == 1
    wire = Wire(Responder(edge, Nonces()))
    assert Initiator(tablet, wire, edge.keys.public).fetch([record]) == 1
    assert tablet.read(record) == edge.read(record)
    assert same(tablet, edge)


def test_what_comes_for_a_stub_brings_it_back_whole(office: Office) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    record = capture(tablet, 1)[0]
    _close(tablet, record)
    _everywhere(office, tablet, edge)
    _later(office)
    sweep(tablet, CLOSED)
    change_phone(edge, record, "0933333333")
    office.sync(tablet, edge)
    view = tablet.read(record)
    assert view is not None
    assert view.purged, "not half of it"
    office.sync(tablet, edge)
    assert tablet.read(record) == edge.read(record)
    assert same(tablet, edge)
    office.now_ms += DAY_MS
    assert not office.sync(tablet, edge).differing
    assert audit.alarm(tablet).count == 0


@pytest.mark.parametrize("holders", ["nobody", "edge", "hub"])
def test_one_holder_is_not_enough(office: Office, holders: str) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    record, _ = _capture_scan(tablet)
    _close(tablet, record)
    if holders == "edge":
        office.sync(tablet, edge)
    if holders == "hub":
        office.sync(tablet)
    _later(office, 1000)
    gone = sweep(tablet, CLOSED)
    assert (gone.records, gone.chunks, gone.entries) == (0, 0, 0)
    assert gone.keys == 1, "the key goes at closing: the ward's opens the scan"
    assert tablet.read(record) is not None


def test_an_open_or_young_dossier_stays(office: Office) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    records = capture(tablet, 2)
    _later(office, 100)
    _close(tablet, records[0])
    _everywhere(office, tablet, edge)
    _later(office, 30)
    assert sweep(tablet, frozenset()).records == 0
    assert sweep(tablet, CLOSED).records == 0 or records[0] is None


def test_edges_and_hub_let_go_of_nothing(office: Office) -> None:
    edge = office.edge()
    record = capture(edge, 1)[0]
    _close(edge, record)
    office.sync(edge)
    _later(office, 1000)
    assert sweep(edge, CLOSED) == sweep(office.hub, CLOSED) == LetGo()


def test_after_a_restore_of_the_hub_nothing_goes_until_it_is_receipted_anew(
    office: Office,
) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    record = capture(tablet, 1)[0]
    _close(tablet, record)
    _everywhere(office, tablet, edge)
    office.hub.author.new_incarnation("restored")
    office.hub.say([g.Profile("00001", "Phường A", version=2)], NO_OFFICER)
    office.sync(edge)
    for _ in range(2):
        office.sync(tablet, edge)
    # the tablet knows of the new incarnation; take away the receipt that came with it
    tablet.receipts._read = {
        holder: receipt
        for holder, receipt in tablet.receipts._read.items()
        if holder != office.hub_keys.public
    }
    _later(office)
    assert sweep(tablet, CLOSED) == LetGo()
    _everywhere(office, tablet, edge)
    tablet.receipts.take(office.hub.receipt())
    assert sweep(tablet, CLOSED).records == 1


def test_the_log_goes_by_blocks_and_everything_goes_on(office: Office) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    capture(tablet, 300)
    records = capture(edge, 600, seed=3)
    _everywhere(office, tablet, edge)
    _later(office)
    gone = sweep(tablet, CLOSED)
    assert gone.entries == 256 + 512
    assert tablet.own.row.floor.seq == 256
    again = office.replica(tablet.keys, tablet.rooms)
    assert again.author.notice == ""
    assert again.digest() == edge.digest()
    change_phone(again, records[0], "0944444444")
    change_phone(edge, records[0], "0955555555")
    capture(again, 300, seed=4)
    _everywhere(office, again, edge)
    assert same(again, edge, office.hub)
    assert again.holding.roster.grants == edge.holding.roster.grants


def test_a_silent_device_lapses_and_is_back_when_heard(office: Office) -> None:
    edge = office.edge()
    tablet = _tablet(office, edge)
    heard = {edge.keys.public: office.now_ms, tablet.keys.public: office.now_ms}
    roster = office.hub.holding.roster
    assert lapses_due(roster, heard, office.now_ms) == []
    _later(office, limits.LAPSED_DAYS)
    heard[edge.keys.public] = office.now_ms
    due = lapses_due(roster, heard, office.now_ms)
    assert due == [g.Lapse(tablet.keys.public, True)]
    office.hub.say(due, NO_OFFICER)
    assert lapses_due(office.hub.holding.roster, heard, office.now_ms) == []
    capture(tablet, 3)
    capture(edge, 5, seed=2)
    office.sync(edge)
    office.sync(tablet, edge)
    outcome = office.sync(tablet, edge)
    assert same(tablet, edge)
    del outcome
    heard[tablet.keys.public] = office.now_ms
    back = lapses_due(office.hub.holding.roster, heard, office.now_ms)
    assert back == [g.Lapse(tablet.keys.public, False, 2)]
