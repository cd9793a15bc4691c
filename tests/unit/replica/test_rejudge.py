"""When the roster changes its mind, the views say what they would have said had they known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_protocol.identity import NO_OFFICER, Dot, OfficerId
from sync_protocol.log.entry import Mark
from sync_protocol.log.journal import open_frame
from sync_protocol.membership import grant as g
from sync_protocol.record.change import CellWrite
from sync_protocol.record.diff import create, edit_element
from sync_protocol.storage.store import Query
from tests.clinic import PATIENT
from tests.ward import CHIEF, CLERK, DOCTOR, Device, Ward, cell, mark_of, offers, same


@pytest.fixture
def ward() -> Iterator[Ward]:
    """A ward whose hub, at the end, shows what it would show had it heard all at once."""
    ward = Ward()
    yield ward
    before = ward.hub.replica.digest()
    held = ward.hub.held()
    ward.hub.replica.rebuild()
    assert ward.hub.replica.digest() == before
    assert ward.hub.held() == held


@pytest.fixture
def edge(ward: Ward) -> Device:
    return ward.device("edge")


def settle(ward: Ward, *devices: Device) -> None:
    """Let everybody hear everything."""
    for _ in range(2):
        for device in devices:
            ward.sync(device)


def own_dot(device: Device, seq: int) -> Dot:
    return Dot(device.replica.own.feed, seq)


# --- revocation -----------------------------------------------------------------------------------


def test_a_revocation_behind_what_was_taken_in_unmerges_it(ward: Ward, edge: Device) -> None:
    reader = ward.device("reader")
    record = edge.admit("An")
    kept = mark_of(edge)
    edge.edit(record, name="by a thief")
    later = edge.admit("by a thief, too")
    settle(ward, edge, reader)
    assert reader.show(record).value("name") == "by a thief"
    ward.revoke(edge, cuts=[kept])
    settle(ward, reader)
    for device in (ward.hub, reader):
        assert device.show(record).value("name") == "An"
        assert device.replica.read(later) is None
        assert list(device.held().values()) == ["revoked-lost", "revoked-lost"]
    assert same(ward.hub, reader)


def test_whoever_hears_of_the_revocation_first_shows_the_same(ward: Ward, edge: Device) -> None:
    late = ward.device("late")
    record = edge.admit("An")
    kept = mark_of(edge)
    edge.edit(record, name="by a thief")
    ward.sync(edge)
    ward.revoke(edge, cuts=[kept])
    settle(ward, late)
    assert late.show(record).value("name") == "An"
    assert same(ward.hub, late)


def test_a_chain_that_grows_past_a_cut_it_never_reached_counts_for_nothing(
    ward: Ward, edge: Device
) -> None:
    edge.admit("An")
    ward.sync(edge)
    twin = Device(ward, "edge", edge.disk.clone())
    edge.admit("Bình")
    edge.admit("Chi")
    cut = mark_of(edge)  # the hub hears of it, and not of what lies there
    early = twin.admit("by a thief")
    ward.revoke(edge, cuts=[cut])
    ward.hub.replica.ingest(
        [twin.replica.own.declared.raw], [twin.replica.own.row.seal], offers(twin)
    )
    ward.hub.replica.follow()
    assert ward.hub.replica.read(early) is not None, "so far it may be what the cut leaves"
    twin.admit("by a thief, too")
    ward.hub.replica.ingest([], [twin.replica.own.row.seal], offers(twin))
    ward.hub.replica.follow()
    assert ward.hub.replica.read(early) is None
    assert set(ward.hub.held().values()) == {"revoked-lost"}
    seals = [edge.replica.own.row.seal]
    ward.hub.replica.ingest([edge.replica.own.declared.raw], seals, offers(edge))
    ward.hub.replica.follow()
    assert {row.value("name") for row in ward.hub.replica.find(Query())} == {"An", "Bình", "Chi"}


def test_a_raised_cut_and_a_lifted_revocation_bring_back(ward: Ward, edge: Device) -> None:
    record = edge.admit("An")
    first = mark_of(edge)
    edge.edit(record, name="Anh")
    second = mark_of(edge)
    edge.edit(record, name="Ân")
    ward.sync(edge)
    ward.revoke(edge, cuts=[first])
    assert ward.hub.show(record).value("name") == "An"
    ward.revoke(edge, cuts=[second], version=2)
    assert ward.hub.show(record).value("name") == "Anh"
    ward.revoke(edge, reason=g.RESTORED, version=3)
    assert ward.hub.show(record).value("name") == "Ân"
    assert ward.hub.held() == {}


def test_a_cut_that_names_no_feed_unmerges_all_and_leaves_a_held_record(
    ward: Ward, edge: Device
) -> None:
    other = ward.device("other")
    record = edge.admit("An")
    settle(ward, edge, other)
    other.edit(record, name="edited by an honest officer")
    ward.sync(other)
    ward.revoke(edge)
    settle(ward, other)
    for device in (ward.hub, other):
        view = device.show(record)
        assert view.held
        assert view.value("name") == "edited by an honest officer"
    assert same(ward.hub, other)


def test_a_grant_made_by_an_edge_beyond_its_cut_falls_with_it(ward: Ward, edge: Device) -> None:
    tablet = Device(ward, "tablet")
    start = mark_of(edge, 0)
    keys = tablet.keys
    edge.replica.say([g.Grant(keys.public, keys.agreement.public, g.TABLET, "tablet")], NO_OFFICER)
    ward.sync(tablet, edge)
    record = tablet.admit("by the tablet")
    ward.sync(tablet, edge)
    ward.sync(edge)
    assert ward.hub.show(record).value("name") == "by the tablet"
    ward.revoke(edge, cuts=[Mark(start.feed, 0, start.hash)])
    assert ward.hub.replica.holding.roster.role_of(keys.public) is None
    assert ward.hub.replica.read(record) is None
    late = ward.device("late")
    settle(ward, late)
    assert late.replica.read(record) is None, "its grant is gone: it waits"
    assert same(ward.hub, late)
    ward.grant("tablet", g.TABLET)
    ward.hub.replica.follow()
    assert ward.hub.show(record).value("name") == "by the tablet"


# --- adoption -------------------------------------------------------------------------------------


def test_adoption_brings_back_what_was_cut_and_rejection_leaves_it(
    ward: Ward, edge: Device
) -> None:
    record = edge.admit("An")
    kept = mark_of(edge)
    edge.edit(record, name="Anh")
    other = edge.admit("Bình")
    ward.sync(edge)
    ward.revoke(edge, cuts=[kept])
    ward.hub.replica.say([g.Adopt([g.wire_dot(own_dot(edge, 2))])], NO_OFFICER)
    ward.hub.replica.say([g.Reject([g.wire_dot(own_dot(edge, 3))])], NO_OFFICER)
    assert ward.hub.show(record).value("name") == "Anh"
    assert ward.hub.replica.read(other) is None
    assert ward.hub.held() == {3: "rejected"}


def test_a_supervisor_at_the_edge_adopts(ward: Ward, edge: Device) -> None:
    lost = ward.device("lost")
    record = lost.admit("An")
    ward.sync(lost)
    ward.revoke(lost)
    settle(ward, edge)
    assert edge.replica.read(record) is None
    edge.replica.say([g.Adopt([g.wire_dot(own_dot(lost, 1))])], CLERK)
    assert edge.replica.read(record) is None
    edge.replica.say([g.Adopt([g.wire_dot(own_dot(lost, 1))])], DOCTOR)
    assert edge.show(record).value("name") == "An"
    settle(ward, edge)
    assert same(ward.hub, edge)


# --- officers -------------------------------------------------------------------------------------


def test_what_an_officer_wrote_before_hearing_of_the_change_counts_and_after_does_not(
    ward: Ward, edge: Device
) -> None:
    before = edge.admit("before", DOCTOR)
    ward.hub.replica.say([g.Officer(DOCTOR, "Doctor", g.DISABLED, 2)], NO_OFFICER)
    unheard = edge.admit("before hearing of it", DOCTOR)
    settle(ward, edge)
    after = edge.admit("after", DOCTOR)
    settle(ward, edge)
    for device in (ward.hub, edge):
        assert device.replica.read(before) is not None
        assert device.replica.read(unheard) is not None
        assert device.replica.read(after) is None
        assert device.held() == {3: "officer-disabled"}


def test_an_officer_of_whom_nothing_was_heard_is_held(ward: Ward, edge: Device) -> None:
    record = edge.admit("?", OfficerId(b"n" * 16))
    assert edge.replica.read(record) is None
    assert edge.held() == {1: "officer-unknown"}


def test_a_cell_that_is_not_the_officers_to_write_holds_the_entry(ward: Ward, edge: Device) -> None:
    record = edge.admit("An", CLERK)
    edge.edit(record, officer=CLERK, dose=5)
    assert edge.show(record).value("dose") is None
    assert edge.held() == {2: "not-allowed"}
    edge.edit(record, officer=DOCTOR, dose=6)
    assert edge.show(record).value("dose") == 6
    ward.sync(edge)
    assert same(ward.hub, edge)


# --- erasure --------------------------------------------------------------------------------------


def _erase(ward: Ward, *dots: Dot, chunks: tuple[bytes, ...] = ()) -> None:
    rows = [g.wire_dot(dot) for dot in dots]
    ward.hub.replica.say([g.Erase(rows, list(chunks), [DOCTOR, CHIEF], "law")], NO_OFFICER)


def test_an_erasure_removes_body_view_and_search_everywhere(ward: Ward, edge: Device) -> None:
    reader = ward.device("reader")
    record = edge.admit("secret name")
    kept = edge.admit("An")
    settle(ward, edge, reader)
    dot = own_dot(edge, 1)
    _erase(ward, dot)
    settle(ward, edge, reader)
    for device in (ward.hub, edge, reader):
        entry = device.replica.holding.entry(dot)
        assert entry is not None
        assert entry.body is None
        assert device.replica.read(record) is None
        assert device.replica.read(kept) is not None
        assert device.held() == {}
        assert b"secret name" not in repr(device.disk.log.snapshot().chains).encode()
        assert not any("secret" in row.text for row in device.replica.rooms.views.scan())
    assert same(ward.hub, edge, reader)


def test_an_erased_body_is_not_in_the_journal_of_its_writer_either(
    ward: Ward, edge: Device
) -> None:
    edge.admit("secret name")
    old = edge.replica.own.feed
    ward.sync(edge)
    _erase(ward, own_dot(edge, 1))
    settle(ward, edge)
    assert edge.replica.own.feed != old
    frames = [open_frame(edge.replica.rooms.journal_key, raw) for raw in edge.disk.journal.frames()]
    assert [frame.seq for frame in frames] == [0]  # the new feed's declaration, and nothing old
    assert all(frame.feed == edge.replica.own.feed for frame in frames)
    edge.admit("goes on")
    settle(ward, edge)
    assert same(ward.hub, edge)


def test_what_was_erased_is_refused_when_it_comes_again(ward: Ward, edge: Device) -> None:
    edge.admit("secret name")
    brought = offers(edge)
    own = edge.replica.own
    ward.sync(edge)
    _erase(ward, own_dot(edge, 1))
    late = ward.device("late")
    assert late.replica.holding.roster.erased
    fresh = Device(ward, "late", late.disk)
    fresh.replica.ingest([own.declared.raw], [own.row.seal], brought)
    entry = fresh.replica.holding.entry(Dot(own.feed, 1))
    assert entry is not None
    assert entry.body is None


def test_an_erasure_that_comes_before_the_seal_of_what_it_names_is_carried_out(
    ward: Ward, edge: Device
) -> None:
    edge.admit("secret name")
    edge.admit("An")
    late = ward.device("late")
    own = edge.replica.own
    late.replica.ingest([own.declared.raw], [], offers(edge))  # the line was cut before the seal
    ward.sync(edge)
    _erase(ward, own_dot(edge, 1))
    control = ward.hub.replica.own
    late.replica.ingest([control.declared.raw], [control.row.seal], offers(ward.hub))
    late.replica.follow()
    with late.replica.lock:
        intake = late.replica.intake([], [own.row.seal])
        intake.finish()
    late.replica.follow()  # before anybody has carried out the erasure
    assert [record.value("name") for record in late.replica.find(Query(limit=9))] == ["An"]
    settle(ward, late)
    assert same(ward.hub, late)


def test_an_erased_edit_gives_back_the_value_before_it(ward: Ward, edge: Device) -> None:
    record = edge.admit("An")
    edge.edit(record, name="secret")
    settle(ward, edge)
    _erase(ward, own_dot(edge, 2))
    assert ward.hub.show(record).value("name") == "An"
    settle(ward, edge)
    assert same(ward.hub, edge)


def test_chunks_named_by_an_erasure_are_removed_and_not_taken_again(
    ward: Ward, edge: Device
) -> None:
    manifest = edge.replica.attach(b"a scan", "image/png")
    [address] = list(edge.disk.chunks.addresses())
    change = create(PATIENT, {"name": "An"})
    writes = (*change.writes, _paper(manifest))
    record = edge.replica.write(
        [type(change)(change.record, change.type, change.values, writes)], NO_OFFICER
    ).records[0]
    ward.sync(edge)
    assert ward.hub.disk.chunks.has(address)
    _erase(ward, own_dot(edge, 1), chunks=(address,))
    settle(ward, edge)
    assert not ward.hub.disk.chunks.has(address)
    assert not edge.disk.chunks.has(address)
    assert ward.hub.replica.read(record) is None


def _paper(manifest: bytes) -> CellWrite:
    return edit_element(PATIENT, "papers", b"e" * 16, ["birth", manifest], None)


# --- clocks ---------------------------------------------------------------------------------------


def test_a_flag_on_a_clock_changes_what_is_displayed_and_nothing_else(
    ward: Ward, edge: Device
) -> None:
    other = ward.device("other")
    record = edge.admit("An")
    settle(ward, edge, other)
    form = other.form(record)
    edge.edit(record, name="right clock")
    ward.now_ms += 10**12
    other.edit(record, form, name="wrong clock")
    settle(ward, edge, other)
    assert ward.hub.show(record).value("name") == "wrong clock"
    ward.hub.replica.say([g.Suspect(other.replica.own.feed, 1, 1)], NO_OFFICER)
    assert ward.hub.show(record).value("name") == "right clock"
    assert cell(ward.hub.show(record), "name").conflict == "values"
    settle(ward, edge, other)
    assert same(ward.hub, edge, other)


# --- a new hub ------------------------------------------------------------------------------------


def test_a_new_hub_certified_by_the_root_cuts_the_old_one(ward: Ward, edge: Device) -> None:
    record = edge.admit("An")
    ward.sync(edge)
    cut = mark_of(ward.hub)
    thief = Device(ward, "thief")
    ward.grant("thief")
    ward.sync(edge)
    ward.sync(thief)
    stolen = thief.admit("by a thief")
    ward.sync(thief)
    ward.sync(edge)
    assert edge.replica.read(stolen) is not None
    new = Device(ward, "new hub")
    keys = new.keys
    certificate = g.Certificate(2, keys.public, keys.agreement.public, ward.recovery.public, [cut])
    own = ward.hub.replica.own
    new.replica.ingest([own.declared.raw], [own.row.seal], offers(ward.hub))
    new.replica.say([g.Certified(g.certify(ward.root, certificate))], NO_OFFICER)
    ward.sync(edge, new)
    ward.sync(edge, new)
    assert edge.replica.holding.roster.role_of(thief.keys.public) is None
    assert edge.replica.read(stolen) is None
    assert edge.replica.read(record) is not None
    fresh = Device(ward, "edge")
    ward.sync(fresh, new)
    ward.sync(fresh, new)
    assert fresh.replica.read(stolen) is None
    assert fresh.replica.digest().sha256 == new.replica.digest().sha256
