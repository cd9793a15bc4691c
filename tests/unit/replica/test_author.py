"""Our own feed: a journal that outlives the database, and a new incarnation where they part."""

from __future__ import annotations

from random import Random

import pytest

from sync_protocol import limits
from sync_protocol.errors import LimitExceededError, NotEnrolledError, StoreFullError
from sync_protocol.identity import NO_OFFICER, FeedId
from sync_protocol.log.entry import read_header
from sync_protocol.record.change import CellWrite, Changeset, RecordChange
from sync_protocol.record.diff import create
from sync_protocol.replica import Act
from sync_protocol.storage.store import Query
from tests.clinic import NAME, PATIENT
from tests.ward import CLERK, Device, Ward, same


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def edge(ward: Ward) -> Device:
    return ward.device("edge")


def raw_entries(device: Device, feed: FeedId) -> list[tuple[int, bytes, bytes | None]]:
    holding = device.replica.holding
    [chain] = holding.by_feed[feed]
    found = holding.entries(chain, 1, chain.row.head.seq)
    return [(seq, entry.header, entry.body) for seq, entry in found]


def supersedes(device: Device) -> FeedId | None:
    mark = device.replica.own.declared.declaration.supersedes
    return None if mark is None else mark.feed


# --- writing --------------------------------------------------------------------------------------


def test_what_is_written_is_safe_and_shown_at_once(edge: Device) -> None:
    record = edge.admit("An")
    assert edge.show(record).value("name") == "An"
    assert edge.replica.own.row.head.seq == 1
    assert edge.reopen().read(record) is not None


def test_many_acts_are_one_commit_and_one_seal(edge: Device) -> None:
    names: list[str] = []
    edge.disk.log.transactions.on_write = names.append
    change = create(PATIENT, {"name": "An"})
    acts = [Act(NO_OFFICER, Changeset((change,))) for _ in range(300)]
    written = edge.replica.write_many(acts)
    assert names.count("commit") == 1
    assert [item.dot.seq for item in written] == list(range(1, 301))
    assert len({item.records[0] for item in written}) == 300
    assert edge.replica.write_many([]) == []


def test_nobody_writes_without_a_grant(ward: Ward) -> None:
    stranger = Device(ward, "stranger")
    with pytest.raises(NotEnrolledError):
        stranger.admit()
    assert stranger.replica.own.row.head.seq == 0


def test_a_context_states_the_heads_that_moved_and_no_other(ward: Ward, edge: Device) -> None:
    other = ward.device("other")
    other.admit()
    ward.sync(other)
    ward.sync(edge)
    own = edge.replica.own.feed
    for _ in range(2):
        edge.admit()
    first, second = (read_header(header).context for _, header, _ in raw_entries(edge, own))
    assert {mark.feed for mark in first} == {ward.hub.replica.own.feed, other.replica.own.feed}
    assert second == []


def test_an_act_larger_than_its_bound_is_refused_and_nothing_is_written(edge: Device) -> None:
    write = CellWrite(NAME, None, "x" * limits.ENTRY_BODY_BYTES_MAX)
    with pytest.raises(LimitExceededError):
        edge.replica.write([RecordChange(None, 1, {}, (write,))], NO_OFFICER)
    edge.admit()
    assert edge.replica.own.row.head.seq == 1


def test_the_clock_of_entries_never_goes_back_even_after_a_restart(
    ward: Ward, edge: Device
) -> None:
    edge.admit()
    ward.now_ms -= 10**9
    edge.reopen()
    edge.admit()
    times = [
        read_header(header).timestamp for _, header, _ in raw_entries(edge, edge.replica.own.feed)
    ]
    assert times == sorted(set(times))


# --- a full disk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["append", "put_chain", "commit"])
def test_a_full_disk_refuses_the_write_and_the_next_one_goes_on(edge: Device, where: str) -> None:
    edge.admit("before")
    feed = edge.replica.own.feed

    def full(name: str) -> None:
        if name == where:
            raise StoreFullError("No room is left.")

    edge.disk.log.transactions.on_write = full
    with pytest.raises(StoreFullError):
        edge.admit("lost?")
    edge.disk.log.transactions.on_write = None
    edge.admit("after")
    # What the journal already held was put back: it had been fsynced, so it may have been promised.
    names = {record.value("name") for record in edge.replica.find(_all())}
    assert names >= {"before", "after"}
    assert edge.replica.own.feed == feed
    edge.reopen()
    assert edge.replica.own.feed == feed


