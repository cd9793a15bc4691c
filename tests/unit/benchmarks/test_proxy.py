"""The proxy counts the bytes that it hands on, and stops where it is told to."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from benchmarks.process import ROOT, environment
from benchmarks.proxy import RequestCounter

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Line:
    """A proxy before a server that answers every piece with `ANSWER`."""

    def __init__(self) -> None:
        self.got = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        to = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._proxy = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.proxy", "--to", to],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        self.port = int(self._said()["port"])

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer:
                while piece := peer.recv(65_536):
                    self.got += piece
                    if piece.endswith(b"!"):
                        peer.sendall(ANSWER)

    def _said(self) -> dict[str, int]:
        assert self._proxy.stdout is not None
        return json.loads(self._proxy.stdout.readline())

    def order(self, words: str) -> dict[str, int]:
        assert self._proxy.stdin is not None
        self._proxy.stdin.write(words + "\n")
        self._proxy.stdin.flush()
        return self._said()

    def close(self) -> None:
        self._listener.close()
        self._proxy.terminate()
        self._proxy.wait(10)
        for pipe in (self._proxy.stdin, self._proxy.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def _post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_bytes_requests_and_connections_are_counted_both_ways(line: Line) -> None:
    sent = _post(b"x" * 100_000 + b"!")
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", line.port)) as peer:
            peer.sendall(sent)
            found = b""
            while len(found) < len(ANSWER):
                found += peer.recv(100)
    reading = line.order("read")
    assert (reading["up"], reading["down"]) == (2 * len(sent), 2 * len(ANSWER))
    assert (reading["requests"], reading["connections"]) == (2, 2)
    assert line.order("reset")["up"] == 0


def test_a_trip_hands_on_just_so_many_bytes(line: Line) -> None:
    line.order("trip 1000")
    with socket.create_connection(("127.0.0.1", line.port)) as peer:
        peer.sendall(_post(b"y" * 5_000))
        while not line.order("tripped")["tripped"]:
            pass
        assert line.order("release")["up"] == 1000
        assert peer.recv(10) == b""  # what was held is dropped, and the line with it
    assert len(line.got) <= 1000


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_requests_are_counted_however_the_stream_is_cut(step: int) -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    stream = _post(b"one") + chunked + b"GET / HTTP/1.1\r\n\r\n" + _post(b"")
    counter = RequestCounter()
    for at in range(0, len(stream), step):
        counter.feed(memoryview(stream)[at : at + step])
    assert (counter.requests, counter.plain) == (4, True)


def test_a_tls_stream_is_not_taken_for_http() -> None:
    counter = RequestCounter()
    counter.feed(memoryview(b"\x16\x03\x01\x02\x00"))
    assert (counter.requests, counter.plain) == (0, False)
