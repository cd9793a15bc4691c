"""The stores on SQLCipher keep the laws, and what only a disk can break."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sync_protocol.errors import (
    NewerStoreError,
    StorageError,
    StoreBusyError,
    StoreCorruptError,
    StoreFullError,
    WrongKeyError,
)
from sync_protocol.log.block import pack
from sync_protocol.log.feed import Head, follow
from sync_protocol.storage import sqlite
from sync_protocol.storage.memory import MemoryLog, MemoryViews
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews
from sync_protocol.storage.store import Claim, LogStore, Query, ViewStore
from tests.conformance.store_suite import (
    START,
    Disk,
    LogLaws,
    RefusalError,
    ViewLaws,
    chain_row,
    extend,
    fill,
    held,
    make_entries,
    put,
    record,
)

KEY = bytes(range(32))
ROOT = Path(__file__).parents[2]


class TestSqliteLog(LogLaws):
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Disk[LogStore]:
        return Disk(
            lambda: SqliteLog(str(tmp_path / "log"), KEY),
            True,
            lambda name: str(tmp_path / name),
            lambda _, path: SqliteLog(path, KEY),
        )


class TestSqliteViews(ViewLaws):
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Disk[ViewStore]:
        return Disk(
            lambda: SqliteViews(str(tmp_path / "views"), KEY),
            True,
            lambda name: str(tmp_path / name),
            lambda _, path: SqliteViews(path, KEY),
        )


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture
def log(path: str) -> Iterator[SqliteLog]:
    store = SqliteLog(path, KEY)
    yield store
    store.close()


def note(log: SqliteLog, key: str, value: bytes = b"", *, durable: bool = True) -> None:
    with log.transaction(durable=durable):
        log.put_note(key, value)


# --- both stores say the same -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_random_work_leaves_both_logs_equal(path: str, seed: int) -> None:
    random = Random(seed)
    stores: list[LogStore] = [MemoryLog(), SqliteLog(path, KEY)]
    begin = random.choice([0, 0, 100, 256, 300])
    head = Head(begin, random.randbytes(32))
    hashes = {begin: head.hash}
    first = begin + 1
    for log in stores:
        with log.transaction(durable=True):
            log.put_chain(chain_row(head=head, floor=head))
    for step in range(40):
        act = random.choice(["append"] * 6 + ["truncate", "drop", "erase"])
        entries = make_entries(random.choice([1, 3, 200, 256, 400]), seed=seed * 1000 + step)
        seqs = [random.randint(max(1, begin - 5), head.seq + 5) for _ in range(3)]
        results = []
        for log in stores:
            with log.transaction(durable=bool(step % 2)):
                if act == "append":
                    part = entries[: 256 - head.seq % 256]
                    log.append(1, head, part, pack(head.seq + 1, part))
                elif act == "truncate":
                    log.truncate(1, max(seqs[0], first - 1))
                elif act == "drop":
                    floor = max(item for item in (begin, seqs[0] // 256 * 256) if item in hashes)
                    log.put_chain(chain_row(1, head, Head(floor, hashes[floor])))
                    log.drop(1, seqs[0])
                else:
                    log.erase(1, seqs)
            results.append(
                (
                    held(log, 1),
                    [log.hash_at(1, seq) for seq in range(begin, head.seq + 400, 41)],
                    [log.group_head(1, seq) for seq in range(1, head.seq, 1000)],
                )
            )
        assert results[0] == results[1]
        if results[0][0]:
            first = results[0][0][0][0]
            start = stores[0].hash_at(1, first - 1)
            assert start is not None
            chained = follow(Head(first - 1, start), [entry for _, entry in results[0][0]])
            hashes |= {first - 1: start} | dict(enumerate(chained, first))
            head = Head(first + len(chained) - 1, chained[-1])
        else:
            head = Head(first - 1, hashes[first - 1]) if act == "truncate" else head
            first = head.seq + 1
    stores[1].close()


@pytest.mark.parametrize("seed", range(4))
def test_random_work_leaves_both_views_equal(path: str, seed: int) -> None:
    random = Random(seed)
    words = ["hoa", "lan", "nguyen", "nga", "thi", "thanh", "12", "123", "h-1", "chợ", "lớn"]
    stores: list[ViewStore] = [MemoryViews(), SqliteViews(path, KEY)]
    for _ in range(30):
        saved = [
            record(
                random.randrange(200),
                type=random.randint(1, 2),
                facet=random.choice(["", "a", "b"]),
                text=" ".join(random.choices(words, k=3)),
                order=random.randrange(50),
                disputes=random.choice([0, 0, 0, 1]),
                since=random.randrange(9),
                claims=tuple(
                    Claim(1, 1, random.choice(words)) for _ in range(random.choice([0, 2]))
                ),
            )
            for _ in range(random.randrange(60))
        ]
        removed = [record(random.randrange(200)).id for _ in range(random.randrange(9))]
        queries = [
            Query(
                type=random.choice([0, 1, 2]),
                facet=random.choice(["", "", "a", "zz"]),
                text=random.choice(["", "n", "h", "ng t", "12", random.choice(words), "h-1 hoa"]),
                disputed=random.random() < 0.2,
                before=random.choice([None, (20, record(5).id)]),
                limit=random.choice([3, 200]),
            )
            for _ in range(10)
        ]
        results = []
        for views in stores:
            with views.transaction():
                views.save(saved)
                views.remove(removed)
            results.append(
                (
                    list(views.scan()),
                    [views.find(query) for query in queries],
                    views.clashes(),
                    views.counts(),
                )
            )
        assert results[0] == results[1]
    assert stores[1].check() == []
    stores[1].close()


def test_no_head_is_remembered_that_is_not_there(path: str) -> None:
    """Undone and foreign erasures change heads behind the back of whoever remembers them."""
    log, other = SqliteLog(path, KEY), SqliteLog(path, KEY)
    entries = make_entries(1024)
    chain = fill(log, entries[:256])
    heads = [Head(seq, after) for seq, after in enumerate(follow(START, entries), 1)]
    with pytest.raises(RefusalError), log.transaction(durable=False):  # noqa: PT012
        log.erase(chain, [1])
        log.append(chain, heads[255], entries[256:512], b"")
        raise RefusalError
    with log.transaction(durable=False):
        log.append(chain, heads[255], entries[256:512], b"")
    assert held(other, chain) == list(enumerate(entries[:512], 1))
    with other.transaction(durable=False):
        other.erase(chain, [2])
    with log.transaction(durable=False):
        log.append(chain, heads[511], entries[512:768], b"")
    reading = log.entries(chain, 257, 768)
    assert next(reading) == (257, entries[256])
    with other.transaction(durable=False):
        other.erase(chain, [3])
        assert next(reading) == (258, entries[257])
    assert [entry for _, entry in reading] == entries[258:768]
    with log.transaction(durable=False):
        log.append(chain, heads[767], entries[768:], b"")
    for store in (log, other):
        assert [entry for _, entry in held(store, chain, 4)] == entries[3:]
        store.close()


# --- nothing in clear, and the right key --------------------------------------------------------

SECRET = b"079123456789-bi-mat"


def files(path: str) -> dict[str, bytes]:
    found = Path(path).parent.glob(Path(path).name + "*")
    return {item.name: item.read_bytes() for item in found}


def test_nothing_is_in_clear_on_the_disk(path: str, tmp_path: Path) -> None:
    log = SqliteLog(path, KEY)
    views = SqliteViews(path + "-views", KEY)
    fill(log, make_entries(300))
    note(log, SECRET.decode(), SECRET * 100)
    put(views, *[record(at, text=SECRET.decode(), state=SECRET) for at in range(2000)])
    views.find(Query(text="079123456789"))
    copy = str(tmp_path / "copy")
    log.copy_to(copy)
    found = files(path) | files(copy)
    assert {"store", "store-wal", "store-shm", "store-views-wal"} <= set(found)
    for content in found.values():
        assert SECRET not in content
        assert b"079123456789" not in content
        assert b"SQLite format 3" not in content
        assert b"create table" not in content.lower()
    log.close()
    views.close()
    # The positive control: the same work without a key is found in clear.
    import sqlite3

    plain = sqlite3.connect(tmp_path / "plain")
    plain.execute("create table note (value blob)")
    plain.execute("insert into note values (?)", (SECRET,))
    plain.commit()
    plain.close()
    content = (tmp_path / "plain").read_bytes()
    assert SECRET in content
    assert b"SQLite format 3" in content


def test_a_wrong_key_is_told_apart(path: str, log: SqliteLog) -> None:
    note(log, "a")
    log.close()
    before = files(path)
    with pytest.raises(WrongKeyError):
        SqliteLog(path, bytes(32))
    assert files(path) == before
    again = SqliteLog(path, KEY)
    assert again.note("a") == b""
    again.close()
    with pytest.raises(AssertionError):
        SqliteLog(path, b"short")


@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\0" * 300, b"\0" * 8192])
def test_a_file_that_is_no_store_is_left_alone(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    with pytest.raises(WrongKeyError):
        SqliteLog(path, KEY)
    assert Path(path).read_bytes() == content


def test_a_plain_database_is_never_taken(path: str) -> None:
    import sqlite3

    plain = sqlite3.connect(path)
    plain.execute("create table chain (number integer)")
    plain.commit()
    plain.close()
    with pytest.raises(WrongKeyError):
        SqliteLog(path, KEY)


def test_without_a_cipher_nothing_is_opened(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    monkeypatch.setattr(sqlite, "connect", sqlite3.connect)
    with pytest.raises(StorageError, match="can't encrypt"):
        SqliteLog(path, KEY)
    assert not Path(path).exists() or Path(path).read_bytes() == b""


def test_an_old_sqlite_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SQLITE_VERSION_MIN", (99, 0, 0))
    with pytest.raises(StorageError, match="too old"):
        SqliteLog(path, KEY)
    assert not Path(path).exists()


def test_a_newer_store_is_refused_and_left_alone(path: str, log: SqliteLog) -> None:
    log.close()
    raw = sqlite.connect(path)
    raw.execute(f"pragma key=\"x'{KEY.hex()}'\"")
    raw.execute("pragma user_version=99")
    raw.close()
    before = files(path)
    with pytest.raises(NewerStoreError) as refusal:
        SqliteLog(path, KEY)
    assert refusal.value.evidence == {"store": 99, "program": 1}
    assert files(path) == before


def test_a_store_of_another_kind_is_refused(path: str, log: SqliteLog) -> None:
    with pytest.raises(StorageError, match="another kind"):
        SqliteViews(path, KEY)
    assert log.check() == []


# --- damage -------------------------------------------------------------------------------------


def test_damaged_pages_are_found_and_never_leave_raw(path: str) -> None:
    log = SqliteLog(path, KEY)
    entries = make_entries(2000, size=300)
    chain = fill(log, entries)
    log.close()
    content = bytearray(Path(path).read_bytes())
    for page in range(8, len(content) // 4096, 3):
        content[page * 4096 + 99] ^= 1
    Path(path).write_bytes(content)
    log = SqliteLog(path, KEY)
    assert log.check() != []
    with pytest.raises(StoreCorruptError):
        held(log, chain)
    log.close()


def test_a_damaged_first_page_does_not_open(path: str, log: SqliteLog) -> None:
    log.close()
    content = bytearray(Path(path).read_bytes())
    content[500] ^= 1
    Path(path).write_bytes(content)
    with pytest.raises(WrongKeyError, match="first page"):
        SqliteLog(path, KEY)


def test_a_copy_is_written_to_a_new_file_only(tmp_path: Path, log: SqliteLog) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    with pytest.raises(StorageError):
        log.copy_to(str(tmp_path / "there"))
    assert (tmp_path / "there").read_bytes() == b"mine"
    with pytest.raises(StorageError):
        log.copy_to(str(tmp_path / "no" / "folder"))


def test_a_closed_store_is_not_used(path: str) -> None:
    log = SqliteLog(path, KEY)
    log.close()
    log.close()
    with pytest.raises(AssertionError):
        log.note("a")
    with pytest.raises(AssertionError), log.transaction(durable=True):
        pass


# --- threads and processes ----------------------------------------------------------------------


def test_readers_in_threads_see_whole_commits(path: str) -> None:
    log = SqliteLog(path, KEY)
    entries = make_entries(2000)
    chain = fill(log, [])
    done = threading.Event()
    failures: list[str] = []

    def read() -> None:
        while not done.is_set():
            count = len(held(log, chain))
            if count % 10 or log.note("count") not in (None, *counts):
                failures.append(str(count))

    counts = [str(number).encode() for number in range(0, 2001, 10)]
    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    head = START
    for at in range(0, 2000, 10):
        with log.transaction(durable=False):
            head = extend(log, chain, entries[at : at + 10], head)
            log.put_note("count", str(at + 10).encode())
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert held(log, chain) == list(enumerate(entries, 1))
    log.close()


def test_writers_in_threads_take_turns(log: SqliteLog) -> None:
    def write(name: str) -> None:
        for _ in range(40):
            with log.transaction(durable=False):
                count = int(log.note("count") or b"0")
                log.put_note("count", str(count + 1).encode())
                log.put_note(name, b"")

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.note("count") == b"200"


def test_a_second_writer_waits_and_then_gives_up(path: str, log: SqliteLog) -> None:
    other = SqliteLog(path, KEY, timeout_s=0.05)
    with log.transaction(durable=False):
        with pytest.raises(StoreBusyError), other.transaction(durable=False):
            pass
        assert other.note("a") is None
    note(other, "a")
    assert log.note("a") == b""
    other.close()


def run(code: str, path: str, *arguments: str) -> subprocess.Popen[str]:
    begin = f"""
        import os, resource, sys
        from tests.conformance.store_suite import *
        from sync_protocol.storage.sqlite_log import SqliteLog
        log = SqliteLog({path!r}, bytes(range(32)))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(begin) + textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.process
