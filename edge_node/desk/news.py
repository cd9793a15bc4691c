"""“There is news”: tells an open page that its numbers have changed, and nothing of what changed.

What holds: a listener is told a mark that differs whenever something on the first page or a list
may; it ends with its session, which it does not keep awake, and with the station. Where there is no
place to listen, it is told to look for itself. Nothing of a dossier goes this way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from flask import Response, request
from flask.typing import ResponseReturnValue

from device_home.upkeep import unsent_entries
from edge_node.desk.site import SESSION_COOKIE, Allowed, Desk, Route, session
from edge_node.desk.start import line_stands
from sync_protocol.dossier.local_time import local_time

TICK_S = 1.0
"""How late news may come; a look costs 0.1 ms."""
BEAT_TICKS = 5
"""A page that has gone is noticed by the second beat in vain: its place is free within 10 s."""
_POLL = "event: poll\ndata: 1\n\n"
_END = "event: end\ndata: 1\n\n"


def mark(desk: Desk) -> str:
    """Return 16 digits that change with the ward's dossiers, the line, what waits, or the day."""
    replica = desk.replica
    unsent, _ = unsent_entries(desk.device.home, replica)
    seen = sorted((item.feed, item.seq, item.hash) for item in replica.marks().values())
    today = local_time(replica.character.wall()).date()
    total = repr((seen, unsent, line_stands(desk), today))
    return hashlib.sha256(total.encode()).hexdigest()[:16]


def show_mark(desk: Desk) -> ResponseReturnValue:
    """Answer with the mark as it is now."""
    return Response(mark(desk), mimetype="text/plain")


def listen(desk: Desk) -> ResponseReturnValue:
    """Tell the mark whenever it changes, as server-sent events."""
    token = request.cookies.get(SESSION_COOKIE, "")
    alone = not request.environ.get("wsgi.multithread")  # a server's only thread is never held
    told = iter([_POLL]) if alone else _events(desk, token, session().csrf)
    return Response(told, mimetype="text/event-stream")


def _events(desk: Desk, token: str, name: str) -> Iterator[str]:
    place = desk.listeners.enter(name)
    if place is None:
        yield _POLL
        return
    try:
        yield from _ticks(desk, token, name, place)
    finally:
        desk.listeners.leave(name, place)


def _ticks(desk: Desk, token: str, name: str, place: object) -> Iterator[str]:
    told, quiet = "", 0
    while desk.sessions.find(token, wakes=False) is not None:
        if not desk.listeners.holds(name, place):
            yield _POLL
            return
        now, quiet = mark(desk), quiet + 1
        if now != told:
            yield f"data: {now}\n\n"
            told, quiet = now, 0
        elif quiet >= BEAT_TICKS:
            yield ":\n\n"
            quiet = 0
        if desk.listeners.stopping.wait(TICK_S):
            return
    yield _END


ROUTES = (
    Route("GET", "/news", "news", Allowed.OFFICER, listen),
    Route("GET", "/news/now", "news_now", Allowed.OFFICER, show_mark),
)
