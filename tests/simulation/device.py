"""One device and its lives: keys, clock, disk, and the replica that runs on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random

from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import WardId
from sync_protocol.log.entry import Mark
from sync_protocol.record.schema import Schema
from sync_protocol.replica import Character, Replica, Rooms
from sync_protocol.wire.receipt import read_receipt
from tests.simulation.disk import Disk, Image, PowerCut

EPOCH_MS = 1_800_000_000_000
YEAR_MS = 365 * 24 * 3600 * 1000


class Clock:
    """A device's wall clock: the world's time, moved, or frozen."""

    def __init__(self, world_ms: Callable[[], int]) -> None:
        """Begin right."""
        self._world_ms = world_ms
        self.offset_ms = 0
        self.frozen_ms: int | None = None

    def __call__(self) -> int:
        """Return milliseconds since 1970, never below zero."""
        true = EPOCH_MS + self._world_ms()
        return max(0, self.frozen_ms if self.frozen_ms is not None else true + self.offset_ms)

    def freeze(self) -> None:
        """Stop where it is."""
        self.frozen_ms = self()


def keys_of(seed: int, name: str) -> DeviceKeys:
    """Return the keys of a device of this name in this world."""
    secret = [hashlib.sha256(f"{seed} {name} {i}".encode()).digest() for i in range(2)]
    return DeviceKeys(SigningKey(secret[0]), AgreementKey(secret[1]))


class Device:
    """A machine with a name. `replica` and `disk` change with every life."""

    def __init__(
        self,
        name: str,
        role: str,
        keys: DeviceKeys,
        clock: Clock,
        ward: WardId,
        root: bytes,
        schema: Schema,
        random: Random,
    ) -> None:
        """Not yet running: `boot` follows."""
        self.name = name
        self.role = role
        self.keys = keys
        self.clock = clock
        self.ward = ward
        self.root = root
        self.schema = schema
        self.random = random
        self.peers: list[Device] = []
        self.disk = Disk()
        self.replica: Replica | None = None
        self.responder: Responder | None = None
        self.salts: list[bytes] = []
        self.expects: set[bytes] = set()
        self.promised: set[tuple[bytes, int, bytes]] = set()
        self.promised_scans: set[bytes] = set()
        self.busy = False
        self.backup: tuple[Image, set[bytes]] | None = None
        self.lives = 0
        self.restores = 0

    @property
    def up(self) -> Replica:
        """The running replica."""
        if self.replica is None:
            raise AssertionError(f"{self.name} is down")
        return self.replica

    def boot(self) -> None:
        """Begin a life on the present disk. Raises `PowerCut` and what opening raises."""
        self.lives += 1
        self.replica = self.responder = None
        disk = self.disk
        rooms = Rooms(disk.log, disk.views, disk.journal, disk.chunks, bytes(32))
        source = Random(f"{self.random.random()} {self.name} {self.lives}")

        def draw(count: int) -> bytes:
            found = source.randbytes(count)
            if count == 8:
                self.salts.append(found)
            return found

        character = Character(self.keys, self.ward, self.root, self.schema, self.clock, random=draw)
        replica = Replica(rooms, character)
        self._watch_receipts(replica, disk)
        self.replica = replica
        if self.role != "tablet":
            self.responder = Responder(replica, Nonces())

    def _watch_receipts(self, replica: Replica, disk: Disk) -> None:
        write = replica.receipts.write

        def watched(*args: object, **named: object) -> bytes:
            raw = write(*args, **named)  # type: ignore[arg-type]  # passed through
            if disk.dead:
                raise PowerCut(disk)
            receipt = read_receipt(raw)
            for mark in receipt.frontier:
                self.promised.add((mark.feed, mark.seq, mark.hash))
            self.promised_scans.update(receipt.scans)
            return raw

        replica.receipts.write = watched  # type: ignore[method-assign]

    def broken_promises(self) -> list[str]:
        """Return what was receipted and is not held any more."""
        holding = self.up.holding
        found = [
            f"{self.name} receipted {feed.hex()[:6]}:{seq} and lost it"
            for feed, seq, short in sorted(self.promised)
            if holding.find(Mark(feed, seq, short)) is None  # type: ignore[arg-type]
        ]
        return found

    def held_bodies(self) -> set[bytes]:
        """Return the hash of every entry body that the log holds, sealed."""
        if self.replica is None:
            return set()
        return bodies(self.replica)


def bodies(replica: Replica) -> set[bytes]:
    """Return the body hash of every sealed entry of a log."""
    found = set()
    for chain in replica.holding.chains.values():
        first = chain.row.base_seq + 1
        for _, entry in replica.rooms.log.entries(chain.number, first, chain.row.head.seq):
            found.add(entry.body_hash)
    return found
