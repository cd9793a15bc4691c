"""A scan is what its bytes say, and hostile bytes are only ever refused."""

import io
import random
import struct
import zlib

import pytest

from sync_protocol import limits
from sync_protocol.dossier.scan_check import MediaType, check_scan
from sync_protocol.errors import AttachmentRefusedError

Image = pytest.importorskip("PIL.Image")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def picture(form: str, size: tuple[int, int] = (90, 120), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 180, 160)).save(out, form, **options)
    return out.getvalue()


def refusal(content: bytes, name: str = "a.jpg") -> str:
    with pytest.raises(AttachmentRefusedError) as caught:
        check_scan(name, content)
    return str(caught.value.evidence["reason"])


GOOD = [
    (MediaType.JPEG, picture("JPEG")),
    (MediaType.JPEG, picture("JPEG", progressive=True, dpi=(300, 300))),
    (MediaType.PNG, picture("PNG")),
    (MediaType.WEBP, picture("WEBP")),
    (MediaType.WEBP, picture("WEBP", lossless=True)),
    (MediaType.WEBP, picture("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")),
    (MediaType.PDF, PDF),
]


@pytest.mark.parametrize(("media_type", "content"), GOOD)
def test_real_files_are_taken_whatever_their_ending(media_type: MediaType, content: bytes) -> None:
    assert check_scan("Giấy khai sinh.JPG", content) is media_type
    assert check_scan("a.pdf", content) is media_type


@pytest.mark.parametrize(("_media_type", "content"), GOOD)
def test_a_file_that_was_cut_off_is_refused(_media_type: MediaType, content: bytes) -> None:
    for length in (1, 10, 20, 25, 30, len(content) // 2, len(content) - 12):
        refusal(content[:length])


def test_empty_and_oversized_files_are_refused() -> None:
    assert refusal(b"") == "empty"
    assert refusal(PDF + bytes(limits.ATTACHMENT_BYTES_MAX)) == "size"


@pytest.mark.parametrize("name", ["", "a", "a.exe", "a.jpg.exe", "b/a.jpg", "..\\a.jpg", "a\n.jpg"])
def test_names_that_are_none_of_ours_are_refused(name: str) -> None:
    assert refusal(GOOD[0][1], name) in ("name", "name-ending")


def test_the_error_never_holds_the_name() -> None:
    with pytest.raises(AttachmentRefusedError) as caught:
        check_scan("Nguyễn Văn Thử.exe", b"MZ")
    assert "Nguyễn" not in caught.value.diagnosis + repr(caught.value.evidence)


@pytest.mark.parametrize(
    "content", [b"MZ\x90\0", b"GIF89a" + bytes(40), b"<svg/>", b"PK\3\4", b"RIFF\0\0\0\0WAVEfmt "]
)
def test_other_kinds_of_files_are_refused(content: bytes) -> None:
    assert refusal(content) == "media-type"


@pytest.mark.parametrize(
    ("width", "height"), [(0, 10), (10, 0), (65_000, 65_000), (20_001, 1), (19_000, 19_000)]
)
def test_a_small_file_that_claims_a_huge_or_no_picture_is_refused(width: int, height: int) -> None:
    header = b"IHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
    png += struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IEND\xaeB`\x82"
    assert refusal(png) == "dimensions"
    jpeg = GOOD[0][1]
    at = jpeg.index(b"\xff\xc0") + 5
    forged = jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]
    assert refusal(forged) == "dimensions"


def test_flipped_bytes_are_taken_or_refused_and_nothing_else() -> None:
    chance = random.Random(1)
    for _, content in GOOD:
        for _ in range(300):
            hostile = bytearray(content)
            for _ in range(chance.randrange(1, 6)):
                hostile[chance.randrange(min(len(hostile), 700))] = chance.randrange(256)
            try:
                check_scan("a.jpg", bytes(hostile))
            except AttachmentRefusedError:
                continue


def test_endless_markers_end() -> None:
    assert refusal(b"\xff\xd8" + b"\xff" * 100_000) == "jpeg-end"
    assert refusal(b"\xff\xd8" + b"\xff\xe0\0\2" * 50_000) == "jpeg-end"
    assert refusal(b"\xff\xd8" + b"\xff\xe0\0\0" * 9) == "jpeg-end"
