"""Folding for search: the same function for the index and for what a person types.

Officers and citizens type without marks, and files come in composed and decomposed form; so both
sides are compared as lower-case letters without marks, with đ as d. A folded text is never shown.
"""

from __future__ import annotations

import unicodedata

_LIKE_D = str.maketrans("ĐđÐð", "dddd")
"""The Vietnamese letter has no decomposition; U+00D0 and U+00F0 look like it and are found in its
place."""


class _Folded(dict[int, str]):
    """What each character is searched as; filled as characters are met, and kept small."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _CHARACTERS_MAX:
            self.clear()
        text = unicodedata.normalize("NFD", chr(code).translate(_LIKE_D)).casefold()
        text = unicodedata.normalize("NFD", text).casefold()
        # Format characters (zero-width space, soft hyphen) are as invisible to a reader as marks.
        folded = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))
        self[code] = folded
        return folded


_CHARACTERS_MAX = 4096
"""Characters remembered: all of Vietnamese is under 200."""
_folded = _Folded()


def fold(text: str) -> str:
    """Return `text` as it is searched: lower case without marks. Folding twice is once."""
    folded = text.lower() if text.isascii() else text.translate(_folded)
    return " ".join(folded.split())


_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_KEY = {letter: chr(ord("@") + rank) for rank, letter in enumerate(_LETTERS)}
_LOOKALIKES = str.maketrans("Ðð", "Đđ")
_TONES = "\u0300\u0309\u0303\u0301\u0323"
"""huyền, hỏi, ngã, sắc, nặng: the dictionary's order, after no tone at all."""
_TONE_KEY = {tone: str(rank) for rank, tone in enumerate(_TONES, start=1)}


def name_key(name: str) -> str:
    """Return a key that sorts names the Vietnamese way, by plain comparison of code points.

    The last word counts first, then the first, then those between; letters in the order of the
    alphabet (đ after d, ơ after ô), and tones only where the letters of a word are equal.
    """
    words = unicodedata.normalize("NFC", name).translate(_LOOKALIKES).lower().split()
    ordered = [*words[-1:], *words[:-1]]
    return " ".join(_word_key(word) for word in ordered)


def _word_key(word: str) -> str:
    letters, tones = [], []
    for character in unicodedata.normalize("NFC", word):
        letter, tone = _without_tone(character)
        letters.append(_LETTER_KEY.get(letter, letter))
        tones.append(_TONE_KEY.get(tone, ""))
    return f"{''.join(letters)}!{''.join(tones)}"


def _without_tone(character: str) -> tuple[str, str]:
    """Split "ậ" into "â" and its tone; what is no Vietnamese letter stays as it is."""
    if character.isascii():
        return character, ""
    marks = unicodedata.normalize("NFD", character)
    tone = next((mark for mark in marks if mark in _TONE_KEY), "")
    letter = unicodedata.normalize("NFC", marks.replace(tone, "")) if tone else character
    # "ñ" and "ö" sort with their plain letters: foreign names have no other place here.
    return (letter if letter in _LETTER_KEY else marks[:1]), tone
