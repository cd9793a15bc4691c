"""A PDF looked at, never rewritten: a signature in it must stay good. Runs in the child only.

What holds: one that is returned opens, is not encrypted, has 1 to `DOCUMENT_PAGES_MAX` pages, and
none of its objects runs anything, sends anything, or carries another file. All objects are looked
at, not only those that a page leads to, because readers differ in what they follow.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from pypdf import PdfReader, filters
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    StreamObject,
)

from device_home.picture.refusal import RefusedError
from sync_protocol import limits

_RUNS = frozenset(
    {
        *("/JS", "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/XFA", "/AA"),
        *("/GoToR", "/Rendition", "/Movie", "/Sound"),  # a reader may send who it is for these
    }
)
_CARRIES = frozenset(
    {"/EmbeddedFile", "/EmbeddedFiles", "/EF", "/RichMedia", "/GoToE", "/FFilter", "/URL"}
)
_OPENS = "/OpenAction"
_DEPTH_MAX = 64
"""Lists within lists; real documents have under ten."""
_LOADED = (
    filters,
    *map(codecs.lookup, NameObject.CHARSETS),
    *map(codecs.lookup, ("ascii", "latin-1", "charmap", "utf-16", "utf-16-be", "utf-16-le")),
)
"""The library loads them when it meets what needs them, which the child can't any more."""


def count_pages(content: bytes) -> int:
    """Return the number of pages. Raises `RefusedError`."""
    try:
        pages = _looked_through(PdfReader(io.BytesIO(content), strict=False))
    except (RefusedError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - the library raises whatever it likes upon hostile bytes
        raise RefusedError("pdf-damaged") from None
    if pages > limits.DOCUMENT_PAGES_MAX:
        raise RefusedError("pdf-pages")
    if not pages:
        raise RefusedError("pdf-damaged")
    return pages


def _looked_through(reader: PdfReader) -> int:
    """Look at every object; return the number of pages."""
    if reader.is_encrypted:
        raise RefusedError("pdf-encrypted")
    numbers = _numbers(reader)
    if len(numbers) > limits.DOCUMENT_OBJECTS_MAX:
        raise RefusedError("pdf-pages")
    _look(reader.trailer, 0)
    for number in numbers:
        _look(reader.get_object(number), 0)
    return len(reader.pages)


def _numbers(reader: PdfReader) -> list[IndirectObject]:
    plain = [(number, at) for at, known in reader.xref.items() for number in known]
    packed = [(number, 0) for number in reader.xref_objStm]
    return [IndirectObject(number, at, reader) for number, at in dict.fromkeys(plain + packed)]


def _look(value: object, depth: int) -> None:
    """Refuse an object that does more than being looked at."""
    if depth > _DEPTH_MAX:
        raise RefusedError("pdf-damaged")
    if isinstance(value, NameObject):
        _look_at_name(str(value))
    if isinstance(value, DictionaryObject):
        _look_at_action(value)
    for part in _parts(value):
        _look(part, depth + 1)


def _look_at_action(value: DictionaryObject) -> None:
    """Refuse what happens by itself but for turning to a page, and a stream that lies elsewhere."""
    opens = value.get(_OPENS, NullObject()).get_object()
    if isinstance(opens, DictionaryObject) and ("/S" not in opens or str(opens["/S"]) != "/GoTo"):
        raise RefusedError("pdf-script")
    if isinstance(value, StreamObject) and "/F" in value:
        raise RefusedError("pdf-files")


def _look_at_name(name: str) -> None:
    if name in _RUNS:
        raise RefusedError("pdf-script")
    if name in _CARRIES:
        raise RefusedError("pdf-files")


def _parts(value: object) -> Iterator[object]:
    """Return what lies directly in an object; what it points at is looked at by itself."""
    if isinstance(value, DictionaryObject):
        for key in value:
            part = value.raw_get(key)
            if not isinstance(part, NullObject):
                yield key
                yield part
    elif isinstance(value, ArrayObject):
        yield from (value[index] for index in range(len(value)))
