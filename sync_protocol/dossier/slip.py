"""The slip that a citizen takes home (Mẫu 01): its secret, and what its QR code says.

    MC1:000.00.01.H26-260930-0012:7K3QD9XH2B4MW
     │              │                   └ secret
     │              └ code of the dossier, official or provisional
     └ format, version 1

What holds:
* No personal data and no address: whoever photographs a slip learns a code and a secret.
* A code alone opens nothing: codes count up, and are read aloud. The secret is 13 signs of chance,
  64 bits, from the machine's random source. It lies in the dossier, so that whoever holds the
  dossier can check one, and so that a lost slip can be printed again without a line.
* A dossier has one secret. A corrected slip has a new one, and the old one opens nothing any more
  (elsewhere as soon as the change arrives). Two that were made at once both stay, in dispute.
* Every sign is one that a QR code takes in its short alphabet, and that a person can type.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sync_protocol.dossier.dossier_code import read_dossier_code
from sync_protocol.dossier.provisional_code import read_provisional_code
from sync_protocol.dossier.signs import SIGNS, read_signs, signs_of
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError

FORMAT = "MC1"
SECRET_SIGNS = 13
"""Of 31 signs each: 64.4 bits."""
ENTROPY_BYTES = 16
"""Twice what the signs hold, so that each of them is as likely as the next."""
_SECRET = re.compile(rf"[{SIGNS}]{{{SECRET_SIGNS}}}")
_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Slip:
    """What the QR code of a slip says; `str()` gives it as it is drawn."""

    code: str
    secret: str

    def __str__(self) -> str:
        """Return the content of the QR code."""
        return f"{FORMAT}:{self.code}:{self.secret}"


def make_slip_secret(entropy: bytes) -> str:
    """Make a secret from sixteen random bytes of the caller."""
    if len(entropy) < ENTROPY_BYTES:
        raise AssertionError(f"a slip's secret needs {ENTROPY_BYTES} random bytes")
    return signs_of(entropy, SECRET_SIGNS)


def read_slip(text: str) -> Slip:
    """Read what a scanner or a person typed from a slip. Raises `InputError`.

    Upper or lower case; with the blanks and hyphens with which the secret is printed.
    """
    parts = text.strip().upper().split(":") if len(text) <= _CHARACTERS_MAX else []
    if len(parts) != len(("format", "code", "secret")) or parts[0] != FORMAT:
        raise refused("slip", "is no slip such as MC1:CODE:SECRET", "slip")
    secret = read_signs(parts[2])
    if not _SECRET.fullmatch(secret):
        raise refused("slip", "was misread: its secret has 13 signs", "slip")
    return Slip(_read_code(parts[1]), secret)


def _read_code(text: str) -> str:
    try:
        return str(read_dossier_code(text))
    except InputError:
        return read_provisional_code(text).text


def opens(secret: str, kept: Iterable[object]) -> bool:
    """Whether a secret is one of a dossier's, in a time that tells nothing of them."""
    given = secret.encode()
    found = [hmac.compare_digest(given, item.encode()) for item in kept if isinstance(item, str)]
    return bool(secret) and any(found)
