"""The texts of the QR codes in a picture. Runs in the child only.

A code needs 2.4 px per module; what is smaller or blurred is tried again, enlarged and sharpened,
which reads one hard photo in ten more (docs/adr/0012).
"""

from __future__ import annotations

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

from device_home.picture.decode import open_picture
from sync_protocol import limits

_ENLARGED_PIXELS_MAX = 16_000_000
"""In a photo of more than 4 million pixels a code is large enough; then it is sharpened only."""
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_SHARPEN = ImageFilter.UnsharpMask(radius=3, percent=200, threshold=0)


def read_codes(content: bytes) -> list[str]:
    """Return the texts of the codes that are found, `CODES_MAX` at most. Raises `RefusedError`."""
    grey = open_picture(content).convert("L")
    return _read(grey) or _read(_enlarged(grey))


def _enlarged(grey: Image.Image) -> Image.Image:
    times = min(2.0, (_ENLARGED_PIXELS_MAX / (grey.width * grey.height)) ** 0.5)
    size = (max(1, round(grey.width * times)), max(1, round(grey.height * times)))
    return grey.resize(size, Image.Resampling.BICUBIC).filter(_SHARPEN)


def _read(grey: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(np.asarray(grey), formats=_QR)
    texts = [_text(item) for item in found[: limits.PICTURE_CODES_MAX]]
    return [text for text in texts if len(text) <= limits.IDENTITY_TEXT_CHARACTERS_MAX]


def _text(found: zxingcpp.Barcode) -> str:
    """Return the text; cards hold UTF-8 and don't say so, and a guess may garble it."""
    try:
        return bytes(found.bytes).decode("utf-8")
    except UnicodeDecodeError:
        return found.text
