"""A record's cells, and their canonical bytes, equal at equal frontiers. Set in stone.

Bytes: MessagePack [type, base, cells, history]. `base` is [dot, timestamp, officer, {field: value},
[[field, element, value], …]] of the entry that made the record (nil while it has not come or is
held back), with those fields and elements that nobody else has written; `cells` lists every other
cell, sorted, as [field, element, [[dot, timestamp, officer, value, op], …]]; `history` lists the
dots of the other entries that touched the record. A dot is [feed, seq] or [feed, seq, branch]. A
record that nobody has edited is its base alone: one clock for all its fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sync_protocol.encoding import decode, encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import NO_OFFICER, Dot, FeedId, OfficerId
from sync_protocol.merge.register import Cell, Sibling

CellKey = tuple[int, bytes | None]


def _sort_key(key: CellKey) -> tuple[int, bytes]:
    return key[0], key[1] or b""


class RecordState(msgspec.Struct, gc=False):
    """One record while it is being folded.

    `made` is the dot of the entry that made it. `plain` holds the fields that only that entry has
    written, `members` such elements; `cells` all others. `dead` are dots to be dropped when they
    come.
    """

    type: int
    made: Dot | None = None
    timestamp: int = 0
    officer: OfficerId = NO_OFFICER
    plain: dict[int, Any] = {}
    members: dict[CellKey, Any] = {}
    cells: dict[CellKey, Cell] = {}
    dead: dict[CellKey, set[Dot]] = {}
    history: set[Dot] = set()

    def cell(self, key: CellKey) -> Cell:
        """Return the cell to write to, moving it out of the base where it lies there."""
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = self._of_base(key)
            if cell:
                self.plain.pop(key[0], None) if key[1] is None else self.members.pop(key)
        return cell

    def _of_base(self, key: CellKey) -> Cell:
        if self.made is None:
            return {}
        if key[1] is None:
            if key[0] not in self.plain:
                return {}
            value = self.plain[key[0]]
        elif key in self.members:
            value = self.members[key]
        else:
            return {}
        return {self.made: Sibling(self.timestamp, self.officer, value)}

    def living(self, key: CellKey) -> Cell:
        """Return a cell to read (empty where nothing lives)."""
        cell = self.cells.get(key)
        return self._of_base(key) if cell is None else cell

    def living_values(self, number: int, *, elements: bool) -> list[Any]:
        """Return every living value of a field (or of its elements), whatever came first."""
        if not self.cells and not elements:
            value = self.plain.get(number)
            return [] if value is None else [value]
        found = [self.plain[number]] if number in self.plain else []
        keys = [key for key in (*self.members, *self.cells) if key[0] == number]
        for key in sorted(keys, key=_sort_key):
            if key in self.members:
                found.append(self.members[key])
            else:
                cell = self.cells[key]
                found += [cell[dot].value for dot in sorted(cell) if not cell[dot].op]
        return [value for value in found if value is not None]

    def plain_values(self, numbers: Sequence[int]) -> list[Any]:
        """Return every living value of some plain fields, in their order."""
        if not self.cells:  # nearly every record: nobody has edited it
            return [value for key in numbers if (value := self.plain.get(key)) is not None]
        return [value for key in numbers for value in self.living_values(key, elements=False)]

    def keys(self) -> list[CellKey]:
        """Return the keys of all living cells, sorted."""
        plain: list[CellKey] = [(number, None) for number in self.plain]
        cells = [key for key, cell in self.cells.items() if cell]
        return sorted([*plain, *self.members, *cells], key=_sort_key)

    def dots(self) -> set[Dot]:
        """Return every entry that touched the record."""
        return self.history | ({self.made} if self.made else set())


def _wire_dot(dot: Dot) -> list[object]:
    return [dot.feed, dot.seq, dot.branch] if dot.branch else [dot.feed, dot.seq]


def _read_dot(row: list[Any]) -> Dot:
    return Dot(FeedId(row[0]), row[1], row[2] if row[2:] else b"")


def encode_state(state: RecordState) -> bytes:
    """Return the canonical bytes of a state (without what only this replica's order made)."""
    made = state.made
    if made is not None and not state.cells and not state.history:
        members = [[key[0], key[1], value] for key, value in state.members.items()]
        base = [_wire_dot(made), state.timestamp, state.officer, state.plain, members]
        return encode([state.type, base, [], []])  # as the making entry wrote it
    return _encode_edited(state)


def _encode_edited(state: RecordState) -> bytes:
    plain, members, cells = _canonical(state)
    base = None
    if state.made is not None:
        rows = [[key[0], key[1], members[key]] for key in sorted(members, key=_sort_key)]
        values = dict(sorted(plain.items()))
        base = [_wire_dot(state.made), state.timestamp, state.officer, values, rows]
    rows = [
        [key[0], key[1], [_wire_sibling(dot, cells[key][dot]) for dot in sorted(cells[key])]]
        for key in sorted(cells, key=_sort_key)
        if cells[key]
    ]
    return encode([state.type, base, rows, [_wire_dot(dot) for dot in sorted(state.history)]])


def _wire_sibling(dot: Dot, item: Sibling) -> list[object]:
    row: list[object] = [_wire_dot(dot), item.timestamp, item.officer, item.value]
    return [*row, item.op] if item.op else row


def _canonical(
    state: RecordState,
) -> tuple[dict[int, Any], dict[CellKey, Any], dict[CellKey, Cell]]:
    """Cells that hold just what the making entry wrote belong to the base, whatever happened."""
    plain, members = dict(state.plain), dict(state.members)
    cells: dict[CellKey, Cell] = {}
    for key, cell in state.cells.items():
        only = cell.get(state.made) if len(cell) == 1 and state.made is not None else None
        if only is None or only.op:
            cells[key] = cell
        elif key[1] is None:
            plain[key[0]] = only.value
        else:
            members[key] = only.value
    return plain, members, cells


def decode_state(raw: bytes, pending: bytes = b"") -> RecordState:
    """Read a stored state. Raises `MalformedMessageError` where the bytes are damaged."""
    try:
        kind, base, rows, history = decode(raw, list[Any])
        state = RecordState(kind)
        if base is not None:
            state.made, state.timestamp = _read_dot(base[0]), base[1]
            state.officer, state.plain = OfficerId(base[2]), base[3]
            state.members = {(row[0], row[1]): row[2] for row in base[4]}
        for number, element, siblings in rows:
            state.cells[number, element] = {
                _read_dot(row[0]): Sibling(row[1], OfficerId(row[2]), row[3], *row[4:5])
                for row in siblings
            }
        state.history = {_read_dot(row) for row in history}
        if pending:
            for number, element, dots in decode(pending, list[Any]):
                state.dead[number, element] = {_read_dot(row) for row in dots}
    except (ValueError, TypeError, LookupError, AttributeError) as cause:
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
