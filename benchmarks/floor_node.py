"""The floor's two processes: the hub (plain `http.server`) and a client, driven by JSON lines.

One synchronisation is one POST: `[frontier, batches]` as msgpack in zstd, answered by the same two.
The client remembers the hub's last frontier only to choose what to send; if it was wrong, the hub
skips what it has. It sends 1,000 entries per transaction locally and everything in one batch.

    python -m benchmarks.floor_node hub --home DIR --fields FILE
    python -m benchmarks.floor_node client --home DIR --fields FILE --port PORT
"""

import argparse
import http.client
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from backports import zstd

from benchmarks.floor_store import Batch, FloorStore
from benchmarks.workload import read_json_lines

ZSTD_LEVEL = 3
INTAKE_BATCH = 1_000
BODY_BYTES_MAX = 64 * 1024 * 1024


class Message(msgspec.Struct, array_like=True, frozen=True):
    """What is said in both directions: how far I am, and what you lack."""

    frontier: dict[bytes, int]
    batches: list[Batch]


_decoder = msgspec.msgpack.Decoder(Message)


def _pack(message: Message) -> bytes:
    return zstd.compress(msgspec.msgpack.encode(message), level=ZSTD_LEVEL)


def _unpack(body: bytes) -> Message:
    plain = zstd.ZstdDecompressor().decompress(body, BODY_BYTES_MAX)
    return _decoder.decode(plain)


class Face(BaseHTTPRequestHandler):
    """The hub's one route."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    store: FloorStore
    lock: threading.Lock

    def do_POST(self) -> None:
        """Take what is new, keep it durably, answer with what the peer lacks."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        message = _unpack(body)
        with self.lock:
            self.store.ingest(message.batches)
            peer = message.frontier
            answer = _pack(Message(self.store.frontier(), self.store.beyond(peer)))
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Client:
    """An edge of the floor: keeps its connection, and the hub's last frontier."""

    def __init__(self, store: FloorStore, port: int) -> None:
        """Talk to the hub (or the proxy before it) on `port`."""
        self._store = store
        self._line = http.client.HTTPConnection("127.0.0.1", port)
        self._hub: dict[bytes, int] = {}

    def load(self, order: dict[str, Any]) -> dict[str, Any]:
        """P0: the dossiers of a file, 1,000 per transaction."""
        rows = read_json_lines(Path(order["file"]))
        for start in range(0, len(rows), INTAKE_BATCH):
            self._store.intake(rows[start : start + INTAKE_BATCH])
        return {"count": len(rows)}

    def sync(self, _: dict[str, Any]) -> dict[str, Any]:
        """One POST."""
        outgoing = self._store.beyond(self._hub)
        body = _pack(Message(self._store.frontier(), outgoing))
        self._line.request("POST", "/", body)
        answer = _unpack(self._line.getresponse().read())
        received = self._store.ingest(answer.batches)
        self._hub = {**answer.frontier}
        return {"sent": sum(len(one.entries) for one in outgoing), "received": received}

    def edit(self, order: dict[str, Any]) -> dict[str, Any]:
        """Single saves, each durable."""
        for one in order["edits"]:
            self._store.edit(one["id"], one["field"], one["value"])
        return {"count": len(order["edits"])}

    def conflicts(self, _: dict[str, Any]) -> dict[str, Any]:
        """The floor keeps none: the later stamp won."""
        return {"ids": []}

    def digest(self, _: dict[str, Any]) -> dict[str, Any]:
        """The digest of the rows."""
        return {"digest": self._store.digest()}


def serve(store: FloorStore) -> None:
    """The hub: HTTP on a free port, orders on stdin."""
    lock = threading.Lock()
    face = type("BoundFace", (Face,), {"store": store, "lock": lock})
    server = ThreadingHTTPServer(("127.0.0.1", 0), face)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say({"port": server.server_address[1]})
    for _ in sys.stdin:
        with lock:
            _say({"digest": store.digest()})


def drive(client: Client) -> None:
    """A client: orders on stdin."""
    orders: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "load": client.load,
        "push": client.sync,
        "pull": client.sync,
        "sync": client.sync,
        "edit": client.edit,
        "conflicts": client.conflicts,
        "digest": client.digest,
    }
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        _say(orders[order["do"]](order))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run one process of the floor until stdin ends."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.floor_node", description=main.__doc__
    )
    parser.add_argument("role", choices=("hub", "client"))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--fields", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    wanted = parser.parse_args()
    store = FloorStore(wanted.home, json.loads(wanted.fields.read_text()))
    if wanted.role == "hub":
        serve(store)
    else:
        drive(Client(store, wanted.port))
    store.close()


if __name__ == "__main__":
    main()
