"""An enrolled device that lies: what it writes or sends stops nobody else's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sync_protocol import limits
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.identity import NO_OFFICER
from sync_protocol.log.block import pack
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.log.feed import Head, declare
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.membership import grant as g
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.wire import message as m
from sync_protocol.wire.push import Push, Pushed, RangeItem
from tests.clinic import CLINIC, PATIENT
from tests.ward import Device, Ward, keys_of

ODD: list[Any] = [
    None, True, -(2**63), 2**64 - 1, "", "\x00\x1b[31m", "x" * 5000, b"", b"\xff" * 16,
    [], [[]], [None] * 9, ["one"], [b"raw", b"raw"], {}, {b"key": {1: [None]}},
    [["x", 1], [7, [0]]],
]  # fmt: skip
"""Values that no form of ours gives, and that MessagePack carries all the same."""


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def liar(ward: Ward) -> Device:
    return ward.device("liar", g.TABLET)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_stop_no_view(ward: Ward, liar: Device, value: object) -> None:
    for field in CLINIC.types[0].fields:
        element = (b"e" * 16,) if field.has_elements else ()
        for cell in (None, *element):
            write = CellWrite(field.id, cell, value)
            made = RecordChange(None, PATIENT.id, {field.id: value}, (write,))
            record = liar.replica.write([made], NO_OFFICER).records[0]
            liar.replica.write([RecordChange(record, PATIENT.id, {}, (write,))], NO_OFFICER)
    honest = ward.device("honest")
    record = honest.admit()
    ward.sync(liar)
    ward.sync(honest)
    assert ward.hub.replica.follower.lag() == 0
    for stored in list(ward.hub.replica.rooms.views.scan()):
        ward.hub.show(stored.id)
    assert ward.hub.show(record).value("name") == "Nguyễn Văn An"


# --- what somebody who may not speak for others can leave behind ----------------------------------


def one_entry(feed: bytes, head: Head, number: int) -> tuple[RangeItem, bytes, Entry]:
    entry = Entry.of(Header(number, NO_OFFICER, 1, CHANGESET), b"saltsalt" + bytes([number]))
    packed = pack(head.seq + 1, [entry])
    digest = m.payload_digest(packed)
    return (
        RangeItem(feed, head.seq + 1, 1, head.hash[:16], len(packed), digest),
        packed,
        entry,
    )


def push(
    liar: Device, ward: Ward, declared: Sequence[bytes], seals: Sequence[bytes], *brought: Any
) -> Pushed:
    initiator = Initiator(liar.replica, ward.wire(), ward.hub.keys.public)
    items, payloads = [item[0] for item in brought], [item[1] for item in brought]
    body = Push(list(declared), list(seals), items)
    return initiator.ask(m.Kind.PUSH, body, payloads, Pushed)[0]


def test_nobody_branches_or_stages_a_feed_of_others(ward: Ward, liar: Device) -> None:
    own = ward.hub.replica.own
    held = len(ward.hub.replica.holding.chains)
    junk = [one_entry(own.feed, own.declared.start, number) for number in range(5)]
    junk.append(one_entry(own.feed, own.row.head, 9))
    for seals in ([], [own.row.seal]):
        answer = push(liar, ward, [], seals, *junk)
        assert [code for _, code, _ in answer.refused] == ["bad-signature"]
        assert answer.staged == []
    assert len(ward.hub.replica.holding.chains) == held


def test_a_device_that_forks_on_purpose_is_bounded(
    ward: Ward, liar: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FEEDS_PER_DEVICE_MAX", 3)
    declared = declare(liar.keys, ward.hub.replica.holding.ward, b"incarnat")
    refused = []
    for number in range(8):
        item, packed, entry = one_entry(declared.feed, declared.start, number)
        after = entry.follow(declared.start.hash)
        seal = encode_seal(make_seal(liar.keys.signing, declared.feed, 1, after))
        answer = push(liar, ward, [declared.raw], [seal], (item, packed))
        refused += [code for _, code, _ in answer.refused]
    assert refused == ["limit-exceeded"] * 5
    assert len(ward.hub.replica.holding.by_feed[declared.feed]) == 3


def test_feeds_of_invented_keys_leave_room_for_those_of_devices(
    ward: Ward, liar: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FEEDS_PER_DEVICE_MAX", 3)
    of = ward.hub.replica.holding.ward
    invented = [declare(keys_of(f"nobody {n}"), of, b"incarnat").raw for n in range(9)]
    answer = push(liar, ward, invented, [])
    assert [code for _, code, _ in answer.refused] == ["limit-exceeded"] * 6
    honest = ward.device("honest", g.TABLET)
    honest.admit()
    assert ward.sync(honest).refused == {}
    assert ward.hub.replica.digest().records == 1
