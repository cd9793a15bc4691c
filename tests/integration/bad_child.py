"""A child that does what none should: run in the place of `device_home.picture.child`."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from device_home.picture.confine import confine


def hang() -> None:
    while True:
        time.sleep(1)


def spin() -> None:
    while True:
        pass


def fall() -> None:
    os.abort()


def talk() -> None:
    while True:
        sys.stdout.buffer.write(bytes(1 << 16))


def lie() -> None:
    sys.stdout.buffer.write(b"[" * 100_000)


def reach(name: str) -> None:
    """Try what a decoder that was taken over would try, and say whether it went through."""
    ways: dict[str, Callable[[], object]] = {
        "read": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "write": lambda: os.open("/tmp/reached", os.O_WRONLY | os.O_CREAT),
        "network": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "local": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "fork": os.fork,
        "thread": lambda: threading.Thread(target=int).start(),
        "run": lambda: os.execv("/bin/true", ["true"]),
        "signal": lambda: os.kill(os.getppid(), 0),
        "memory": lambda: bytearray(1 << 30),
        "nothing": int,
        "list": lambda: list(Path("/proc").iterdir()),
    }
    if not confine():
        os._exit(1)
    with contextlib.suppress(MemoryError):
        ways[name]()
        os.write(1, b'{"reached": true}\n')
    os._exit(0)


if __name__ == "__main__":
    task, _, way = sys.argv[1].partition("-")
    globals()[task](*[way] if way else [])
