"""A full disk undoes what memory holds as well, and nothing is lost or doubled after it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sync_protocol.errors import StoreFullError
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
