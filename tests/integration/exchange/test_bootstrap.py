"""A tablet starts from a snapshot, and is from then on what the edge is."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from sync_protocol import limits
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.errors import FeedGapError, PeerError, TransportError
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.replica import snapshot as s
from sync_protocol.transport.carrier import Parcel
from sync_protocol.wire.pull import Want
from sync_protocol.wire.snapshot import read_manifest
from tests.integration.exchange.office import Answered, Office, Wire, capture, change_phone, same


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots from 100 entries on, in chunks of 100 records."""
    monkeypatch.setattr(limits, "SNAPSHOT_LACK_ENTRIES", 100)
    monkeypatch.setattr(limits, "SNAPSHOT_CHUNK_RECORDS", 100)


def _busy_ward(office: Office, count: int = 600) -> tuple[Replica, Replica]:
    """Two edges with dossiers, edits, conflicts, and a tablet that one of them enrolled."""
    one, two = office.edge("một"), office.edge("hai")
    records = capture(one, count) + capture(two, count // 3, seed=9)
    for edge in (one, two, one):
        office.sync(edge)
    chance = random.Random(1)
    for record in chance.sample(records, 40):
        change_phone(one, record, f"09{chance.randrange(10**8):08d}")
        if chance.random() < 0.5:
            change_phone(two, record, f"03{chance.randrange(10**8):08d}")
    keys = DeviceKeys.generate()
    one.say([g.Grant(keys.public, keys.agreement.public, g.TABLET, "thêm")], NO_OFFICER)
    for edge in (one, two, one):
        office.sync(edge)
    assert same(one, two, office.hub)
    return one, two


def _tablet(office: Office, peer: Replica) -> tuple[Replica, Outcome]:
    tablet = office.join(g.TABLET)
    office.sync(peer)
    return tablet, office.sync(tablet, peer)


def test_a_new_tablet_starts_from_a_snapshot_and_is_like_the_edge(office: Office) -> None:
    one, _ = _busy_ward(office)
    tablet, outcome = _tablet(office, one)
    assert outcome.snapshot == 800
    assert outcome.snapshot_refused is None
    assert same(tablet, one)
    assert tablet.holding.is_partial()
    assert tablet.rooms.views.counts() == one.rooms.views.counts()
    assert len(tablet.holding.roster.grants) == len(one.holding.roster.grants)


def test_from_then_on_it_reads_writes_pushes_and_pulls(office: Office) -> None:
    one, two = _busy_ward(office)
    tablet, _ = _tablet(office, one)
    old = next(iter(one.rooms.views.scan())).id
    change_phone(tablet, old, "0900000001")
    change_phone(two, old, "0900000002")
    capture(tablet, 5, seed=77)
    capture(two, 300, seed=78)
    office.sync(two)
    office.sync(tablet, one)
    office.sync(one)
    outcome = office.sync(tablet, one)
    assert outcome.snapshot == 0 or outcome.snapshot > 800
    office.sync(two)
    office.sync(one)
    office.sync(tablet, one)
    assert same(tablet, one, two, office.hub)
    view = tablet.read(old)
    assert view is not None
    assert {value.value for value in view.field("phone").siblings} >= {  # type: ignore[union-attr]
        "0900000001",
        "0900000002",
    }


def test_every_day_after_is_the_same_on_both(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    tablet, _ = _tablet(office, one)
    records = [row.id for row in one.rooms.views.scan()]
    chance = random.Random(2)
    for day in range(12):
        for replica in (one, two, tablet):
            for record in chance.sample(records, 4):
                change_phone(replica, record, f"09{chance.randrange(10**8):08d}")
            capture(replica, 2, seed=1000 + day)
        for replica, peer in ((tablet, one), (two, office.hub), (one, office.hub), (tablet, one)):
            if chance.random() < 0.8:
                office.sync(replica, peer)
    for replica, peer in 2 * [(tablet, one), (two, office.hub), (one, office.hub), (tablet, one)]:
        office.sync(replica, peer)
    office.sync(two)
    assert same(tablet, one, two, office.hub)


class Cut:
    """A line that breaks before the n-th payload of snapshot chunks."""

    def __init__(self, responder: Responder, after: int) -> None:
        self.wire = Wire(responder)
        self.left = after
        self.requests = self.bytes_sent = self.bytes_received = 0

    def ask(self, parcel: Parcel) -> Answered:
        answer = self.wire.ask(parcel)
        return Answered(answer.envelope, self._until_cut(answer.payloads))

    def _until_cut(self, payloads: Iterator[bytes]) -> Iterator[bytes]:
        for payload in payloads:
            if not self.left:
                raise TransportError("cut")
            self.left -= 1
            yield payload

    def close(self) -> None:
        pass


def test_a_kill_at_any_chunk_resumes_and_fetches_nothing_twice(office: Office) -> None:
    one, _ = _busy_ward(office, 300)
    rooms = office.rooms()
    tablet = office.join(g.TABLET, rooms=rooms)
    office.sync(one)
    keys, cuts = tablet.keys, 0
    responder = Responder(one, Nonces())
    while True:
        try:
            outcome = Initiator(tablet, Cut(responder, 1), one.keys.public).run()
        except TransportError:
            cuts += 1
            assert cuts < 20
            rooms.log.crash()  # type: ignore[attr-defined]
            tablet = office.replica(keys, rooms)
            continue
        if same(tablet, one):
            break
    assert cuts >= 4
    assert outcome.snapshot == 400
    assert not rooms.log.notes("snapshot")


@pytest.mark.parametrize("place", ["reset", "put_position", "load"])
def test_a_kill_while_loading_is_made_good_at_the_next_start_without_the_peer(
    office: Office, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    one, _ = _busy_ward(office, 300)
    rooms = office.rooms()
    tablet = office.join(g.TABLET, rooms=rooms)
    office.sync(one)

    class Killed(BaseException):
        pass

    def kill(*_args: object) -> None:
        raise Killed

    target = rooms.views if place == "reset" else tablet.follower
    with monkeypatch.context() as patch:
        patch.setattr(target, place, kill)
        with pytest.raises(Killed):
            office.sync(tablet, one)
    rooms.log.crash()  # type: ignore[attr-defined]
    rooms.views.crash()  # type: ignore[attr-defined]
    again = office.replica(tablet.keys, rooms)
    assert again.digest().sha256 == one.digest().sha256
    office.sync(again, one)
    assert same(again, one)


def test_unsent_work_survives_the_snapshot_of_one_who_comes_back(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    tablet, _ = _tablet(office, one)
    office.sync(tablet, one)
    capture(tablet, 7, seed=50)
    mine = tablet.own.row.head.seq
    capture(one, 500, seed=51)
    outcome = office.sync(tablet, one)
    assert outcome.snapshot == 400 + 500 + 7
    assert tablet.own.row.head.seq == mine
    assert one.holding.by_feed[tablet.own.feed][0].row.head.seq == mine
    assert same(tablet, one)
    office.sync(two)


def test_a_small_lack_is_pulled_as_entries_and_an_edge_never_takes_a_snapshot(
    office: Office,
) -> None:
    one, _ = _busy_ward(office, 300)
    edge = office.edge("ba")
    assert office.sync(edge).snapshot == 0
    assert not edge.holding.is_partial()
    assert same(edge, one) or edge.digest().records == 400
    tablet, _ = _tablet(office, one)
    capture(one, 20, seed=52)
    assert office.sync(tablet, one).snapshot == 0
    assert same(tablet, one)


def test_below_its_floor_a_tablet_serves_nothing_and_says_so(office: Office) -> None:
    one, _ = _busy_ward(office, 300)
    tablet, _ = _tablet(office, one)
    fresh = office.join(g.EDGE)
    with pytest.raises(PeerError):
        office.sync(fresh, tablet)
    chain = tablet.holding.by_feed[one.own.feed][0]
    responder = Responder(tablet, Nonces())
    with pytest.raises(FeedGapError, match="snapshot"):
        responder._start(chain, Want(one.own.mark))


def test_a_peer_behind_the_snapshot_gets_what_is_above_the_floor_only(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    tablet = office.join(g.TABLET)
    office.sync(two)
    capture(one, 200, seed=60)
    office.sync(one)
    office.sync(tablet, one)
    capture(tablet, 3, seed=61)
    outcome = office.sync(tablet, two)  # two lacks one's newest, which the tablet can't serve
    assert not outcome.refused
    assert outcome.entries_sent >= 3
    office.sync(two)
    office.sync(tablet, two)
    office.sync(one)
    office.sync(tablet, one)
    assert same(tablet, one)


def test_an_older_snapshot_is_put_aside(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    tablet = office.join(g.TABLET)
    office.sync(two)
    capture(one, 200, seed=62)
    office.sync(one)
    office.sync(tablet, one)
    before = tablet.digest()
    s.want(tablet)
    outcome = office.sync(tablet, two)
    assert outcome.snapshot == 0
    assert "older" in str(outcome.snapshot_refused) or "fit" in str(outcome.snapshot_refused)
    assert tablet.digest() == before


def test_a_cut_below_the_floor_asks_for_a_new_snapshot(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    tablet, _ = _tablet(office, one)
    cut = g.Revoke(two.keys.public, g.LOST, [])
    office.hub.say([cut], NO_OFFICER)
    office.sync(one)
    office.sync(tablet, one)
    assert s.is_wanted(tablet)
    assert not same(tablet, one)
    assert tablet.digest().records > 0
    outcome = office.sync(tablet, one)
    assert outcome.snapshot == one.digest().records
    assert same(tablet, one)
    assert not s.is_wanted(tablet)


def test_what_is_erased_goes_at_once_and_the_rest_of_the_record_comes_back(office: Office) -> None:
    one, _ = _busy_ward(office, 300)
    tablet, _ = _tablet(office, one)
    row = next(row for row in one.rooms.views.scan())
    dot = next(iter(dict(one.states())[row.id].dots()))
    approvers = [OfficerId(os.urandom(16)), OfficerId(os.urandom(16))]
    officers = [g.Officer(who, "A", g.SUPERVISOR) for who in approvers]
    office.hub.say(officers, NO_OFFICER)
    office.hub.say([g.Erase([g.wire_dot(dot)], [], approvers, "theo luật")], NO_OFFICER)
    office.sync(one)
    office.sync(tablet, one)
    assert tablet.read(row.id) is None
    office.sync(tablet, one)
    assert same(tablet, one)


def test_officers_known_before_the_snapshot_are_judged_alike_after(office: Office) -> None:
    officer = OfficerId(os.urandom(16))
    office.hub.say([g.Officer(officer, "Lan", g.CLERK)], NO_OFFICER)
    one, two = _busy_ward(office, 300)
    record = next(iter(one.rooms.views.scan())).id
    for edge in (one, two):
        change_phone(edge, record, "0911111111")
    tablet, _ = _tablet(office, one)
    office.hub.say([g.Officer(officer, "Lan", g.DISABLED, 2)], NO_OFFICER)
    for replica, peer in ((two, office.hub), (one, office.hub), (tablet, one)):
        office.sync(replica, peer)
    assert same(tablet, one)


def test_quarantine_comes_along_and_can_be_adopted(office: Office) -> None:
    one, two = _busy_ward(office, 300)
    capture(two, 3, seed=90)
    office.hub.say([g.Revoke(two.keys.public, g.RETIRED, [two.own.mark])], NO_OFFICER)
    capture(two, 2, seed=91)
    office.sync(two)
    office.sync(one)
    held = one.rooms.views.held()
    assert len(held) == 2
    tablet, _ = _tablet(office, one)
    assert [(row.seq, row.reason) for row in tablet.rooms.views.held()] == [
        (row.seq, row.reason) for row in held
    ]
    dots = [g.wire_dot(one.holding.dot(one.holding.chains[row.chain], row.seq)) for row in held]
    office.hub.say([g.Adopt(dots)], NO_OFFICER)
    office.sync(one)
    office.sync(tablet, one)
    office.sync(tablet, one)
    assert same(tablet, one)
    assert not tablet.rooms.views.held()


def test_every_flipped_byte_of_a_snapshot_is_noticed(office: Office) -> None:
    one, _ = _busy_ward(office, 30)
    made = s.make_snapshot(one)
    for place in range(len(made.manifest)):
        damaged = bytearray(made.manifest)
        damaged[place] ^= 1
        with pytest.raises(PeerError):
            read_manifest(bytes(damaged))
    tablet = office.join(g.TABLET)
    for address, chunk in made.chunks.items():
        for place in range(0, len(chunk), 97):
            damaged = bytearray(chunk)
            damaged[place] ^= 1
            with pytest.raises(PeerError):
                s.keep_chunk(tablet, address, bytes(damaged))


def test_ten_thousand_dossiers_take_less_than_two_megabytes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_CHUNK_RECORDS", 2000)
    chance = random.Random(3)
    edge = office.edge()
    for first in range(0, 10_000, 1000):
        office.now_ms += chance.randrange(10**9)
        capture(edge, 1000, seed=first)
    made = s.make_snapshot(edge)
    assert len(made.chunks) == 6
    assert made.size < 1_000_000, "a third of a bound of 2.0 MB, before edits"
