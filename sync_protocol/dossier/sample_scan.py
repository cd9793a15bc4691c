"""Synthetic scans: pages that weigh and look like a photographed form, with nobody on them.

The only place here that writes files. Pillow is loaded when it is called: the tablet does without.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

PAGE_PIXELS = (1240, 1754)
"""A4 at 150 dpi."""
PAGE_BYTES = range(60_000, 250_001)
_QUALITIES = (30, 40, 50, 60, 70)
"""One is drawn per page; should the weight be wrong, the others are tried."""
_INK = (38, 40, 52)
_STAMP = (190, 40, 45)
_MARGIN = 110
_LINE_PIXELS = 46


def write_scans(directory: Path, count: int, seed: int) -> list[Path]:
    """Write `count` JPEG pages into `directory`, and return their paths.

    The same seed gives the same pages with the same version of Pillow. Files are replaced.
    """
    chance = random.Random(seed)  # noqa: S311  # synthetic data, repeatable on purpose
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"page-{number:05d}.jpg" for number in range(1, count + 1)]
    for path in paths:
        path.write_bytes(draw_page(chance))
    return paths


def draw_page(chance: random.Random) -> bytes:
    """Return one page as a JPEG of 60 to 250 KB."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", PAGE_PIXELS, (246, 245, 238))
    draw = ImageDraw.Draw(page)
    _draw_heading(draw, chance)
    _draw_lines(draw, chance)
    _draw_photo(draw, chance)
    _draw_stamp(draw, chance)
    page = page.rotate(chance.uniform(-0.8, 0.8), fillcolor=(222, 221, 214))
    page = Image.blend(page, _noise(chance), 0.07)
    packed = b""
    for quality in chance.sample(_QUALITIES, len(_QUALITIES)):
        packed = _jpeg(page, quality)
        if len(packed) in PAGE_BYTES:
            break
    return packed


def _jpeg(page: Image, quality: int) -> bytes:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=quality, dpi=(150, 150))
    return out.getvalue()


def _noise(chance: random.Random) -> Image:
    """Return the grain of a cheap camera: smooth, so that it weighs what real grain weighs."""
    from PIL import Image

    size = (PAGE_PIXELS[0] // 2, PAGE_PIXELS[1] // 2)
    grain = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
    return grain.resize(PAGE_PIXELS, Image.Resampling.BILINEAR).convert("RGB")


def _draw_word(draw: ImageDraw, chance: random.Random, at: tuple[int, int], width: int) -> None:
    """Draw strokes that compress like letters, marks above them now and then."""
    x, y = at
    end = x + width
    while x < end:
        height = chance.choice((12, 12, 12, 18))
        draw.line((x, y - height, x + chance.randrange(6), y), fill=_INK, width=2)
        if chance.random() < 0.5:  # noqa: PLR2004  # every second letter is round
            draw.arc((x, y - 12, x + 9, y), chance.randrange(360), 300, fill=_INK, width=2)
        if chance.random() < 0.25:  # noqa: PLR2004  # every fourth has a mark
            draw.line((x + 2, y - 22, x + 7, y - 18), fill=_INK, width=2)
        x += chance.randrange(10, 14)


def _draw_row(draw: ImageDraw, chance: random.Random, start: int, y: int, end: int) -> None:
    x = start
    while x < end - 40:
        width = min(chance.randrange(28, 96), end - x)
        _draw_word(draw, chance, (x, y), width)
        x += width + 16


def _draw_heading(draw: ImageDraw, chance: random.Random) -> None:
    middle = PAGE_PIXELS[0] // 2
    for y, half in ((120, 300), (160, 220), (270, 360)):
        _draw_row(draw, chance, middle - half, y, middle + half)
    draw.line((middle - 150, 180, middle + 150, 180), fill=_INK, width=2)


def _draw_lines(draw: ImageDraw, chance: random.Random) -> None:
    right = PAGE_PIXELS[0] - _MARGIN
    rows = chance.randrange(17, 24)
    for row in range(rows):
        y = 400 + row * _LINE_PIXELS
        narrow = row < 6  # noqa: PLR2004  # beside the photo
        end = right - 260 if narrow else right
        _draw_row(draw, chance, _MARGIN, y, chance.randrange(end - 400, end))
        for x in range(_MARGIN, end, 9):
            draw.point((x, y + 6), fill=_INK)


def _draw_photo(draw: ImageDraw, chance: random.Random) -> None:
    right = PAGE_PIXELS[0] - _MARGIN
    draw.rectangle((right - 220, 350, right, 640), outline=_INK, width=3)
    shade = chance.randrange(120, 190)
    draw.ellipse((right - 160, 400, right - 60, 520), fill=(shade, shade - 12, shade - 24))
    draw.pieslice((right - 200, 530, right - 20, 760), 180, 360, fill=(70, 80, shade))
    draw.rectangle((right - 217, 641, right - 3, 770), fill=(246, 245, 238))


def _draw_stamp(draw: ImageDraw, chance: random.Random) -> None:
    x, y = chance.randrange(760, 840), chance.randrange(1440, 1500)
    for radius, width in ((105, 5), (72, 2)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_STAMP, width=width)
    draw.regular_polygon((x, y, 34), 5, rotation=chance.randrange(72), fill=_STAMP)
    _draw_row(draw, chance, x - 160, y + 150, x + 180)
