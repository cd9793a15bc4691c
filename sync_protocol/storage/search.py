"""What a word is, for every store alike: a run of letters, marks and digits.

What holds: a record is found by a text if each of the text's words is the start of one of the
record's words. Folding (no marks, đ to d, lower case) is the caller's; only ASCII case is evened
out here, as FTS5's `ascii` tokenizer does.
"""

from __future__ import annotations

import unicodedata

from sync_protocol import limits


class _Table(dict[int, str]):
    """Maps what is no part of a word to a space; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        found = chr(code)
        if unicodedata.category(found)[0] not in "LMN":
            found = " "
        elif code < 128:  # noqa: PLR2004  # the end of ASCII
            found = found.lower()
        self[code] = found
        return found


_TABLE = _Table()


def words(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return text.translate(_TABLE).split()


def wanted(text: str) -> list[str]:
    """Return those words of a search that count, each once."""
    return list(dict.fromkeys(words(text)))[: limits.SEARCH_WORDS_MAX]


def matches(text: str, wanted_words: list[str]) -> bool:
    """Whether each of `wanted_words` is the start of a word of `text`."""
    found = words(text)
    return all(any(word.startswith(start) for word in found) for start in wanted_words)
