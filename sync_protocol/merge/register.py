"""A cell: the multi-value register of which all field kinds are made.

A cell maps dots to siblings. A write replaces exactly the dots it names as parents. A parent that
was not folded yet is remembered as *dead* and consumed when it arrives; one that was folded and is
gone was already replaced, or is held back, and needs no memory. This is a dotted version vector
(Preguiça et al. 2010) whose vector is the feeds' own order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sync_protocol.encoding import encode
from sync_protocol.identity import Dot, OfficerId


class Sibling(NamedTuple):
    """One living value of a cell: when, by whom, what, and under which opcode."""

    timestamp: int
    officer: OfficerId
    value: Any
    op: int = 0


Cell = dict[Dot, Sibling]


def write(
    cell: Cell,
    dead: set[Dot],
    dot: Dot,
    sibling: Sibling,
    parents: Iterable[Dot],
    folded: Callable[[Dot], bool],
) -> None:
    """Put one write into a cell; `dead` is updated with parents that have not come yet."""
    for parent in parents:
        if cell.pop(parent, None) is None and parent != dot and not folded(parent):
            dead.add(parent)
    if dot in dead:
        dead.discard(dot)
    else:
        cell[dot] = sibling


def distinct(cell: Mapping[Dot, Sibling]) -> list[Any]:
    """Return the different values of a cell: equal ones coalesce."""
    if len(cell) == 1:
        return [next(iter(cell.values())).value]
    return list({encode(item.value): item.value for item in cell.values()}.values())


def displayed(
    cell: Mapping[Dot, Sibling], suspect: Callable[[Dot], bool], among: Iterable[Any] | None = None
) -> Dot:
    """Return the dot whose value is shown first: by a rule, not by a verdict.

    Not suspect before suspect, then the latest timestamp, then the greatest dot. `among` narrows
    the choice to these values.
    """
    allowed = None if among is None else {encode(value) for value in among}
    candidates = [
        (not suspect(dot), item.timestamp, dot)
        for dot, item in cell.items()
        if allowed is None or encode(item.value) in allowed
    ]
    return max(candidates)[2]
