"""The scan of a dossier's paper: added, and taken away again, by the edits that all papers use.

What holds: one paper has one scan at most, so a further page is a further paper. A scan that is
taken away is so by a new edit; the entry that added it, and the scan, stay in the history. A paper
that two people changed is settled first. How many pages there are stands in the paper's note.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from device_home.dossiers import Edits, check_writable, save_edits
from device_home.officers import check_allowed
from device_home.picture.scan import Scan
from device_home.shapes import manifest_of, text_parts
from sync_protocol import limits
from sync_protocol.crypto.key import random_bytes
from sync_protocol.dossier.intake import checked_paper_type, paper
from sync_protocol.dossier.record_type import DOSSIER, PAPER_STATES
from sync_protocol.dossier.text import clean, refused
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import ID_BYTES, OfficerId
from sync_protocol.record.diff import Shown, edit_element
from sync_protocol.replica import Replica
from sync_protocol.view import FieldView, RecordView

_SUBMITTED, MISSING = PAPER_STATES[0], PAPER_STATES[-1]
_PAGES = re.compile(r"(?:^|; )\d+ trang$")


class ScannedPaper(NamedTuple):
    """Which paper a scan is of: one of the dossier by its `element`, else a new one."""

    element: str = ""
    kind: str = ""
    name: str = ""


def add_scan(
    replica: Replica, officer: OfficerId, view: RecordView, which: ScannedPaper, scan: Scan
) -> None:
    """Store a scan and say of which paper it is. Raises `InputError`, `StoreFullError`."""
    check_writable(view)
    check_allowed(replica, officer)  # before a scan is stored for nothing
    found = _standing(view, which.element) if which.element else None
    if found is None and len(view.elements("papers")) >= limits.ATTACHMENTS_PER_RECORD_MAX:
        raise refused("papers", "are 256 already", "count")
    if found is not None and manifest_of(found.value) is not None:
        raise refused("papers", "has this scan already", "scan-there")
    kind, name, state, note = _words(found) if found is not None else _new(which)
    manifest = replica.attach(scan.content, scan.media_type)
    attached = manifest_of(paper(kind, name, manifest=manifest))
    value = paper(
        kind,
        name,
        attachment=attached.id if attached else None,
        manifest=manifest,
        state=state,
        note="; ".join([*([note] if note else []), f"{scan.pages} trang"]),
    )
    _save(replica, officer, view, found, value)


def take_scan_away(
    replica: Replica, officer: OfficerId, view: RecordView, element: str, scan: str
) -> None:
    """Part a paper from the scan with this id. Raises `InputError`."""
    check_writable(view)
    found = _standing(view, element)
    manifest = manifest_of(found.value)
    if manifest is None or manifest.id.hex() != scan:
        raise refused("papers", "has another scan by now", "scan-gone")
    kind, name, state, note = _words(found)
    _save(replica, officer, view, found, paper(kind, name, state=state, note=note or None))


def _standing(view: RecordView, element: str) -> FieldView:
    """Return the paper of an element. Raises `InputError`."""
    for item in view.elements("papers"):
        if (item.element or b"").hex() == element:
            if item.conflict:
                raise NotAllowedError("This paper has two versions: settle them first.")
            return item
    raise refused("papers", "has no such paper any more", "scan-gone")


def _words(item: FieldView) -> tuple[str, str, str, str]:
    """Return type, name, state and note of a paper, as they are once its scan changes."""
    kind, name, _, _, state, note, *_ = text_parts(item)
    if state == MISSING:
        return kind, name, _SUBMITTED, ""  # it has come, so what was missing is said no more
    return kind, name, state, _PAGES.sub("", note)


def _new(which: ScannedPaper) -> tuple[str, str, str, str]:
    name = clean(which.name, "papers")
    if not name:
        raise refused("papers", "needs a name", "paper-name")
    return checked_paper_type(which.kind, "papers"), name, _SUBMITTED, ""


def _save(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    found: FieldView | None,
    value: list[object],
) -> None:
    element = random_bytes(ID_BYTES) if found is None else found.element or b""
    shown = None if found is None else Shown(found.value, found.dots)
    write = edit_element(DOSSIER, "papers", element, value, shown)
    if save_edits(replica, officer, view, Edits([], None, [write])) is None:
        raise InputError("Nothing was changed.")
