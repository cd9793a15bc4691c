"""Tables as CSV files that a spreadsheet may open: whatever people wrote stays text.

What holds: every cell is quoted (RFC 4180). A cell that a spreadsheet would take for a formula (one
that begins with = + - @, a tab or a line break, or their full-width forms) begins with an
apostrophe, which spreadsheets read as "this is text" (OWASP, CSV injection). A byte order mark
stands in front: without it Excel reads Vietnamese as Windows-1252.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as the bytes of a CSV file, in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_FORMULA) else text