def test_a_full_disk_under_the_journal_writes_nothing(edge: Device) -> None:
    def full(_: str) -> None:
        raise StoreFullError("No room is left.")

    edge.disk.journal.on_write = full
    with pytest.raises(StoreFullError):
        edge.admit("lost")
    edge.disk.journal.on_write = None
    edge.admit("after")
    assert [record.value("name") for record in edge.replica.find(_all())] == ["after"]


def _all() -> Query:
    return Query(limit=100)


# --- the journal and the log ----------------------------------------------------------------------


def test_entries_that_the_store_lost_are_put_back_byte_for_byte(edge: Device) -> None:
    edge.admit("one")
    image = edge.disk.log.snapshot()
    for number in range(5):
        edge.admit(f"lost {number}")
    feed = edge.replica.own.feed
    before = raw_entries(edge, feed)
    digest = edge.replica.digest()
    edge.disk.log.restore(image)  # as SQLite drops a damaged end without a word
    edge.reopen()
    assert edge.replica.author.notice == "replayed-5"
    assert edge.replica.own.feed == feed
    assert raw_entries(edge, feed) == before
    edge.replica.follow()
    assert edge.replica.digest() == digest


def test_a_power_cut_at_any_commit_loses_nothing_that_was_saved(ward: Ward, edge: Device) -> None:
    saved = [edge.admit(str(number)) for number in range(20)]
    for seed in range(10):
        edge.disk.log.crash(Random(seed))
        edge.disk.views.crash(Random(seed))
        edge.disk.journal.crash(Random(seed))
        edge.reopen()
        edge.replica.follow()
        assert all(edge.replica.read(record) is not None for record in saved)
        saved.append(edge.admit("again"))
    ward.sync(edge)
    assert same(edge, ward.hub)


def test_a_journal_that_is_gone_opens_a_new_incarnation_and_capture_goes_on(
    ward: Ward, edge: Device
) -> None:
    record = edge.admit()
    old = edge.replica.own.feed
    edge.disk.journal.restart()
    edge.reopen()
    assert edge.replica.author.notice == "journal-behind"
    assert supersedes(edge) == old
    edge.edit(record, name="after")
    ward.sync(edge)
    assert same(edge, ward.hub)


def test_a_journal_that_is_damaged_opens_a_new_incarnation(edge: Device) -> None:
    for number in range(5):
        edge.admit(str(number))
    old = edge.replica.own.feed
    [segment] = edge.disk.journal._segments
    segment.raw[len(segment.raw) // 2] ^= 1
    edge.disk.journal.crash()
    edge.reopen()
    assert supersedes(edge) == old
    edge.admit()
    assert edge.replica.own.row.head.seq == 1


def test_a_journal_under_another_key_opens_a_new_incarnation(ward: Ward, edge: Device) -> None:
    edge.admit()
    old = edge.replica.own.feed
    other = ward.device("other")
    other.admit()
    edge.disk.journal.restore(other.disk.journal.snapshot())
    edge.reopen()
    assert supersedes(edge) == old


def test_a_restored_backup_goes_on_as_a_new_incarnation_and_fetches_its_own_entries_back(
    ward: Ward, edge: Device
) -> None:
    first = edge.admit("in the backup")
    backup = edge.disk.image()
    later = edge.admit("after the backup")
    ward.sync(edge)
    old = edge.replica.own.feed
    edge.disk.put_back(backup)
    edge.reopen()
    assert edge.replica.own.feed == old, "nothing here can know yet"
    ward.sync(edge)
    assert edge.replica.own.feed != old
    assert edge.replica.read(later) is not None
    edge.edit(first, name="goes on")
    ward.sync(edge)
    assert same(edge, ward.hub)
    assert edge.show(later).value("name") == "after the backup"


def test_a_restored_backup_that_has_written_meanwhile_forks_and_loses_nothing(
    ward: Ward, edge: Device
) -> None:
    edge.admit("in the backup")
    backup = edge.disk.image()
    edge.admit("after the backup")
    ward.sync(edge)
    edge.disk.put_back(backup)
    edge.reopen()
    edge.admit("after the restore")
    ward.sync(edge)
    ward.sync(edge)
    assert same(edge, ward.hub)
    names = {record.value("name") for record in ward.hub.replica.find(_all())}
    assert names == {"in the backup", "after the backup", "after the restore"}


def test_a_store_without_our_own_feed_opens_a_new_one(ward: Ward, edge: Device) -> None:
    edge.admit()
    ward.sync(edge)
    fresh = Device(ward, "edge")
    assert supersedes(fresh) is None
    ward.sync(fresh)
    assert same(fresh, ward.hub)
    fresh.admit(officer=CLERK)
    ward.sync(fresh)
    assert same(fresh, ward.hub)
