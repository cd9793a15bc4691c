"""`dossier set --file EDITS.jsonl`: many edits by one command, one a line.

    {"id": "0193ab…", "fields": ["phone=0912000123", "status=ready"], "note": ["Đã gọi điện."]}

What holds: each line means what `dossier set` with the same words means, and is saved (and, with
`--json`, acknowledged) by itself. A refused line is told with its number and stops no other; any
refused: exit 1. `etag`, `seen` and `reason` may stand in a line as well.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable

from device_home.command import DONE, FAILED, Output
from device_home.lines import open_lines, read_lines
from sync_protocol import limits
from sync_protocol.errors import AccessError, InputError

_NAMES = frozenset({"id", "fields", "note", "etag", "seen", "reason"})


def sort_words(arguments: Namespace) -> None:
    """Put each word that was typed where it belongs, in whatever order they stand.

    For argparse a list of words ends at the first option, and `--seen` takes whatever follows it.
    But only a pair has "=", and of the others only a dot has ":".
    """
    free = [arguments.id, *arguments.fields, *arguments.more]
    words = [word for word in [*free, *(arguments.seen or ())] if word]
    pairs = [word for word in words if "=" in word]
    dots = [word for word in words if "=" not in word and ":" in word]
    others = [word for word in words if "=" not in word and ":" not in word]
    if bool(dots) != (arguments.seen is not None):
        raise InputError("An entry that was seen, FEED:NUMBER, stands after --seen.")
    arguments.seen = dots or None
    arguments.id = others[0] if others else ""
    arguments.fields = [*pairs, *others[1:]]


def set_many(arguments: Namespace, output: Output, set_one: Callable[[Namespace], object]) -> int:
    """Save every edit of the file that `--file` names. Raises `StorageError` kinds."""
    saved = refused = 0
    with open_lines(output.path(arguments.file), f"file of edits “{arguments.file}”") as file:
        for number, raw in read_lines(file):
            if not raw.strip():
                continue
            try:
                set_one(_words(raw, arguments))
                saved += 1
            except (InputError, AccessError) as problem:
                refused += 1
                row = {"line": number, "error": problem.code, "diagnosis": problem.diagnosis}
                output.data(row)
                output.note(f"line {number}: {problem.diagnosis} [{problem.code}]\n")
    output.say(f"{saved} edits done, {refused} refused.")
    return FAILED if refused else DONE


def _words(raw: bytes, arguments: Namespace) -> Namespace:
    """Return the arguments as if the line's words had been typed. Raises `InputError`."""
    try:
        row = json.loads(raw) if len(raw) <= limits.INTAKE_LINE_BYTES_MAX else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or not row.keys() <= _NAMES or "id" not in row:
        raise InputError("An edit is a JSON object with “id” and “fields”. It was not saved.")
    row = {"fields": [], **row}
    lists = [row[name] for name in ("fields", "note", "seen") if row.get(name) is not None]
    texts = [row["id"], row.get("etag", ""), row.get("reason", "")]
    if not all(isinstance(item, list) for item in lists):
        raise InputError("“fields”, “note” and “seen” are lists of texts. It was not saved.")
    if not all(
        isinstance(text, str) for text in [*texts, *(text for item in lists for text in item)]
    ):
        raise InputError("Everything in an edit is text. It was not saved.")
    return Namespace(**{**vars(arguments), **row})
