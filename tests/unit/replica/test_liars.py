"""An enrolled device that lies: what it writes or sends stops nobody else's work."""

from __future__ import annotations

from typing import Any

import pytest

from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.record.change import CellWrite, RecordChange
from tests.clinic import CLINIC, PATIENT
from tests.ward import Device, Ward

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
