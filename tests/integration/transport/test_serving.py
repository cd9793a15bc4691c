"""The TLS server under clients that are many, slow, silent, large, or gone."""

import logging
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sync_protocol import limits
from sync_protocol.crypto.certificate import issue_server_certificate, make_authority
from sync_protocol.errors import InputError, StoreBusyError, TransportError, WrongKeyError
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport import serving
from sync_protocol.transport.carrier import Parcel
from sync_protocol.transport.serving import TlsServer, server_context
from tests.integration.transport.station import BLOCK, NOW, Station, any_tls, carrier_to, running

Running = tuple[Station, TlsServer, str]
HEAD = b"POST /sync/v1 HTTP/1.1\r\nHost: x\r\n"


def _line(server: TlsServer, source: str = "127.0.0.1") -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", server.port), 20, (source, 0))
    return any_tls().wrap_socket(raw)


def _answer(line: ssl.SSLSocket) -> bytes:
    """Everything until the server hangs up."""
    parts = []
    while part := line.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_eight_clients_at_once_each_keep_one_connection(station: Running) -> None:
    together = threading.Barrier(8)

    def client(number: int) -> bool:
        with carrier_to(station[2], station[0].ca_pem) as carrier:
            together.wait()
            for count in range(12):
                payload = bytes([number]) * 10_000
                reply = carrier.ask(Parcel(b"send:%d" % (count % 3), [payload], [10_000]))
                if reply.envelope != b"[10000]" or len(list(reply.payloads)) != count % 3:
                    return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(client, range(8)))
    assert len(station[0].clients) == 8


