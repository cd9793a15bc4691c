"""What others bring: gaps, overlaps, forks, bad seals, and what a receipt may say of them."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.errors import (
    BadSignatureError,
    FeedForkError,
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    WrongWardError,
)
from sync_protocol.exchange.respond import take_in
from sync_protocol.identity import NO_OFFICER, WardId, feed_id
from sync_protocol.log import block
from sync_protocol.log.entry import Entry, Header, digest
from sync_protocol.log.feed import declare, follow
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.replica import Admission, Offer
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView
from sync_protocol.wire.message import payload_digest
from sync_protocol.wire.push import Push, RangeItem
from sync_protocol.wire.receipt import read_receipt
from tests.ward import Device, Ward, keys_of, mark_of, offers, same


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def edge(ward: Ward) -> Device:
    """An edge that has written five records which nobody else holds."""
    device = ward.device("edge")
    for number in range(5):
        device.admit(f"Người {number}")
    return device


def bring(source: Device, target: Device, *brought: Offer, seal: bytes | None = None) -> Admission:
    own = source.replica.own
    seals = [own.row.seal if seal is None else seal]
    return target.replica.ingest([own.declared.raw], [item for item in seals if item], brought)


def head(source: Device, target: Device) -> int:
    chains = target.replica.holding.by_feed.get(source.replica.own.feed, [])
    return max((chain.row.head.seq for chain in chains), default=0)


def staged(source: Device, target: Device) -> int:
    return target.replica.holding.by_feed[source.replica.own.feed][0].row.staged.seq


# --- in order, twice, overlapping, with a gap -----------------------------------------------------


def test_a_feed_comes_in_whole_and_is_counted(ward: Ward, edge: Device) -> None:
    admission = bring(edge, ward.hub, *offers(edge))
    assert (admission.entries, admission.refused, admission.forked) == (5, {}, set())
    assert same(edge, ward.hub)


def test_the_same_again_changes_nothing(ward: Ward, edge: Device) -> None:
    bring(edge, ward.hub, *offers(edge))
    admission = bring(edge, ward.hub, *offers(edge))
    assert (admission.entries, admission.refused, admission.moved) == (0, {}, set())


def test_ranges_that_overlap_are_taken_for_what_is_new(ward: Ward, edge: Device) -> None:
    bring(edge, ward.hub, *offers(edge, 1, 3), seal=b"")
    admission = bring(edge, ward.hub, *offers(edge, 2, 5))
    assert admission.refused == {}
    assert head(edge, ward.hub) == 5


def test_a_gap_is_refused_by_name_and_stops_no_other_feed(ward: Ward, edge: Device) -> None:
    other = ward.device("other")
    other.admit()
    both = [edge.replica.own, other.replica.own]
    admission = ward.hub.replica.ingest(
        [chain.declared.raw for chain in both],
        [chain.row.seal for chain in both],
        [*offers(edge, 3, 5), *offers(other)],
    )
    assert isinstance(admission.refused[edge.replica.own.feed], FeedGapError)
    assert head(other, ward.hub) == 1
    assert head(edge, ward.hub) == 0


def test_an_interrupted_push_goes_on_from_what_was_staged(ward: Ward, edge: Device) -> None:
    admission = bring(edge, ward.hub, *offers(edge, 1, 3))
    assert (admission.entries, head(edge, ward.hub), staged(edge, ward.hub)) == (0, 0, 3)
    ward.hub.reopen()
    assert staged(edge, ward.hub) == 3
    assert bring(edge, ward.hub, *offers(edge, 4, 5)).entries == 5


def test_what_is_staged_is_not_shown_and_not_receipted(ward: Ward, edge: Device) -> None:
    bring(edge, ward.hub, *offers(edge, 1, 3))
    ward.hub.replica.follow()
    assert ward.hub.replica.digest().records == 0
    feeds = {mark.feed for mark in read_receipt(ward.hub.replica.receipt()).frontier}
    assert edge.replica.own.feed not in feeds


# --- what is refused ------------------------------------------------------------------------------


def test_entries_that_do_not_lead_to_their_seal_are_dropped(ward: Ward, edge: Device) -> None:
    twin = Device(ward, "edge", edge.disk.clone())
    edge.admit("mine")
    twin.admit("theirs")
    admission = bring(twin, ward.hub, *offers(twin), seal=edge.replica.own.row.seal)
    assert isinstance(admission.refused[edge.replica.own.feed], BadSignatureError)
    assert staged(edge, ward.hub) == 0
    assert bring(edge, ward.hub, *offers(edge)).entries == 6


def test_a_seal_by_another_key_refuses_the_feed(ward: Ward, edge: Device) -> None:
    own = edge.replica.own
    forged = make_seal(keys_of("thief").signing, own.feed, 5, own.row.head.hash)
    admission = bring(edge, ward.hub, *offers(edge), seal=encode_seal(forged))
    assert isinstance(admission.refused[own.feed], BadSignatureError)
    assert head(edge, ward.hub) == 0


def test_a_body_that_is_missing_without_an_erasure_is_refused(ward: Ward, edge: Device) -> None:
    own = edge.replica.own
    entries = [entry.erased() for _, entry in edge.replica.holding.entries(own, 1, 5)]
    offer = offers(edge)[0]._replace(packed=block.pack(1, entries))
    admission = bring(edge, ward.hub, offer)
    assert isinstance(admission.refused[own.feed], BadSignatureError)
    assert head(edge, ward.hub) == 0


def test_a_feed_without_its_declaration_is_refused(ward: Ward, edge: Device) -> None:
    own = edge.replica.own
    admission = ward.hub.replica.ingest([], [own.row.seal], offers(edge))
    assert isinstance(admission.refused[own.feed], NotAdmittedError)
    unsealed = ward.hub.replica.ingest([], [], offers(edge))
    assert isinstance(unsealed.refused[own.feed], NotAdmittedError)


def test_a_payload_that_is_not_what_its_message_says_is_refused(ward: Ward, edge: Device) -> None:
    offer = offers(edge, 1, 3)[0]
    admission = bring(edge, ward.hub, offer._replace(first=2))
    assert isinstance(admission.refused[offer.feed], MalformedMessageError)
    after = bring(edge, ward.hub, offer._replace(before=bytes(16)))
    assert isinstance(after.refused[offer.feed], FeedForkError)


@pytest.mark.parametrize("kind", ["foreign", "unreadable", "forged"])
def test_a_bad_declaration_is_refused_by_name_and_the_rest_is_taken_in(
    ward: Ward, edge: Device, kind: str
) -> None:
    good = edge.replica.own.declared.raw
    foreign = declare(edge.keys, WardId(b"x" * 16), b"incarnat").raw
    bad, error = {
        "foreign": (foreign, WrongWardError),
        "unreadable": (b"no declaration", MalformedMessageError),
        "forged": (bytes(64) + good[64:], BadSignatureError),
    }[kind]
    seals = [edge.replica.own.row.seal]
    admission = ward.hub.replica.ingest([bad, good], seals, offers(edge))
    assert admission.entries == 5
    assert {feed: type(problem) for feed, problem in admission.refused.items()} == {
        feed_id(bad): error
    }
    assert feed_id(bad) not in ward.hub.replica.holding.by_feed


def test_a_seal_that_cant_be_read_refuses_nothing_else(ward: Ward, edge: Device) -> None:
    own = edge.replica.own
    admission = ward.hub.replica.ingest(
        [own.declared.raw], [b"no seal", own.row.seal], offers(edge)
    )
    assert admission.entries == 5
    assert [len(feed) for feed in admission.refused] == [0]


def test_a_push_with_a_bad_declaration_is_answered_with_its_name(ward: Ward, edge: Device) -> None:
    own, hub = edge.replica.own, ward.hub
    items = [
        RangeItem(o.feed, o.first, 5, o.before, len(o.packed), payload_digest(o.packed))
        for o in offers(edge)
    ]
    push = Push([b"bad", own.declared.raw], [b"bad", own.row.seal], items)
    refused = take_in(hub.replica, push, iter([o.packed for o in offers(edge)]), edge.keys.public)
    assert {problem.code for problem in refused.values()} == {"malformed"}
    assert head(edge, hub) == own.row.head.seq


def test_a_ward_holds_no_more_feeds_than_its_bound(
    ward: Ward, edge: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FEEDS_PER_WARD_MAX", 1)
    admission = bring(edge, ward.hub, *offers(edge))
    assert isinstance(admission.refused[edge.replica.own.feed], LimitExceededError)
    assert head(edge, ward.hub) == 0


# --- without a grant ------------------------------------------------------------------------------


def test_a_feed_whose_grant_has_not_come_waits_and_counts_when_it_comes(ward: Ward) -> None:
    stranger = ward.device("stranger")
    record = stranger.admit()
    other = Ward()  # the same city, of which this hub's feed is another
    other.hub.replica.ingest([], [], [])
    bring(stranger, other.hub, *offers(stranger))
    assert head(stranger, other.hub) == 1
    other.hub.replica.follow()
    assert other.hub.replica.read(record) is None
    assert other.hub.held() == {}
    other.grant("stranger")
    other.hub.replica.follow()
    # It had seen a control head of a hub feed that is not here: it goes on waiting.
    assert other.hub.replica.follower.waiting
    bring(ward.hub, other.hub, *offers(ward.hub))
    other.hub.replica.follow()
    assert other.hub.replica.read(record) is not None


def test_what_waits_for_its_grant_is_bounded(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = ward.device("stranger")
    for _ in range(4):
        stranger.admit()
    hub = Ward().hub
    bring(stranger, hub, *offers(stranger, 1, 2))
    monkeypatch.setattr(limits, "PENDING_ENTRIES_MAX", 1)
    admission = bring(stranger, hub, *offers(stranger, 3, 4))
    assert stranger.replica.own.feed in admission.refused


# --- forks ----------------------------------------------------------------------------------------


def _parted(ward: Ward, edge: Device) -> Device:
    """A copy of the edge's whole disk goes on by itself, in another process."""
    twin = Device(ward, "edge", edge.disk.clone())
    edge.admit("written by the original")
    edge.admit("and again")
    twin.admit("written by the copy")
    assert twin.replica.own.feed == edge.replica.own.feed
    return twin


