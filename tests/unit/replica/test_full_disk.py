"""A full disk undoes what memory holds as well, and nothing is lost or doubled after it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sync_protocol.errors import StoreFullError
from sync_protocol.storage.memory import MemoryLog
from tests.small_ward import Ward, make


@pytest.mark.parametrize("room", range(12))
def test_whatever_write_finds_the_disk_full_the_next_exchange_brings_all(room: int) -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    left = [room]

    def full(name: str) -> None:
        if name == "committed":
            return
        left[0] -= 1
        if left[0] < 0:
            raise StoreFullError("full")

    log = ward.stores["hub"].log
    log.transactions.on_write = full
    with suppress(StoreFullError):
        ward.sync("e1")
    log.transactions.on_write = None
    held = {chain.feed: chain.row for chain in ward["hub"].holding.chains.values()}
    assert [row for row in log.chains() if row.staged.seq] == [
        row for row in held.values() if row.staged.seq
    ]
    make(ward["e1"], "Bình")
    ward.sync("e1")
    assert ward["hub"].digest() == ward["e1"].digest()
    assert ward["hub"].digest().records == 2


def test_what_was_acknowledged_outlives_the_whole_store_of_the_log() -> None:
    ward = Ward("e1")
    replica = ward["e1"]
    with replica.lock:
        replica.author.new_incarnation("restored")
    record = make(replica, "An")
    assert ward.reopen("e1").read(record) is not None
    # The write-ahead log lost its end, and with it the feed's own beginning.
    ward.stores["e1"].log.restore(MemoryLog().snapshot())
    replica = ward.reopen("e1")
    assert replica.author.notice == "replayed-1"
    ward.sync("e1")
    assert ward["hub"].read(record) is not None
    assert ward["hub"].digest() == replica.digest()


def test_a_crash_between_journal_and_store_leaves_one_new_feed() -> None:
    ward = Ward("e1")
    make(ward["e1"], "An")
    log = ward.stores["e1"].log

    def full(name: str) -> None:
        if name == "put_chain":
            raise StoreFullError("full")

    log.transactions.on_write = full
    with pytest.raises(StoreFullError), ward["e1"].lock:
        ward["e1"].author.new_incarnation("restored")
    log.transactions.on_write = None
    replica = ward.reopen("e1")
    make(replica, "Bình")
    ward.sync("e1")
    assert ward["hub"].digest() == replica.digest()
    assert replica.digest().records == 2
