"""Which files we take as scans: JPEG, PNG, WebP and PDF, judged by their bytes.

What holds: any name and bytes give a `MediaType` or an `AttachmentRefusedError`. Nothing is
decoded: sizes are read from the headers, so that a small file can't unfold into a huge picture
later. The name only has to look like one of ours; what the file is, its bytes decide. The error's
evidence never holds the name, which may be a person's.

Not judged: whether the picture is legible or the PDF opens; a viewer treats it as hostile still.
"""

from __future__ import annotations

import struct
from enum import StrEnum

from sync_protocol import limits
from sync_protocol.errors import AttachmentRefusedError

KEPT = "Nothing of it was saved; scan the page again or choose another file."

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_PNG_TAIL_BYTES = 64
"""Some programs pad the end with a few zeros or a line break."""
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that state the size; the other three hold tables."""
_JPEG_SCAN = 0xDA
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_JPEG_SEGMENTS_MAX = 4096
"""A colour profile and a preview take a hundred at most."""
_PDF_END_BYTES = 1024
_VP8_KEYFRAME = b"\x9d\x01\x2a"
_VP8L_SIGNATURE = 0x2F
_ENDINGS = frozenset({"jpg", "jpeg", "jfif", "png", "webp", "pdf"})
_NAME_CHARACTERS_MAX = 255


class MediaType(StrEnum):
    """What a scan is."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"


def check_scan(name: str, content: bytes) -> MediaType:
    """Return what `content` is. Raises `AttachmentRefusedError`, and nothing else."""
    _check_name(name)
    return media_type_of(content)


def media_type_of(content: bytes) -> MediaType:
    """Return what `content` is, whatever it is called. Raises `AttachmentRefusedError`."""
    if not content:
        raise refuse("The file is empty.", "empty")
    if len(content) > limits.ATTACHMENT_BYTES_MAX:
        raise refuse(
            "The file is larger than 20 MiB.",
            "size",
            bytes=len(content),
            bytes_max=limits.ATTACHMENT_BYTES_MAX,
        )
    try:
        return _media_type(content)
    except (struct.error, IndexError):
        raise refuse("The file is cut off.", "cut-off", bytes=len(content)) from None


def refuse(what: str, reason: str, **evidence: object) -> AttachmentRefusedError:
    """Return the error that says what is wrong with a scan, and that nothing was saved."""
    return AttachmentRefusedError(f"{what} {KEPT}", reason=reason, **evidence)


def _check_name(name: str) -> None:
    bad = not name or len(name) > _NAME_CHARACTERS_MAX or "/" in name or "\\" in name
    if bad or any(ord(character) < ord(" ") for character in name):
        raise refuse("The file has no usable name.", "name")
    if name.rpartition(".")[2].lower() not in _ENDINGS:
        raise refuse("The file's name must end in .jpg, .png, .webp or .pdf.", "name-ending")


def _media_type(content: bytes) -> MediaType:
    if content.startswith(_JPEG):
        _check_size(*_jpeg_size(content))
        return MediaType.JPEG
    if content.startswith(_PNG):
        _check_size(*_png_size(content))
        return MediaType.PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        _check_size(*_webp_size(content))
        return MediaType.WEBP
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-_PDF_END_BYTES:]:
            raise refuse("The document is cut off.", "cut-off")
        return MediaType.PDF
    raise refuse("The file is no JPEG, PNG, WebP or PDF.", "media-type")


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise refuse("The picture has no size.", "dimensions", width=width, height=height)
    too_long = max(width, height) > limits.SCAN_EDGE_PIXELS_MAX
    if too_long or width * height > limits.SCAN_PIXELS_MAX:
        raise refuse("The picture is too large.", "dimensions", width=width, height=height)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return width and height of the frame; the picture's data and end must follow."""
    size: tuple[int, int] | None = None
    at = 2
    for _ in range(_JPEG_SEGMENTS_MAX):
        if content[at] != 0xFF:  # noqa: PLR2004  # every marker starts so
            raise refuse("The picture is damaged.", "jpeg-marker")
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004  # padding
            at += 1
            continue
        at += 2
        if marker in _JPEG_BARE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        if marker in _JPEG_FRAMES:
            if size is not None or length < 8:  # noqa: PLR2004  # precision, sizes, components
                raise refuse("The picture is damaged.", "jpeg-frame")
            height, width = struct.unpack_from(">HH", content, at + 3)
            size = (width, height)
        if marker == _JPEG_SCAN:
            if size is None or content.find(_JPEG_END, at + length) < 0:
                break
            return size
        if length < 2:  # noqa: PLR2004  # a length counts itself
            break
        at += length
    raise refuse("The picture is damaged or cut off.", "jpeg-end")


def _png_size(content: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", content, len(_PNG))
    if length != 13 or kind != b"IHDR":  # noqa: PLR2004  # the only lawful length
        raise refuse("The picture is damaged.", "png-header")
    if not content[-_PNG_TAIL_BYTES:].rstrip(b"\0\r\n").endswith(_PNG_END):
        raise refuse("The picture is cut off.", "cut-off")
    return width, height


def _webp_size(content: bytes) -> tuple[int, int]:
    (riff,) = struct.unpack_from("<I", content, 4)
    kind, _, body = struct.unpack_from("<4sI10s", content, 12)
    if riff + 8 > len(content):
        raise refuse("The picture is cut off.", "cut-off")
    if kind == b"VP8X":
        width = int.from_bytes(body[4:7], "little") + 1
        return width, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[0] == _VP8L_SIGNATURE:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == _VP8_KEYFRAME:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise refuse("The picture is damaged.", "webp-header")
