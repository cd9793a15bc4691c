"""The laws of the stores, once for all of them. A store says what it can; the suite asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Generic, TypeVar

import pytest

from sync_protocol.errors import BadSignatureError
from sync_protocol.identity import AttachmentId, OfficerId, RecordId
from sync_protocol.log.block import (
    Range,
    head_digest,
    pack,
    packed_against,
    raw_form,
    unpack,
)
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage.store import (
    ChainRow,
    ChunkStore,
    Claim,
    Held,
    Journal,
    LogStore,
    Query,
    StoredRecord,
    ViewStore,
)

Store = TypeVar("Store")
START = Head(0, b"\x11" * 32)


class RefusalError(Exception):
    """Raised by a test within a transaction."""


@dataclass(frozen=True)
class Disk(Generic[Store]):
    """A place where a store rests: `open` gives it as it is there, again and again."""

    open: Callable[[], Store]
    reopens: bool
    """Whether what was committed is there after closing and opening."""
    copies_to: Callable[[str], str]
    """Where a copy with this name can be written."""
    open_copy: Callable[[Store, str], Store]


def make_entries(count: int, seed: int = 1, size: int = 40) -> list[Entry]:
    random = Random(seed)
    header = Header((1_700_000_000_000 + seed) << 16, OfficerId(b"o" * 16), 1, CHANGESET)
    return [Entry.of(header, random.randbytes(8 + size)) for _ in range(count)]


def chain_row(
    number: int = 0, head: Head = START, floor: Head = START, base: tuple[int, int] = (0, 0)
) -> ChainRow:
    return ChainRow(number, b"declared", *base, head, head, floor, b"")


def fill(log: LogStore, entries: list[Entry], before: Head = START, *, packed: bool = False) -> int:
    """Make a chain of these entries, one append per block's part."""
    with log.transaction(durable=True):
        chain = log.put_chain(chain_row(head=before, floor=before))
        extend(log, chain, entries, before, packed=packed)
    return chain


def extend(
    log: LogStore, chain: int, entries: list[Entry], before: Head, *, packed: bool = False
) -> Head:
    head, at = before, 0
    while at < len(entries):
        part = entries[at : at + 256 - head.seq % 256]
        raw = pack(head.seq + 1, part) if packed else b""
        head = log.append(chain, head, part, raw)
        at += len(part)
    return head


def held(log: LogStore, chain: int, first: int = 0, last: int = 10**9) -> list[tuple[int, Entry]]:
    return list(log.entries(chain, first, last))


