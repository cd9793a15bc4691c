"""One sheet of paper: the only place that meets reportlab.

What holds: text comes as it was typed and is escaped here, so no name can be taken for markup.
Lengths are in points (1/72 inch).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import segno
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

FAMILY = "Tinos"
_FACES = {"": "Regular", "-Bold": "Bold", "-Italic": "Italic"}
_MARGINS = {"leftMargin": 25 * mm, "rightMargin": 15 * mm, "topMargin": 15 * mm}
"""Of administrative documents: Decree 30/2020/NĐ-CP, appendix I (left 30-35, right 15-20), less
five millimetres at the left, for forms that nobody files in a folder."""
QR_SIDE = 30 * mm
"""29 modules and a quiet zone of four on each side: 0.8 mm a module, read by any telephone."""
_QUIET = 4
GREY = colors.HexColor("#555555")

Block = Any
"""What reportlab lays out; it has no types."""


class Heading(NamedTuple):
    """Who issues a form (the office above, then the one that does), where, and on which day."""

    office: tuple[str, str]
    place_and_day: str
    number: str


@cache
def _styles() -> dict[str, ParagraphStyle]:
    fonts = resources.files("edge_node.printing").joinpath("fonts")
    for suffix, face in _FACES.items():
        content = io.BytesIO(fonts.joinpath(f"{FAMILY}-{face}.ttf").read_bytes())
        pdfmetrics.registerFont(TTFont(FAMILY + suffix, content))
    # Bold italic is not shipped: no form needs it.
    faces = {"bold": f"{FAMILY}-Bold", "italic": f"{FAMILY}-Italic", "boldItalic": f"{FAMILY}-Bold"}
    pdfmetrics.registerFontFamily(FAMILY, normal=FAMILY, **faces)
    plain = ParagraphStyle("plain", fontName=FAMILY, fontSize=12, leading=16, spaceAfter=2)
    middle = ParagraphStyle("middle", plain, alignment=TA_CENTER)
    return {
        "plain": plain,
        "middle": middle,
        "right": ParagraphStyle("right", plain, alignment=TA_RIGHT),
        "title": ParagraphStyle("title", middle, fontSize=14, leading=18),
        "small": ParagraphStyle("small", plain, fontSize=10, leading=13, textColor=GREY),
        "cell": ParagraphStyle("cell", plain, fontSize=10.5, leading=13, spaceAfter=0),
        "head": ParagraphStyle("head", middle, fontSize=10.5, leading=13, spaceAfter=0),
        "tiny": ParagraphStyle("tiny", middle, fontSize=9, leading=11),
    }


def text(words: str, style: str = "plain", *, bold: bool = False, italic: bool = False) -> Block:
    """Return a paragraph of plain text; line breaks stay."""
    found = escape(words).replace("\n", "<br/>")
    found = f"<b>{found}</b>" if bold else f"<i>{found}</i>" if italic else found
    return Paragraph(found, _styles()[style])


def line(label: str, value: str, english: str = "") -> Block:
    """Return “label: value”; an absent value is a dotted line to write on."""
    name = escape(label) + (f" <i>({escape(english)})</i>" if english else "")
    shown = f"<b>{escape(value)}</b>" if value else "." * 60
    return Paragraph(f"{name}: {shown.replace(chr(10), '<br/>')}", _styles()["plain"])


def gap(height: float = 6) -> Block:
    """Return an empty line of so many points."""
    return Spacer(1, height)


def heading(said: Heading, form: str) -> list[Block]:
    """Return the head that every administrative form begins with, in two columns."""
    state = [
        text("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "head", bold=True),
        text("Độc lập - Tự do - Hạnh phúc", "head", bold=True),
        gap(3),
        text(said.place_and_day, "head", italic=True),
    ]
    above, below = said.office
    office = [text(above, "head"), text(below, "head", bold=True)]
    office += [text(f"Số: {said.number}", "head")] if said.number else []
    columns = Table([[office, state]], colWidths=["44%", "56%"])
    columns.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP")])
    return [text(form, "right", italic=True), columns, gap(8)]


def beside(blocks: Sequence[Block], right: Sequence[Block], width: float) -> Block:
    """Return blocks with others at their right, in a column of so many points."""
    columns = Table([[list(blocks), list(right)]], colWidths=[None, width])
    columns.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    return columns


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[int]) -> Block:
    """Return a ruled table, its head repeated on each page; `shares` are per cent of the width."""
    cells = [[text(cell, "head", bold=True) for cell in heads]]
    cells += [[text(cell, "cell") for cell in row] for row in rows]
    made = Table(cells, colWidths=[f"{share}%" for share in shares], repeatRows=1, splitInRow=1)
    made.setStyle(
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    )
    return made


def signatures(left: Sequence[str], right: Sequence[str]) -> Block:
    """Return two places to sign: above whom, the hint, and the name below the room for it."""
    cells = [[_signature(*left), _signature(*right)]]
    places = Table(cells, colWidths=["50%", "50%"])
    places.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP")])
    return KeepTogether([gap(6), places])


def _signature(above: str, hint: str, name: str) -> list[Block]:
    if not above:
        return []
    words = [text(above, "head", bold=True), text(hint, "tiny", italic=True), gap(40)]
    return [*words, text(name, "head", bold=True)]


class Code(Flowable):  # type: ignore[misc]
    """A QR code, drawn as rectangles: sharp on every printer."""

    def __init__(self, content: str, side: float = QR_SIDE) -> None:
        """Make a code whose side, quiet zone included, has so many points."""
        super().__init__()
        self._rows = [list(row) for row in segno.make(content, error="m", micro=False).matrix]
        self.width = self.height = side

    def draw(self) -> None:
        """Draw it."""
        module = self.width / (len(self._rows) + 2 * _QUIET)
        for y, row in enumerate(reversed(self._rows)):
            for x, dark in enumerate(row):
                if dark:
                    left, low = (x + _QUIET) * module, (y + _QUIET) * module
                    self.canv.rect(left, low, module, module, stroke=0, fill=1)


def render(blocks: Sequence[Block], name: str, *, wide: bool = False) -> bytes:
    """Return the PDF; `name` becomes its title and the words at the foot of each page."""
    _styles()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4) if wide else A4,
        bottomMargin=15 * mm,
        title=name,
        author="Một Cửa",
        lang="vi",
        **_MARGINS,
    )
    foot = _foot(name)
    document.build(list(blocks), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _foot(name: str) -> Callable[[Any, Any], None]:
    def draw(canvas: Any, document: Any) -> None:  # noqa: ANN401 - reportlab has no types
        canvas.setFont(FAMILY, 8)
        canvas.setFillColor(GREY)
        canvas.drawString(document.leftMargin, 9 * mm, name)
        right = document.pagesize[0] - document.rightMargin
        canvas.drawRightString(right, 9 * mm, f"Trang {document.page}")

    return draw
