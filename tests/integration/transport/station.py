"""A small station over real TLS: it echoes parcels, refuses, dawdles and breaks off on demand."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_protocol.crypto.certificate import issue_server_certificate, make_authority
from sync_protocol.errors import BusyError, SyncError, TransportError
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.carrier import Parcel
from sync_protocol.transport.http import HttpCarrier
from sync_protocol.transport.serving import TlsServer

Start = Callable[[str, list[tuple[str, str]]], object]
NOW = datetime.now(UTC)
BLOCK = 256 * 1024


@dataclass
class Station:
    """The app, and what it saw."""

    ca_pem: bytes = b""
    clients: set[tuple[str, str]] = field(default_factory=set)
    cuts: list[TransportError] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    seen: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        self.clients.add((environ["REMOTE_ADDR"], environ["REMOTE_PORT"]))
        if environ["PATH_INFO"] == contract.CA_PATH:
            start("200 OK", [("Content-Type", contract.PEM_TYPE)])
            return [self.ca_pem]
        try:
            return self._answer(environ, start)
        except SyncError as error:
            if isinstance(error, TransportError) and not isinstance(error, BusyError):
                self.cuts.append(error)
                self.seen.set()
            body = contract.error_body(error)
            headers = [
                ("Content-Type", contract.ERROR_TYPE),
                ("Content-Length", str(len(body))),
            ]
            if (seconds := contract.retry_after_of(error)) is not None:
                headers.append(("Retry-After", str(seconds)))
            start(f"{contract.status_of(error)} Refused", headers)
            return [body]

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        length = int(environ["CONTENT_LENGTH"])
        incoming = contract.read_parcel(environ["wsgi.input"], length)
        wish, _, rest = incoming.envelope.partition(b":")
        if wish == b"refuse":
            kinds = {kind.code: kind for kind in _all_errors()}
            raise kinds[rest.decode()]("Refused.", retry_after_s=7.0)
        if wish == b"wait":
            self.seen.set()
            self.release.wait(30)
        sizes = [len(payload) for payload in incoming.payloads]
        if wish == b"web":
            start("200 OK", [("Content-Type", "text/html")])
            return [b"<html>"]
        wanted = [BLOCK] * int(rest) if wish in (b"send", b"cut") else []
        reply = Parcel(repr(sizes).encode(), (bytes(size) for size in wanted), wanted)
        headers = [
            ("Content-Type", contract.MEDIA_TYPE),
            ("Content-Length", str(contract.parcel_bytes(reply))),
        ]
        start("200 OK", headers)
        pieces = contract.write_parcel(reply)
        return _cut_short(pieces) if wish == b"cut" else pieces


def _cut_short(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for _ in range(4):
        yield next(pieces)
    yield next(pieces)[:1000]
    raise RuntimeError("the station's power goes")


def _all_errors() -> list[type[SyncError]]:
    kinds = [SyncError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return kinds


@contextmanager
def running(
    *, issued: datetime = NOW, days_ago: int = 0
) -> Iterator[tuple[Station, TlsServer, str]]:
    """Run a station whose certificates were made so long ago."""
    made = issued - timedelta(days=days_ago)
    station = Station()
    station.ca_pem, ca_key = make_authority("Trạm thử", made)
    leaf, key = issue_server_certificate(station.ca_pem, ca_key, ["127.0.0.1"], made)
    with TlsServer(station, ("127.0.0.1", 0), leaf, key) as server:
        yield station, server, f"https://127.0.0.1:{server.port}"


@contextmanager
def carrier_to(url: str, ca_pem: bytes) -> Iterator[HttpCarrier]:
    carrier = HttpCarrier(url, ca_pem)
    try:
        yield carrier
    finally:
        carrier.close()


def any_tls() -> ssl.SSLContext:
    """A client that believes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
