"""An open page hears that there is news: within a bound, without keeping anybody signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_node.desk import news, sessions
from edge_node.desk.listeners import LISTENERS_MAX, Listeners
from edge_node.desk.mount import ROUTES
from edge_node.desk.site import SESSION_COOKIE, Desk, make_desk
from sync_protocol.replica import Replica
from tests.integration.desk import CLERK, staffed
from tests.integration.desk_pages import Pages, desk_of
from tests.integration.exchange.office import Office, capture


@pytest.fixture
def edge() -> Replica:
    return staffed(Office()).edge()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "TICK_S", 0.001)


def opened(desk: Desk) -> tuple[Pages, str]:
    """Return a signed-in browser and its session's token."""
    found = desk.replica.holding.roster.officer_now(CLERK)
    assert found is not None
    token = desk.sessions.begin(found, chooses_pin=False)
    client = make_desk(desk, ROUTES).test_client()
    client.set_cookie(SESSION_COOKIE, token, domain="station", secure=True)
    return Pages(client), token


def heard(pages: Pages, **environ: Any) -> Iterator[str]:
    """Listen."""
    over = {"wsgi.multithread": True, **environ}
    answer = pages.client.get("/news", base_url="https://station", environ_overrides=over)
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    return (part.decode() for part in answer.iter_encoded())


def test_a_change_is_told_and_nothing_of_it(edge: Replica, tmp_path: Path) -> None:
    desk = desk_of(edge, tmp_path)
    pages, _ = opened(desk)
    told = heard(pages)
    first = next(told)
    assert next(told) == ":\n\n", "a heartbeat while there is none"
    capture(edge, 1)
    second = next(told)
    assert first != second
    assert len(second) == len("data: ") + 16 + 2, "a mark, nothing of a dossier"
    pages.get("/news/now")
    assert pages.page in second


def test_places_are_bounded_and_given_back(edge: Replica, tmp_path: Path) -> None:
    desk = desk_of(edge, tmp_path)
    there = [heard(opened(desk)[0]) for _ in range(LISTENERS_MAX)]
    for told in there:
        assert next(told).startswith("data:")
    late, _ = opened(desk)
    assert list(heard(late)) == ["event: poll\ndata: 1\n\n"], "it looks for itself"
    there[0].close()  # type: ignore[attr-defined]
    del there[0]
    assert next(heard(late)).startswith("data:")


def test_the_newest_page_of_a_session_listens(edge: Replica, tmp_path: Path) -> None:
    pages, _ = opened(desk_of(edge, tmp_path))
    older = heard(pages)
    next(older)
    newer = heard(pages)
    next(newer)
    assert list(older)[-1] == "event: poll\ndata: 1\n\n"
    capture(edge, 1)
    assert next(newer).startswith("data:")


def test_listening_keeps_nobody_signed_in_and_ends_with_the_session(
    edge: Replica, tmp_path: Path
) -> None:
    now = [0.0]
    desk = desk_of(edge, tmp_path, sessions.Sessions(lambda: now[0]))
    pages, token = opened(desk)
    told = heard(pages, HTTP_ACCEPT="text/event-stream")
    next(told)
    now[0] = sessions.IDLE_S - 1
    pages.client.get("/news/now", base_url="https://station", headers={"X-Quiet": "1"})
    now[0] = sessions.IDLE_S + 1
    assert list(told)[-1] == "event: end\ndata: 1\n\n"
    now[0] = 0
    desk.sessions.end(token)
    pages.get("/news")
    assert pages.status == 302


def test_a_station_that_stops_waits_for_no_listener(edge: Replica, tmp_path: Path) -> None:
    desk = desk_of(edge, tmp_path)
    told = heard(opened(desk)[0])
    next(told)
    desk.listeners.stopping.set()
    assert list(told) in ([], [":\n\n"])


def test_a_single_thread_is_never_held(edge: Replica, tmp_path: Path) -> None:
    pages, _ = opened(desk_of(edge, tmp_path))
    assert list(heard(pages, **{"wsgi.multithread": False})) == ["event: poll\ndata: 1\n\n"]


def test_a_place_is_one_for_each_page() -> None:
    listeners = Listeners()
    one = listeners.enter("a")
    two = listeners.enter("a")
    assert one is not None
    assert two is not None
    assert (listeners.holds("a", one), listeners.holds("a", two)) == (False, True)
    listeners.leave("a", one)
    assert listeners.holds("a", two)
