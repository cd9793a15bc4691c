"""A counting TCP proxy on loopback, in a process of its own.

What holds:

* Bytes are counted when they are *handed on*, so a killed sender's unsent bytes don't count.
* HTTP requests are counted where the stream is plain HTTP/1.1; a TLS stream is only counted in
  bytes, and the contender has to say how many requests it made.
* `trip N` hands on exactly N bytes upwards, then holds the line still: that is how a sender can be
  killed at a precise share of its push, however fast it is. `release` then drops what was held.

Control is by lines on stdin (`read`, `reset`, `trip N`, `tripped`, `release`); answers are JSON
lines on stdout. With `--rate` (bytes per second and direction) and `--delay` (milliseconds each
way) it is a slow line.

    python -m benchmarks.proxy --to 127.0.0.1:8443
"""

import argparse
import contextlib
import json
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK_BYTES = 256 * 1024
SLOW_CHUNK_BYTES = 8 * 1024
SLOW_QUEUE_CHUNKS = 64
TLS_HANDSHAKE = 0x16
HEAD_BYTES_MAX = 64 * 1024

Send = Callable[[bytes | memoryview], None]


class RequestCounter:
    """Counts the requests of one plain HTTP/1.1 connection, fed with what the client sends."""

    def __init__(self) -> None:
        """A counter at the start of a stream."""
        self.requests = 0
        self.plain = True
        self._head = bytearray()
        self._skip = 0
        self._chunked = False

    def feed(self, piece: memoryview) -> None:
        """Take the next bytes of the stream."""
        position = 0
        while self.plain and position < len(piece):
            if self._skip:
                step = min(self._skip, len(piece) - position)
                self._skip -= step
                position += step
            else:
                position = self._feed_head(piece, position)

    def _feed_head(self, piece: memoryview, position: int) -> int:
        """Collect a head (or a chunk's size line); return the position after it."""
        if not self._head and piece[position] == TLS_HANDSHAKE:
            self.plain = False
            return position
        before = len(self._head)
        self._head += piece[position : position + HEAD_BYTES_MAX]
        mark = b"\r\n" if self._chunked else b"\r\n\r\n"
        end = self._head.find(mark)
        if end < 0:
            self.plain = len(self._head) < HEAD_BYTES_MAX
            return position + len(self._head) - before
        head = bytes(self._head[:end])
        self._head.clear()
        if self._chunked:
            self._chunk_size(head)
        else:
            self._request_head(head)
        return position + end + len(mark) - before

    def _chunk_size(self, line: bytes) -> None:
        size = int(line.split(b";")[0] or b"0", 16)
        self._chunked = size > 0
        self._skip = size + 2

    def _request_head(self, head: bytes) -> None:
        self.requests += 1
        for line in head.lower().split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                self._skip = int(value)
            elif name == b"transfer-encoding" and b"chunked" in value:
                self._chunked = True


@dataclass
class Meter:
    """What went through since the last reset, over all connections, and the trip."""

    up: int = 0
    down: int = 0
    connections: int = 0
    requests: int = 0
    plain: bool = True
    trip_at: int | None = None
    tripped: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Start counting from nothing."""
        with self.lock:
            self.up = self.down = self.connections = self.requests = 0
            self.plain = True

    def reading(self) -> dict[str, int | bool]:
        """The counters now."""
        with self.lock:
            return {
                "up": self.up,
                "down": self.down,
                "connections": self.connections,
                "requests": self.requests,
                "plain": self.plain,
            }

    def allowed(self, wanted: int) -> int:
        """How many of `wanted` bytes may still go up before the trip."""
        with self.lock:
            return wanted if self.trip_at is None else max(0, min(wanted, self.trip_at - self.up))

    def hold(self) -> None:
        """Stand still at the trip until released."""
        self.tripped.set()
        self.released.wait()

    def arm(self, trip_at: int) -> None:
        """Hold the line after `trip_at` bytes upwards."""
        self.tripped.clear()
        self.released.clear()
        with self.lock:
            self.trip_at = trip_at

    def release(self) -> None:
        """Lift the trip; held connections are dropped, new ones pass."""
        with self.lock:
            self.trip_at = None
        self.released.set()


@dataclass(frozen=True)
class Line:
    """How slow the line is; zero means: as fast as the machine."""

    rate_bytes_per_s: float = 0.0
    delay_s: float = 0.0

    @property
    def is_slow(self) -> bool:
        """Whether bytes have to wait."""
        return bool(self.rate_bytes_per_s or self.delay_s)


def _slow_sender(line: Line, target: socket.socket) -> tuple[Send, Callable[[], None]]:
    """A `send` that returns at once and delivers at the line's pace, and a `finish` that waits."""
    waiting: queue.Queue[tuple[float, bytes] | None] = queue.Queue(SLOW_QUEUE_CHUNKS)

    def deliver() -> None:
        free_at = 0.0
        while (item := waiting.get()) is not None:
            due, piece = item
            if line.rate_bytes_per_s:
                free_at = max(free_at, due) + len(piece) / line.rate_bytes_per_s
                due = free_at
            time.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(OSError):
                target.sendall(piece)

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()

    def finish() -> None:
        waiting.put(None)
        thread.join()

    return lambda piece: waiting.put((time.monotonic() + line.delay_s, bytes(piece))), finish


