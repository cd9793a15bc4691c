"""A command's words, handed over to `serve` and run there: both ends of `transport.handover`.

What holds: what the command says arrives as it is said, piece by piece, so that each line of
`intake --json` is told after its commit and not at the end.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from device_home.command import FAILED, Program
from sync_protocol.transport import handover
from sync_protocol.transport.handover import Execute, Item

A = TypeVar("A")
_RUN = "run"
_OUT, _ERR = "out", "err"
_PIECE_CHARS = 64 * 1024
"""At most 256 KiB as UTF-8: a quarter of a frame's bound."""
_WAITING_MAX = 64


def hand_over(home: Path, words: list[str], cwd: Path) -> Iterator[tuple[str, str]]:
    """Let the owner of `home` run `words`; yield what it says, as `Program.hand_over` is to."""
    for item in handover.hand_over(home, _RUN, {"words": words, "cwd": str(cwd)}):
        for stream in (_OUT, _ERR):
            if stream in item:
                yield stream, str(item[stream])
        if "error" in item:
            yield _ERR, f"{item.get('diagnosis', '')} [{item['error']}]\n"
        if handover.EXIT in item:
            yield "exit", str(item[handover.EXIT])


def executor(
    program: Program[A],
    app: A,
    home: Path,
    after: Callable[[], None] = lambda: None,
    within: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Execute:
    """Return what a `HandoverServer` runs commands by; `after` is called when one has ended.

    Each runs within what `within` gives, to its own end, though whoever asked may have gone.
    """

    def execute(_command: str, arguments: Item) -> Iterator[Item]:
        said: queue.Queue[Item] = queue.Queue(_WAITING_MAX)

        def emit(stream: str, text: str) -> None:
            for at in range(0, len(text), _PIECE_CHARS):
                said.put({stream: text[at : at + _PIECE_CHARS]})

        def run() -> None:
            code = FAILED
            try:
                with within():
                    code = program.execute(app, home, _words(arguments), _cwd(arguments), emit)
            finally:
                said.put({handover.EXIT: code})

        worker = threading.Thread(target=run, name="command", daemon=True)
        worker.start()
        while True:
            item = said.get()
            if handover.EXIT in item:
                break
            yield item
        worker.join()
        after()
        yield item

    return execute


def _words(arguments: dict[str, Any]) -> list[str]:
    return [str(word) for word in arguments.get("words", ())]


def _cwd(arguments: dict[str, Any]) -> Path:
    return Path(str(arguments.get("cwd", "/")))