class LogLaws:
    """What every log keeps."""

    @pytest.fixture
    def disk(self) -> Disk[LogStore]:
        raise NotImplementedError

    @pytest.fixture
    def log(self, disk: Disk[LogStore]) -> Iterator[LogStore]:
        store = disk.open()
        yield store
        store.close()

    def test_a_new_log_is_empty(self, log: LogStore) -> None:
        assert log.chains() == []
        assert log.note("x") is None
        assert log.notes("") == {}
        assert log.hash_at(1, 0) is None
        assert log.check() == []

    def test_chains_come_back_by_number(self, log: LogStore) -> None:
        with log.transaction(durable=True):
            first = log.put_chain(chain_row())
            second = log.put_chain(ChainRow(0, b"d", first, 7, START, START, START, b"seal"))
            assert [row.number for row in log.chains()] == [first, second]
        changed = ChainRow(first, b"e", 0, 0, Head(3, b"3" * 32), Head(4, b"4" * 32), START, b"s")
        with log.transaction(durable=False):
            assert log.put_chain(changed) == first
        assert log.chains() == [
            changed,
            ChainRow(second, b"d", first, 7, START, START, START, b"seal"),
        ]

    def test_an_exception_undoes_the_whole_transaction(self, log: LogStore) -> None:
        entries = make_entries(300)
        chain = fill(log, entries[:200])
        before = follow(START, entries)
        rows = log.chains()
        with pytest.raises(RefusalError), log.transaction(durable=True):  # noqa: PT012
            log.put_note("a", b"1")
            log.put_chain(chain_row())
            log.append(chain, Head(200, before[199]), entries[200:], b"")
            log.put_chain(chain_row(chain, Head(300, before[299])))
            log.erase(chain, [1, 299])
            log.truncate(chain, 280)
            log.drop(chain, 256)
            raise RefusalError
        assert log.chains() == rows
        assert log.note("a") is None
        assert held(log, chain) == list(enumerate(entries[:200], 1))
        assert log.hash_at(chain, 201) is None

    def test_a_transaction_reads_its_own_writes(self, log: LogStore) -> None:
        entries = make_entries(260)
        with log.transaction(durable=False):
            chain = log.put_chain(chain_row())
            head = extend(log, chain, entries, START)
            log.put_note("k", b"v")
            assert log.note("k") == b"v"
            assert log.hash_at(chain, 260) == head.hash
            assert held(log, chain, 250, 259) == list(enumerate(entries, 1))[249:259]

    def test_transactions_do_not_nest_and_writes_need_one(self, log: LogStore) -> None:
        with log.transaction(durable=False):
            with pytest.raises(AssertionError), log.transaction(durable=False):
                pass
            log.put_note("still", b"open")
        assert log.note("still") == b"open"
        with pytest.raises(AssertionError):
            log.put_note("outside", b"")
        with pytest.raises(AssertionError):
            log.put_chain(chain_row())
        assert log.note("outside") is None

    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize("count", [1, 255, 256, 257, 511, 512, 700])
    def test_entries_come_back(self, log: LogStore, count: int, packed: bool) -> None:
        entries = make_entries(count)
        chain = fill(log, entries, packed=packed)
        numbered = list(enumerate(entries, 1))
        assert held(log, chain) == numbered
        for first, last in ((1, 1), (count, count), (255, 258), (2, 300), (count, count + 9)):
            assert held(log, chain, first, last) == [
                item for item in numbered if first <= item[0] <= last
            ]
        assert held(log, chain, 9, 3) == []

    def test_a_tail_grows_entry_by_entry_into_a_block(self, log: LogStore) -> None:
        entries = make_entries(520)
        chain = fill(log, [])
        head = START
        for at, entry in enumerate(entries):
            with log.transaction(durable=False):
                head = log.append(chain, head, [entry], b"")
            assert head.seq == at + 1
        assert held(log, chain) == list(enumerate(entries, 1))
        assert head == Head(520, follow(START, entries)[-1])
        assert unpacked(log, chain, 257, 512).entries == entries[256:512]

    def test_a_full_block_is_kept_as_the_bytes_that_came(self, log: LogStore) -> None:
        entries = make_entries(512)
        others_packing = bytes([1]) + _compressed_otherwise(pack(1, entries[:256]))
        assert others_packing != pack(1, entries[:256])
        chain = fill(log, [])
        with log.transaction(durable=True):
            head = log.append(chain, START, entries[:256], others_packing)
            log.append(chain, head, entries[256:], b"")
        assert log.packed(chain, 1, 256) == others_packing
        assert unpacked(log, chain, 257, 512).entries == entries[256:]
        part = unpacked(log, chain, 3, 77)
        assert (part.first, part.entries) == (3, entries[2:77])

    def test_blocks_rest_on_the_head_of_their_group(self, log: LogStore) -> None:
        entries = make_entries(256 * 19)
        chain = fill(log, entries)
        head = raw_form(1, entries[:256])
        for seq, found in ((1, None), (256, None), (257, head), (4096, head), (4097, None)):
            assert log.group_head(chain, seq) == found
        second = log.group_head(chain, 4097 + 256)
        assert second == raw_form(4097, entries[4096:4352])
        for number in range(19):
            first, last = number * 256 + 1, number * 256 + 256
            alone = log.packed(chain, first, last, alone=True)
            stored = log.packed(chain, first, last)
            assert unpack(alone).entries == entries[first - 1 : last]
            lent = log.group_head(chain, first)
            assert packed_against(stored) == (None if lent is None else head_digest(lent))
            assert unpack(stored, lent).entries == entries[first - 1 : last]
        part = log.packed(chain, 300, 310)
        assert packed_against(part) == head_digest(head)
        assert unpack(part, head).entries == entries[299:310]
        assert unpack(log.packed(chain, 300, 310, alone=True)).entries == entries[299:310]
        assert held(log, chain) == list(enumerate(entries, 1))
        assert log.hash_at(chain, 700) == follow(START, entries)[699]

    def test_a_block_against_our_head_is_kept_and_another_made_readable(
        self, log: LogStore
    ) -> None:
        entries = make_entries(768)
        head = raw_form(1, entries[:256])
        ours = pack(257, entries[256:512], head)
        foreign = pack(513, entries[512:], raw_form(1, make_entries(256, 5)))
        chain = fill(log, entries[:256])
        with log.transaction(durable=True):
            at = log.append(chain, Head(256, follow(START, entries)[255]), entries[256:512], ours)
            log.append(chain, at, entries[512:], foreign)
        assert log.packed(chain, 257, 512) == ours
        assert unpack(log.packed(chain, 513, 768), head).first == 513
        assert held(log, chain) == list(enumerate(entries, 1))
        other = fill(log, [], Head(256, b"\x44" * 32))
        with log.transaction(durable=True):
            log.append(other, Head(256, b"\x44" * 32), entries[256:512], ours)
        assert held(log, other) == list(enumerate(entries[256:512], 257))
        assert packed_against(log.packed(other, 257, 512)) is None

    def test_the_group_outlives_an_erasure_in_its_head(self, log: LogStore) -> None:
        entries = make_entries(1100)
        chain = fill(log, entries)
        with log.transaction(durable=True):
            log.erase(chain, [3, 300])
            wanted = [
                (seq, entry.erased() if seq in (3, 300) else entry)
                for seq, entry in enumerate(entries, 1)
            ]
            assert held(log, chain) == wanted
        assert held(log, chain) == wanted
        head = log.group_head(chain, 600)
        assert head == raw_form(1, [entry for _, entry in wanted[:256]])
        for first in (257, 513, 769):
            stored = log.packed(chain, first, first + 255)
            assert packed_against(stored) == head_digest(head)
        with pytest.raises(RefusalError), log.transaction(durable=True):  # noqa: PT012
            log.erase(chain, [4])
            raise RefusalError
        assert held(log, chain) == wanted

    def test_the_group_outlives_its_head(self, log: LogStore) -> None:
        entries = make_entries(1100)
        chain = fill(log, entries)
        with log.transaction(durable=True):
            log.drop(chain, 600)
        assert log.group_head(chain, 1000) is None
        assert held(log, chain) == list(enumerate(entries[512:], 513))
        for first in (513, 769):
            assert packed_against(log.packed(chain, first, first + 255)) is None

    def test_many_entries_in_one_append_without_a_packed_form(self, log: LogStore) -> None:
        entries = make_entries(1000)
        chain = fill(log, [])
        with log.transaction(durable=True):
            head = log.append(chain, START, entries[:10], b"")
            head = log.append(chain, head, entries[10:], b"")
            assert log.append(chain, head, [], b"") == head
        assert held(log, chain) == list(enumerate(entries, 1))

    def test_an_append_follows_the_last_entry(self, log: LogStore) -> None:
        entries = make_entries(4)
        chain = fill(log, entries[:2])
        hashes = follow(START, entries)
        for wrong in (START, Head(1, hashes[0]), Head(2, b"?" * 32), Head(3, hashes[2])):
            with pytest.raises(AssertionError), log.transaction(durable=False):
                log.append(chain, wrong, entries[2:], b"")

    @pytest.mark.parametrize("begin", [0, 100, 255, 256, 511])
    def test_hashes_are_known_everywhere(self, log: LogStore, begin: int) -> None:
        before = Head(begin, b"\x22" * 32)
        entries = make_entries(600)
        chain = fill(log, entries, before)
        assert log.hash_at(chain, begin) == before.hash
        for seq, after in enumerate(follow(before, entries), begin + 1):
            if seq % 7 == 0 or seq % 256 in (0, 1, 255) or seq in (begin + 1, begin + 600):
                assert log.hash_at(chain, seq) == after
        assert log.hash_at(chain, begin + 601) is None
        assert begin == 0 or log.hash_at(chain, begin - 1) is None

    def test_a_branch_begins_in_mid_block(self, log: LogStore) -> None:
        trunk = make_entries(300)
        branch = make_entries(400, seed=2)
        main = fill(log, trunk)
        base = Head(100, follow(START, trunk)[99])
        with log.transaction(durable=True):
            chain = log.put_chain(chain_row(head=base, floor=START, base=(main, 100)))
            head = log.append(chain, base, branch[:50], b"")
            head = log.append(chain, head, branch[50:156], b"")
            log.append(chain, head, branch[156:], b"")
        assert held(log, chain) == list(enumerate(branch, 101))
        assert held(log, main) == list(enumerate(trunk, 1))
        assert log.hash_at(chain, 100) == base.hash
        assert log.hash_at(chain, 99) is None
        short = unpacked(log, chain, 101, 256)
        assert (short.first, short.entries) == (101, branch[:156])
        with log.transaction(durable=True):
            log.truncate(chain, 256)
            log.truncate(chain, 120)
        assert held(log, chain) == list(enumerate(branch[:20], 101))
        with log.transaction(durable=True):
            log.truncate(chain, 100)
        assert held(log, chain) == []
        assert log.hash_at(chain, 100) == base.hash

    def test_staged_entries_are_forgotten_by_truncation_and_come_again(self, log: LogStore) -> None:
        entries = make_entries(900)
        hashes = follow(START, entries)
        for after in (899, 800, 768, 767, 513, 512, 511, 300, 257, 256, 255, 1, 0):
            chain = fill(log, entries)
            with log.transaction(durable=True):
                log.truncate(chain, after)
            assert held(log, chain) == list(enumerate(entries[:after], 1))
            assert log.hash_at(chain, after) == (hashes[after - 1] if after else START.hash)
            assert log.hash_at(chain, after + 1) is None
            with log.transaction(durable=True):
                head = Head(after, hashes[after - 1] if after else START.hash)
                assert extend(log, chain, entries[after:], head) == Head(900, hashes[-1])
            assert held(log, chain) == list(enumerate(entries, 1))

    def test_whole_blocks_are_dropped_and_the_floor_is_known(self, log: LogStore) -> None:
        entries = make_entries(700)
        hashes = follow(START, entries)
        chain = fill(log, entries)
        for through, floor in ((255, 0), (256, 256), (300, 256), (511, 256), (690, 512)):
            with log.transaction(durable=True):
                log.put_chain(
                    chain_row(chain, Head(700, hashes[-1]), Head(floor, b"f" * 32))
                    if not floor
                    else chain_row(chain, Head(700, hashes[-1]), Head(floor, hashes[floor - 1]))
                )
                log.drop(chain, through)
            assert held(log, chain) == list(enumerate(entries[floor:], floor + 1))
            if floor:
                assert log.hash_at(chain, floor) == hashes[floor - 1]
                assert log.hash_at(chain, floor - 1) is None
        with log.transaction(durable=True):
            extend(log, chain, make_entries(68, 9), Head(700, hashes[-1]))
            log.drop(chain, 768)
        assert held(log, chain) == []

    def test_a_chain_with_a_floor_in_mid_block(self, log: LogStore) -> None:
        floor = Head(300, b"\x33" * 32)
        entries = make_entries(300)
        with log.transaction(durable=True):
            chain = log.put_chain(chain_row(head=floor, floor=floor))
        assert log.hash_at(chain, 300) == floor.hash
        with log.transaction(durable=True):
            extend(log, chain, entries, floor)
        assert held(log, chain) == list(enumerate(entries, 301))
        with log.transaction(durable=True):
            log.drop(chain, 512)
        assert held(log, chain) == list(enumerate(entries[212:], 513))
        assert log.hash_at(chain, 512) == follow(floor, entries)[211]

    def test_erased_bodies_are_gone_and_the_chain_still_verifies(self, log: LogStore) -> None:
        entries = make_entries(300)
        chain = fill(log, entries, packed=True)
        gone = {1, 100, 256, 257, 299}
        with log.transaction(durable=True):
            log.erase(chain, [*gone, 5000])
        kept = held(log, chain)
        assert {seq for seq, entry in kept if entry.body is None} == gone
        assert follow(START, [entry for _, entry in kept]) == follow(START, entries)
        assert [unpacked(log, chain, 1, 256).entries[at].body for at in (0, 99)] == [None] * 2
        assert log.hash_at(chain, 256) == follow(START, entries)[255]
        with log.transaction(durable=True):
            extend(log, chain, make_entries(212, 3), Head(300, follow(START, entries)[-1]))
        assert {seq for seq, entry in held(log, chain) if entry.body is None} == gone

    def test_reading_goes_on_while_the_chain_grows(self, log: LogStore) -> None:
        entries = make_entries(600)
        chain = fill(log, entries[:300])
        reading = log.entries(chain, 1, 600)
        found = [next(reading) for _ in range(280)]
        with log.transaction(durable=True):
            extend(log, chain, entries[300:], Head(300, follow(START, entries)[299]))
        found += reading
        assert found[:300] == list(enumerate(entries[:300], 1))
        assert all(later[0] == earlier[0] + 1 for earlier, later in pairwise(found))

    def test_notes(self, log: LogStore) -> None:
        with log.transaction(durable=True):
            for key in ("a", "ab", "ab/1", "ab/2", "b", "aB", "a%", "a_"):
                log.put_note(key, key.encode())
            log.put_note("b", b"")
            log.put_note("none", None)
        assert log.note("b") == b""
        assert list(log.notes("ab").items()) == [
            ("ab", b"ab"),
            ("ab/1", b"ab/1"),
            ("ab/2", b"ab/2"),
        ]
        assert list(log.notes("a%")) == ["a%"]
        assert len(log.notes("")) == 8
        with log.transaction(durable=True):
            log.put_note("ab", None)
        assert list(log.notes("ab")) == ["ab/1", "ab/2"]

    def test_a_copy_is_whole_and_apart(self, disk: Disk[LogStore], log: LogStore) -> None:
        entries = make_entries(300)
        chain = fill(log, entries)
        place = disk.copies_to("copy")
        log.copy_to(place)
        with log.transaction(durable=True):
            log.put_note("later", b"1")
        copy = disk.open_copy(log, place)
        assert held(copy, chain) == list(enumerate(entries, 1))
        assert copy.chains() == log.chains()
        assert copy.note("later") is None
        assert copy.check() == []
        copy.close()

    def test_what_was_committed_is_there_again(self, disk: Disk[LogStore]) -> None:
        if not disk.reopens:
            return
        log = disk.open()
        entries = make_entries(300)
        chain = fill(log, entries)
        rows = log.chains()
        log.close()
        log = disk.open()
        assert log.chains() == rows
        assert held(log, chain) == list(enumerate(entries, 1))
        log.close()

    def test_others_see_what_was_committed_last(self, log: LogStore) -> None:
        entries = make_entries(40)
        chain = fill(log, entries[:10])
        seen: list[int] = []

        def look() -> None:
            seen.append(len(held(log, chain)))

        with log.transaction(durable=False):
            extend(log, chain, entries[10:], Head(10, follow(START, entries)[9]))
            thread = threading.Thread(target=look)
            thread.start()
            thread.join(0.2)  # it may wait for the commit, but must not see half of it
        thread.join()
        look()
        assert seen[0] in (10, 40)
        assert seen[1] == 40


