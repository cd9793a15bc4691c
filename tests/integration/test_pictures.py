"""Pictures and documents from outside, through the child process: what is kept, what is refused."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from device_home.picture.sandbox import Sandbox
from device_home.picture.scan import make_scan, read_card
from edge_node.program import PROGRAM
from sync_protocol import limits
from sync_protocol.dossier.scan_check import MediaType
from sync_protocol.errors import AttachmentRefusedError, InputError
from tests import documents, photos

pytestmark = pytest.mark.process
CARD = "097190000024|012345678|Nguyễn Thị Thử Nghiệm|20081990|Nữ|Số 5, Thôn Đông, Sóc Sơn|01012021"
SANDBOX = Sandbox()


def reason(error: pytest.ExceptionInfo[InputError]) -> str:
    return str(error.value.evidence["reason"])


def png_of(width: int, height: int, rows: int) -> bytes:
    """Return a PNG that claims a size and has so many rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * (rows * (width * 3 + 1)), 9)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PHOTO = photos.page_photo(1, (1200, 1600))
PAGE_AND_SCRIPT = PHOTO + b"<script>alert(1)</script>%PDF-1.7\n%%EOF"


def test_a_photo_is_kept_as_a_page_and_nothing_of_the_phone() -> None:
    scan = make_scan(SANDBOX, PHOTO)
    assert (scan.media_type, scan.pages, scan.fits_portal) == (MediaType.WEBP, 1, True)
    made = Image.open(io.BytesIO(scan.content))
    assert made.size == (1240, 1754)
    assert not made.getexif()


def test_a_document_is_kept_byte_for_byte() -> None:
    content = documents.plain(3)
    assert make_scan(SANDBOX, content) == (content, MediaType.PDF, 3, True)


def test_what_hides_behind_a_picture_does_not_come_along() -> None:
    scan = make_scan(SANDBOX, PAGE_AND_SCRIPT)
    assert b"script" not in scan.content
    assert b"%PDF" not in scan.content


def kinds() -> dict[str, bytes]:
    """Return pictures as phones and scanners write them."""
    page = Image.fromarray(photos.page(1)).resize((310, 438))
    exif = Image.Exif()
    exif[0x0112] = 8
    exif.get_ifd(0x8769)[0x927C] = b"maker" * 100
    more: dict[str, Any] = {"save_all": True, "append_images": [page]}
    found = {}
    for name, kind, picture, options in (
        ("cmyk", "JPEG", page.convert("CMYK"), {"progressive": True}),
        ("two-in-one", "MPO", page, more | {"exif": exif}),
        ("palette", "PNG", page.convert("P"), {"transparency": 3}),
        ("16-bit", "PNG", Image.fromarray(np.asarray(page.convert("L")).astype(np.uint16)), {}),
        ("film", "WEBP", page, more | {"exif": exif}),
    ):
        out = io.BytesIO()
        picture.save(out, kind, **options)
        found[name] = out.getvalue()
    return found


@pytest.mark.parametrize("content", kinds().values(), ids=kinds().keys())
def test_every_kind_of_picture_is_read_with_what_the_child_has_loaded(content: bytes) -> None:
    assert make_scan(SANDBOX, content).media_type is MediaType.WEBP


