"""Days as people write them here: 20/08/1990, 08/1990, 1990; and as they are kept, 1990-08-20.

Old papers often know no more than a year or a month.
"""

from __future__ import annotations

import re
from datetime import date

from sync_protocol.dossier.text import refused

_ISO = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", re.ASCII)
_TYPED = re.compile(r"(?:(?:(\d{1,2})[/.\-])?(\d{1,2})[/.\-])?(\d{4})", re.ASCII)
_RUN = re.compile(r"(\d{2})(\d{2})(\d{4})", re.ASCII)


def shown_day(iso: object) -> str:
    """Return a day as people write it; what is none stays as it is."""
    text = str(iso or "")
    found = _ISO.fullmatch(text)
    return "/".join(part for part in reversed(found.groups()) if part) if found else text


def typed_day(text: str, field: str) -> str | None:
    """Return YYYY-MM-DD, YYYY-MM or YYYY of what was typed. Raises `InputError`."""
    text = text.strip()
    if not text or _ISO.fullmatch(text):
        return text or None
    found = _TYPED.fullmatch(text) or _RUN.fullmatch(text)
    if found is None:
        raise refused(field, "is no date", "date")
    return "-".join(part.zfill(2) for part in reversed(found.groups()) if part)


def is_day(iso: str, *, partial: bool = False) -> bool:
    """Whether YYYY-MM-DD is a day that there is; with `partial`, YYYY and YYYY-MM may be too."""
    if not _ISO.fullmatch(iso) or (len(iso) < len("YYYY-MM-DD") and not partial):
        return False
    try:
        date.fromisoformat(iso + "-01-01"[len(iso) - 4 :])
    except ValueError:
        return False
    return True
