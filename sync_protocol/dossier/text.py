"""Text as people type and paste it, made safe to keep: one form, nothing invisible.

Every fifth text of the national catalogue is not in NFC, and pasted text carries no-break spaces
and zero-width characters that make equal names differ. Visible letters are never changed: "hoà" and
"hòa" are both lawful spellings of a citizen's name.
"""

from __future__ import annotations

import unicodedata

from sync_protocol.errors import InputError

NOT_TAKEN = "Nothing of it was saved; correct it and send it again."
"""How every refusal ends: what is safe, and what to do."""


def refused(field: str, what: str, reason: str) -> InputError:
    """Return the error for a bad `field`: `what` ends the sentence, `reason` is for machines."""
    return InputError(f"“{field}” {what}. {NOT_TAKEN}", field=field, reason=reason)


def clean(text: str, field: str, *, lines: bool = False) -> str:
    """Return `text` in NFC, trimmed, with plain single spaces and no invisible characters.

    With `lines`, line breaks stay. Raises `InputError` for control and private-use characters.
    """
    done = tidy(text)
    if done is not None:
        return done
    text = unicodedata.normalize("NFC", "".join(_plain(one, field, lines) for one in text))
    if lines and "\n" in text:
        return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
    return " ".join(text.split())


def tidy(text: str) -> str | None:
    """Return `text` of visible characters and plain spaces as `clean` does; None for any other."""
    if not text.isprintable():
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _plain(character: str, field: str, lines: bool) -> str:
    """Return what is kept of one character."""
    if character.isprintable():
        return character
    if character in "\n\u2028\u2029":
        return "\n" if lines else " "
    if character in "\t\r":
        return " "
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Cf":  # zero-width, soft hyphen, byte order mark, direction marks
        return ""
    if category == "Cn":  # a newer Unicode than ours may know it
        return character
    raise refused(field, "holds a character that can't be kept", "character")
