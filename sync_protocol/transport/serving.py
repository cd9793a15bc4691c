"""Serving a WSGI app over TLS: the only door for `cheroot`, shared by edge and hub.

`cheroot` comes with the extras `edge` and `hub`; the tablet never imports this module.

What holds:
* TLS 1.2 or newer. The private key lies on a disk for a moment only, and only encrypted under a
  passphrase that never leaves memory (Python's `ssl` reads keys from files alone).
* The accepting thread never waits for a client: the TLS handshake happens in a worker, and a
  connection that has said nothing holds none.
* A worker waits for a request's head for `HEAD_TIMEOUT_S` in all, however slowly it drips; and
  for a body as long as it comes at `BYTES_PER_S_MIN` on average: 8 MiB over a village line are
  welcome, a byte a minute is not. So a silent or slow client holds a worker for a known time.
* One address never holds all workers: a connection too many is hung up on, and may come again.
* Bodies and replies pass through in pieces. Nothing is held whole.
* `stop` lets requests under way end.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import sys
import tempfile
import threading
import time
import traceback as tracebacks
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from wsgiref.types import WSGIApplication

from cheroot import errors as cheroot_errors
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl import Adapter
from cheroot.wsgi import Server

from sync_protocol import limits
from sync_protocol.crypto.certificate import lock_key
from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import InputError, StoreBusyError, WrongKeyError
from sync_protocol.storage.files import disk_errors, replace
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.guests import Guests

T = TypeVar("T")
WORKERS = 32
"""Requests at the same time: 30 tablets of a ward, or the 10 a second of 579 wards."""
CONNECTIONS_MAX = 1024
"""Kept-alive connections, open files each: 579 wards and their retries."""
BACKLOG = 512
"""A city's wards return within one second after a power cut."""
HEAD_BYTES_MAX = 32 * limits.KIB
HEAD_TIMEOUT_S = 10.0
"""For the handshake, and again for each head: as limits.CONNECT_TIMEOUT_S."""
BYTES_PER_S_MIN = 512
"""A tenth of a 56 kbit/s line."""
IDLE_TIMEOUT_S = 60
"""A connection without a request is closed after so long."""
STOP_TIMEOUT_S = 10
_BLOCK_BYTES = 64 * limits.KIB
_RECORD_BYTES = 16 * limits.KIB  # the largest TLS record
_log = logging.getLogger(__name__)


class TlsServer:
    """A WSGI app behind TLS, served by threads of its own from `start` to `stop`."""

    def __init__(
        self,
        app: WSGIApplication,
        address: tuple[str, int],
        certificate_pem: bytes,
        key_pem: bytes,
        *,
        body_bytes_max: int = contract.BODY_BYTES_MAX,
    ) -> None:
        """Prepare to serve on `address`; port 0 takes a free one. Raises `WrongKeyError`."""
        self._server = _Server(
            address,
            app,
            numthreads=WORKERS,
            max=WORKERS,
            server_name="motcua",
            request_queue_size=BACKLOG,
            timeout=IDLE_TIMEOUT_S,
            shutdown_timeout=STOP_TIMEOUT_S,
        )
        self._server.guests = Guests(WORKERS * 3 // 4)
        self._server.ssl_adapter = _TlsAdapter(server_context(certificate_pem, key_pem))
        self._server.max_request_header_size = HEAD_BYTES_MAX
        self._server.max_request_body_size = body_bytes_max
        self._server.keep_alive_conn_limit = CONNECTIONS_MAX
        self._server.expiration_interval = 0.1  # `stop` waits for it
        self._thread = threading.Thread(target=self._serve, name="serving", daemon=True)

    @property
    def port(self) -> int:
        """The port that is served."""
        return int(self._server.bind_addr[1])

    def start(self) -> None:
        """Listen, then serve in the background.

        Raises `StoreBusyError` if the port is taken, `InputError` if it can't be had at all.
        """
        try:
            self._server.prepare()
        except OSError as cause:
            if self._server.bind_errno == errno.EADDRINUSE:
                raise StoreBusyError("Another program uses this port already.") from cause
            raise InputError("This machine can't be reached at that address or port.") from cause
        self._thread.start()

    def stop(self) -> None:
        """Take no new request, let those under way end, and hang up."""
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

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

    def _serve(self) -> None:
        self._server.serve()


def server_context(certificate_pem: bytes, key_pem: bytes) -> ssl.SSLContext:
    """Return a TLS context for a certificate and its clear private key, both PEM.

    Raises `WrongKeyError` where they don't belong together, or `StorageError` kinds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    passphrase = random_bytes(32).hex()
    with (
        disk_errors("preparing the private line"),
        tempfile.TemporaryDirectory(prefix="motcua-") as folder,
    ):
        path = Path(folder) / "tls"
        replace(path, lock_key(key_pem, passphrase.encode()) + certificate_pem)
        try:
            context.load_cert_chain(path, password=passphrase)
        except ssl.SSLError as cause:
            raise WrongKeyError("The server's certificate and key don't fit together.") from cause
    return context


class _Pace:
    """How long a client may keep a worker waiting: a grace, and more for every byte that moves.

    Only waiting for the client counts, not what the app does in between.
    """

    def __init__(self) -> None:
        self.begin(HEAD_TIMEOUT_S)

    def begin(self, grace_s: float, bytes_per_s: int | None = None) -> None:
        self._left_s = grace_s
        self._second_per_byte = 1 / bytes_per_s if bytes_per_s else 0.0

    def wait(self, sock: ssl.SSLSocket, action: Callable[[], T]) -> T:
        """Do what may block. Raises `TimeoutError` once the client has had its time."""
        if self._left_s <= 0:
            raise TimeoutError("timed out")  # the text by which cheroot knows to answer 408
        sock.settimeout(self._left_s)
        started = time.monotonic()
        try:
            return action()
        finally:
            self._left_s -= time.monotonic() - started

    def moved(self, count: int) -> None:
        self._left_s += count * self._second_per_byte


class _Reader:
    """The client's bytes, as cheroot wants to read them."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self.pace = _Pace()
        self.closed = False
        self.bytes_read = 0

    def read(self, size: int | None = None) -> bytes:
        """Return `size` bytes, or fewer at the end of the line; of no size, at most a block."""
        wanted = _BLOCK_BYTES if size is None or size < 0 else size
        while len(self._buffer) < wanted and self._fill():
            pass
        return self._take(wanted)

    def readline(self, size: int = -1) -> bytes:
        while not (end := self._buffer.find(b"\n") + 1):
            if 0 <= size <= len(self._buffer) or not self._fill():
                end = len(self._buffer)
                break
        return self._take(end if size < 0 else min(end, size))

    def has_data(self) -> bool:
        """Whether the next request is here already, and so nothing will wake the selector."""
        return bool(self._buffer) or self._sock.pending() > 0

    def close(self) -> None:
        self.closed = True

    def _fill(self) -> bool:
        block = self.pace.wait(self._sock, partial(self._sock.recv, _RECORD_BYTES))
        self.pace.moved(len(block))
        self._buffer += block
        return bool(block)

    def _take(self, count: int) -> bytes:
        part = bytes(self._buffer[:count])
        del self._buffer[:count]
        self.bytes_read += len(part)
        return part


class _Writer:
    """The bytes for the client, sent at once."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self.pace = _Pace()
        self.bytes_written = 0

    def write(self, content: bytes) -> int:
        rest = memoryview(content)
        while rest:
            part = rest[:_BLOCK_BYTES]
            sent = self.pace.wait(self._sock, partial(self._sock.send, part))
            self.pace.moved(sent)
            rest = rest[sent:]
        self.bytes_written += len(content)
        return len(content)


class _TlsAdapter(Adapter):
    """Wraps accepted sockets without waiting for their handshake."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__("", "")
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        try:
            wrapped = self.context.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False
            )
        except OSError as cause:
            raise cheroot_errors.FatalSSLAlert(*cause.args) from cause
        return wrapped, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: ssl.SSLSocket, mode: str = "r", _size: int = -1) -> _Reader | _Writer:
        return _Reader(sock) if "r" in mode else _Writer(sock)


