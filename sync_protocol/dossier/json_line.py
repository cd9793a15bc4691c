"""One line of JSON, read strictly: what two readers could understand differently is refused.

Refused: more than `limits.INTAKE_LINE_BYTES_MAX` bytes, other encodings than UTF-8, repeated keys,
NaN and infinities, nesting that no honest file has, and anything but an object. A byte order
mark at the start is skipped: Windows programs put one before the first line.
"""

from __future__ import annotations

import json
import re

from sync_protocol import limits
from sync_protocol.dossier.text import NOT_TAKEN
from sync_protocol.errors import InputError

_PLAIN_KEY = re.compile(r"[a-z][a-z_]{0,30}")


def _refused(what: str, reason: str, **evidence: object) -> InputError:
    return InputError(f"{what} {NOT_TAKEN}", reason=reason, **evidence)


def shown_key(key: str) -> str:
    """Return `key` if it looks like a field's name, else "?": it may be somebody's name."""
    return key if _PLAIN_KEY.fullmatch(key) else "?"


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = shown_key(next(key for key in keys if keys.count(key) > 1))
        raise _refused(f"The line gives “{repeated}” twice.", "repeated-key", field=repeated)
    return value


def _no_constant(_text: str) -> object:
    raise _refused("The line holds NaN or Infinity, which are no values.", "not-a-number")


_decoder = json.JSONDecoder(object_pairs_hook=_unrepeated, parse_constant=_no_constant)


def read_object(line: bytes) -> dict[str, object]:
    """Read one line as a JSON object. Raises `InputError`, and nothing else."""
    if len(line) > limits.INTAKE_LINE_BYTES_MAX:
        raise _refused(
            "The line is longer than 64 KiB.",
            "line-length",
            bytes=len(line),
            bytes_max=limits.INTAKE_LINE_BYTES_MAX,
        )
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise _refused("The line is not UTF-8 text.", "encoding", at=cause.start) from None
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise _refused("The line is nested too deep.", "nesting") from None
    except json.JSONDecodeError as cause:
        # The cause quotes the whole line, which is personal data: it stays behind.
        raise _refused(
            f"The line is not JSON: look at character {cause.pos + 1}.", "syntax", at=cause.pos
        ) from None
    except ValueError:
        raise _refused("The line holds a number that is too long.", "number-length") from None
    if not isinstance(value, dict):
        raise _refused("The line is not a JSON object: it must start with “{”.", "not-an-object")
    return value