def test_clients_that_say_nothing_hold_nobody_up(station: Running) -> None:
    """More of them than workers: before the handshake, and in the middle of it."""
    silent = [
        socket.create_connection(("127.0.0.1", station[1].port)) for _ in range(2 * serving.WORKERS)
    ]
    half_greeted = [
        socket.create_connection(("127.0.0.1", station[1].port))
        for _ in range(serving.WORKERS // 2)
    ]
    for line in half_greeted:
        line.sendall(b"\x16\x03\x01\x02\x00\x01")  # a TLS greeting that goes no further
    try:
        started = time.monotonic()
        with carrier_to(station[2], station[0].ca_pem) as carrier:
            for _ in range(5):
                carrier.ask(Parcel(b"x"))
        assert time.monotonic() - started < 2
    finally:
        for line in silent + half_greeted:
            line.close()


def test_a_slow_loris_blocks_nobody_and_is_cut_off(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEAD_TIMEOUT_S", 1.0)
    stop = threading.Event()
    answers: list[bytes] = []

    def loris() -> None:
        with _line(station[1]) as line:
            line.sendall(HEAD)
            try:
                while not stop.wait(0.1):
                    line.sendall(b"X-Slow: 1\r\n")
            except OSError:
                answers.append(b"cut off")

    lorises = [threading.Thread(target=loris) for _ in range(serving.WORKERS // 2)]
    for thread in lorises:
        thread.start()
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        started = time.monotonic()
        for _ in range(5):
            carrier.ask(Parcel(b"x"))
        assert time.monotonic() - started < 2
    for thread in lorises:
        thread.join(10)
    stop.set()
    assert len(answers) == len(lorises)


def test_all_workers_held_by_lorises_come_free_again(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEAD_TIMEOUT_S", 1.0)
    lines = [_line(station[1], f"127.0.0.{2 + n % 2}") for n in range(serving.WORKERS)]
    try:
        for line in lines:
            line.sendall(HEAD)
        with carrier_to(station[2], station[0].ca_pem) as carrier:
            started = time.monotonic()
            assert carrier.ask(Parcel(b"x")).envelope == b"[]"
            assert time.monotonic() - started < 5
    finally:
        for line in lines:
            line.close()


def test_one_address_never_holds_all_workers(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEAD_TIMEOUT_S", 3600.0)
    lines = []
    try:
        for _ in range(serving.WORKERS):
            with suppress(OSError):  # hung up on
                lines.append(_line(station[1], "127.0.0.2"))
                lines[-1].sendall(HEAD)
        with carrier_to(station[2], station[0].ca_pem) as carrier:
            assert carrier.ask(Parcel(b"x")).envelope == b"[]"
    finally:
        for line in lines:
            line.close()
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        assert carrier.ask(Parcel(b"x")).envelope == b"[]", "and they come free again"


def test_a_body_that_drips_is_cut_off(station: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_TIMEOUT_S", 0.5)
    with _line(station[1]) as line:
        line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        for _ in range(100):
            line.sendall(b"\0")
            if station[0].seen.wait(0.05):
                break
    assert station[0].cuts[0].code == "transport"


def test_a_body_that_is_slow_but_steady_is_welcome(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_TIMEOUT_S", 0.4)
    body = b"".join(contract.write_parcel(Parcel(b"x", [bytes(2000)], [2000])))
    with _line(station[1]) as line:
        line.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for place in range(0, len(body), 100):
            time.sleep(0.05)
            line.sendall(body[place : place + 100])
        assert b"200 OK" in _answer(line)


def test_a_request_cut_in_the_middle_is_told_and_the_next_is_served(station: Running) -> None:
    with _line(station[1]) as line:
        line.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(4) + bytes(4) + bytes(50))
    assert station[0].seen.wait(10)
    assert isinstance(station[0].cuts[0], TransportError)
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * serving.HEAD_BYTES_MAX + b" HTTP/1.1\r\n\r\n", b"414"),
        (HEAD + b"X: " + b"a" * serving.HEAD_BYTES_MAX + b"\r\n\r\n", b"413"),
        (HEAD + b"Content-Length: %d\r\n\r\n" % (contract.BODY_BYTES_MAX + 1), b"413"),
        (HEAD + b"Content-Length: ten\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: +5\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 1_0\r\n\r\n", b"400"),
        (b"rubbish\r\n\r\n", b"400"),
    ],
)
def test_what_breaks_a_bound_is_refused(station: Running, head: bytes, status: bytes) -> None:
    with _line(station[1]) as line:
        line.sendall(head)
        with suppress(ConnectionResetError):  # the server hung up while we were still sending
            assert _answer(line).split(b" ")[1] == status
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


def test_stopping_lets_a_request_end_and_takes_no_other() -> None:
    with running() as (station, server, url), carrier_to(url, station.ca_pem) as carrier:
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(carrier.ask, Parcel(b"wait"))
            assert station.seen.wait(10)
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            time.sleep(0.3)
            station.release.set()
            assert under_way.result(10).envelope == b"[]"
            stopping.join(10)
        with carrier_to(url, station.ca_pem) as late, pytest.raises(TransportError):
            late.ask(Parcel(b"x"))


def test_a_port_that_is_taken_is_told(station: Running) -> None:
    ca, ca_key = make_authority("a", NOW)
    leaf, key = issue_server_certificate(ca, ca_key, ["127.0.0.1"], NOW)
    second = TlsServer(station[0], ("127.0.0.1", station[1].port), leaf, key)
    with pytest.raises(StoreBusyError):
        second.start()
    second.stop()


def test_the_private_key_is_never_in_clear_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ca, ca_key = make_authority("a", NOW)
    leaf, key = issue_server_certificate(ca, ca_key, ["127.0.0.1"], NOW)
    seen: list[tuple[bytes, int]] = []
    real = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, path: Any, **options: Any) -> None:
        seen.append((Path(path).read_bytes(), Path(path).stat().st_mode & 0o777))
        real(self, path, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    server_context(leaf, key)
    content, mode = seen[0]
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert b"BEGIN PRIVATE KEY" not in content
    assert mode == 0o600
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WrongKeyError):
        server_context(ca, key)
    assert list(tmp_path.iterdir()) == []


def test_what_an_app_raises_is_not_logged_in_words(caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        raise ValueError("Nguyễn Văn An, 001099012345")

    ca, ca_key = make_authority("a", NOW)
    leaf, key = issue_server_certificate(ca, ca_key, ["127.0.0.1"], NOW)
    with (
        caplog.at_level(logging.DEBUG),
        TlsServer(app, ("127.0.0.1", 0), leaf, key) as server,
        _line(server) as line,
    ):
        line.sendall(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        assert b"500" in _answer(line)
    assert "ValueError" in caplog.text
    assert "001099012345" not in caplog.text


STREAM = """
import resource, sys
from tests.integration.transport.station import BLOCK, carrier_to, running
from sync_protocol.transport.carrier import Parcel
with running() as (station, server, url), carrier_to(url, station.ca_pem) as carrier:
    def exchange(count):
        up = Parcel(b"count", (bytes(BLOCK) for _ in range(count)), [BLOCK] * count)
        carrier.ask(up)
        down = carrier.ask(Parcel(b"send:%d" % count))
        assert sum(len(payload) for payload in down.payloads) == count * BLOCK
    exchange(2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        exchange(32)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.process
def test_eight_mebibytes_up_and_down_grow_no_memory() -> None:
    """Both ends in one fresh process; its peak may rise by a few blocks, not by the body."""
    result = subprocess.run(
        [sys.executable, "-c", STREAM],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    grown_kib = int(result.stdout)
    assert grown_kib * limits.KIB < 4 * limits.MIB, f"{grown_kib} KiB"


def test_many_idle_connections_are_kept_without_workers(station: Running) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(200, soft // 8)
    lines = []
    try:
        for _ in range(count):
            line = _line(station[1])
            lines.append(line)
            line.sendall(HEAD + b"Content-Length: 5\r\n\r\n\0\0\0\1x")
            assert line.recv(65536).startswith(b"HTTP/1.1 200")
        with carrier_to(station[2], station[0].ca_pem) as carrier:
            assert sum(map(len, carrier.ask(Parcel(b"send:1")).payloads)) == BLOCK
    finally:
        for line in lines:
            line.close()


def test_an_address_of_another_machine_is_told() -> None:
    ca, ca_key = make_authority("a", NOW)
    leaf, key = issue_server_certificate(ca, ca_key, ["192.0.2.1"], NOW)
    with pytest.raises(InputError):
        TlsServer(Station(), ("192.0.2.1", 0), leaf, key).start()
