"""Many dossiers from one table: what was taken on, and each row that was refused, with its reason.

What holds: the file is read from the request and never kept; it is bounded like every form
(`site.FORM_BYTES_MAX`). A row that was saved before, to the letter, is not saved again.
"""

from __future__ import annotations

import io
from pathlib import Path

from flask import render_template, request
from flask.typing import ResponseReturnValue

from device_home.command import Output
from device_home.intake import begin
from device_home.intake_csv import COLUMNS, column_words, csv_lines
from edge_node.desk.site import Allowed, Desk, Route, acting, language, session
from edge_node.desk.words import error_words
from sync_protocol.errors import InputError, StorageError, SyncError

REFUSED_SHOWN_MAX = 200
"""A table of 256 KiB has under 3,000 rows; who has 200 slips mends the table first."""


def show_bulk(desk: Desk) -> ResponseReturnValue:  # noqa: ARG001 - every page takes the desk
    """Show the form."""
    return _page()


def _page(
    tally: object = None, refused: list[tuple[int, str, str]] | None = None, problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "bulk.html",
        tally=tally,
        refused=refused or [],
        shown_max=REFUSED_SHOWN_MAX,
        columns=[column_words(item.place, language()) for item in COLUMNS],
        problem=problem,
    )
    return (page, 400) if problem else page


def do_bulk(desk: Desk) -> ResponseReturnValue:
    """Take on every row that can be."""
    refused: list[tuple[int, str, str]] = []

    def told(number: int, problem: SyncError) -> None:
        if len(refused) < REFUSED_SHOWN_MAX:
            place = str(problem.evidence.get("field", ""))
            known = column_words(place, language())
            where = "" if known == place else known
            refused.append((number, where, error_words(problem, language())))

    table = request.files.get("table")
    file = io.BytesIO(table.read()) if table is not None else None
    silent = Output(lambda _stream, _text: None, as_json=False, cwd=Path("/"))
    try:
        with session().saving:  # a second tap waits, and finds what the first one saved
            run = begin(desk.device.home, desk.replica, acting(), silent)
            run.on_refused = told
            for number, line in csv_lines(file) if file is not None else ():
                run.take_line(number, line)
            run.save()
    except (InputError, StorageError) as problem:
        return _page(problem=error_words(problem, language()))
    desk.on_change()
    return _page(run.tally, refused)


ROUTES = (
    Route("GET", "/intake-table", "bulk", Allowed.OFFICER, show_bulk),
    Route("POST", "/intake-table", "do_bulk", Allowed.OFFICER, do_bulk),
)
