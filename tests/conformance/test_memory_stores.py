"""The stores in memory keep the laws, and fail as disks fail."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from sync_protocol.errors import StoreCorruptError, StoreFullError
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from sync_protocol.storage.store import ChunkStore, Journal, LogStore, ViewStore
from tests.conformance.store_suite import (
    START,
    ChunkLaws,
    Disk,
    JournalLaws,
    LogLaws,
    ViewLaws,
    extend,
    fill,
    held,
    make_entries,
    put,
    record,
)


class SimulatedCrashError(Exception):
    """The power went away."""


def opened_copy(log: LogStore, name: str) -> LogStore:
    assert isinstance(log, MemoryLog)
    return log.copy_at(name)


class TestMemoryLog(LogLaws):
    @pytest.fixture
    def disk(self) -> Disk[LogStore]:
        log = MemoryLog()
        return Disk(lambda: log, True, str, opened_copy)


class TestMemoryViews(ViewLaws):
    @pytest.fixture
    def disk(self) -> Disk[ViewStore]:
        views = MemoryViews()
        return Disk(lambda: views, True, str, lambda views, _: views)


class TestMemoryChunks(ChunkLaws):
    @pytest.fixture
    def chunks(self) -> ChunkStore:
        return MemoryChunks()


class TestMemoryJournal(JournalLaws):
    @pytest.fixture
    def journal(self) -> Journal:
        return MemoryJournal()


def noted(log: MemoryLog, *keys: str, durable: bool) -> None:
    for key in keys:
        with log.transaction(durable=durable):
            log.put_note(key, b"")


def test_a_power_cut_takes_what_was_not_durable() -> None:
    log = MemoryLog()
    noted(log, "a", durable=False)
    noted(log, "b", durable=True)
    noted(log, "c", "d", durable=False)
    log.crash()
    assert list(log.notes("")) == ["a", "b"]


def test_a_power_cut_takes_an_end_never_a_middle() -> None:
    lengths = set()
    for seed in range(40):
        log = MemoryLog()
        noted(log, "a", durable=True)
        noted(log, *"bcde", durable=False)
        log.crash(Random(seed))
        kept = list(log.notes(""))
        assert kept == list("abcde")[: len(kept)]
        lengths.add(len(kept))
    assert lengths == {1, 2, 3, 4, 5}


def test_every_kind_of_write_is_undone_by_a_power_cut() -> None:
    log = MemoryLog()
    entries = make_entries(600)
    hashes = follow(START, entries)
    chain = fill(log, entries[:300])
    before = log.snapshot()
    with log.transaction(durable=False):
        extend(log, chain, entries[300:], Head(300, hashes[299]))
    with log.transaction(durable=False):
        log.erase(chain, [1, 300])
        log.truncate(chain, 550)
    with log.transaction(durable=False):
        log.drop(chain, 512)
        log.put_chain(log.chains()[0])
        extend(log, chain, entries[550:], Head(550, hashes[549]))
    log.crash()
    assert log.snapshot() == before
    assert held(log, chain) == list(enumerate(entries[:300], 1))


def test_a_clone_goes_its_own_way() -> None:
    log, clone = MemoryLog(), MemoryLog()
    entries = make_entries(10)
    chain = fill(log, entries[:5])
    clone.restore(log.snapshot())
    with log.transaction(durable=True):
        extend(log, chain, entries[5:], Head(5, follow(START, entries)[4]))
    assert len(held(log, chain)) == 10
    assert len(held(clone, chain)) == 5


def test_the_hook_hears_every_write_and_may_refuse_it() -> None:
    heard: list[str] = []
    log = MemoryLog(heard.append)
    noted(log, "a", durable=True)
    assert heard == ["put_note", "commit", "committed"]

    def refuse(name: str) -> None:
        if name == "commit":
            raise StoreFullError("full")

    log.transactions.on_write = refuse
    with pytest.raises(StoreFullError):
        noted(log, "b", durable=True)
    assert list(log.notes("")) == ["a"]


def test_a_commit_may_land_though_its_maker_died() -> None:
    def die(name: str) -> None:
        if name == "committed":
            raise SimulatedCrashError

    log = MemoryLog(die)
    with pytest.raises(SimulatedCrashError):
        noted(log, "a", durable=True)
    log.crash()
    assert list(log.notes("")) == ["a"]


def test_views_lose_an_end_of_their_commits() -> None:
    kept = set()
    for seed in range(30):
        views = MemoryViews()
        for at in range(4):
            put(views, record(at))
        views.crash(Random(seed))
        found = list(views.scan())
        assert found == [record(at) for at in range(len(found))]
        kept.add(len(found))
    assert kept == {0, 1, 2, 3, 4}
    views = MemoryViews()
    put(views, record(1))
    views.crash()
    assert list(views.scan()) == [record(1)]
    image = views.snapshot()
    put(views, record(2))
    views.restore(image)
    assert list(views.scan()) == [record(1)]


def test_an_unsynced_frame_is_torn_at_any_byte() -> None:
    def die(name: str) -> None:
        if name == "sync":
            raise SimulatedCrashError

    ends = set()
    for seed in range(200):
        journal = MemoryJournal()
        journal.append(1, [b"safe"])
        journal.on_write = die
        with pytest.raises(SimulatedCrashError):
            journal.append(2, [b"lost", b"torn"])
        journal.on_write = None
        journal.crash(Random(seed))
        assert not journal.damaged
        frames = list(journal.frames())
        assert frames == [b"safe", b"lost", b"torn"][: len(frames)]
        journal.append(len(frames) + 1, [b"next"])
        assert list(journal.frames()) == [*frames, b"next"]
        ends.add(len(frames))
    assert ends == {1, 2, 3}


def test_a_full_disk_leaves_the_journal_as_it_was() -> None:
    journal = MemoryJournal()
    journal.append(1, [b"safe"])

    def refuse(name: str) -> None:
        if name == "sync":
            raise StoreFullError("full")

    journal.on_write = refuse
    with pytest.raises(StoreFullError):
        journal.append(2, [b"lost"])
    journal.on_write = None
    journal.append(2, [b"two"])
    assert list(journal.frames()) == [b"safe", b"two"]


def test_a_rotten_journal_refuses_until_it_is_put_aside() -> None:
    journal = MemoryJournal(segment_bytes_max=40)
    for seq in range(1, 9):
        journal.append(seq, [b"frame %d" % seq])
    image = journal.snapshot()
    journal.rot(Random(1))
    assert journal.damaged
    assert len(list(journal.frames())) < 8
    with pytest.raises(StoreCorruptError):
        journal.append(9, [b"nine"])
    journal.restart()
    journal.append(9, [b"nine"])
    journal.restore(image)
    assert len(list(journal.frames())) == 8
    journal.drop(8)
    assert list(journal.frames())[-1] == b"frame 8"
    assert len(list(journal.frames())) < 8


def test_a_rotten_chunk_is_missing() -> None:
    chunks = MemoryChunks()
    address = hashlib.sha256(b"chunk").digest()
    chunks.put(address, b"chunk")
    image = chunks.snapshot()
    chunks.rot(address, Random(1))
    assert chunks.get(address) is None
    assert not chunks.has(address)
    chunks.restore(image)
    assert chunks.get(address) == b"chunk"
