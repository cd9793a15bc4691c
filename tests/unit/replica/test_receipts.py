"""Who else holds what: a receipt counts while its holder is what it was, and no longer."""

from __future__ import annotations

import pytest

from sync_protocol.encoding import encode
from sync_protocol.errors import NotAdmittedError, WrongWardError
from sync_protocol.identity import NO_OFFICER, AttachmentId, WardId
from sync_protocol.membership import grant as g
from sync_protocol.replica.receipts import Safety, try_take
from sync_protocol.wire.receipt import Receipt, read_receipt, write_receipt
from tests.ward import Device, Ward, mark_of, offers


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def edge(ward: Ward) -> Device:
    """An edge that knows of others, and has written what nobody else holds."""
    for name in ("other", "one", "two"):
        ward.grant(name)
    device = ward.device("edge")
    device.admit()
    return device


def joined(ward: Ward, name: str) -> Device:
    """A device that was granted before."""
    device = Device(ward, name)
    ward.sync(device)
    return device


def safety(device: Device, seq: int = 1) -> Safety:
    return device.replica.receipts.safety(device.replica.own, seq)


def bring(source: Device, target: Device) -> None:
    own = source.replica.own
    target.replica.ingest([own.declared.raw], [own.row.seal], offers(source))
    target.replica.follow()


def give(holder: Device, to: Device) -> None:
    to.replica.receipts.take(holder.replica.receipt())


def test_nothing_is_held_elsewhere_before_a_receipt_says_so(ward: Ward, edge: Device) -> None:
    assert safety(edge) == Safety()
    ward.sync(edge)
    assert safety(edge).hub
    assert not safety(edge).may_be_deleted


def test_a_copy_may_be_deleted_when_an_edge_and_the_hub_hold_it(ward: Ward, edge: Device) -> None:
    other = joined(ward, "other")
    ward.sync(edge)
    ward.sync(other)
    give(other, edge)
    assert safety(edge).edges == {other.keys.public}
    assert safety(edge).may_be_deleted
    assert edge.replica.receipts.safe_through(edge.replica.own) == 1


def test_two_edges_without_the_hub_keep_the_journal_short_and_delete_nothing(
    ward: Ward, edge: Device
) -> None:
    others = [joined(ward, "one"), joined(ward, "two")]
    for other in others:
        bring(edge, other)
        give(other, edge)
    assert not safety(edge).may_be_deleted
    assert edge.replica.receipts.safe_through(edge.replica.own) == 1


def test_the_hubs_backup_is_enough(ward: Ward, edge: Device) -> None:
    ward.sync(edge)
    backed = [[mark.feed, mark.seq, mark.hash] for mark in ward.hub.replica.holding.frontier()]
    with ward.hub.replica.rooms.log.transaction(durable=True):
        ward.hub.replica.rooms.log.put_note("backed-up", encode(backed))
    give(ward.hub, edge)
    assert safety(edge).backed_up
    assert safety(edge).may_be_deleted


def test_a_receipt_says_nothing_of_what_came_after_it(ward: Ward, edge: Device) -> None:
    ward.sync(edge)
    edge.admit()
    assert safety(edge, 1).hub
    assert not safety(edge, 2).hub


def test_a_receipt_of_an_older_incarnation_counts_for_nothing(ward: Ward, edge: Device) -> None:
    ward.sync(edge)
    assert safety(edge).hub
    ward.hub.replica.author.new_incarnation("restored")
    ward.hub.replica.say([g.Profile("00001", "Phường A", [], 2)], NO_OFFICER)
    bring_hub = ward.hub.replica.own
    edge.replica.ingest([bring_hub.declared.raw], [bring_hub.row.seal], offers(ward.hub))
    assert not safety(edge).hub
    assert edge.replica.receipts.newest(ward.hub.keys.public) is None
    ward.sync(edge)
    assert safety(edge).hub


def test_a_receipt_of_a_revoked_edge_counts_for_nothing(ward: Ward, edge: Device) -> None:
    other = joined(ward, "other")
    bring(edge, other)
    give(other, edge)
    assert safety(edge).edges
    ward.revoke(other, cuts=[mark_of(other, 0)])
    ward.sync(edge)
    assert not safety(edge).edges


def test_a_receipt_for_another_branch_covers_nothing(ward: Ward, edge: Device) -> None:
    other = joined(ward, "other")
    twin = Device(ward, "edge", edge.disk.clone())
    edge.admit("mine")
    twin.admit("theirs")
    bring(twin, other)
    give(other, edge)
    assert safety(edge, 1).edges == set()
    assert safety(edge, 2).edges == set()


def test_the_newest_receipt_of_a_holder_is_kept_and_relayed(ward: Ward, edge: Device) -> None:
    other = joined(ward, "other")
    old = other.replica.receipt()
    bring(edge, other)
    new = other.replica.receipt()
    for raw in (new, old):
        edge.replica.receipts.take(raw)
    assert edge.replica.receipts.relayed(ward.hub.keys.public).count(new) == 1
    assert old not in edge.replica.receipts.relayed(ward.hub.keys.public)
    assert edge.replica.receipts.relayed(other.keys.public).count(new) == 0
    reopened = edge.reopen()
    assert reopened.receipts.newest(other.keys.public) == read_receipt(new)


def _receipt(device: Device, role: str, ward: WardId) -> bytes:
    receipt = Receipt(device.keys.public, role, ward, b"incarnat", 5)
    return write_receipt(device.keys.signing, receipt)


def test_a_receipt_of_nobody_or_for_another_ward_is_refused(ward: Ward, edge: Device) -> None:
    receipts = edge.replica.receipts
    here = edge.replica.holding.ward
    with pytest.raises(NotAdmittedError):
        receipts.take(_receipt(Device(ward, "stranger"), g.EDGE, here))
    tablet = ward.device("tablet", g.TABLET)
    for device, role in ((tablet, g.TABLET), (tablet, g.EDGE), (edge, g.HUB)):
        assert isinstance(try_take(receipts, _receipt(device, role, here)), NotAdmittedError)
    with pytest.raises(WrongWardError):
        receipts.take(_receipt(ward.hub, g.HUB, WardId(b"x" * 16)))
    assert try_take(receipts, b"rubbish") is not None
    assert try_take(receipts, ward.hub.replica.receipt()) is None


def test_a_scan_is_safe_where_receipts_name_it(ward: Ward, edge: Device) -> None:
    other = joined(ward, "other")
    ward.sync(edge)
    scan = AttachmentId(b"a" * 16)
    receipts = edge.replica.receipts
    assert receipts.scan_safety(scan) == Safety()
    for device in (ward.hub, other):
        receipts.take(device.replica.receipt([scan]))
    found = receipts.scan_safety(scan)
    assert found == Safety(frozenset({other.keys.public}), hub=True)
    assert len(receipts.relayed_scans([scan], other.keys.public)) == 1
    ward.revoke(other, cuts=[mark_of(other, 0)])
    ward.sync(edge)
    assert receipts.scan_safety(scan).edges == set()


def test_the_journal_is_tidied_only_of_what_two_others_hold(
    ward: Ward, edge: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = joined(ward, "other")
    edge.disk.journal._segment_bytes_max = 1
    for number in range(5):
        edge.admit(str(number))
    frames = len(list(edge.disk.journal.frames()))
    ward.sync(edge)
    assert len(list(edge.disk.journal.frames())) == frames
    ward.sync(other)
    give(other, edge)
    edge.replica.tidy_journal()
    assert len(list(edge.disk.journal.frames())) == 1
    edge.reopen()
    assert edge.replica.author.notice == ""
