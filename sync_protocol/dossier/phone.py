"""Phone numbers, in one form: 0… for Vietnamese ones, +… for foreign ones.

A mobile number has ten digits and starts with 03, 05, 07, 08 or 09 (the eleven-digit ones ended in
2018); a landline starts with 02. A household often shares a phone: it never identifies a person.
"""

from __future__ import annotations

import re

from sync_protocol.dossier.text import refused

_SEPARATORS = re.compile(r"[ .()\-]")
_DOMESTIC = re.compile(r"0(?:[35789][0-9]{8}|2[0-9]{8,9})")
_WITHOUT_PLUS = re.compile(r"84[0-9]{9}")
_FOREIGN = re.compile(r"\+(?!84)[1-9][0-9]{6,14}")


def parse_phone(text: str, field: str = "phone") -> str:
    """Return the one form of a phone number. Raises `InputError`."""
    digits = _SEPARATORS.sub("", text)
    for prefix in ("+84", "0084"):
        if digits.startswith(prefix):
            digits = "0" + digits.removeprefix(prefix).removeprefix("0")
    if _WITHOUT_PLUS.fullmatch(digits):
        digits = "0" + digits.removeprefix("84")
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not (_DOMESTIC.fullmatch(digits) or _FOREIGN.fullmatch(digits)):
        raise refused(field, "is no phone number, such as 0912000123 or +4915112345678", "phone")
    return digits
