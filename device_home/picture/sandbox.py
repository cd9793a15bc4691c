"""The child process that reads pictures, seen from outside: started, fed, bounded, ended.

What holds: whatever the child does, the answer comes within `PICTURE_WALL_S`, has at most
`PICTURE_ANSWER_BYTES_MAX`, and is a first line of JSON with bytes after it, or one refusal. The
child inherits no open file and nothing of the environment, where keys may be named.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, NamedTuple

from sync_protocol import limits
from sync_protocol.dossier.scan_check import refuse

_ROOT = str(Path(__file__).parents[2])


class Answer(NamedTuple):
    """What a child said: values by name, and the bytes after them. As hostile as the picture."""

    values: dict[str, object]
    body: bytes


class Sandbox:
    """Starts children, a few at a time. Safe for threads."""

    def __init__(self, module: str = "device_home.picture.child") -> None:
        """Begin; `module` is what a child runs."""
        self._module = module
        self._turns = threading.BoundedSemaphore(limits.PICTURE_CHILDREN_MAX)

    def ask(self, task: str, content: bytes) -> Answer:
        """Let a child do one task of `child.TASKS`. Raises `AttachmentRefusedError`."""
        if not self._turns.acquire(timeout=limits.PICTURE_WALL_S):
            raise refuse("Too many pictures are being read right now.", "picture-busy")
        try:
            said = self._run(task, content)
        except OSError as cause:  # no memory or no process left for a child
            raise refuse("This machine can't read a picture right now.", "picture-busy") from cause
        finally:
            self._turns.release()
        first, _, body = said.partition(b"\n")
        try:
            values = json.loads(first)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or len(said) > limits.PICTURE_ANSWER_BYTES_MAX:
            # It was killed, it hung, or it fell: nobody can say more, and nothing else was harmed.
            raise refuse("This file can't be read here.", "picture-broke")
        return Answer(values, body)

    def _run(self, task: str, content: bytes) -> bytes:
        child = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs us
            [sys.executable, "-P", "-s", "-Wignore", "-m", self._module, task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": _ROOT, "OPENBLAS_NUM_THREADS": "1"},
        )
        if child.stdin is None or child.stdout is None:
            raise AssertionError("both are pipes")
        feeder = threading.Thread(target=_feed, args=(child.stdin, content), daemon=True)
        clock = threading.Timer(limits.PICTURE_WALL_S, child.kill)
        try:
            feeder.start()
            clock.start()
            return child.stdout.read(limits.PICTURE_ANSWER_BYTES_MAX + 1)
        finally:
            child.kill()
            clock.cancel()
            child.wait(limits.PICTURE_WALL_S)
            feeder.join(limits.PICTURE_WALL_S)
            child.stdout.close()


def _feed(pipe: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(OSError):  # a child that is gone reads no more
        pipe.write(content)
    with contextlib.suppress(OSError):
        pipe.close()