def test_two_processes_read_while_one_writes(path: str) -> None:
    log = SqliteLog(path, KEY)
    entries = make_entries(600)
    chain = fill(log, entries[:10])
    readers = [
        run(
            """
            print("ready", flush=True)
            seen = set()
            while (count := len(held(log, 1))) < 600:
                if count % 10: sys.exit("half a commit")
                seen.add(count)
            print(len(seen))
            """,
            path,
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    head = Head(10, follow(START, entries)[9])
    for at in range(10, 600, 10):
        with log.transaction(durable=True):
            head = extend(log, chain, entries[at : at + 10], head)
    for reader in readers:
        output, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0, output
    assert log.check() == []
    log.close()


@pytest.mark.process
def test_a_killed_writer_loses_nothing_that_it_acknowledged(path: str) -> None:
    random = Random(20)
    SqliteLog(path, KEY).close()
    for _ in range(20):
        writer = run(
            """
            rows = log.chains()
            chain = rows[0].number if rows else fill(log, [])
            kept = held(log, chain)
            head = Head(len(kept), log.hash_at(chain, len(kept)))
            print("ready", flush=True)
            while True:
                with log.transaction(durable=True):
                    head = log.append(chain, head, make_entries(1, head.seq), b"")
                    log.put_note("last", str(head.seq).encode())
                print(head.seq, flush=True)
            """,
            path,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        for _ in range(random.randrange(1, 60)):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = int(whole[-1]) if whole else acknowledged
        log = SqliteLog(path, KEY)
        kept = held(log, 1)
        assert len(kept) >= acknowledged
        assert log.note("last") == str(len(kept)).encode()
        assert [entry for _, entry in kept[-3:]] == [
            make_entries(1, seq - 1)[0] for seq, _ in kept[-3:]
        ]
        assert log.check() == []
        log.close()


def write_until_refused(log: SqliteLog) -> tuple[int, StorageError]:
    """Append blocks until the disk takes no more; return the last acknowledged seq and why."""
    chain, head = fill(log, []), START
    while True:
        try:
            with log.transaction(durable=True):
                after = log.append(chain, head, make_entries(256, head.seq, 300), b"")
        except StorageError as refusal:
            return head.seq, refusal
        head = after


def check_nothing_was_lost(log: SqliteLog, saved: int) -> None:
    assert saved > 0
    assert [seq for seq, _ in held(log, 1)] == list(range(1, saved + 1))
    assert log.check() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.process
def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path) -> None:
    path = str(small_disk / "log")
    log = SqliteLog(path, KEY)
    saved, refusal = write_until_refused(log)
    assert isinstance(refusal, StoreFullError)
    check_nothing_was_lost(log, saved)
    with pytest.raises(StoreFullError):
        put_blob(log)
    log.close()
    log = SqliteLog(path, KEY)
    check_nothing_was_lost(log, saved)
    log.close()


def put_blob(log: SqliteLog) -> None:
    with log.transaction(durable=True):
        log.put_note("big", bytes(4 << 20))


@pytest.mark.process
def test_a_file_that_may_not_grow_loses_nothing(path: str) -> None:
    writer = run(
        """
        from tests.conformance.test_sqlite_stores import check_nothing_was_lost, write_until_refused
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        saved, refusal = write_until_refused(log)
        check_nothing_was_lost(log, saved)
        print(saved)
        """,
        path,
    )
    output, _ = writer.communicate(timeout=60)
    assert writer.returncode == 0
    saved = int(output)
    log = SqliteLog(path, KEY)
    check_nothing_was_lost(log, saved)
    entries = [entry for _, entry in held(log, 1)]
    with log.transaction(durable=True):
        log.append(1, Head(saved, follow(START, entries)[-1]), make_entries(1), b"")
    log.close()


def test_no_room_from_the_database_itself(path: str) -> None:
    log = SqliteLog(path, KEY)
    chain = fill(log, make_entries(10))
    with log.transaction(durable=False), log._file.writing() as connection:
        count = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count={count + 2}")
    with pytest.raises(StoreFullError), log.transaction(durable=True):
        log.put_note("big", bytes(1 << 20))
    assert log.note("big") is None
    assert len(held(log, chain)) == 10
    note(log, "small")
    log.close()


def test_the_settings_that_hold(log: SqliteLog) -> None:
    wanted = {"journal_mode": "wal", "page_size": "4096", "foreign_keys": 1, "temp_store": 2}

    def asked(names: dict[str, object]) -> dict[str, object]:
        with log._file.reading() as connection:
            return {name: connection.execute(f"pragma {name}").fetchone()[0] for name in names}

    assert asked(wanted) == wanted
    for durable, level in ((True, 2), (False, 1), (False, 1), (True, 2)):
        with log.transaction(durable=durable):
            assert asked(wanted | {"synchronous": 0}) == wanted | {"synchronous": level}


def test_a_migration_lands_whole_or_not_at_all(path: str) -> None:
    from sync_protocol.storage.sqlite_chains import SCHEMA

    SqliteLog(path, KEY).close()

    def good(db: Any) -> None:
        db.execute("create table more (a)")

    def bad(db: Any) -> None:
        db.execute("create table worse (a)")
        raise ValueError

    with pytest.raises(ValueError):
        sqlite.open_database(path, KEY, replace(SCHEMA, steps=(*SCHEMA.steps, good, bad)))
    connection = sqlite.open_database(path, KEY, replace(SCHEMA, steps=(*SCHEMA.steps, good)))
    names = {row[0] for row in connection.execute("select name from sqlite_master")}
    assert "more" in names
    assert "worse" not in names
    assert connection.execute("pragma user_version").fetchone()[0] == 2
    connection.close()
    with pytest.raises(NewerStoreError):
        SqliteLog(path, KEY)
