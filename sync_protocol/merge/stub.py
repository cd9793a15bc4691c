"""A stub: what a tablet keeps of a record that it let go of. Fetch it, then show it.

A stub is a state like any other, so that it is stored, and folded upon, like any other: type, dots,
and one cell of a reserved field under a critical opcode, whose value names the state that was let
go of by its SHA-256. No value of the record is left in it; nothing of it is shown, and nobody may
write upon it. Entries that come for it meanwhile are noted by their dots; the record is fetched.
"""

from __future__ import annotations

import hashlib

from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import OfficerId
from sync_protocol.merge.register import Cell, Sibling
from sync_protocol.merge.state import CellKey, RecordState, decode_state, encode_state
from sync_protocol.record.change import CRITICAL

STUB_FIELD = -1
_MARK = b"motcua/stub/1"
_COUNT_BYTES = 4
_KEY = (STUB_FIELD, None)


def make_stub(state: RecordState) -> RecordState:
    """Return the stub of a record whose making entry is known."""
    if state.made is None:
        raise AssertionError("a record that waits for its making entry is not let go of")
    digest = hashlib.sha256(encode_state(state)).digest()
    count = len(state.dots()).to_bytes(_COUNT_BYTES, "big")
    mark = Sibling(state.timestamp, OfficerId(b""), _MARK + count + digest, CRITICAL)
    cells: dict[CellKey, Cell] = {_KEY: {state.made: mark}}
    stub = RecordState(state.type, state.made, state.timestamp, cells=cells)
    stub.history = set(state.history)
    return stub


def is_stub(state: RecordState) -> bool:
    """Whether a state is a stub, touched or not."""
    return any(
        item.op == CRITICAL and isinstance(item.value, bytes) and item.value.startswith(_MARK)
        for item in state.cells.get(_KEY, {}).values()
    )


def is_touched(state: RecordState) -> bool:
    """Whether entries came for a stub since it was made."""
    return _counted(state) != len(state.dots())


def _counted(state: RecordState) -> int:
    value: bytes = next(iter(state.cells[_KEY].values())).value
    return int.from_bytes(value[len(_MARK) : len(_MARK) + _COUNT_BYTES], "big")


def state_digest(raw: bytes) -> bytes:
    """Return the SHA-256 of a stored state; of a stub, that of the state which it stands for."""
    if _MARK in raw:
        try:
            state = decode_state(raw)
        except MalformedMessageError:
            state = RecordState(0)
        if is_stub(state) and not is_touched(state):
            value: bytes = next(iter(state.cells[_KEY].values())).value
            return value[len(_MARK) + _COUNT_BYTES :]
    return hashlib.sha256(raw).digest()
