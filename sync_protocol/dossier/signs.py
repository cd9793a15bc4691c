"""The 31 signs of what we print for people to type again: provisional codes, secrets of slips.

What holds: every letter or digit that is not among them looks like one that is, and is read as
that: I and L as 1, O as 0, Z as 2, U as V. All are in the short alphabet of QR codes.
"""

from __future__ import annotations

import re

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_LOOK_ALIKES = str.maketrans("ILOZU", "1102V")
_BETWEEN = re.compile(r"[ \-.]")


def signs_of(entropy: bytes, count: int) -> str:
    """Return `count` signs from random bytes of the caller, at least a byte more than they hold."""
    number = int.from_bytes(entropy)
    signs = ""
    for _ in range(count):
        number, sign = divmod(number, len(SIGNS))
        signs += SIGNS[sign]
    return signs


def read_signs(text: str) -> str:
    """Return signs as people type them, in their one form: any case, blanks or hyphens between."""
    return _BETWEEN.sub("", text.strip()).upper().translate(_LOOK_ALIKES)
