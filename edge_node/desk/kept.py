"""What a page has counted, kept in memory until the ward writes something or the day is over.

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
_kept: WeakKeyDictionary[Replica, dict[str, tuple[object, Any]]] = WeakKeyDictionary()
_counting = threading.Lock()


def kept(replica: Replica, name: str, asked: object, count: Callable[[], T]) -> T:
    """Return what `count` returns, or returned for the same `asked` while nothing changed."""
    today = local_time(replica.character.wall()).date()
    key = (asked, today, frozenset(replica.marks().values()))
    with _counting:
        answers = _kept.setdefault(replica, {})
        if name not in answers or answers[name][0] != key:
            answers[name] = (key, count())
        return cast(T, answers[name][1])