def test_both_branches_of_a_fork_are_kept_and_shown(ward: Ward, edge: Device) -> None:
    twin = _parted(ward, edge)
    bring(edge, ward.hub, *offers(edge))
    admission = bring(twin, ward.hub, *offers(twin))
    assert admission.forked == {edge.replica.own.feed}
    assert admission.refused == {}
    ward.hub.replica.follow()
    names = {view.value("name") for view in _all(ward.hub)}
    assert {"written by the original", "and again", "written by the copy"} <= names
    assert len(names) == 8


def test_a_fork_is_the_same_whichever_branch_comes_first(ward: Ward, edge: Device) -> None:
    twin = _parted(ward, edge)
    reader = ward.device("reader")
    bring(edge, ward.hub, *offers(edge))
    bring(twin, ward.hub, *offers(twin))
    bring(twin, reader, *offers(twin))
    bring(edge, reader, *offers(edge))
    for device in (ward.hub, reader):
        device.replica.follow()
    assert ward.hub.replica.digest().sha256 == reader.replica.digest().sha256
    marks = {(mark.feed, mark.seq, mark.hash) for mark in ward.hub.replica.holding.frontier()}
    assert marks == {(m.feed, m.seq, m.hash) for m in reader.replica.holding.frontier()}


def test_the_branches_of_a_fork_are_concurrent_writers(ward: Ward, edge: Device) -> None:
    record = edge.admit("before")
    twin = Device(ward, "edge", edge.disk.clone())
    edge.edit(record, name="one")
    twin.edit(record, name="two")
    bring(edge, ward.hub, *offers(edge))
    bring(twin, ward.hub, *offers(twin))
    ward.hub.replica.follow()
    view = ward.hub.show(record)
    assert [item.kind for item in view.conflicts] == ["values"]
    field = view.field("name")
    assert field is not None
    assert {item.value for item in field.siblings} == {"one", "two"}
    assert all(dot.branch for dot in field.dots)