class _Request(HTTPRequest):
    """A request whose body and reply have their own pace, and whose length is a number."""

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b"Content-Length")
        if length is not None and not length.isdigit():  # a negative one would be read for ever
            self.simple_response("400 Bad Request", "Malformed Content-Length")
            return False
        return True

    def respond(self) -> None:
        for stream in (self.conn.rfile, self.conn.wfile):
            stream.pace.begin(limits.REQUEST_TIMEOUT_S, BYTES_PER_S_MIN)
        super().respond()

    def send_headers(self) -> None:
        # What the app left unread must be read before the reply, or a client that is still
        # sending never sees it. cheroot would read it in one piece.
        while getattr(self.rfile, "remaining", 0) and self.rfile.read(_BLOCK_BYTES):
            pass
        super().send_headers()


class _Connection(HTTPConnection):
    """A connection that shakes hands in the worker that reads its first request."""

    RequestHandlerClass = _Request
    is_fresh = True
    _is_private = False

    def communicate(self) -> bool:
        guests: Guests = self.server.guests
        if not guests.enter(self.remote_addr):
            _log.warning("an address wants more workers than one may have")
            return False
        try:
            return self._communicate()
        finally:
            guests.leave(self.remote_addr)

    def _communicate(self) -> bool:
        for stream in (self.rfile, self.wfile):
            stream.pace.begin(HEAD_TIMEOUT_S)
        if not self._is_private:
            try:
                self.rfile.pace.wait(self.socket, self.socket.do_handshake)
            except OSError as cause:
                _log.info("no handshake: %s", type(cause).__name__)
                return False
            self._is_private = True
            self.rfile.pace.begin(HEAD_TIMEOUT_S)
        return bool(super().communicate())  # type: ignore[no-untyped-call]


class _Server(Server):
    """Gives a worker only to connections that have something to say."""

    ConnectionClass = _Connection
    guests: Guests
    bind_errno: int | None = None
    """Why the last address could not be had; cheroot tells it in words only."""

    def bind(self, family: int, kind: int, proto: int = 0) -> socket.socket:
        try:
            bound: socket.socket = super().bind(family, kind, proto)
        except OSError as cause:
            self.bind_errno = cause.errno
            raise
        return bound

    @staticmethod
    def bind_socket(sock: socket.socket, address: Any) -> socket.socket:  # noqa: ANN401 - theirs
        try:
            sock.bind(address)
        except OSError:
            sock.close()
            raise
        return sock

    def process_conn(self, conn: _Connection) -> None:
        if not conn.is_fresh:
            super().process_conn(conn)
            return
        conn.is_fresh = False
        if self.can_add_keepalive_connection:
            self.put_conn(conn)
        else:
            conn.close()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log without what an exception says, which may quote what a person wrote."""
        error = sys.exc_info()[1]
        if not traceback or error is None:
            _log.log(level, "%s", msg)
            return
        place = tracebacks.extract_tb(error.__traceback__)[-1]
        _log.log(level, "%s at %s:%s", type(error).__name__, place.filename, place.lineno)
