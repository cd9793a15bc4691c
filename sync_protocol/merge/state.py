"""A record's cells, and their canonical bytes: equal on every replica of equal frontier. Set in stone.

Bytes: MessagePack [type, base, cells, history]. `base` is [dot, timestamp, officer, {field: value}]
of the entry that made the record (nil while it has not come or is held back), with those plain
fields that nobody else has written; `cells` lists every other cell, sorted, as [field, element,
[[dot, timestamp, officer, value, op], …]]; `history` lists the dots of the other entries that
touched the record. A dot is [feed, seq] or [feed, seq, branch]. A record that nobody has edited is
its base alone: one clock for all its fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sync_protocol.encoding import decode, encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import Dot, FeedId, OfficerId
from sync_protocol.merge.register import Cell, Sibling

CellKey = tuple[int, bytes | None]


def _sort_key(key: CellKey) -> tuple[int, bytes]:
    return key[0], key[1] or b""


@dataclass(slots=True)
class RecordState:
    """One record while it is being folded.

    `made` is the dot of the entry that made it. `plain` holds the fields that only that entry has
    written; `cells` all others. `dead` are dots to be dropped when they come.
    """

    type: int
    made: Dot | None = None
    timestamp: int = 0
    officer: OfficerId = OfficerId(b"")
    plain: dict[int, Any] = field(default_factory=dict)
    cells: dict[CellKey, Cell] = field(default_factory=dict)
    dead: dict[CellKey, set[Dot]] = field(default_factory=dict)
    history: set[Dot] = field(default_factory=set)

    def cell(self, key: CellKey) -> Cell:
        """Return the cell to write to, moving it out of `plain` where it lies there."""
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = {}
            if key[1] is None and key[0] in self.plain and self.made is not None:
                value = self.plain.pop(key[0])
                cell[self.made] = Sibling(self.timestamp, self.officer, value)
        return cell

    def living(self, key: CellKey) -> Cell:
        """Return a cell to read (empty where nothing lives)."""
        if key[1] is None and key[0] in self.plain and self.made is not None:
            return {self.made: Sibling(self.timestamp, self.officer, self.plain[key[0]])}
        return self.cells.get(key, {})

    def keys(self) -> list[CellKey]:
        """Return the keys of all living cells, sorted."""
        plain: list[CellKey] = [(number, None) for number in self.plain]
        return sorted([*plain, *(key for key, cell in self.cells.items() if cell)], key=_sort_key)

    def dots(self) -> set[Dot]:
        """Return every entry that touched the record."""
        return self.history | ({self.made} if self.made else set())


def _wire_dot(dot: Dot) -> list[object]:
    return [dot.feed, dot.seq, dot.branch] if dot.branch else [dot.feed, dot.seq]


def _read_dot(row: list[Any]) -> Dot:
    return Dot(FeedId(row[0]), row[1], row[2] if len(row) > 2 else b"")


def encode_state(state: RecordState) -> bytes:
    """Return the canonical bytes of a state (without what only this replica's order made)."""
    plain = state.plain
    cells = state.cells
    if cells and state.made is not None:
        plain, cells = _canonical(state)
    base = None
    if state.made is not None:
        base = [
            _wire_dot(state.made),
            state.timestamp,
            state.officer,
            dict(sorted(plain.items())),
        ]
    rows = [
        [key[0], key[1], [_wire_sibling(dot, cells[key][dot]) for dot in sorted(cells[key])]]
        for key in sorted(cells, key=_sort_key)
        if cells[key]
    ]
    return encode([state.type, base, rows, [_wire_dot(dot) for dot in sorted(state.history)]])


def _wire_sibling(dot: Dot, item: Sibling) -> list[object]:
    row: list[object] = [_wire_dot(dot), item.timestamp, item.officer, item.value]
    return [*row, item.op] if item.op else row


def _canonical(state: RecordState) -> tuple[dict[int, Any], dict[CellKey, Cell]]:
    """Cells that hold just what the making entry wrote belong to the base, however they got there."""
    plain, cells = dict(state.plain), {}
    for key, cell in state.cells.items():
        only = cell.get(state.made) if len(cell) == 1 and state.made is not None else None
        if only is not None and key[1] is None and not only.op:
            plain[key[0]] = only.value
        else:
            cells[key] = cell
    return plain, cells


def decode_state(raw: bytes, pending: bytes = b"") -> RecordState:
    """Read a stored state. Raises `MalformedMessageError` where the bytes are damaged."""
    try:
        kind, base, rows, history = decode(raw, list[Any])
        state = RecordState(kind)
        if base is not None:
            state.made, state.timestamp = _read_dot(base[0]), base[1]
            state.officer, state.plain = OfficerId(base[2]), base[3]
        for number, element, siblings in rows:
            state.cells[number, element] = {
                _read_dot(row[0]): Sibling(row[1], OfficerId(row[2]), row[3], *row[4:5])
                for row in siblings
            }
        state.history = {_read_dot(row) for row in history}
        if pending:
            for number, element, dots in decode(pending, list[Any]):
                state.dead[number, element] = {_read_dot(row) for row in dots}
    except (ValueError, TypeError, IndexError, AttributeError) as cause:
        raise MalformedMessageError("A record's state is damaged.") from cause
    return state


def encode_pending(state: RecordState) -> bytes:
    """Return the dots that are to be dropped when they come; empty where there are none."""
    rows = [
        [key[0], key[1], [_wire_dot(dot) for dot in sorted(dots)]]
        for key, dots in sorted(state.dead.items(), key=lambda item: _sort_key(item[0]))
        if dots
    ]
    return encode(rows) if rows else b""