def unpacked(log: LogStore, chain: int, first: int, last: int) -> Range:
    """Unpack a range of the store against the head of its group."""
    return unpack(log.packed(chain, first, last), log.group_head(chain, first))


def _compressed_otherwise(packed: bytes) -> bytes:
    from sync_protocol.encoding import compress, decompress

    return compress(decompress(packed[1:], 1 << 24), 19)


def record(at: int, **changes: object) -> StoredRecord:
    values: dict[str, object] = {
        "id": RecordId(at.to_bytes(6, "big") + b"r" * 10),
        "type": 1,
        "state": b"state" + at.to_bytes(4, "big"),
        "order": at,
    }
    return StoredRecord(**(values | changes))  # type: ignore[arg-type]


def put(views: ViewStore, *records: StoredRecord) -> None:
    with views.transaction():
        views.save(records)


def pages(views: ViewStore, query: Query) -> list[StoredRecord]:
    """Follow the pages to the end."""
    found: list[StoredRecord] = []
    while True:
        page = views.find(query)
        found += page
        if len(page) < query.limit:
            return found
        last = page[-1]
        query = Query(
            query.type,
            query.facet,
            query.text,
            query.disputed,
            (last.order, last.id),
            query.limit,
        )


class ViewLaws:
    """What every view store keeps."""

    @pytest.fixture
    def disk(self) -> Disk[ViewStore]:
        raise NotImplementedError

    @pytest.fixture
    def views(self, disk: Disk[ViewStore]) -> Iterator[ViewStore]:
        store = disk.open()
        yield store
        store.close()

    def test_records_come_back_as_they_were(self, views: ViewStore) -> None:
        full = record(
            1,
            pending=b"p",
            facet="nhận",
            text="nguyen van a",
            order=2**64 - 1,
            disputes=2,
            since=2**64 - 1,
            claims=(Claim(1, 2, "z"), Claim(1, 2, "a")),
            attachments=(AttachmentId(b"2" * 32), AttachmentId(b"1" * 32)),
        )
        put(views, full, record(2))
        assert views.load([full.id, record(2).id, record(3).id]) == {
            full.id: full,
            record(2).id: record(2),
        }
        assert views.load([]) == {}
        assert list(views.scan()) == [full, record(2)]
        changed = record(1, text="le thi b", claims=(Claim(1, 2, "a"),))
        put(views, changed)
        assert views.load([full.id]) == {full.id: changed}
        assert views.find(Query(text="nguyen")) == []
        assert views.owners(AttachmentId(b"1" * 32)) == ()
        with views.transaction():
            views.remove([full.id, record(9).id])
        assert list(views.scan()) == [record(2)]
        assert views.find(Query(text="le")) == []

    def test_the_last_of_equal_ids_in_one_save_stays(self, views: ViewStore) -> None:
        put(views, record(1, text="a"), record(1, text="b"))
        assert [item.text for item in views.scan()] == ["b"]
        assert views.find(Query(text="a")) == []
        assert len(views.find(Query(text="b"))) == 1

    def test_many_records_load_and_scan(self, views: ViewStore) -> None:
        records = [record(at) for at in range(1500)]
        put(views, *reversed(records))
        assert list(views.scan()) == records
        wanted = [item.id for item in records[::2]]
        assert set(views.load(wanted)) == set(wanted)

    def test_ids_within_a_range_come_in_order_and_bounded(self, views: ViewStore) -> None:
        ids = [item.id for item in (record(at) for at in range(10))]
        put(views, *(record(at) for at in reversed(range(10))))
        assert views.ids(ids[2], ids[5], 100) == ids[2:6]
        assert views.ids(ids[2], ids[5], 2) == ids[2:4]
        assert views.ids(ids[5], ids[2], 100) == []

    def test_an_exception_undoes_the_whole_transaction(self, views: ViewStore) -> None:
        put(views, record(1, text="mot"), record(2))
        with pytest.raises(RefusalError), views.transaction():  # noqa: PT012
            views.save([record(1, text="hai"), record(3, claims=(Claim(1, 1, "x"),))])
            views.remove([record(2).id])
            views.put_cursor("c", 1)
            views.hold([Held(1, 1, "r", ())])
            assert views.find(Query(text="hai")) != []
            views.reset()
            assert list(views.scan()) == []
            raise RefusalError
        assert list(views.scan()) == [record(1, text="mot"), record(2)]
        assert views.cursors() == {}
        assert views.held() == []
        assert [item.id for item in views.find(Query(text="mot"))] == [record(1).id]
        with pytest.raises(AssertionError):
            views.put_cursor("outside", 1)

    @pytest.mark.parametrize("limit", [1, 7, 50])
    def test_pages_have_no_gaps_and_no_repeats(self, views: ViewStore, limit: int) -> None:
        records = [
            record(at, type=1 + at % 3, facet="abc"[at % 2], order=at // 4, disputes=at % 5 == 0)
            for at in range(120)
        ]
        put(views, *records)
        newest = sorted(records, key=lambda item: (item.order, item.id), reverse=True)
        for query, wanted in (
            (Query(limit=limit), newest),
            (Query(type=2, limit=limit), [item for item in newest if item.type == 2]),
            (Query(facet="a", limit=limit), [item for item in newest if item.facet == "a"]),
            (
                Query(type=3, facet="b", limit=limit),
                [item for item in newest if (item.type, item.facet) == (3, "b")],
            ),
            (Query(disputed=True, limit=limit), [item for item in newest if item.disputes]),
            (
                Query(type=1, disputed=True, limit=limit),
                [item for item in newest if item.disputes and item.type == 1],
            ),
        ):
            assert pages(views, query) == wanted
        assert views.find(Query(limit=0)) == []
        assert views.find(Query(limit=10**6)) == newest

    def test_search_by_the_start_of_every_word(self, views: ViewStore) -> None:
        put(
            views,
            record(1, text="nguyen van hoa 079123456789 h-12/2026"),
            record(2, text="tran thi hoa 079123450000"),
            record(3, text="thach thi sa ruong"),
            record(4, text="Hoa nguyen", facet="x"),
            record(5, text="chợ lớn ក្មេង"),
            record(6),
        )

        def ids(text: str, **more: object) -> list[int]:
            found = views.find(Query(text=text, **more))  # type: ignore[arg-type]
            return [int.from_bytes(item.id[:6], "big") for item in found]

        assert ids("hoa") == [4, 2, 1]
        assert ids("nguyen hoa") == [4, 1]
        assert ids("hoa nguyen") == [4, 1]
        assert ids("ng h") == [4, 1]
        assert ids("HOA") == [4, 2, 1]
        assert ids("07912345") == [2, 1]
        assert ids("h-12/2026") == [1]
        assert ids("12 2026") == [1]
        assert ids("guyen") == []
        assert ids("hoa", facet="x") == [4]
        assert ids("hoa", type=2) == []
        assert ids("chợ") == [5]
        assert ids("ក្") == [5]
        assert ids("hoa", before=(2, record(2).id)) == [1]

    @pytest.mark.parametrize(
        "text",
        [
            '"',
            "'",
            '"" OR ""',
            "hoa*",
            "* *",
            "text:hoa",
            "NEAR(a b, 2)",
            "-hoa",
            "^hoa",
            "a AND",
            "NOT",
            "(",
            "{a}: b",
            "\x00",
            "a\x00b",
            "\ud800",
            "\U0010ffff",
            "a" * 100_000,
            "a b " * 10_000,
            " ".join(str(number) for number in range(1000)),
            "%_",
            "\\",
            ";drop table record",
            "\u0301",
            "  ",
            "🙂",
        ],
        ids=lambda text: ascii(text[:12]),
    )
    def test_no_text_breaks_a_search(self, views: ViewStore, text: str) -> None:
        put(views, record(1, text="hoa and not near 12"))
        for query in (Query(text=text), Query(text=text, facet="x", type=1)):
            assert len(views.find(query)) <= 1
        assert list(views.scan()) == [record(1, text="hoa and not near 12")]

    def test_a_search_with_many_hits_pages_like_one_with_few(self, views: ViewStore) -> None:
        records = [
            record(at, order=(at * 37) % 500, text=f"nguyen so{at}", facet="ab"[at % 2])
            for at in range(2400)
        ]
        put(views, *records)
        newest = sorted(records, key=lambda item: (item.order, item.id), reverse=True)
        assert pages(views, Query(text="nguyen", limit=200)) == newest
        assert pages(views, Query(text="ng", facet="a", limit=200)) == [
            item for item in newest if item.facet == "a"
        ]
        few = pages(views, Query(text="so12", limit=10))
        assert few == [item for item in newest if item.text.startswith("nguyen so12")]

    def test_clashes_and_owners(self, views: ViewStore) -> None:
        number, other, scan = Claim(1, 2, "A-1"), Claim(1, 3, "A-1"), AttachmentId(b"s" * 32)
        put(
            views,
            record(1, claims=(number, number), attachments=(scan, scan)),
            record(2, claims=(other,)),
        )
        assert views.clashes() == {}
        put(views, record(3, claims=(number, other), attachments=(scan, AttachmentId(b"t" * 32))))
        assert views.clashes() == {
            number: (record(1).id, record(3).id),
            other: (record(2).id, record(3).id),
        }
        assert views.owners(scan) == (record(1).id, record(3).id)
        assert list(views.attachments()) == [b"s" * 32, b"t" * 32]
        put(views, record(3))
        assert views.clashes() == {}
        with views.transaction():
            views.remove([record(1).id])
        assert list(views.attachments()) == []

    def test_quarantine(self, views: ViewStore) -> None:
        rows = [Held(2, 1, "b", (record(1).id, record(2).id)), Held(1, 9, "a", ())]
        with views.transaction():
            views.hold(rows)
            views.hold([Held(1, 9, "c", (record(3).id,))])
        assert views.held() == [Held(1, 9, "c", (record(3).id,)), rows[0]]
        with views.transaction():
            views.release(1, [9, 10])
        assert views.held() == [rows[0]]

    def test_counts(self, views: ViewStore) -> None:
        assert views.counts().records == 0
        put(
            views,
            record(1, facet="a", disputes=1, since=7),
            record(2, facet="a", disputes=2, since=5),
            record(3, facet="b"),
            record(4),
        )
        with views.transaction():
            views.hold([Held(1, 1, "r", ())])
        counts = views.counts()
        assert (counts.records, counts.disputed, counts.oldest_dispute, counts.held) == (4, 2, 5, 1)
        assert counts.by_facet == {"a": 2, "b": 1}

    def test_cursors_and_reset(self, views: ViewStore) -> None:
        put(
            views,
            record(1, text="a", claims=(Claim(1, 1, "x"),), attachments=(AttachmentId(b"s"),)),
        )
        with views.transaction():
            views.put_cursor("b", 2)
            views.put_cursor("a", 1)
            views.put_cursor("b", 3)
            views.hold([Held(1, 1, "r", ())])
        assert list(views.cursors().items()) == [("a", 1), ("b", 3)]
        with views.transaction():
            views.reset()
        assert list(views.scan()) == []
        assert views.cursors() == {}
        assert views.held() == []
        assert views.find(Query(text="a")) == []
        assert list(views.attachments()) == []
        put(views, record(1, text="b"))
        assert views.find(Query(text="a")) == []
        assert len(views.find(Query(text="b"))) == 1
        assert views.check() == []

    def test_what_was_committed_is_there_again(self, disk: Disk[ViewStore]) -> None:
        if not disk.reopens:
            return
        views = disk.open()
        put(views, record(1, text="a"))
        views.close()
        views = disk.open()
        assert views.find(Query(text="a")) == [record(1, text="a")]
        views.close()


class ChunkLaws:
    """What every chunk store keeps."""

    @pytest.fixture
    def chunks(self) -> ChunkStore:
        raise NotImplementedError

    def test_chunks(self, chunks: ChunkStore) -> None:
        from hashlib import sha256

        address = sha256(b"chunk").digest()
        assert chunks.get(address) is None
        with pytest.raises(BadSignatureError):
            chunks.put(address, b"other")
        chunks.put(address, b"chunk")
        chunks.put(address, b"chunk")
        assert chunks.has(address)
        assert chunks.get(address) == b"chunk"
        assert list(chunks.addresses()) == [address]
        chunks.remove(address)
        chunks.remove(address)
        assert not chunks.has(address)


class JournalLaws:
    """What every capture journal keeps."""

    @pytest.fixture
    def journal(self) -> Journal:
        raise NotImplementedError

    def test_frames_in_order(self, journal: Journal) -> None:
        assert list(journal.frames()) == []
        journal.append(1, [b"one", b""])
        journal.append(3, [b"three"])
        journal.append(4, [])
        assert list(journal.frames()) == [b"one", b"", b"three"]
        with pytest.raises(AssertionError):
            journal.append(9, [b"gap"])
        journal.drop(3)
        assert list(journal.frames())[-1] == b"three"

    def test_restart_begins_anew(self, journal: Journal) -> None:
        journal.append(7, [b"seven"])
        journal.restart()
        assert list(journal.frames()) == []
        journal.append(1, [b"one"])
        assert list(journal.frames()) == [b"one"]
