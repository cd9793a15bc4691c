"""Bytes to an upright picture without transparency. Runs in the child only."""

from __future__ import annotations

import io

# Pillow would load these when it meets them, which the child can't any more.
from PIL import Image, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from device_home.picture.refusal import RefusedError
from sync_protocol import limits

_FORMATS = ("JPEG", "PNG", "WEBP")
_LOADED = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""MPO is a JPEG with a second one behind it, as many phones write; TIFF is what EXIF is made of."""
Image.preinit()
Image.MAX_IMAGE_PIXELS = limits.PICTURE_PIXELS_MAX


EDGE_PIXELS_MAX = 4096
"""Longest edge of what is worked on: a photo of 12 million pixels stays as it is."""


def open_picture(content: bytes) -> Image.Image:
    """Return the picture as "RGB", upright, with `EDGE_PIXELS_MAX` at most.

    Its size is looked at before a pixel is decoded. Raises `RefusedError`.
    """
    try:
        return _opened(content)
    except (RefusedError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise RefusedError("picture-size") from None
    except Exception:  # noqa: BLE001 - decoders raise whatever they like upon hostile bytes
        raise RefusedError("picture-damaged") from None


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        if picture.width * picture.height > limits.PICTURE_PIXELS_MAX:
            raise RefusedError("picture-size")
        picture.thumbnail((EDGE_PIXELS_MAX, EDGE_PIXELS_MAX))  # a JPEG is decoded smaller at once
        ImageOps.exif_transpose(picture, in_place=True)
        return _on_white(picture)


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    paper = Image.new("RGB", seen.size, "white")
    paper.paste(seen, mask=seen.getchannel("A"))
    return paper
