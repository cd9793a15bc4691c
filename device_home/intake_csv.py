"""A table of dossiers, as spreadsheets write it, read as lines of an intake file.

What holds:
* The first row names the columns, in Vietnamese or English, in any case, with or without marks; one
  that is unknown or stands there twice refuses the file, since what it says would be lost.
* A row becomes one line in the format of `dossier.intake`, which judges it. Days may be written as
  people do (20/08/1990). Without a status a dossier is received.
* What can't be read as UTF-8 refuses its row; a row is at most `limits.INTAKE_LINE_BYTES_MAX` long.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from device_home.lines import read_lines
from sync_protocol import limits
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.labels import ENGLISH, status_called
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.text import NOT_TAKEN, refused
from sync_protocol.errors import InputError


class Column(NamedTuple):
    """A column: its place in a line of an intake file, and what it may be called."""

    place: str
    vi: str
    en: str
    also: str = ""


COLUMNS = (
    Column("procedure", "Mã thủ tục", "Procedure", "Thủ tục"),
    Column("applicant.name", "Họ và tên", "Full name", "Họ tên"),
    Column("applicant.citizen_number", "Số định danh", "Citizen number", "CCCD"),
    Column("applicant.passport.number", "Số hộ chiếu", "Passport number"),
    Column("applicant.passport.issuer", "Nước cấp", "Issued by"),
    Column("applicant.birth_date", "Ngày sinh", "Date of birth", "Birth date"),
    Column("applicant.birth_place", "Nơi sinh", "Place of birth", "Birth place"),
    Column("applicant.phone", "Số điện thoại", "Phone", "Điện thoại"),
    Column("applicant.address.line", "Địa chỉ", "Address"),
    Column("applicant.address.unit", "Phường, xã", "Ward or commune", "Phường xã"),
    Column("status", "Tình trạng", "Status"),
    Column("received_on", "Ngày tiếp nhận", "Received on"),
    Column("due_on", "Ngày hẹn trả", "Due on"),
    Column("fee.amount", "Lệ phí", "Fee"),
    Column("notes", "Ghi chú", "Note", "Notes"),
)
_NEEDED = frozenset({"procedure", "applicant.name", "received_on"})
_PLACES = {
    fold(name): column.place
    for column in COLUMNS
    for name in (column.vi, column.en, column.also)
    if name
}
_DAYS = frozenset({"applicant.birth_date", "received_on", "due_on"})
_DAY = re.compile(r"(?:(?:(\d{1,2})/)?(\d{1,2})/)?(\d{4})")
_UNREADABLE = "\ufffd"


def column_words(place: str, language: str) -> str:
    """Return what the column of a place is called; the place itself where there is none."""
    found = next((item for item in COLUMNS if item.place == place), None)
    if found is None:
        return place
    return found.en if language == ENGLISH else found.vi


def csv_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | InputError]]:
    """Yield each row with its line number: as a line of an intake file, or why it is none.

    Raises `InputError` for a first row that names no columns.
    """
    lines = _lines(file)
    first = next(lines, "")
    rows = csv.reader(_with(first, lines), delimiter=_delimiter(first))
    places: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:  # its words quote the row
            yield rows.line_num, refused("row", "is no row of a table", "row")
            continue
        if places is None:
            places = _header(row)
        elif any(cell.strip() for cell in row):
            yield rows.line_num, _line(places, row)


def _lines(file: BinaryIO) -> Iterator[str]:
    for number, raw in read_lines(file):
        if len(raw) > limits.INTAKE_LINE_BYTES_MAX:
            yield f"{_UNREADABLE}\n"
        else:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace") + "\n"


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(first: str) -> str:
    """Return what parts the columns: Excel writes semicolons where a comma is for decimals."""
    return max(",;\t", key=first.count)


def _header(row: list[str]) -> list[str]:
    places = []
    for number, name in enumerate(row, start=1):
        place = _PLACES.get(fold(name))
        if place is None or place in places:
            what = "is unknown" if place is None else "stands there twice"
            raise InputError(
                f"Column {number} of the first row {what}. {NOT_TAKEN}",
                reason="column",
                column=number,
            )
        places.append(place)
    if not set(places) >= _NEEDED:
        raise InputError(
            "The first row must name at least the procedure, the full name and the day of "
            f"reception. {NOT_TAKEN}",
            reason="columns",
        )
    return places


def _line(places: list[str], row: list[str]) -> bytes | InputError:
    if any(_UNREADABLE in cell for cell in row):
        return refused("row", "is not UTF-8 text, or too long", "encoding")
    if any(cell.strip() for cell in row[len(places) :]):
        return refused("row", "has more cells than there are columns", "cells")
    found: dict[str, Any] = {"status": Status.RECEIVED.name.lower()}
    for place, cell in zip(places, row, strict=False):
        if text := cell.strip():
            _put(found, place, _value(place, text))
    raw = json.dumps(found, ensure_ascii=False, sort_keys=True)
    try:
        return raw.encode()
    except UnicodeEncodeError:
        return refused("row", "is not UTF-8 text, or too long", "encoding")


def _value(place: str, text: str) -> object:
    if place == "status":
        code = status_called(text)
        return Status(code).name.lower() if code else text
    if place == "fee.amount":
        return text.replace(" ", "")
    if place == "notes":
        return [text]
    day = _DAY.fullmatch(text) if place in _DAYS else None
    return text if day is None else "-".join(p.zfill(2) for p in reversed(day.groups()) if p)


def _put(found: dict[str, Any], place: str, value: object) -> None:
    *way, last = place.split(".")
    for name in way:
        found = found.setdefault(name, {})
    found[last] = value
