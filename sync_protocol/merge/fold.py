"""fold(states, entries) -> states: the one place where merging happens.

A local edit and a foreign one take the same steps here; nothing knows whether an entry came from a
form, a socket or a stick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sync_protocol.identity import Dot, OfficerId
from sync_protocol.merge.register import Sibling, write
from sync_protocol.merge.state import RecordState
from sync_protocol.record.change import PUT, RecordChange


class Stamp(NamedTuple):
    """Which entry, when, by whom."""

    dot: Dot
    timestamp: int
    officer: OfficerId


def fold(
    state: RecordState, stamp: Stamp, change: RecordChange, folded: Callable[[Dot], bool]
) -> None:
    """Put one entry's change of one record into its state.

    `folded(dot)` says whether that entry was already taken in (or judged) by this replica.
    """
    dot, timestamp, officer = stamp
    makes = change.record is None
    if makes:
        if state.type != change.type:  # edits that came first spoke of another type than this one
            state.cells.clear()
            state.dead.clear()
        state.made, state.timestamp, state.officer = dot, timestamp, officer
        state.type = change.type
    else:
        state.history.add(dot)
        if state.made is not None and change.type != state.type:
            return  # it speaks of another type than the record's: remembered, never mixed in
    if makes and not state.cells and not state.dead:
        members = _only_adds(change)
        if members is not None:
            state.plain, state.members = dict(change.values), members
            return
    for number, value in change.values.items():
        _put(state, (number, None), dot, Sibling(timestamp, officer, value), (), folded)
    for item in change.writes:
        sibling = Sibling(timestamp, officer, item.value, item.op)
        _put(state, (item.field, item.element), dot, sibling, item.parents, folded)


def _only_adds(change: RecordChange) -> dict[tuple[int, bytes | None], Any] | None:
    """Return the elements of a making change that only adds, each once; None for any other."""
    members: dict[tuple[int, bytes | None], Any] = {}
    for item in change.writes:
        if item.element is None or item.parents or item.op:
            return None
        members[item.field, item.element] = item.value
    return members if len(members) == len(change.writes) else None


def _put(
    state: RecordState,
    key: tuple[int, bytes | None],
    dot: Dot,
    sibling: Sibling,
    parents: Iterable[Dot],
    folded: Callable[[Dot], bool],
) -> None:
    dead = state.dead.get(key) or set()
    write(state.cell(key), dead, dot, sibling, parents, folded)
    if dead:
        state.dead[key] = dead
    else:
        state.dead.pop(key, None)


def refold(
    kind: int, changes: Iterable[tuple[Stamp, RecordChange]], folded: Callable[[Dot], bool]
) -> RecordState:
    """Make a record's state anew from all its admitted changes, in any order."""
    state = RecordState(kind)
    for stamp, change in sorted(changes, key=lambda item: item[1].record is not None):
        fold(state, stamp, change, lambda _: False)
    state.dead = {
        key: left
        for key, dots in state.dead.items()
        if (left := {dot for dot in dots if not folded(dot)})
    }
    return state


def is_read_only(state: RecordState) -> bool:
    """Whether a newer version wrote something here that this one must not build upon."""
    return any(
        item.op != PUT and item.op >= 128  # noqa: PLR2004 - CRITICAL, see record.change
        for cell in state.cells.values()
        for item in cell.values()
    )