class Pump:
    """Moves one direction of one connection."""

    def __init__(
        self, source: socket.socket, target: socket.socket, meter: Meter, line: Line
    ) -> None:
        """Ready to run; `line` tells how slowly."""
        self._source, self._target = source, target
        self._meter = meter
        self._line = line

    def run(self, *, upward: bool) -> None:
        """Pump until one side ends, then pass the end on."""
        with contextlib.suppress(OSError):
            self._pump(upward=upward)
        with contextlib.suppress(OSError):
            self._target.shutdown(socket.SHUT_WR)

    def _pump(self, *, upward: bool) -> None:
        buffer = memoryview(bytearray(SLOW_CHUNK_BYTES if self._line.is_slow else CHUNK_BYTES))
        counter = RequestCounter()
        send: Send = self._target.sendall
        finish: Callable[[], None] | None = None
        if self._line.is_slow:
            send, finish = _slow_sender(self._line, self._target)
        while received := self._source.recv_into(buffer):
            piece = buffer[:received]
            if upward and (allowed := self._meter.allowed(received)) < received:
                self._count(piece[:allowed], counter, upward=upward)
                send(bytes(piece[:allowed]))
                self._meter.hold()
                self._drop()
                return
            self._count(piece, counter, upward=upward)
            send(piece)
        if finish:
            finish()

    def _count(self, piece: memoryview, counter: RequestCounter, *, upward: bool) -> None:
        seen = counter.requests
        if upward:
            counter.feed(piece)
        with self._meter.lock:
            if upward:
                self._meter.up += len(piece)
                self._meter.requests += counter.requests - seen
                self._meter.plain = self._meter.plain and counter.plain
            else:
                self._meter.down += len(piece)

    def _drop(self) -> None:
        for end in (self._source, self._target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def accept_for_ever(listener: socket.socket, to: tuple[str, int], meter: Meter, line: Line) -> None:
    """Join each connection that comes in to a new one to the hub."""
    while True:
        client, _ = listener.accept()
        try:
            hub = socket.create_connection(to)
        except OSError:
            client.close()
            continue
        with meter.lock:
            meter.connections += 1
        for end in (client, hub):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_join, args=(client, hub, meter, line), daemon=True).start()


def _join(client: socket.socket, hub: socket.socket, meter: Meter, line: Line) -> None:
    up = threading.Thread(
        target=Pump(client, hub, meter, line).run, kwargs={"upward": True}, daemon=True
    )
    up.start()
    Pump(hub, client, meter, line).run(upward=False)
    up.join()
    client.close()
    hub.close()


def _obey(meter: Meter, words: list[str]) -> dict[str, int | bool]:
    """Carry out one line of control."""
    match words:
        case ["reset"]:
            meter.reset()
        case ["trip", count]:
            meter.arm(int(count))
        case ["tripped"]:
            return {"tripped": meter.tripped.is_set()}
        case ["release"]:
            meter.release()
        case _:
            pass
    return meter.reading()


def main() -> None:
    """Run the proxy until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=main.__doc__)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0, help="bytes per second, each way")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds, each way")
    wanted = parser.parse_args()
    host, _, port = wanted.to.rpartition(":")
    meter = Meter()
    with socket.create_server(("127.0.0.1", wanted.port), backlog=128) as listener:
        line = Line(wanted.rate, wanted.delay / 1000)
        run = threading.Thread(
            target=accept_for_ever, args=(listener, (host, int(port)), meter, line), daemon=True
        )
        run.start()
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        for order in sys.stdin:
            sys.stdout.write(json.dumps(_obey(meter, order.split())) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
