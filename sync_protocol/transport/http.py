"""A carrier over HTTP: the only door for `requests`.

What holds:
* One `Session`, so one kept-alive TLS connection per exchange. Uploads and replies are streamed.
* TLS 1.2 or newer, and one authority only: the one that was pinned at enrolment. No system
  authority, no proxy and no password file of the environment has a say.
* Certificate **dates are not checked**: a tablet's clock may say 1970, and no message depends on a
  right clock. Nor is the **name**: a ward's station is met under whatever address its network gave
  it, and its authority signs for nobody else. Who answers is proved by the authority here and by
  the signature in the envelope above.
* Only errors of ours come out. Nothing is retried and no redirection is followed.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sync_protocol import limits
from sync_protocol.crypto.certificate import fingerprint
from sync_protocol.errors import (
    InputError,
    MalformedMessageError,
    SyncError,
    TransportError,
    UnreachableError,
    WrongPeerError,
)
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.carrier import Parcel

X509_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h; Python has no name for it."""
CA_BYTES_MAX = 64 * limits.KIB
_BLOCK_BYTES = 64 * limits.KIB
_TIMEOUTS = (limits.CONNECT_TIMEOUT_S, limits.REQUEST_TIMEOUT_S)


class HttpCarrier:
    """The way to one peer over HTTP. For one thread at a time."""

    def __init__(self, url: str, ca_pem: bytes, path: str = contract.SYNC_PATH) -> None:
        """Prepare the way to `url` (scheme, host, port); nothing is sent yet.

        `ca_pem` is the pinned authority; only tests and a line that is private otherwise speak
        plain `http://`. Raises `MalformedMessageError` where it is no certificate, and
        `InputError` where `url` is no address.
        """
        _address(url)
        self._url = url.rstrip("/") + path
        self._session = _session(_pinned(ca_pem))
        self.bytes_sent = 0
        self.bytes_received = 0
        self.requests = 0

    def ask(self, parcel: Parcel) -> HttpReply:
        """Send a parcel and return the answer. Raises `TransportError` or `PeerError` kinds."""
        contract.check_parcel(parcel)
        upload = _Upload(parcel)
        self.requests += 1
        try:
            with _line_errors():
                response = self._session.post(
                    self._url,
                    data=upload,
                    headers={"Content-Type": contract.MEDIA_TYPE},
                    stream=True,
                    timeout=_TIMEOUTS,
                    allow_redirects=False,
                )
        finally:
            self.bytes_sent += upload.sent
        return self._reply(response)

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _reply(self, response: requests.Response) -> HttpReply:
        stream = _Download(self, response)
        try:
            _check_head(response, stream)
            return HttpReply(contract.read_parcel(stream, _length(response)), stream)
        except BaseException:
            stream.close()
            raise


class HttpReply:
    """A peer's answer as it arrives. Exhaust `payloads` or call `close`."""

    def __init__(self, incoming: contract.Incoming, stream: _Download) -> None:
        """Not for callers: `HttpCarrier.ask` makes it."""
        self.envelope = incoming.envelope
        self.payloads = _until_end(incoming.payloads, stream)
        self._stream = stream
        if stream.ended:
            self._stream.finish()

    def close(self) -> None:
        """Give up what has not been read, and with it the connection."""
        self._stream.close()


