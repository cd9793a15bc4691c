"""Folding for search: the same function for the index and for what a person types.

Officers and citizens type without marks, and files come in composed and decomposed form; so both
sides are compared as lower-case letters without marks, with đ as d. A folded text is never shown.
"""

from __future__ import annotations

import unicodedata

_LIKE_D = str.maketrans("ĐđÐð", "dddd")
"""The Vietnamese letter has no decomposition; U+00D0 and U+00F0 look like it and are found in its
place."""


def fold(text: str) -> str:
    """Return `text` as it is searched: lower case without marks. Folding twice is once."""
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.translate(_LIKE_D)).casefold()
        text = unicodedata.normalize("NFD", text)
        # Format characters (zero-width space, soft hyphen) are as invisible to a reader as marks.
        text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))
    return " ".join(text.casefold().split())
