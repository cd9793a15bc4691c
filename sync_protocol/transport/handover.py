"""Handing a command over to the process that owns the home.

While `serve` runs, it alone may write the home's feed. A command started beside it finds the home
owned and sends its work through `home/control.sock`; what the command would print comes back.

What holds:
* Only the same account gets in: the socket is 0600, and each end checks the other's uid
  (SO_PEERCRED).
* A command that was taken runs to its end, whether or not anybody still listens: Ctrl-C in the
  terminal leaves nothing half done that was acknowledged.
* Every message and every wait is bounded. While a long command is silent, the server says every
  few seconds that it is still at it.

Bytes: u32 length (big-endian) and MessagePack, one frame per item; an empty frame says "still at
it". The last item is `{"exit": n}`; `{"error": code, "diagnosis": text}` may stand before it.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    MalformedMessageError,
    StoreBusyError,
    SyncError,
    TransportError,
    UnreachableError,
    WrongPeerError,
)
from sync_protocol.storage.files import FILE_MODE, disk_errors, make_folder

Item = dict[str, Any]
Execute = Callable[[str, Item], Iterator[Item]]
NAME = "control.sock"
EXIT = "exit"
FRAME_BYTES_MAX = limits.MESSAGE_BYTES_MAX
AT_ONCE_MAX = 8
"""Commands under way at the same time; a person has few hands."""
ITEMS_WAITING_MAX = 256
STILL_AT_IT_S = 5.0
SILENCE_S = 30.0
"""Six signs of life missed."""
_LENGTH = struct.Struct(">I")
_CREDENTIALS = struct.Struct("3i")
_END = None
_log = logging.getLogger(__name__)


class _Request(msgspec.Struct, array_like=True):
    command: str
    arguments: dict[str, Any]


class HandoverServer:
    """Takes commands at `home/control.sock` from `start` to `stop`.

    `execute(command, arguments)` yields what the command has to say, as plain dicts, and ends
    with `{"exit": n}` (without it: 0). A `SyncError` of it is told and exits 1.
    """

    def __init__(self, home: str | os.PathLike[str], execute: Execute) -> None:
        """Prepare; nothing listens yet. The caller owns the home (`storage.lock`)."""
        self._home = Path(home)
        self._execute = execute
        self._slots = threading.BoundedSemaphore(AT_ONCE_MAX)
        self._stopping = threading.Event()
        self._listens = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._accept, name="handover", daemon=True)
        self._running: list[threading.Thread] = []

    def start(self) -> None:
        """Listen. A socket that a kill left behind is replaced.

        Raises `StoreBusyError` where another process listens there, or `StorageError`.
        """
        with disk_errors("opening the control socket"):
            make_folder(self._home)
            with _short_path(self._home) as path:
                _clear_stale(path)
                self._socket.bind(path)
                # Nobody can connect before `listen`, so nobody sees it wider open than this.
                os.chmod(path, FILE_MODE)  # noqa: PTH101 - the path is the kernel's
                self._socket.listen(AT_ONCE_MAX)
        self._listens = True
        self._thread.start()

    def stop(self) -> None:
        """Take no new command, and wait for those under way."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._listens:
            # The thread may have ended already, so its life says nothing of whose the socket is.
            self._thread.join()
            with suppress(OSError):  # what is left is replaced at the next start
                (self._home / NAME).unlink()
        self._socket.close()
        for thread in self._running:
            thread.join()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._socket.accept()
            except OSError:
                # Stopping, a client that left before it was taken, or no file handle left.
                self._stopping.wait(0.1)
                continue
            if not self._slots.acquire(blocking=False):
                line.close()
                continue
            thread = threading.Thread(target=self._serve, args=(line,), name="handed-over")
            self._running = [other for other in self._running if other.is_alive()] + [thread]
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with line:
                line.settimeout(SILENCE_S)
                _check_same_account(line)
                request = decode(_receive(line), _Request)
                self._relay(line, request)
        except SyncError as error:
            _log.warning("a command was not taken: %s", error.code)
        finally:
            self._slots.release()

    def _relay(self, line: socket.socket, request: _Request) -> None:
        """Run the command in this thread; a second one passes its items on."""
        items: queue.Queue[bytes | None] = queue.Queue(ITEMS_WAITING_MAX)
        relay = threading.Thread(target=_pass_on, args=(line, items), name="handover-relay")
        relay.start()
        try:
            for item in _items_of(self._execute, request):
                items.put(_frame(item))
        finally:
            items.put(_END)
            relay.join()


