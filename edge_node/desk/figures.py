"""The ward's figures at the desk: a day, a week, a month or any days; every figure opens its list.

What holds: figures are counted as `motcua-edge statistics` counts them, from the whole log, which
takes a while; so those that were looked at last are good for five minutes, and say so. An
address holds days, a procedure's code and the number of an officer's row, never a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from device_home.moves import read_day
from device_home.shapes import Shape, Ticks, row
from edge_node.desk.dossiers import moment
from edge_node.desk.kept import kept
from edge_node.desk.site import Allowed, Desk, Route, language
from edge_node.desk.start import list_row
from edge_node.desk.waiting import views_of
from edge_node.desk.words import error_words
from edge_node.statistics_commands import Counted, counted, sum_up
from edge_node.table import csv_bytes
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.labels import FIGURES as FIGURE_WORDS
from sync_protocol.dossier.labels import label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.statistics import FIGURES
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError
from sync_protocol.replica import Replica

ROWS_MAX = 50
"""Dossiers behind one figure on a page of 25 KiB; the table has them all."""


FRESH_S = 300
"""A count of 100,000 dossiers takes about ten seconds; so it is good for five minutes, and says
when it was made."""


class _Figures(NamedTuple):
    found: list[Counted]
    answer: Shape
    at: int


def _figures(replica: Replica, first: date, last: date, fresh_s: int = FRESH_S) -> _Figures:
    def count() -> tuple[list[Counted], Shape]:
        found = list(counted(replica, first, last))
        return found, sum_up(replica, first, last, found)

    answer, at = kept(replica, "figures", (first, last), count, fresh_s)
    return _Figures(*answer, at)


def _days(desk: Desk) -> tuple[date, date]:
    """Return the days that were asked for, today if none. Raises `InputError`."""
    today = local_time(desk.replica.character.wall()).date().isoformat()
    first = typed_day(request.args.get("from", "")[:20], "from") or today
    last = typed_day(request.args.get("to", "")[:20], "to") or first
    days = read_day(first), read_day(last)
    if days[0] is None or days[1] is None or days[0] > days[1]:
        raise refused("from", "and “to” are days, in their order", "days")
    return days[0], days[1]


def show_figures(desk: Desk) -> ResponseReturnValue:
    """Show the figures of some days."""
    today = local_time(desk.replica.character.wall()).date()
    problem = ""
    try:
        first, last = _days(desk)
    except InputError as slip:
        problem, first, last = error_words(slip, language()), today, today
    shown = _figures(desk.replica, first, last, 0 if request.args.get("again") else FRESH_S)
    answer = shown.answer
    page = render_template(
        "figures.html",
        answer=answer,
        names=[(name, label(FIGURE_WORDS, name, language())) for name in FIGURES],
        first=shown_day(first.isoformat()),
        last=shown_day(last.isoformat()),
        spans=_spans(today),
        at=moment(shown.at),
        problem=problem,
    )
    return (page, 400) if problem else page


def _spans(today: date) -> Mapping[str, tuple[str, str]]:
    """Return the day, the week from Monday, and the month up to today."""
    monday = today - timedelta(days=today.weekday())
    starts = {"day": today, "week": monday, "month": today.replace(day=1)}
    return {name: (first.isoformat(), today.isoformat()) for name, first in starts.items()}


def show_behind(desk: Desk) -> ResponseReturnValue:
    """Show the dossiers behind one figure."""
    try:
        shown = _figures(desk.replica, *_days(desk))
    except InputError:
        return show_figures(desk)
    figure = request.args.get("figure", "")
    figure = figure if figure in FIGURES else FIGURES[0]
    code, number = request.args.get("procedure", ""), request.args.get("officer", "")
    officers = shown.answer["officers"]
    known = number in map(str, range(len(officers)))
    who = officers[int(number)] if known else None
    found = [
        item.record
        for item in shown.found
        if item.figures[figure]
        and (not code or item.procedure == code)
        and (who is None or item.officer == who["officer"])
    ]
    ticks = Ticks(desk.replica)
    days = " – ".join(dict.fromkeys(shown_day(shown.answer[name]) for name in ("from", "to")))
    return render_template(
        "list.html",
        rows=[
            list_row(desk, row(view, state, ticks))
            for view, state in views_of(desk.replica, found[:ROWS_MAX])
        ],
        title=label(FIGURE_WORDS, figure, language()),
        today=days if who is None else f"{days} · {who['name']}",
        left=max(0, len(found) - ROWS_MAX),
        statuses=[],
    )


def send_table(desk: Desk) -> ResponseReturnValue:
    """Answer with the figures as a CSV file."""
    try:
        answer = _figures(desk.replica, *_days(desk)).answer
    except InputError:
        return show_figures(desk)
    names = [label(FIGURE_WORDS, name, language()) for name in FIGURES]
    rows = [
        ["", answer["from"], answer["to"], *names],
        ["", "", "", *answer["total"].values()],
        *(["TTHC", item["code"], item["name"], *_values(item)] for item in answer["procedures"]),
        *(["CB", "", item["name"], *_values(item)] for item in answer["officers"]),
    ]
    named = f"attachment; filename=so-lieu-{answer['from']}-{answer['to']}.csv"
    headers = {"Content-Disposition": named}
    return Response(csv_bytes(rows), mimetype="text/csv", headers=headers)


def _values(item: Shape) -> list[int]:
    return [item[name] for name in FIGURES]


ROUTES = (
    Route("GET", "/figures", "figures", Allowed.OFFICER, show_figures),
    Route("GET", "/figures/behind", "behind", Allowed.OFFICER, show_behind),
    Route("GET", "/figures/table", "figures_table", Allowed.OFFICER, send_table),
)
