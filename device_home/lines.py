"""Files of JSON lines that commands take in: line by line, each within its bound."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sync_protocol import limits
from sync_protocol.errors import InputError


def open_lines(path: Path, what: str) -> BinaryIO:
    """Open a file of lines; `what` names it. Raises `InputError`."""
    try:
        file = path.open("rb")
    except OSError as cause:
        raise InputError(f"The {what} is missing or can't be read.") from cause
    if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):  # it might never end
        file.close()
        raise InputError(f"The {what} is no file of lines.")
    return file


def read_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; of one beyond the bound, just more than the bound."""
    bound = limits.INTAKE_LINE_BYTES_MAX
    number = 0
    while line := file.readline(bound + 2):
        number += 1
        whole = line.endswith(b"\n")
        while not whole and (rest := file.readline(bound)):
            whole = rest.endswith(b"\n")
        yield number, line.rstrip(b"\r\n")
