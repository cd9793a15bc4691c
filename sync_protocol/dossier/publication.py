"""The city's own edition of the catalogue and of the days off, as a record that sync carries.

What holds: a publication is whole or nothing. Its files fit together before the hub writes them,
and a device that cannot read them (it is older) goes on with what it has. Only the hub writes one:
no role of an officer may, and what a hub writes is not judged by roles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sync_protocol import limits
from sync_protocol.dossier.catalogue import Catalogue, read_catalogue
from sync_protocol.dossier.record_type import PUBLICATION
from sync_protocol.dossier.working_calendar import CALENDAR_FILE, CalendarTable, read_tables
from sync_protocol.errors import SchemaError
from sync_protocol.identity import ID_BYTES
from sync_protocol.record.change import CellWrite, RecordChange
from sync_protocol.record.diff import Shown, create, edit, edit_element
from sync_protocol.view import FieldView, RecordView

FILES = "files"
EDITION = "edition"


@dataclass(frozen=True, slots=True)
class Publication:
    """An edition that was read: the catalogue, and what it says of days off."""

    catalogue: Catalogue
    tables: tuple[CalendarTable, ...]
    files: Mapping[str, str]

    @property
    def edition(self) -> int:
        """Its number; a higher one is newer."""
        return self.catalogue.edition.version


def read_publication(files: Mapping[str, str]) -> Publication:
    """Read an edition from the texts of its files, by file name. Raises `SchemaError`."""
    total = sum(len(name) + len(text.encode()) for name, text in files.items())
    if len(files) > limits.PUBLICATION_FILES_MAX or total > limits.PUBLICATION_BYTES_MAX:
        raise SchemaError("An edition has too many files, or they are too large together.")
    left = dict(files)
    calendar = left.pop(CALENDAR_FILE, None)
    tables = () if calendar is None else read_tables(calendar)
    return Publication(read_catalogue(left), tables, dict(files))


def files_of(view: RecordView) -> dict[str, str]:
    """Return the files of a record by name; what has not the shape of one is left out."""
    rows = [item.value for item in view.elements(FILES)]
    return {str(row[0]): str(row[1]) for row in rows if isinstance(row, list) and len(row) > 1}


def publish(found: Publication, before: RecordView | None) -> RecordChange | None:
    """Return the change that publishes an edition; None where it is published already."""
    rows = {_element(name): [name, text] for name, text in found.files.items()}
    if before is None:
        return create(PUBLICATION, {EDITION: found.edition}, {FILES: rows})
    known = {item.element: item for item in before.elements(FILES) if item.element}
    writes = [_write(key, rows.get(key), known.get(key)) for key in sorted({*rows, *known})]
    changed = [write for write in writes if write is not None]
    shown = before.field(EDITION)
    dots = () if shown is None else shown.dots
    value = None if shown is None else shown.value
    plain = edit(PUBLICATION, before.id, {EDITION: Shown(value, dots)}, {EDITION: found.edition})
    if plain is None and not changed:
        return None
    more = () if plain is None else plain.writes
    return RecordChange(before.id, PUBLICATION.id, {}, (*more, *changed))


def _element(name: str) -> bytes:
    """Return the element of a file: the same on every hub, so that one name is one element."""
    return hashlib.sha256(b"motcua/publication/1" + name.encode()).digest()[:ID_BYTES]


def _write(element: bytes, row: list[str] | None, known: FieldView | None) -> CellWrite | None:
    if known is not None and known.value == row:
        return None
    shown = None if known is None else Shown(known.value, known.dots)
    return edit_element(PUBLICATION, FILES, element, row, shown)
