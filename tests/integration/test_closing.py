"""The closing line of the day: a place counts once everything of today is there."""

from __future__ import annotations

from pathlib import Path

from edge_node.desk.closing import closing
from tests.integration.desk import CLERK, ask, staffed
from tests.integration.desk_pages import pages
from tests.integration.exchange.office import DAY_MS, Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made


def test_a_place_counts_once_all_of_today_is_there_by_receipts(tmp_path: Path) -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    made(edge, CLERK)
    office.now_ms += DAY_MS
    desk = pages(edge, tmp_path)
    desk.get("/")
    assert "Hôm nay:" not in desk.text, "yesterday's do not count"
    first = made(edge, CLERK)
    made(edge, CLERK)
    assert closing(edge) == (2, 1)
    desk.get("/")
    assert "Hôm nay: 2 hồ sơ, mới có ở máy này." in desk.text
    office.sync(edge)
    assert closing(edge) == (2, 2)
    desk.get("/")
    assert "Hôm nay: 2 hồ sơ, an toàn ở 2 nơi." in desk.text
    office.sync(other)
    ask(other, "dossier", "set", first, "phone=0912000123")
    office.sync(other)
    office.sync(edge)
    assert closing(edge)[0] == 2
    ask(edge, "dossier", "set", first, "phone=0912000124")
    assert closing(edge) == (2, 1), "what was added is here only"