def test_a_fork_whose_past_is_not_held_is_asked_for_again(ward: Ward, edge: Device) -> None:
    twin = _parted(ward, edge)
    bring(edge, ward.hub, *offers(edge))
    admission = bring(twin, ward.hub, offers(twin, 6, 6)[0]._replace(before=bytes(16)))
    assert isinstance(admission.refused[edge.replica.own.feed], FeedForkError)


def test_a_third_branch_within_a_branch_is_kept_too(ward: Ward, edge: Device) -> None:
    twin = Device(ward, "edge", edge.disk.clone())
    twin.admit("b1")
    third = Device(ward, "edge", twin.disk.clone())
    edge.admit("a1")
    twin.admit("b2")
    third.admit("c2")
    for device in (edge, twin, third):
        assert bring(device, ward.hub, *offers(device)).refused == {}
    ward.hub.replica.follow()
    names = {view.value("name") for view in _all(ward.hub)}
    assert {"a1", "b1", "b2", "c2"} <= names
    assert len(ward.hub.replica.holding.by_feed[edge.replica.own.feed]) == 3


def _all(device: Device) -> list[RecordView]:
    return device.replica.find(Query(limit=100))


# --- our own feed comes back ----------------------------------------------------------------------


def test_whoever_hears_a_copy_of_itself_goes_on_as_a_new_incarnation(
    ward: Ward, edge: Device
) -> None:
    twin = _parted(ward, edge)
    old = edge.replica.own.feed
    bring(twin, edge, *offers(twin))
    assert edge.replica.own.feed != old
    supersedes = edge.replica.own.declared.declaration.supersedes
    assert supersedes is not None
    assert supersedes.feed == old
    assert edge.replica.author.notice == "copy-of-this-device-seen"
    edge.admit("goes on")
    ward.sync(edge)
    assert same(edge, ward.hub)


