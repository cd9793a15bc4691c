"""Keys on paper: a 32-byte secret as text that can be printed, read aloud and typed again.

What holds: a slip of one digit is noticed (each line of 16 bytes ends in a checksum), and the file
says what it is for, so that the wrong key is refused by name. Lines that begin with `#` are for
people and are not read.
"""

from __future__ import annotations

from pathlib import Path

from sync_protocol.encoding import checksum
from sync_protocol.errors import InputError, WrongKeyError
from sync_protocol.identity import KEY_BYTES
from sync_protocol.storage.files import disk_errors

CITY_ROOT = "motcua-city-root-1"
RECOVERY = "motcua-recovery-1"
_LINE_BYTES = 16
_SUM_DIGITS = 4
_FILE_BYTES_MAX = 4096


def write_paper_key(kind: str, secret: bytes, remarks: list[str]) -> str:
    """Return the text of a key's file."""
    lines = [f"# {remark}" for remark in remarks]
    lines.append(kind)
    for start in range(0, len(secret), _LINE_BYTES):
        digits = secret[start : start + _LINE_BYTES].hex()
        digits += _sum(kind, start, secret[start : start + _LINE_BYTES])
        lines.append(" ".join(digits[at : at + 4] for at in range(0, len(digits), 4)))
    return "\n".join(lines) + "\n"


def _sum(kind: str, start: int, part: bytes) -> str:
    return f"{checksum(kind.encode() + bytes([start]) + part) & 0xFFFF:04x}"


def read_paper_key(kind: str, text: str) -> bytes:
    """Read a key's file. Raises `InputError` for a slip, `WrongKeyError` for another kind."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or lines[0] not in (CITY_ROOT, RECOVERY):
        raise InputError("That file is no key of this city. Nothing was done.")
    if lines[0] != kind:
        raise WrongKeyError(
            f"That file holds another kind of key ({lines[0]}); {kind} is needed. Nothing was done."
        )
    secret = b""
    for line in lines[1:]:
        digits = "".join(line.split()).lower()
        try:
            part = bytes.fromhex(digits[:-_SUM_DIGITS])
        except ValueError:
            part = b""
        if len(part) != _LINE_BYTES or digits[-_SUM_DIGITS:] != _sum(kind, len(secret), part):
            at = len(secret) // _LINE_BYTES + 1
            raise InputError(f"Line {at} of the key is mistyped. Compare it with the paper.")
        secret += part
    if len(secret) != KEY_BYTES:
        raise InputError("The key is cut off. Compare it with the paper.")
    return secret


def load_paper_key(kind: str, path: Path) -> bytes:
    """Read a key from a file. Raises `InputError`, `WrongKeyError` or `StorageError`."""
    if not path.is_file():
        raise InputError(f"There is no key file {path}.")
    with disk_errors("reading a key"):
        raw = path.read_bytes()[:_FILE_BYTES_MAX]
    try:
        return read_paper_key(kind, raw.decode("utf-8"))
    except UnicodeDecodeError as cause:
        raise InputError("That file is no key of this city. Nothing was done.") from cause
