"""PDFs of every kind that comes to a desk, made by hand."""

from __future__ import annotations

import io

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)


def written(writer: PdfWriter) -> bytes:
    """Return the bytes of a document."""
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def blank(pages: int) -> PdfWriter:
    """Return a document of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    return writer


def plain(pages: int = 2) -> bytes:
    """Return a document that does nothing."""
    return written(blank(pages))


def encrypted() -> bytes:
    """Return a document that asks for a password."""
    writer = blank(1)
    writer.encrypt("secret", algorithm="RC4-128")
    return written(writer)


def with_script() -> bytes:
    """Return a document that runs a script when it is opened."""
    writer = blank(1)
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x()")}
    )
    return written(writer)


def opening(action: str) -> bytes:
    """Return a document that does something by itself when it is opened."""
    writer = blank(1)
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject(action), NameObject("/F"): TextStringObject("x")}
    )
    return written(writer)


def with_stream_elsewhere() -> bytes:
    """Return a document with a stream whose bytes lie on another machine."""
    writer = blank(1)
    stream = StreamObject()
    stream[NameObject("/F")] = TextStringObject("far/away")
    writer.root_object[NameObject("/X")] = writer._add_object(stream)
    return written(writer)


def with_file() -> bytes:
    """Return a document that carries another file."""
    writer = blank(1)
    writer.add_attachment("run.exe", b"MZ")
    return written(writer)


def with_action(action: str) -> bytes:
    """Return a document whose page does something when somebody taps on it."""
    writer = blank(1)
    link = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Link"),
            NameObject("/Rect"): ArrayObject([NumberObject(n) for n in (0, 0, 100, 100)]),
            NameObject("/A"): DictionaryObject(
                {NameObject("/S"): NameObject(action), NameObject("/F"): TextStringObject("x")}
            ),
        }
    )
    writer.pages[0][NameObject("/Annots")] = ArrayObject([link])
    return written(writer)