# --- bodies that nobody can read ------------------------------------------------------------------


def _write_raw(device: Device, header: bytes, body: bytes) -> tuple[Offer, bytes]:
    """Make one sealed entry of bytes as they are; return it as a push would carry it."""
    own = device.replica.own
    entry = Entry(header, body, digest(body))
    [after] = follow(own.row.head, [entry])
    seq = own.row.head.seq + 1
    seal = encode_seal(make_seal(device.keys.signing, own.feed, seq, after))
    offer = Offer(own.feed, seq, own.row.head.hash[:16], block.pack(seq, [entry]))
    return offer, seal


@pytest.mark.parametrize(
    ("header", "body", "reason"),
    [
        (b"not a header", b"saltsalt", "unreadable-malformed"),
        (None, b"saltsaltnot a changeset", "unreadable-malformed"),
    ],
)
def test_an_entry_that_can_not_be_read_is_held_and_the_feed_goes_on(
    ward: Ward, edge: Device, header: bytes | None, body: bytes, reason: str
) -> None:
    bring(edge, ward.hub, *offers(edge))
    plain = Entry.of(Header(1 << 20, NO_OFFICER, 1, 0), b"").header
    offer, seal = _write_raw(edge, header or plain, body)
    assert bring(edge, ward.hub, offer, seal=seal).refused == {}
    ward.hub.replica.follow()
    assert list(ward.hub.held().values()) == [reason]
    assert head(edge, ward.hub) == 6
    assert ward.hub.replica.follower.lag() == 0


def test_an_entry_of_a_kind_that_we_do_not_know_is_held_and_forwarded(
    ward: Ward, edge: Device
) -> None:
    bring(edge, ward.hub, *offers(edge))
    header = Entry.of(Header(1 << 20, NO_OFFICER, 1, 9), b"").header
    offer, seal = _write_raw(edge, header, b"saltsaltfrom the future")
    bring(edge, ward.hub, offer, seal=seal)
    ward.hub.replica.follow()
    assert list(ward.hub.held().values()) == ["newer-kind"]
    packed = ward.hub.replica.rooms.log.packed(
        ward.hub.replica.holding.by_feed[edge.replica.own.feed][0].number, 6, 6
    )
    assert block.unpack(packed).entries[0].body == b"saltsaltfrom the future"


# --- a receipt means held -------------------------------------------------------------------------


def test_a_receipt_names_nothing_that_a_power_cut_could_take(ward: Ward, edge: Device) -> None:
    hub = ward.hub
    own = edge.replica.own
    with hub.replica.lock:
        intake = hub.replica.intake([own.declared.raw], [own.row.seal])
        for offer in offers(edge):
            intake.take(offer)
    # Another device asks before the push has been finished.
    receipt = read_receipt(hub.replica.receipt())
    assert mark_of(edge) not in receipt.frontier
    hub.disk.log.crash()
    hub.reopen()
    held = hub.replica.holding.frontier()
    assert all(mark in held for mark in receipt.frontier)
