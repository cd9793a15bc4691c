"""The ward's figures at the desk: the command's, and every one opens what it counted."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

from tests.integration.desk import CHIEF, CLERK, ask, staffed
from tests.integration.desk_pages import pages
from tests.integration.exchange.office import Office
from tests.integration.test_moves import MONDAY_MS
from tests.integration.test_statistics import made

DAYS = "from=2026-11-01&to=2026-11-30"


def test_every_figure_opens_the_dossiers_behind_it(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    for _ in range(3):
        made(edge, CLERK)
    quick = made(edge, CHIEF, procedure="1.001193")
    ask(edge, "dossier", "set", quick, "status=ready")
    desk = pages(edge, tmp_path)
    desk.get(f"/figures?{DAYS}")
    found = ask(edge, "statistics", "--from", "2026-11-01", "--to", "2026-11-30")
    links = [
        html.unescape(link) for link in re.findall(r'href="(/figures/behind[^"]+)"', desk.page)
    ]
    counts = [int(n) for n in re.findall(r"figures/behind[^>]*>(?:<b>)?(\d+)", desk.page)]
    assert len(links) == len(counts) > 9
    assert counts[0] == found["total"]["received"] == 4
    for link, count in zip(links, counts, strict=True):
        desk.get(link)
        assert len(re.findall(r'class="row" href="/dossier/', desk.page)) == count, link
        assert "An" not in link
    assert "Số liệu" in desk.get("/figures")
    desk.get("/figures?from=x")
    assert desk.status == 400
    desk.get("/figures/behind?from=30/11/2026&to=1/11/2026")
    assert desk.status == 400
    desk.get(f"/figures/behind?{DAYS}&figure=nope&officer=99999")
    assert desk.status == 200
    made(edge, CLERK)
    desk.get(f"/figures?{DAYS}")
    assert "<b>4</b>" in desk.page, "a count is good for five minutes, and says when it was made"
    assert "Tính lúc" in desk.text
    desk.get(f"/figures?{DAYS}&again=1")
    assert "<b>5</b>" in desk.page


def test_the_table_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, CLERK)
    ask(edge, "dossier", "set", record, "assignee==HYPERLINK(1)")
    desk = pages(edge, tmp_path)
    desk.get(f"/figures/table?{DAYS}")
    rows = list(csv.reader(io.StringIO(desk.raw.decode("utf-8-sig"))))
    assert desk.headers["Content-Type"].startswith("text/csv")
    assert rows[1][3] == "1"
    assert rows[-1][2] == "'=HYPERLINK(1)"
