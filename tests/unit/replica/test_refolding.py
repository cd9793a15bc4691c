"""Views are a function of the log: of what was erased, parted, or lost under them."""

from __future__ import annotations

import pytest

from sync_protocol.errors import StoreFullError
from sync_protocol.exchange.offer import gather
from sync_protocol.exchange.respond import take_in
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import create, edit_element
from sync_protocol.record.schema import RETRACTION
from sync_protocol.replica import Written
from sync_protocol.wire.push import Push
from tests.small_ward import AN, BE, CASE, Ward, change, make, open_replica


def test_what_an_erased_entry_had_seen_still_counts_for_those_after_it() -> None:
    ward = Ward("e1")
    first = ward["e1"].write([_new("An")], AN)
    second = ward["e1"].write([_new("Bình")], AN)
    ward.sync("e1")
    hub = ward["hub"]
    hub.say([g.Erase([g.wire_dot(first.dot)], [], [AN, BE], "law")], NO_OFFICER)
    assert hub.read(first.records[0]) is None
    assert hub.read(second.records[0]) is not None
    assert hub.rooms.views.held() == []


def test_a_branch_judged_again_has_seen_what_its_past_had_seen() -> None:
    ward = Ward("e1")
    ward["e1"].write([_new("An")], AN)
    ward.stores["twin"] = ward.stores["e1"].copy()
    ward.replicas["twin"] = open_replica("e1", ward.stores["twin"])
    ward["e1"].write([_new("Bình")], AN)
    ward["twin"].write([_new("Chi")], AN)
    ward.sync("e1", "twin")
    hub = ward["hub"]
    device = ward["e1"].keys.public
    hub.say([g.Revoke(device, g.LOST, [], 1)], NO_OFFICER)
    hub.say([g.Revoke(device, g.RESTORED, [], 2)], NO_OFFICER)
    assert hub.rooms.views.held() == []
    assert hub.digest().records == 3


def test_search_text_does_not_depend_on_what_came_first() -> None:
    ward = Ward("e1", "e2")
    record = make(ward["e1"], "An")
    ward.sync("e1", "e2")
    change(ward["e1"], record, name="Bình")
    change(ward["e2"], record, name="Chi")
    ward.sync("e1", "e2", "e1")
    texts = {ward[name].rooms.views.load([record])[record].text for name in ("e1", "e2", "hub")}
    assert len(texts) == 1


def test_views_that_show_what_the_log_lost_are_made_anew() -> None:
    ward = Ward("e1", "e2")
    log = ward.stores["hub"].log
    before = log.snapshot()
    make(ward["e1"], "An")
    ward.sync("e1")
    log.restore(before)  # the write-ahead log lost its tail; the views' database did not
    assert ward.reopen("hub").digest().records == 0
    make(ward["e2"], "Bình")
    ward.sync("e2", "e1")
    assert ward["hub"].digest() == ward["e1"].digest()
    assert ward["hub"].digest().records == 2


def _new(name: str) -> RecordChange:
    return create(CASE, {"name": name})


def test_a_cut_names_every_branch_of_which_something_counts() -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    ward.stores["twin"] = ward.stores["e1"].copy()
    ward.replicas["twin"] = open_replica("e1", ward.stores["twin"])
    make(ward["e1"], "Bình")
    make(ward["twin"], "Chi")
    ward.sync("e1", "twin")
    hub, device = ward["hub"], ward["e1"].keys.public
    cuts = [chain.mark for chain in hub.holding.chains.values() if chain.device == device]
    hub.say([g.Revoke(device, g.LOST, [mark for mark in cuts if mark.seq])], NO_OFFICER)
    assert hub.rooms.views.held() == []
    assert hub.digest().records == 3


def test_cursors_in_memory_are_undone_with_the_views_transaction() -> None:
    ward = Ward("e1", "e2")
    make(ward["e1"], "An")
    ward.sync("e1")
    views = ward.stores["e2"].views

    def full(name: str) -> None:
        if name == "commit":
            raise StoreFullError("full")

    views.transactions.on_write = full
    with pytest.raises(StoreFullError):
        ward.sync("e2")
    views.transactions.on_write = None
    ward["e2"].follow()
    assert ward["e2"].digest() == ward["hub"].digest()