def hand_over(home: str | os.PathLike[str], command: str, arguments: Item) -> Iterator[Item]:
    """Let the process that owns `home` run a command; yield its items, `{"exit": n}` last.

    Raises, at the first item, `UnreachableError` where nobody listens, `WrongPeerError` where
    another account does; and `TransportError` or `PeerError` kinds where it breaks off: then the
    command may still run to its end.
    """
    request = encode([command, arguments])
    if len(request) > FRAME_BYTES_MAX:
        raise AssertionError("a command's arguments are larger than a message")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(SILENCE_S)
        try:
            with _short_path(Path(home)) as path:
                line.connect(path)
        except OSError as cause:
            raise UnreachableError(
                "The program that works with this folder is not there."
            ) from cause
        _check_same_account(line)
        try:
            line.sendall(_LENGTH.pack(len(request)) + request)
        except OSError as cause:
            raise _broken_off() from cause
        while True:
            raw = _receive(line)
            if not raw:
                continue
            item = decode(raw, dict[str, Any])
            yield item
            if EXIT in item:
                return


def _items_of(execute: Execute, request: _Request) -> Iterator[Item]:
    """Yield a command's items; whatever happens, the last one is an exit."""
    try:
        for item in execute(request.command, request.arguments):
            yield item
            if EXIT in item:
                return
    except SyncError as error:
        yield {"error": error.code, "diagnosis": error.diagnosis}
        yield {EXIT: 1}
    except Exception as error:  # noqa: BLE001 - the process that serves must outlive a command
        # Not its words: they may quote what a person wrote.
        _log.error("a command failed: %s", type(error).__name__)
        yield {"error": "internal", "diagnosis": f"The command failed: {type(error).__name__}."}
        yield {EXIT: 1}
    else:
        yield {EXIT: 0}


def _frame(item: Item) -> bytes:
    raw = encode(item)
    if len(raw) > FRAME_BYTES_MAX:
        raw = encode({"error": "limit-exceeded", "diagnosis": "A line of the answer is too long."})
    return _LENGTH.pack(len(raw)) + raw


def _pass_on(line: socket.socket, items: queue.Queue[bytes | None]) -> None:
    """Send items, and signs of life between them. Once nobody listens, let the rest fall."""
    listening = True
    while True:
        try:
            frame = items.get(timeout=STILL_AT_IT_S)
        except queue.Empty:
            frame = _LENGTH.pack(0)
        if frame is _END:
            return
        if listening:
            try:
                line.sendall(frame)
            except OSError:
                listening = False


def _receive(line: socket.socket) -> bytes:
    size: int = _LENGTH.unpack(_exactly(line, _LENGTH.size))[0]
    if size > FRAME_BYTES_MAX:
        raise MalformedMessageError("A handed-over message is larger than its bound.", bytes=size)
    return _exactly(line, size)


def _exactly(line: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        try:
            part = line.recv(size - len(found))
        except OSError as cause:
            raise _broken_off() from cause
        if not part:
            raise _broken_off()
        found += part
    return bytes(found)


def _broken_off() -> TransportError:
    return TransportError(
        "The program that was doing the work stopped answering. What it had said is done, is done."
    )


def _check_same_account(line: socket.socket) -> None:
    """Raise `WrongPeerError` unless the other end runs under our account."""
    try:
        raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError as cause:
        raise _broken_off() from cause
    _, uid, _ = _CREDENTIALS.unpack(raw)
    if uid != os.geteuid():
        raise WrongPeerError("Another account is at the other end of the control socket.", uid=uid)


@contextmanager
def _short_path(home: Path) -> Iterator[str]:
    """Yield a name of the socket that fits the kernel's 107 bytes, however deep the home lies."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def _clear_stale(path: str) -> None:
    """Remove a socket that nobody listens at. Raises `StoreBusyError` where somebody does."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116 - the path is the kernel's
            raise StoreBusyError("Something else than a socket lies where commands are taken.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108 - the path is the kernel's
            return
    raise StoreBusyError("Another program takes the commands for this folder already.")
