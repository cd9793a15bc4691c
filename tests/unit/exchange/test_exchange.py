"""Whole exchanges between two replicas, over a carrier without a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest

from sync_protocol.errors import (
    BadSignatureError,
    InputError,
    InvitationError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    StaleNonceError,
    UnreachableError,
    WrongPeerError,
    WrongWardError,
)
from sync_protocol.exchange.enrol import Registrar, accept, apply, short_name
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.respond import Answer, Nonces, Responder
from sync_protocol.identity import NO_OFFICER, DeviceId, WardId
from sync_protocol.membership import grant as g
from sync_protocol.record.change import RecordChange
from sync_protocol.record.diff import create, edit_element
from sync_protocol.storage.memory import MemoryChunks
from sync_protocol.wire import message as m
from sync_protocol.wire.enrol import Invitation
from sync_protocol.wire.health import Health, Thanks
from sync_protocol.wire.hello import Frontier, Hello
from sync_protocol.wire.pull import Pull
from tests.clinic import PATIENT
from tests.ward import WARD, Device, Ward, keys_of, mark_of, same


@pytest.fixture
def ward() -> Ward:
    return Ward()


# --- text -----------------------------------------------------------------------------------------


def test_two_edges_and_the_hub_end_at_the_same_bytes(ward: Ward) -> None:
    one, other = ward.device("one"), ward.device("other")
    for number in range(10):
        one.admit(f"một {number}")
        other.admit(f"hai {number}")
    for device in (one, other, one):
        ward.sync(device)
    assert same(one, other, ward.hub)
    assert ward.hub.replica.digest().records == 20


def test_when_nothing_is_new_one_request_of_few_bytes_says_so(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.admit()
    ward.sync(edge)
    ward.sync(edge)
    wire = ward.wire()
    outcome = ward.sync(edge, wire=wire)
    assert outcome.requests == wire.requests == 1
    assert outcome.bytes_sent + outcome.bytes_received <= 300


def test_edges_of_a_ward_exchange_without_the_hub(ward: Ward) -> None:
    one, other = ward.device("one"), ward.device("other")
    ward.sync(one)
    record = one.admit("An")
    ward.sync(one, other)
    assert other.show(record).value("name") == "An"
    assert same(one, other)


def test_a_conflict_is_seen_everywhere_and_settled_everywhere(ward: Ward) -> None:
    one, other = ward.device("one"), ward.device("other")
    record = one.admit("An")
    for device in (one, other):
        ward.sync(device)
    one.edit(record, name="Anh")
    other.edit(record, name="Ân")
    for device in (one, other, one):
        ward.sync(device)
    assert all(len(d.show(record).conflicts) == 1 for d in (one, other, ward.hub))
    other.edit(record, name="Anh")
    for device in (other, one):
        ward.sync(device)
    assert all(d.show(record).conflicts == () for d in (one, other, ward.hub))
    assert same(one, other, ward.hub)


@pytest.mark.parametrize("cut_after", range(6))
def test_a_line_cut_after_any_request_is_gone_on_with(ward: Ward, cut_after: int) -> None:
    one, other = ward.device("one"), ward.device("other")
    other.admit("from elsewhere")
    ward.sync(other)
    for number in range(600):
        one.admit(str(number))
    with suppress(UnreachableError):
        ward.sync(one, wire=ward.wire(cut_after=cut_after))
    ward.sync(one)
    ward.sync(other)
    assert same(one, other, ward.hub)


def test_a_kill_in_mid_push_sends_again_one_block_at_most(ward: Ward) -> None:
    edge = ward.device("edge")
    for number in range(1000):
        edge.admit(str(number))
    whole = Ward()
    twin = Device(whole, "edge", edge.disk.clone())
    whole.hub.disk.put_back(ward.hub.disk.image())
    whole.hub.reopen()
    wire = ward.wire()
    original = wire.responder.respond

    def killed(raw: bytes, payloads: Iterable[bytes]) -> Answer:
        """The line goes after two payloads have arrived."""

        def some() -> Iterator[bytes]:
            for index, item in enumerate(payloads):
                if index == 2:
                    raise UnreachableError("gone")
                yield item

        return original(raw, some())

    wire.responder.respond = killed  # type: ignore[method-assign]
    with pytest.raises(UnreachableError):
        ward.sync(edge, wire=wire)
    ward.responders.clear()
    chain = ward.hub.replica.holding.by_feed[edge.replica.own.feed][0]
    assert chain.row.staged.seq == 512
    outcome = ward.sync(edge)
    assert outcome.entries_sent == 1000 - 512
    assert same(edge, ward.hub)
    assert whole.sync(twin).entries_sent == 1000


def test_a_clone_is_found_in_the_first_round_and_both_go_on(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.admit("before")
    ward.sync(edge)
    clone = Device(ward, "edge", edge.disk.clone())
    edge.admit("original")
    clone.admit("clone")
    old = edge.replica.own.feed
    ward.sync(edge)
    ward.sync(clone)
    assert clone.replica.own.feed != old, "found at once"
    ward.sync(edge)
    assert edge.replica.own.feed != old
    edge.admit("original goes on")
    clone.admit("clone goes on")
    for device in (edge, clone, edge):
        ward.sync(device)
    assert same(edge, clone, ward.hub)
    assert ward.hub.replica.digest().records == 5


# --- who may --------------------------------------------------------------------------------------


def test_a_device_without_a_grant_is_told_so_and_keeps_its_work(ward: Ward) -> None:
    stranger = Device(ward, "stranger")
    with pytest.raises(NotAdmittedError):
        ward.sync(stranger)


def test_somebody_elses_identity_at_the_address_is_refused(ward: Ward) -> None:
    edge = ward.device("edge")
    other_city = Ward()
    impostor = Device(other_city, "impostor")
    impostor.replica.ingest([], [], [])
    wire = ward.wire()
    wire.responder = Responder(ward.device("another edge").replica, Nonces())
    with pytest.raises(PeerError):
        Initiator(edge.replica, wire, ward.hub.keys.public).run()
    reply = ward.wire()
    reply.tamper = lambda raw: raw[:64][::-1] + raw[64:]
    with pytest.raises(WrongPeerError):
        ward.sync(edge, wire=reply)


def test_a_revoked_device_may_push_and_is_told_nothing(ward: Ward) -> None:
    edge, other = ward.device("edge"), ward.device("other")
    hidden = other.admit("not for the thief")
    ward.sync(other)
    unsent = edge.admit("written before it was lost")
    ward.revoke(edge, cuts=[mark_of(edge, 0)])
    outcome = ward.sync(edge)
    assert outcome.standing == "revoked-lost"
    assert outcome.entries_received == 0
    assert ward.hub.held() == {1: "revoked-lost"}
    assert unsent in ward.hub.replica.rooms.views.held()[0].records
    assert edge.replica.read(hidden) is None
    with pytest.raises(NotAdmittedError):
        Initiator(edge.replica, ward.wire(), ward.hub.keys.public).ask(
            m.Kind.PULL, Pull([], 1000), [], Thanks
        )


def test_a_message_for_another_ward_is_refused(ward: Ward) -> None:
    edge = ward.device("edge")
    raw = m.write_request(
        edge.keys.signing, ward.hub.keys.public, m.Kind.HELLO, WardId(b"x" * 16), b"", Hello(b"", 0)
    )
    with pytest.raises(WrongWardError):
        ward.responder(ward.hub).respond(raw, [])


def test_a_request_signed_by_another_key_is_refused(ward: Ward) -> None:
    edge = ward.device("edge")
    body = Hello(b"", 0)
    hub = ward.hub.keys.public
    raw = m.write_request(keys_of("thief").signing, hub, m.Kind.HELLO, WARD, b"", body)
    forged = raw.replace(keys_of("thief").id, edge.keys.id)
    with pytest.raises(BadSignatureError):
        ward.responder(ward.hub).respond(forged, [])


# --- nonces ---------------------------------------------------------------------------------------


def test_the_first_request_is_challenged_once_and_later_ones_are_not(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.admit()
    ward.sync(edge)
    ward.responders.clear()  # the hub was started again and knows no nonce
    first, second = ward.wire(), ward.wire()
    ward.sync(edge, wire=first)
    ward.sync(edge, wire=second)
    assert (first.requests, second.requests) == (2, 1)


def test_a_request_can_not_be_played_again(ward: Ward) -> None:
    edge = ward.device("edge")
    responder = ward.responder(ward.hub)
    raw = m.write_request(
        edge.keys.signing, ward.hub.keys.public, m.Kind.HELLO, WARD, b"", Hello(b"", 0)
    )
    answer = responder.respond(raw, [])
    nonce = m.parse(answer.envelope).nonce
    fresh = m.write_request(
        edge.keys.signing, ward.hub.keys.public, m.Kind.HELLO, WARD, nonce, Hello(b"", 0)
    )
    assert m.parse(responder.respond(fresh, []).envelope).kind == m.Kind.FRONTIER
    assert m.parse(responder.respond(fresh, []).envelope).kind == m.Kind.CHALLENGE


def test_a_peer_that_keeps_asking_for_nonces_is_given_up(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = ward.device("edge")
    monkeypatch.setattr(Nonces, "is_newest", lambda *_: False)
    with pytest.raises(StaleNonceError):
        ward.sync(edge)


def test_nonces_are_kept_for_as_many_devices_as_the_bound_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sync_protocol.limits.NONCES_KEPT_MAX", 2)
    nonces = Nonces()
    names = [DeviceId(bytes([n]) * 16) for n in range(3)]
    given = [nonces.fresh(WARD, name) for name in names]
    kept = [nonces.is_newest(WARD, *pair) for pair in zip(names, given, strict=True)]
    assert kept == [False, True, True]
    assert not nonces.is_newest(WARD, names[2], b"")


# --- what is answered -----------------------------------------------------------------------------


def test_a_kind_that_is_not_known_is_refused_with_a_signed_answer(ward: Ward) -> None:
    edge = ward.device("edge")
    initiator = Initiator(edge.replica, ward.wire(), ward.hub.keys.public)
    with pytest.raises(MalformedMessageError):
        initiator.ask(m.Kind.THANKS, Thanks(5), [], Thanks)


def test_a_devices_health_report_reaches_whoever_watches(ward: Ward) -> None:
    edge = ward.device("edge")
    heard: list[dict[str, int | str]] = []
    responder = Responder(ward.hub.replica, Nonces(), lambda _, figures: heard.append(figures))
    wire = ward.wire()
    wire.responder = responder
    Initiator(edge.replica, wire, ward.hub.keys.public).report({"free_bytes": 5})
    assert heard == [{"free_bytes": 5}]
    assert Health({"free_bytes": 5}).figures == heard[0]


def test_an_answer_of_the_wrong_kind_is_refused(ward: Ward) -> None:
    edge = ward.device("edge")
    initiator = Initiator(edge.replica, ward.wire(), ward.hub.keys.public)
    with pytest.raises((MalformedMessageError, KeyError)):
        initiator.ask(m.Kind.HELLO, Hello(b"", 0), [], Frontier)


# --- scans ----------------------------------------------------------------------------------------


def _with_scan(device: Device, plain: bytes) -> RecordChange:
    manifest = device.replica.attach(plain, "image/png")
    change = create(PATIENT, {"name": "An"})
    paper = edit_element(PATIENT, "papers", b"e" * 16, ["birth", manifest], None)
    return RecordChange(None, change.type, change.values, (paper,))


def test_scans_follow_the_text_and_are_receipted_whole(ward: Ward) -> None:
    edge, reader = ward.device("edge"), ward.device("reader")
    change = _with_scan(edge, bytes(600_000))
    edge.replica.write([change], NO_OFFICER)
    [scan] = edge.replica.scans.waiting()
    outcome = ward.sync(edge)
    assert outcome.chunks_sent == 3
    assert edge.replica.receipts.scan_safety(scan).hub
    assert edge.replica.scans.waiting() == {}
    ward.sync(reader)
    assert ward.sync(reader).chunks_received == 3
    assert set(reader.disk.chunks.addresses()) == set(edge.disk.chunks.addresses())


def test_scans_go_on_where_they_were_broken_off(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.replica.write([_with_scan(edge, bytes(900_000))], NO_OFFICER)
    addresses = list(edge.disk.chunks.addresses())
    for address in addresses[:2]:
        chunk = edge.disk.chunks.get(address)
        assert chunk is not None
        ward.hub.disk.chunks.put(address, chunk)
    assert ward.sync(edge).chunks_sent == len(addresses) - 2
    assert edge.replica.scans.waiting() == {}


def test_a_scan_lost_on_the_way_stays_pending(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.replica.write([_with_scan(edge, bytes(900_000))], NO_OFFICER)
    missing, *_ = list(edge.disk.chunks.addresses())
    kept = MemoryChunks()
    kept.restore(edge.disk.chunks.snapshot())
    edge.disk.chunks.remove(missing)
    ward.sync(edge)
    assert len(edge.replica.scans.waiting()) == 1
    chunk = kept.get(missing)
    assert chunk is not None
    edge.disk.chunks.put(missing, chunk)
    ward.sync(edge)
    assert edge.replica.scans.waiting() == {}


def test_text_alone_can_be_asked_for(ward: Ward) -> None:
    edge = ward.device("edge")
    edge.replica.write([_with_scan(edge, b"scan")], NO_OFFICER)
    assert ward.sync(edge, scans=False).chunks_sent == 0
    assert len(edge.replica.scans.waiting()) == 1


# --- enrolment ------------------------------------------------------------------------------------


def _invite(registrar: Registrar, role: str = g.EDGE, hours: int = 72) -> Invitation:
    return registrar.invite(role, "Máy 1", "https://hub", b"f" * 32, hours)


def test_an_invitation_makes_a_device_that_may_write(ward: Ward) -> None:
    registrar = Registrar(ward.hub.replica)
    invitation = _invite(registrar)
    keys = keys_of("new")
    application = apply(keys, invitation, "label")
    welcome = accept(registrar.admit(application), application, invitation)
    assert (welcome.ward, welcome.code, welcome.role) == (WARD, "00001", g.EDGE)
    assert ward.hub.replica.holding.roster.grants[keys.public].label == "Máy 1"
    device = Device(ward, "new")
    ward.sync(device)
    device.admit()
    ward.sync(device)
    assert same(device, ward.hub)
    assert len(short_name(keys.public)) == 32


def test_an_invitation_is_spent_once_but_a_lost_answer_is_given_again(ward: Ward) -> None:
    registrar = Registrar(ward.hub.replica)
    invitation = _invite(registrar)
    application = apply(keys_of("new"), invitation, "")
    registrar.admit(application)
    head = ward.hub.replica.own.row.head.seq
    registrar.admit(application)
    assert ward.hub.replica.own.row.head.seq == head
    with pytest.raises(InvitationError):
        registrar.admit(apply(keys_of("thief"), invitation, ""))


def test_an_expired_or_unknown_invitation_is_refused(ward: Ward) -> None:
    registrar = Registrar(ward.hub.replica)
    invitation = _invite(registrar, hours=1)
    ward.now_ms += 3_600_001
    with pytest.raises(InvitationError):
        registrar.admit(apply(keys_of("new"), invitation, ""))
    other = Registrar(ward.device("edge").replica)
    foreign = _invite(other, g.TABLET)
    with pytest.raises(PeerError):
        registrar.admit(apply(keys_of("new"), foreign, ""))


def test_an_application_for_another_ward_is_refused(ward: Ward) -> None:
    registrar = Registrar(ward.hub.replica)
    known = _invite(registrar)
    other = Invitation(
        known.url, known.secret, known.ca_fingerprint, known.responder, known.root,
        WardId(b"x" * 16), known.role,
    )  # fmt: skip
    with pytest.raises(WrongWardError):
        registrar.admit(apply(keys_of("new"), other, ""))


def test_an_edge_invites_tablets_only_until_the_hub_countersigns(ward: Ward) -> None:
    edge = ward.device("edge")
    registrar = Registrar(edge.replica)
    with pytest.raises(InputError):
        _invite(registrar, g.EDGE)
    invitation = _invite(registrar, g.TABLET)
    application = apply(keys_of("tablet"), invitation, "")
    accept(registrar.admit(application), application, invitation)
    ward.sync(edge)
    roster = ward.hub.replica.holding.roster
    assert roster.grants[keys_of("tablet").public].delegated
    assert Registrar(ward.hub.replica).countersign() == 1
    assert not ward.hub.replica.holding.roster.grants[keys_of("tablet").public].delegated
    assert Registrar(ward.hub.replica).countersign() == 0


def test_a_welcome_that_is_not_what_was_promised_is_refused(ward: Ward) -> None:
    registrar = Registrar(ward.hub.replica)
    invitation = _invite(registrar)
    promised = Invitation(
        invitation.url, invitation.secret, invitation.ca_fingerprint, invitation.responder,
        invitation.root, invitation.ward, g.TABLET,
    )  # fmt: skip
    application = apply(keys_of("new"), promised, "")
    with pytest.raises(InvitationError):
        accept(registrar.admit(application), application, promised)