def test_a_document_with_names_in_another_encoding_is_read() -> None:
    content = documents.plain(1)
    for odd in (b"/Re\xb5ources", b"/Re\xc4\xe3urces"):
        changed = content.replace(b"/Resources", odd)
        assert make_scan(SANDBOX, changed).pages == 1


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (png_of(9000, 9000, 1), "picture-size"),
        (png_of(600, 600, 600)[:-40] + png_of(1, 1, 1)[-40:], "picture-damaged"),
        (png_of(30_000, 30_000, 1), "dimensions"),
        (PHOTO[: len(PHOTO) // 2], "jpeg-end"),
        (PHOTO[:3] + PHOTO[-3000:], "cut-off"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "media-type"),
        (b"<!doctype html><script>alert(1)</script>", "media-type"),
        (b"GIF89a" + bytes(100), "media-type"),
        (b"", "empty"),
        (bytes(limits.PICTURE_BYTES_MAX + 1), "picture-bytes"),
        (b"%PDF-1.7\n" + bytes(limits.PICTURE_BYTES_MAX) + b"%%EOF", "picture-bytes"),
        (documents.encrypted(), "pdf-encrypted"),
        (documents.with_script(), "pdf-script"),
        (documents.with_file(), "pdf-files"),
        (b"%PDF-1.7\n%%EOF", "pdf-damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_scan_is_refused_with_its_reason(content: bytes, wanted: str) -> None:
    with pytest.raises(AttachmentRefusedError) as error:
        make_scan(SANDBOX, content)
    assert reason(error) == wanted
    assert set(error.value.evidence) <= {"reason", "width", "height", "bytes", "bytes_max"}


def test_an_encrypted_document_is_always_refused() -> None:
    """Its keys are random bytes, and some of them look like text in another encoding."""
    for _ in range(30):
        with pytest.raises(AttachmentRefusedError) as error:
            make_scan(SANDBOX, documents.encrypted())
        assert reason(error) == "pdf-encrypted"


def test_changed_bytes_end_in_a_scan_or_a_sentence() -> None:
    chance = np.random.default_rng(7)
    for content in (PHOTO, photos.packed(photos.card(CARD), "PNG"), documents.plain(2)):
        for _ in range(8):
            changed = bytearray(content)
            for at in chance.integers(4, len(changed), 20):
                changed[at] = chance.integers(0, 256)
            started = time.monotonic()
            with contextlib.suppress(AttachmentRefusedError):
                make_scan(SANDBOX, bytes(changed))
            assert time.monotonic() - started < limits.PICTURE_WALL_S


# --------------------------------------------------------------------------------- the child


def children() -> list[int]:
    """Return the children of this process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(path.parent.name))
    return found


def test_a_child_that_is_killed_in_mid_work_is_one_clear_error() -> None:
    before = set(children())

    def kill() -> None:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            if new := set(children()) - before:
                os.kill(new.pop(), signal.SIGKILL)
                return

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AttachmentRefusedError) as error:
        make_scan(SANDBOX, PHOTO)
    killer.join()
    assert reason(error) == "picture-broke"
    assert set(children()) <= before
    assert make_scan(SANDBOX, PHOTO).pages == 1, "the next one is read all the same"


@pytest.mark.parametrize("task", ["hang", "spin", "fall", "talk", "lie"])
def test_whatever_a_child_does_the_answer_comes_in_time(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PICTURE_WALL_S", 2)
    started = time.monotonic()
    with pytest.raises(AttachmentRefusedError) as error:
        Sandbox("tests.integration.bad_child").ask(task, PHOTO)
    assert reason(error) == "picture-broke"
    assert time.monotonic() - started < 5
    assert not children()


@pytest.mark.parametrize(
    "way",
    ["read", "write", "list", "network", "local", "fork", "thread", "run", "signal", "memory"],
)
def test_a_child_reaches_no_file_no_network_and_no_process(way: str) -> None:
    child = Sandbox("tests.integration.bad_child")
    with pytest.raises(AttachmentRefusedError):
        child.ask(f"reach-{way}", b"")
    assert child.ask("reach-nothing", b"").values == {"reached": True}


def test_more_than_a_few_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICTURE_WALL_S", 0)
    full = Sandbox("tests.integration.bad_child")
    for _ in range(limits.PICTURE_CHILDREN_MAX):
        full._turns.acquire()
    with pytest.raises(AttachmentRefusedError) as error:
        full.ask("reach-nothing", b"")
    assert reason(error) == "picture-busy"


# ----------------------------------------------------------------------------------- a card


def test_a_card_in_a_picture_is_read_like_one_that_was_scanned() -> None:
    card = read_card(SANDBOX, photos.packed(photos.card(CARD), "PNG"))
    assert (card.number, card.name) == ("097190000024", "Nguyễn Thị Thử Nghiệm")


def test_another_code_beside_the_card_is_passed_over() -> None:
    code, other = photos.card(CARD), photos.card("https://example.org/", 4)
    high = max(code.shape[0], other.shape[0])
    both = [np.pad(one, ((0, high - one.shape[0]), (0, 0), (0, 0))) for one in (other, code)]
    assert read_card(SANDBOX, photos.packed(np.hstack(both), "PNG")).number == "097190000024"
    with pytest.raises(InputError) as error:
        read_card(SANDBOX, photos.packed(other, "PNG"))
    assert reason(error) == "card-fields"


def test_the_command_reads_a_picture_and_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo, _ = photos.on_table(photos.card(CARD, 8), (1280, 960), 4, 0.9)
    files: dict[str, Any] = {
        "card.jpg": photos.jpeg(photo),
        "page.jpg": PHOTO,
        "page.pdf": documents.plain(),
        "page.html": b"<html>",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert PROGRAM.main(["card", "read", "card.jpg", "--json"]) == 0
    assert '"name": "Nguyễn Thị Thử Nghiệm"' in capsys.readouterr().out
    for name, said in (
        ("page.jpg", "no code that can be read"),
        ("page.pdf", "take a picture"),
        ("page.html", "no JPEG"),
        ("none.jpg", "is missing"),
        (".", "can't be read"),
    ):
        assert PROGRAM.main(["card", "read", name]) == 1
        assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == files.keys(), "nothing is left behind"
