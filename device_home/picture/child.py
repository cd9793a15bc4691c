"""The child process: one task, one picture from stdin, one answer to stdout, and it is gone.

    python -m device_home.picture.child TASK < PICTURE

What holds: libraries are loaded first, then the child confines itself, then it reads. Nothing is
said but the answer; a traceback could quote a person's paper.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from device_home.picture.confine import confine
from device_home.picture.refusal import RefusedError
from sync_protocol import limits

Work = Callable[[bytes], tuple[dict[str, object], bytes]]
CODES, PAGE, DOCUMENT = "codes", "page", "document"


def _codes() -> Work:
    from device_home.picture.code import read_codes

    return lambda content: ({"codes": read_codes(content)}, b"")


def _page() -> Work:
    from device_home.picture.page import flat_page

    return flat_page


def _document() -> Work:
    from device_home.picture.document import count_pages

    return lambda content: ({"pages": count_pages(content)}, b"")


TASKS: dict[str, Callable[[], Work]] = {CODES: _codes, PAGE: _page, DOCUMENT: _document}


def main(task: str) -> None:
    """Do one task."""
    work = TASKS[task]()
    filtered = confine()
    content = sys.stdin.buffer.read(limits.ATTACHMENT_BYTES_MAX + 1)
    body = b""
    try:
        values, body = work(content)
    except RefusedError as refusal:
        values = {"refused": refusal.reason}
    except MemoryError:
        values = {"refused": "picture-size"}
    answer = json.dumps({**values, "filtered": filtered}).encode() + b"\n" + body
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    finally:
        os._exit(0)  # no library gets to tidy up: it may be damaged by what it read
