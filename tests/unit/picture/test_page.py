"""A photo of a page becomes a scan: corners, light, size, and nothing of the phone left."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from device_home.picture.decode import open_picture
from device_home.picture.page import find_corners, flat_page
from device_home.picture.refusal import RefusedError
from sync_protocol import limits
from sync_protocol.dossier.scan_check import MediaType, media_type_of
from tests import photos

SMALL = (1200, 1600)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("seed", range(1, 7))
def test_the_corners_of_a_page_are_found(seed: int) -> None:
    photo, corners = photos.on_table(photos.page(seed), SMALL, seed)
    found = find_corners(photo)
    assert found is not None
    assert np.abs(found - corners).max() < 0.01 * SMALL[1]


def test_a_page_is_straight_even_and_white() -> None:
    photo, _ = photos.on_table(photos.page(3), SMALL, 3)
    values, scan = flat_page(photos.jpeg(photo))
    assert values == {"page": True}
    seen = np.asarray(opened(scan).convert("L"))
    assert seen.shape == (1754, 1240)
    corners = [seen[:200, :80], seen[:200, -80:], seen[-200:, :80], seen[-200:, -80:]]
    assert all(np.median(part) > 235 for part in corners), "no shadow and no table is left"
    stamp = np.asarray(opened(scan).convert("RGB")).astype(int)
    red = (stamp[..., 0] - stamp[..., 2] > 80).sum()
    assert red > 1000, "a stamp stays red"


def test_a_page_that_lies_across_stays_across() -> None:
    photo, _ = photos.on_table(np.rot90(photos.page(2)), (1600, 1200), 2)
    _, scan = flat_page(photos.jpeg(photo))
    assert opened(scan).size == (1754, 1240)


def test_a_card_keeps_its_shape() -> None:
    photo, _ = photos.on_table(np.full((540, 856, 3), 240, np.uint8), (1600, 1200), 5)
    _, scan = flat_page(photos.jpeg(photo))
    width, height = opened(scan).size
    assert abs(width / height - 856 / 540) < 0.3, "askew, but no A4"


def test_a_frame_that_is_printed_on_a_page_is_no_page() -> None:
    page = np.full((1754, 1240, 3), 245, np.uint8)
    cv2.rectangle(page, (150, 200), (1090, 1550), (20, 20, 20), 6)
    values, scan = flat_page(photos.packed(page, "PNG"))
    assert values == {"page": False}
    assert opened(scan).size == (1240, 1754), "nothing was cut off by a guess"


def test_what_is_no_page_is_kept_whole_and_upright() -> None:
    seen = np.zeros((900, 1600, 3), np.uint8)
    seen[:, :800] = (250, 40, 40)
    values, scan = flat_page(photos.jpeg(seen, orientation=6))
    assert values == {"page": False}
    upright = np.asarray(opened(scan).convert("RGB")).astype(int)
    assert upright.shape[:2] == (1600, 900)
    assert upright[100, 450, 0] > 200 > upright[-100, 450, 0], "the left side is the upper one now"


@pytest.mark.parametrize("found", [True, False])
def test_place_time_and_phone_are_gone(found: bool) -> None:
    photo = photos.on_table(photos.page(1), SMALL, 1)[0] if found else photos.page(1)
    content = photos.jpeg(photo)
    assert opened(content).getexif().get_ifd(0x8825), "the photo says where it was taken"
    values, scan = flat_page(content)
    assert values == {"page": found}
    assert media_type_of(scan) is MediaType.WEBP
    made = opened(scan)
    assert not made.getexif()
    assert not {"exif", "xmp", "icc_profile"} & made.info.keys()
    assert b"Phone" not in scan


def test_a_picture_behind_glass_has_white_paper() -> None:
    seen = np.zeros((400, 300, 4), np.uint8)
    _, scan = flat_page(photos.packed(seen, "PNG"))
    assert np.asarray(opened(scan).convert("L")).min() > 240


def test_what_weighs_too_much_is_packed_tighter_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1200, 3), np.uint8)
    content = photos.packed(noise, "PNG")
    heavy = len(flat_page(content)[1])
    monkeypatch.setattr(limits, "PAGE_BYTES_MAX", heavy - 1)
    assert len(flat_page(content)[1]) < heavy
    monkeypatch.setattr(limits, "PAGE_BYTES_MAX", 10_000)
    with pytest.raises(RefusedError, match="page-bytes"):
        flat_page(content)


def test_sizes_are_looked_at_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = photos.packed(np.zeros((300, 300, 3), np.uint8), "PNG")
    monkeypatch.setattr(limits, "PICTURE_PIXELS_MAX", 300 * 300 - 1)
    with pytest.raises(RefusedError, match="picture-size"):
        open_picture(content)


def test_a_second_picture_in_a_phones_file_is_left_alone() -> None:
    frames = [Image.new("RGB", (200, 100), colour) for colour in ("white", "black")]
    out = io.BytesIO()
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    assert open_picture(out.getvalue()).getpixel((5, 5)) == (255, 255, 255)
