"""What a page has counted, kept in memory until something new is known or the day is over.

What holds: one answer of each name is kept for each ward, so memory stays bounded; two pages that
want the same wait for one count, which would else be made twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sync_protocol.dossier.local_time import local_time
from sync_protocol.replica import Replica

T = TypeVar("T")
_kept: WeakKeyDictionary[Replica, dict[str, tuple[object, object, int, Any]]] = WeakKeyDictionary()
_counting: dict[str, threading.Lock] = {}


def kept(
    replica: Replica, name: str, asked: object, count: Callable[[], T], fresh_s: int = 0
) -> tuple[T, int]:
    """Return what `count` returns, or returned for the same `asked` before anything changed.

    With it goes when that was, in milliseconds since 1970. What is younger than `fresh_s` seconds
    is good enough although something changed.
    """
    now = replica.character.wall()
    wanted = (asked, local_time(now).date())
    marks = frozenset(replica.marks().values())
    with _counting.setdefault(name, threading.Lock()):
        answers = _kept.setdefault(replica, {})
        before, seen, at, _ = answers.get(name, (None, None, 0, None))
        if before != wanted or (seen != marks and not 0 <= now - at < fresh_s * 1000):
            answers[name] = (wanted, marks, now, count())
        _, _, at, answer = answers[name]
        return cast(T, answer), at