def test_a_scan_whose_place_in_the_queue_was_lost_is_queued_again() -> None:
    ward = Ward("e1")
    record = make(ward["e1"], "An")
    log = ward.stores["e1"].log
    manifest = ward["e1"].attach(b"a page", "image/jpeg")
    paper = edit_element(CASE, "papers", bytes(16), ["a page", manifest], None)
    journaled = ward["e1"].write([RecordChange(record, CASE.id, {}, (paper,))], NO_OFFICER)
    assert journaled.records == (record,)
    with log.transaction(durable=False):  # a power cut took the newest commit of the log alone
        for key in log.notes("scan"):
            if key != "scan-key":
                log.put_note(key, None)
    assert ward.reopen("e1").scans.waiting()
    ward.sync("e1")
    assert list(ward.stores["hub"].chunks.addresses())


def parted() -> tuple[Ward, Written, Written]:
    """Return a ward in which the hub has not heard yet that e1 was cloned, and two of its acts."""
    ward = Ward("e1", "e2")
    ward["e1"].write([_new("An")], AN)
    ward.stores["twin"] = ward.stores["e1"].copy()
    ward.replicas["twin"] = open_replica("e1", ward.stores["twin"])
    first = ward["e1"].write([_new("Bình")], AN)
    other = ward["twin"].write([_new("Chi")], AN)
    assert first.dot == other.dot
    ward.sync("e1")
    return ward, first, other


def test_an_erasure_said_before_a_feed_parted_names_the_entry_that_was_meant() -> None:
    ward, first, other = parted()
    ward["hub"].say([g.Erase([g.wire_dot(first.dot)], [], [AN, BE], "law")], NO_OFFICER)
    ward.sync("twin", "e1", "e2", "twin", "e1", "e2")
    for name in ("hub", "e1", "e2", "twin"):
        assert ward[name].read(first.records[0]) is None
        assert ward[name].read(other.records[0]) is not None
        assert ward[name].digest() == ward["hub"].digest()


def test_an_adoption_said_before_a_feed_parted_names_the_entry_that_was_meant() -> None:
    ward, first, other = parted()
    hub = ward["hub"]
    hub.say([g.Revoke(ward["e1"].keys.public, g.LOST, [])], NO_OFFICER)
    hub.say([g.Adopt([g.wire_dot(first.dot)])], NO_OFFICER)
    assert hub.read(first.records[0]) is not None
    ward.sync("twin", "e2")
    for name in ("hub", "e2"):
        assert ward[name].read(first.records[0]) is not None
        assert ward[name].read(other.records[0]) is None


def test_a_retraction_made_before_a_feed_parted_still_names_what_it_saw() -> None:
    ward, first, _ = parted()
    ward.sync("e2")
    record = first.records[0]
    dots = [g.wire_dot(first.dot)]
    gone = CellWrite(RETRACTION, None, ["twice", dots])
    ward["e2"].write([RecordChange(record, CASE.id, {}, (gone,))], AN)
    ward.sync("e2", "twin", "e2")
    for name in ("hub", "e2"):
        view = ward[name].read(record)
        assert view is not None
        assert view.retracted
        assert view.conflicts == ()


def test_an_erasure_that_came_before_the_head_which_it_names_is_carried_out_after_it() -> None:
    ward = Ward("e1", "e2")
    first = ward["e1"].write([_new("An")], AN)
    ward.sync("e1", "e2")
    ward["e1"].write([_new("Bình")], AN)
    ward.sync("e1")
    hub = ward["hub"]
    hub.say([g.Erase([g.wire_dot(first.dot)], [], [AN, BE], "law")], NO_OFFICER)
    parts = gather(hub.holding, [(hub.own, 0)], 1 << 20)
    take_in(ward["e2"], Push(parts.declarations, parts.seals, parts.ranges), iter(parts.payloads))
    ward["e2"].follow()
    ward.sync("e2")
    assert ward["e2"].read(first.records[0]) is None
    assert ward["e2"].digest() == hub.digest()


def test_the_scans_of_what_was_held_back_travel_once_it_is_adopted() -> None:
    ward = Ward("e1", "e2")
    record = make(ward["e1"], "An")
    ward.sync("e1", "e2")
    hub, device = ward["hub"], ward["e1"].keys.public
    cut = ward["e1"].own.mark
    manifest = ward["e1"].attach(b"a page", "image/jpeg")
    paper = edit_element(CASE, "papers", bytes(16), ["a page", manifest], None)
    ward["e1"].write([RecordChange(record, CASE.id, {}, (paper,))], NO_OFFICER)
    hub.say([g.Revoke(device, g.LOST, [cut])], NO_OFFICER)
    ward.sync("e1")
    hub.say([g.Revoke(device, g.RESTORED, [], 2)], NO_OFFICER)
    ward.sync("e1", "e2", "e2")  # the views follow the text; the scans come after it
    assert list(ward.stores["e2"].chunks.addresses())
