"""Photos that nobody took: a page on a table, askew and in shadow; a card with its code."""

from __future__ import annotations

import io
import random

import cv2
import numpy as np
import segno
from numpy.typing import NDArray
from PIL import Image

from sync_protocol.dossier.sample_scan import draw_page

Pixels = NDArray[np.uint8]
TABLE = (112, 84, 60)


def table(width: int, height: int, chance: np.random.Generator) -> Pixels:
    """Return a table of wood: bands, and the grain of a camera."""
    bands = 12 * np.sin(np.linspace(0, 40, width))[None, :, None]
    grain = chance.normal(0, 5, (height, width, 1))
    return np.clip(np.array(TABLE) + bands + grain, 0, 255).astype(np.uint8)


def on_table(
    thing: Pixels, size: tuple[int, int], seed: int, fill: float = 0.8
) -> tuple[Pixels, NDArray[np.float32]]:
    """Return a photo of a thing on a table, askew and in shadow, and where its corners are."""
    chance = np.random.default_rng(seed)
    width, height = size
    tall, wide = thing.shape[:2]
    scale = fill * min(width / wide, height / tall)
    half = np.array([wide, tall]) * scale / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = chance.uniform(-0.1, 0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T + np.array([width, height]) / 2
    corners = (corners + chance.uniform(-0.03, 0.03, (4, 2)) * width).astype(np.float32)
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    warp = cv2.getPerspectiveTransform(source, corners)
    photo = table(width, height, chance)
    cover = cv2.warpPerspective(np.full((tall, wide), 255, np.uint8), warp, size)
    seen = cv2.warpPerspective(thing, warp, size, flags=cv2.INTER_AREA)
    photo = np.where(cover[..., None] > 127, seen, photo)
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    shadow = 1 - 0.45 / (1 + np.exp(-12 * (across + 0.6 * down - chance.uniform(0.7, 1.1))))
    noise = chance.normal(0, 3, photo.shape)
    return np.clip(photo * shadow + noise, 0, 255).astype(np.uint8), corners


def page(seed: int) -> Pixels:
    """Return a page with lines, a stamp and a photo, and nobody on it."""
    return np.array(Image.open(io.BytesIO(draw_page(random.Random(seed)))))


def page_photo(seed: int = 1, size: tuple[int, int] = (3000, 4000)) -> bytes:
    """Return a photo of a page, as a phone would write it, with place and time in it."""
    photo, _ = on_table(page(seed), size, seed)
    return jpeg(photo)


def jpeg(pixels: Pixels, quality: int = 90, orientation: int = 1) -> bytes:
    """Return a JPEG with what a phone writes into it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = orientation, "Phone", "2026:11:23 08:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 1.0, 42.5), 3: "E", 4: (105.0, 51.0, 15.0)})
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def packed(pixels: Pixels, kind: str, **options: object) -> bytes:
    """Return pixels in another form of file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def card(text: str, pixels_a_module: int = 4) -> Pixels:
    """Return the back of a card: its code in a corner, grey lines beside it."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=pixels_a_module, border=4)
    code = np.array(Image.open(out).convert("RGB"))
    side = code.shape[0]
    back = np.full((round(side * 2.1), round(side * 3.4), 3), (214, 224, 226), np.uint8)
    back[20 : 20 + side, -side - 20 : -20] = code
    for y in range(side, back.shape[0] - 20, 24):
        back[y : y + 6, 30 : back.shape[1] // 2] = (120, 128, 130)
    return back