def fetch_ca(url: str, expected: bytes) -> bytes:
    """Fetch the authority's certificate from a peer and return it, PEM.

    It is believed only if its SHA-256 fingerprint is the `expected` one, which the invitation
    carries. Raises `WrongPeerError`, `TransportError` kinds or `MalformedMessageError`.
    """
    address = _address(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint below is the verification
    with _line_errors():
        # Not `requests`: it rightly warns of every line that is not verified.
        connection: http.client.HTTPConnection
        if address.scheme == "https":
            connection = http.client.HTTPSConnection(
                address.netloc, timeout=limits.CONNECT_TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                address.netloc, timeout=limits.CONNECT_TIMEOUT_S
            )
        with closing(connection):
            connection.request("GET", contract.CA_PATH)
            response = connection.getresponse()
            pem = response.read(CA_BYTES_MAX)
    if response.status != contract.STATUS_OK:
        raise contract.read_error(response.status, b"", response.headers.get("Retry-After"))
    try:
        matches = fingerprint(pem) == expected
    except MalformedMessageError:
        matches = False
    if not matches:
        raise WrongPeerError(
            "Another machine than the one of the invitation answers at this address. "
            "Nothing was sent to it; check the address, or ask for a new invitation."
        )
    return pem


class _Upload:
    """A parcel as a body: of known length, never whole in memory."""

    def __init__(self, parcel: Parcel) -> None:
        self._length = contract.parcel_bytes(parcel)
        self._pieces = contract.write_parcel(parcel)
        self._rest = memoryview(b"")
        self.sent = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        """Tell `requests` that this is a stream."""
        while piece := self.read(_BLOCK_BYTES):
            yield piece

    def read(self, size: int) -> bytes:
        """Return the next bytes, joined up to `size`: small frames fill whole TLS records."""
        parts: list[bytes | memoryview] = []
        room = size
        while room > 0:
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
                if not self._rest:
                    break
            part, self._rest = self._rest[:room], self._rest[room:]
            parts.append(part)
            room -= len(part)
        block = b"".join(parts)
        self.sent += len(block)
        return block


class _Download:
    """A reply's raw stream, with its errors made ours and its bytes counted."""

    def __init__(self, carrier: HttpCarrier, response: requests.Response) -> None:
        self._carrier = carrier
        self._response = response
        self._left = _length(response)

    @property
    def ended(self) -> bool:
        return self._left == 0

    def read(self, size: int, /) -> bytes:
        with _line_errors():
            block: bytes = self._response.raw.read(size, decode_content=False)
        self._carrier.bytes_received += len(block)
        if self._left is not None:
            self._left -= len(block)
        return block

    def finish(self) -> None:
        """Give the connection back for the next request."""
        with _line_errors():
            self._response.raw.read(1)  # sees the end
            self._response.raw.release_conn()

    def close(self) -> None:
        with suppress(requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            self._response.close()


def _until_end(payloads: Iterator[bytes], stream: _Download) -> Iterator[bytes]:
    try:
        yield from payloads
        stream.finish()
    finally:
        # Whoever stops early can't have the connection back: bytes are still on it.
        stream.close()


class _PinnedAdapter(HTTPAdapter):
    """Hands our TLS context through, and keeps `requests` from adding authorities to it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - theirs
        options.update(ssl_context=self._context, assert_hostname=False, blocksize=_BLOCK_BYTES)
        super().init_poolmanager(*arguments, **options)

    def cert_verify(self, *_arguments: object, **_options: object) -> None:
        """Leave the context as it is: the inherited method would load the system's authorities."""


def _session(context: ssl.SSLContext) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "motcua"})
    session.mount("https://", _PinnedAdapter(context))
    session.mount("http://", HTTPAdapter(max_retries=0))
    return session


def _pinned(ca_pem: bytes) -> ssl.SSLContext:
    fingerprint(ca_pem)  # raises ours where it is no certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= X509_NO_CHECK_TIME
    context.load_verify_locations(cadata=ca_pem.decode("ascii"))
    return context


def _address(url: str) -> SplitResult:
    refusal = InputError("That is no address of ours: it must look like https://10.0.0.5:8443.")
    try:
        address = urlsplit(url)
        _ = address.port  # raises where it is none
    except ValueError as cause:
        raise refusal from cause
    if address.scheme not in ("https", "http") or not address.hostname:
        raise refusal
    return address


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _check_head(response: requests.Response, stream: _Download) -> None:
    """Raise what an answer without a parcel stands for."""
    media_type = response.headers.get("Content-Type")
    if response.status_code != contract.STATUS_OK:
        body = b""
        if media_type == contract.ERROR_TYPE:
            body = stream.read(contract.ERROR_BYTES_MAX)
        retry_after = response.headers.get("Retry-After")
        raise contract.read_error(response.status_code, body, retry_after)
    if media_type != contract.MEDIA_TYPE:
        raise TransportError(
            "Something else than our service answers at this address. Nothing is lost."
        )


@contextmanager
def _line_errors() -> Iterator[None]:
    """Turn what `requests` and `urllib3` raise into our errors."""
    try:
        yield
    except (requests.exceptions.SSLError, ssl.SSLError) as cause:
        raise _tls_error(cause) from cause
    except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as cause:
        raise TransportError(
            "The other side stopped answering. Nothing is lost; it goes on later."
        ) from cause
    except (requests.exceptions.ConnectionError, ConnectionRefusedError) as cause:
        raise UnreachableError(
            "Nobody answers at the address, or the line was cut. Nothing is lost."
        ) from cause
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as cause:
        raise TransportError(
            "The line was cut in the middle of a message. Nothing is lost; it goes on from here."
        ) from cause


def _tls_error(cause: Exception) -> SyncError:
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return WrongPeerError(
            "Another machine than the one we enrolled with answers at this address. "
            "Nothing was sent to it; check the address and who runs this network."
        )
    return UnreachableError("The line could not be made private, so nothing was sent.")
