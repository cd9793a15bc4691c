"""What comes of a picture: the text of a card's code, or a scan that can be kept.

What holds: what the bytes are is judged first, without decoding (`scan_check`); the name under
which they came is never looked at. A picture is kept only as it was drawn anew by the child; a PDF
only as it came, since a signature in it must stay good. What a child says is checked likewise.
"""

from __future__ import annotations

from typing import NamedTuple

from device_home.picture.child import CODES, DOCUMENT, PAGE
from device_home.picture.sandbox import Answer, Sandbox
from sync_protocol import limits
from sync_protocol.dossier.card_qr import CardQr, read_card_qr
from sync_protocol.dossier.scan_check import MediaType, media_type_of, refuse
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError

SENTENCES = {
    "picture-size": "The picture has too many pixels: 50 million are taken.",
    "picture-damaged": "The picture is damaged or cut off.",
    "picture-pdf": "This is a document: take a picture of the card.",
    "page-bytes": "The page can't be made smaller than 2 MB.",
    "pdf-damaged": "The document is damaged, or has no page.",
    "pdf-encrypted": "The document asks for a password.",
    "pdf-script": "The document runs or sends something when it is opened.",
    "pdf-files": "The document carries other files.",
    "pdf-pages": "The document has more than 100 pages.",
}


class Scan(NamedTuple):
    """A scan to be kept. `fits_portal`: the portal takes it as it is."""

    content: bytes
    media_type: MediaType
    pages: int
    fits_portal: bool


def read_card(sandbox: Sandbox, content: bytes) -> CardQr:
    """Return what the card in a picture says. Raises `InputError`, `AttachmentRefusedError`."""
    if _checked_type(content) is MediaType.PDF:
        raise refuse(SENTENCES["picture-pdf"], "picture-pdf")
    codes = _asked(sandbox, CODES, content).values.get("codes")
    texts = [text for text in codes if isinstance(text, str)] if isinstance(codes, list) else []
    problem = refused(
        "card", "has no code that can be read: go closer, without glare", "card-unread"
    )
    for text in texts[: limits.PICTURE_CODES_MAX]:
        try:
            return read_card_qr(text)
        except InputError as cause:  # another code that lies beside the card
            problem = cause
    raise problem


def make_scan(sandbox: Sandbox, content: bytes) -> Scan:
    """Return a photo as a page, a PDF as it came. Raises `AttachmentRefusedError`."""
    if _checked_type(content) is MediaType.PDF:
        pages = _asked(sandbox, DOCUMENT, content).values.get("pages")
        if not isinstance(pages, int) or not 0 < pages <= limits.DOCUMENT_PAGES_MAX:
            raise refuse(SENTENCES["pdf-damaged"], "pdf-damaged")
        fits = len(content) <= limits.PAGE_BYTES_MAX
        return Scan(content, MediaType.PDF, pages, fits)
    page = _asked(sandbox, PAGE, content).body
    if len(page) > limits.PAGE_BYTES_MAX or media_type_of(page) is not MediaType.WEBP:
        raise refuse(SENTENCES["picture-damaged"], "picture-damaged")
    return Scan(page, MediaType.WEBP, 1, fits_portal=True)


def _checked_type(content: bytes) -> MediaType:
    if len(content) > limits.PICTURE_BYTES_MAX:
        raise refuse("The file is larger than 8 MiB.", "picture-bytes", bytes=len(content))
    return media_type_of(content)


def _asked(sandbox: Sandbox, task: str, content: bytes) -> Answer:
    answer = sandbox.ask(task, content)
    reason = answer.values.get("refused")
    if reason is not None:
        known = reason if isinstance(reason, str) and reason in SENTENCES else "picture-damaged"
        raise refuse(SENTENCES[known], known)
    return answer
