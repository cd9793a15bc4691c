"""Exchanges that were broken off, and feeds that parted, go on where they stood."""

from __future__ import annotations

from sync_protocol.exchange.offer import gather
from sync_protocol.exchange.respond import take_in
from sync_protocol.identity import NO_OFFICER
from sync_protocol.log.block import pack
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.membership import grant as g
from sync_protocol.replica import Offer, Replica
from sync_protocol.replica.holding import Chain
from sync_protocol.wire.push import Push
from tests.small_ward import Ward, make, open_replica


def stage(source: Replica, target: Replica) -> Chain:
    """Bring a whole feed without its seal, as a power cut between the two leaves it."""
    parts = gather(source.holding, [(source.own, 0)], 1 << 20)
    take_in(target, Push(parts.declarations, [], parts.ranges), iter(parts.payloads))
    return target.holding.by_feed[source.own.feed][0]


def test_a_feed_that_was_staged_whole_gets_its_seal_by_push() -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    chain = stage(ward["e1"], ward["hub"])
    assert (chain.row.head.seq, chain.row.staged.seq) == (0, 1)
    ward.sync("e1")
    assert ward["hub"].digest() == ward["e1"].digest()


def test_a_feed_that_was_staged_whole_gets_its_seal_by_pull() -> None:
    ward = Ward("e1", "e2")
    make(ward["e1"], "An")
    ward.sync("e1")
    stage(ward["e1"], ward["e2"])
    ward.sync("e2")
    assert ward["e2"].digest() == ward["hub"].digest()


def test_both_branches_of_a_parted_feed_are_served_to_whoever_never_saw_it() -> None:
    ward = Ward("e1", "e2")
    make(ward["e1"], "An")
    ward.stores["twin"] = ward.stores["e1"].copy()
    ward.replicas["twin"] = open_replica("e1", ward.stores["twin"])
    make(ward["e1"], "Bình")
    make(ward["twin"], "Chi")
    ward.sync("e1", "twin", "e1", "twin")
    ward.sync("e2")
    assert len(ward["e2"].holding.by_feed[ward["hub"].holding.chains[2].feed]) >= 1
    assert ward["e2"].digest() == ward["hub"].digest()
    assert ward["e2"].digest().records == 3


def test_a_revoked_twin_is_heard_though_it_may_not_pull() -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    ward.stores["twin"] = ward.stores["e1"].copy()
    ward.replicas["twin"] = open_replica("e1", ward.stores["twin"])
    make(ward["e1"], "Bình")
    written = make(ward["twin"], "Chi")
    ward.sync("e1")
    hub = ward["hub"]
    hub.say([g.Revoke(ward["e1"].keys.public, g.LOST, [])], NO_OFFICER)
    ward.sync("twin")
    hub.follow()
    assert written in {record for row in hub.rooms.views.held() for record in row.records}


def test_a_branch_that_nothing_proves_changes_nothing() -> None:
    ward = Ward("e1", "e2")
    make(ward["e1"], "An")
    make(ward["e1"], "Bình")
    ward.sync("e1", "e2")
    hub, chain = ward["hub"], ward["e1"].own
    before = hub.digest()
    lie = pack(2, [Entry.of(Header(1, NO_OFFICER, 1, CHANGESET), b"12345678lie")])
    start = ward["e1"].holding.hash_at(chain, 1)
    assert start is not None
    offer = Offer(chain.feed, 2, start[:16], lie)
    admission = hub.ingest([chain.declared.raw], [chain.row.seal], [offer])
    assert chain.feed in admission.refused
    assert not hub.holding.is_forked(chain.feed)
    assert hub.digest() == before
    true = gather(ward["e1"].holding, [(chain, 1)], 1 << 20)
    again = Offer(chain.feed, 2, start[:16], true.payloads[0])
    hub.ingest(true.declarations, true.seals, [again])  # the same again is no branch either
    hub.ingest([chain.declared.raw], [chain.row.seal], [offer])
    assert hub.digest() == before
    assert len(hub.holding.by_feed[chain.feed]) == 2  # one row, however often somebody lies
    make(ward["e1"], "Chi")
    ward.sync("e1", "e2")
    assert hub.digest() == ward["e2"].digest() == ward["e1"].digest()


def test_heads_move_when_everything_is_durable_and_not_before() -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    hub, source = ward["hub"], ward["e1"]
    parts = gather(source.holding, [(source.own, 0)], 1 << 20)
    before = hub.holding.frontier_root()
    intake = hub.intake(parts.declarations, parts.seals)
    item = parts.ranges[0]
    intake.take(Offer(source.own.feed, item.first, item.before, parts.payloads[0]))
    assert hub.holding.frontier_root() == before  # another's receipt may be written right now
    hub.after(intake.finish())
    assert hub.holding.frontier_root() != before
