"""A photo of a page made a scan: corners found, seen from straight above, light made even, small.

Runs in the child only. Steps and figures: docs/adr/0012.

What holds: what is returned is WebP without any metadata, so place, time and device of the photo
are gone, and has `PAGE_BYTES_MAX` bytes at most. Where no page is found for certain (four corners,
and darker all around), the whole picture is kept upright: nothing that was photographed is cut off
by a guess.
"""

from __future__ import annotations

import io
from itertools import pairwise

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray
from PIL import Image

from device_home.picture.decode import open_picture
from device_home.picture.refusal import RefusedError
from sync_protocol import limits

Corners = NDArray[np.float32]

_LONG_PIXELS, _SHORT_PIXELS = 1754, 1240
"""A4 at 150 dpi: small print stays legible, and a page weighs a tenth of its photo."""
_WHOLE_PIXELS = 2339
"""The longest edge where no page was found, so nobody knows how large it is: A4 at 200 dpi."""
_QUALITIES = (50, 35, 20)
_LOOK_PIXELS = 800
"""Corners are looked for in a copy of this size, 3 px of the page apart."""
_AREA_MIN = 0.25
_DARKER_MIN = 12
"""Levels of 255 by which the table is darker than the page; a frame that is printed on the page has
the same paper on both sides."""
_BESIDE_PIXELS = 8
_A4_RATIO = 2**0.5
_RATIO_TOLERANCE = 0.12
_EDGE_PIXELS = 6
"""Cut off inside the corners: a thin line of the table stays otherwise."""
_LIGHT_MIN = 60
"""Levels that shadows may take: darker than this a place is dark itself, not in shadow."""
cv2.setNumThreads(1)  # the child may start no thread

_CORNERS = 4
"""Of a page."""


def flat_page(content: bytes) -> tuple[dict[str, object], bytes]:
    """Return whether a page was found, and the scan. Raises `RefusedError`."""
    picture = open_picture(content)
    seen = np.asarray(picture)
    corners = find_corners(seen)
    if corners is None:
        picture.thumbnail((_WHOLE_PIXELS, _WHOLE_PIXELS))
        return {"page": False}, _packed(picture)
    page = Image.fromarray(_even_light(_straight(seen, corners)))
    return {"page": True}, _packed(page)


def _packed(page: Image.Image) -> bytes:
    for quality in _QUALITIES:
        out = io.BytesIO()
        page.save(out, "WEBP", quality=quality, exif=b"", xmp=b"", icc_profile=None)
        if out.tell() <= limits.PAGE_BYTES_MAX:
            return out.getvalue()
    raise RefusedError("page-bytes")


# --------------------------------------------------------------------------------- corners


def find_corners(seen: MatLike) -> Corners | None:
    """Return the page's corners in pixels, clockwise from the upper left; None if not certain."""
    scale = min(1.0, _LOOK_PIXELS / max(seen.shape[:2]))
    small = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    best: Corners | None = None
    for outline in (_edges(grey), _bright(grey)):
        shapes, _ = cv2.findContours(outline, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for shape in sorted(shapes, key=cv2.contourArea, reverse=True)[:3]:
            found = _four(shape)
            if found is None or cv2.contourArea(found) < _AREA_MIN * grey.size:
                continue
            larger = best is None or cv2.contourArea(found) > cv2.contourArea(best)
            if larger and _lies_on_darker(grey, found):
                best = found
    return None if best is None else (best / scale).astype(np.float32)


def _edges(grey: MatLike) -> MatLike:
    return cv2.dilate(cv2.Canny(grey, 30, 90), np.ones((5, 5), np.uint8))


def _bright(grey: MatLike) -> MatLike:
    _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))


def _four(shape: MatLike) -> Corners | None:
    """Return the four corners that a shape has, in order; None where it has others."""
    hull = cv2.convexHull(shape)
    around = cv2.arcLength(hull, closed=True)
    for share in (0.02, 0.035, 0.05):
        corners = cv2.approxPolyDP(hull, share * around, closed=True)
        if len(corners) == _CORNERS:
            points = corners.reshape(_CORNERS, 2).astype(np.float32)
            total, apart = points.sum(axis=1), points[:, 1] - points[:, 0]
            order = [total.argmin(), apart.argmin(), total.argmax(), apart.argmax()]
            return points[order] if len(set(order)) == _CORNERS else None
    return None


def _lies_on_darker(grey: MatLike, corners: Corners) -> bool:
    """Whether it is darker beside each side than within: a page on a table, not a printed frame."""
    middle = corners.mean(axis=0)
    height, width = grey.shape[:2]
    for start, end in pairwise([*corners, corners[0]]):
        points = start + np.linspace(0.1, 0.9, 33)[:, None] * (end - start)
        away = (start + end) / 2 - middle
        normal = np.array([end[1] - start[1], start[0] - end[0]]) / np.linalg.norm(end - start)
        normal *= np.sign(normal @ away) * _BESIDE_PIXELS
        outside, inside = points + normal, points - normal
        within = (outside >= 0).all(axis=1) & (outside < (width, height)).all(axis=1)
        if not within.any():
            return False
        levels = [
            np.median(grey[spots[within, 1].astype(int), spots[within, 0].astype(int)])
            for spots in (inside, outside)
        ]
        if levels[0] - levels[1] < _DARKER_MIN:
            return False
    return True


# ---------------------------------------------------------------------------- the flat page


def _straight(seen: MatLike, corners: Corners) -> MatLike:
    """Return the page as it looks from straight above."""
    sides = [float(np.linalg.norm(b - a)) for a, b in pairwise([*corners, corners[0]])]
    across, down = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    ratio = max(across, down) / max(1.0, min(across, down))
    is_a4 = abs(ratio / _A4_RATIO - 1) < _RATIO_TOLERANCE
    long, short = _LONG_PIXELS, _SHORT_PIXELS if is_a4 else round(_LONG_PIXELS / ratio)
    width, height = (long, short) if across > down else (short, long)
    cut = _EDGE_PIXELS
    target = np.array(
        [[-cut, -cut], [width + cut, -cut], [width + cut, height + cut], [-cut, height + cut]],
        np.float32,
    )
    turn = cv2.getPerspectiveTransform(corners, target)
    shrinks = max(across, down) > _LONG_PIXELS
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.warpPerspective(seen, turn, (width, height), flags=how)


def _even_light(page: MatLike) -> MatLike:
    """Return the page with its paper white everywhere; stamps and ink keep their colour."""
    small = cv2.resize(page, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    light = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 21)
    light = cv2.max(light, np.full_like(light, _LIGHT_MIN))
    light = cv2.resize(light, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(page, light, scale=250)
