"""The shortest way to a ward: a hub and its edges in memory, and a line that never fails."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, OfficerId, RecordId, WardId
from sync_protocol.membership import grant as g
from sync_protocol.record.diff import Shown, create, edit
from sync_protocol.record.schema import Field, FieldKind, Part, RecordType, Schema, ValueType
from sync_protocol.replica import Character, Replica, Rooms, Written
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from sync_protocol.transport.carrier import Parcel

CASE = RecordType(
    1,
    "case",
    (
        Field(1, "name", required=True, searched=True),
        Field(2, "phone"),
        Field(
            3,
            "papers",
            FieldKind.COLLECTION,
            (Part("label"), Part("scan", ValueType.ATTACHMENT, 9999)),
        ),
    ),
)
SCHEMA = Schema(1, (CASE,))
WARD = WardId(bytes(range(16)))
ROOT = SigningKey(hashlib.sha256(b"root").digest())
AN = OfficerId(b"an".ljust(16, b"."))
BE = OfficerId(b"be".ljust(16, b"."))


@dataclass(slots=True)
class Stores:
    """What a device rests on; it outlives the replica."""

    log: MemoryLog = field(default_factory=MemoryLog)
    views: MemoryViews = field(default_factory=MemoryViews)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    chunks: MemoryChunks = field(default_factory=MemoryChunks)

    def copy(self) -> Stores:
        """Return a copy of the whole disk."""
        copy = Stores()
        copy.log.restore(self.log.snapshot())
        copy.views.restore(self.views.snapshot())
        copy.journal.restore(self.journal.snapshot())
        copy.chunks.restore(self.chunks.snapshot())
        return copy


def keys(name: str) -> DeviceKeys:
    """Return the keys of a device of this name."""
    secrets = [hashlib.sha256(f"{name} {i}".encode()).digest() for i in range(2)]
    return DeviceKeys(SigningKey(secrets[0]), AgreementKey(secrets[1]))


def open_replica(name: str, stores: Stores, **named: Any) -> Replica:
    """Open a device."""
    rooms = Rooms(stores.log, stores.views, stores.journal, stores.chunks, bytes(32))
    wall = named.pop("wall", lambda: 1_800_000_000_000)
    return Replica(rooms, Character(keys(name), WARD, ROOT.public, SCHEMA, wall, **named))


class Ward:
    """A hub that has granted `edges`; `stores` and `replicas` by name."""

    def __init__(self, *edges: str) -> None:
        """Found it."""
        self.stores = {name: Stores() for name in ("hub", *edges)}
        self.replicas = {name: open_replica(name, it) for name, it in self.stores.items()}
        hub = self.replicas["hub"]
        recovery = AgreementKey(hashlib.sha256(b"recovery").digest())
        certificate = g.Certificate(1, hub.keys.public, hub.keys.agreement.public, recovery.public)
        key = g.WardKey(AgreementKey(bytes(range(32))).public, recovery.public, b"")
        hub.say([g.Certified(g.certify(ROOT, certificate)), key], NO_OFFICER)
        officers = [g.Officer(AN, "An", g.SUPERVISOR), g.Officer(BE, "Bé", g.ADMINISTRATOR)]
        hub.say(officers, NO_OFFICER)
        for name in edges:
            it = keys(name)
            hub.say([g.Grant(it.public, it.agreement.public, g.EDGE, name)], NO_OFFICER)
        self.sync(*edges)

    def __getitem__(self, name: str) -> Replica:
        """Return a device by name."""
        return self.replicas[name]

    def reopen(self, name: str) -> Replica:
        """Let a device's process begin anew on its stores."""
        self.replicas[name] = open_replica(name, self.stores[name])
        return self.replicas[name]

    def sync(self, *names: str, peer: str = "hub") -> list[Outcome]:
        """Let devices sync with a peer, and everybody's views follow."""
        found = []
        for name in names:
            line = Direct(self[peer])
            found.append(Initiator(self[name], line, self[peer].keys.public).run())
            self[name].follow()
            self[peer].follow()
        return found


class Reply:
    """An answer that has come."""

    def __init__(self, envelope: bytes, payloads: Sequence[bytes]) -> None:
        """Keep it."""
        self.envelope = envelope
        self.payloads: Iterator[bytes] = iter(payloads)

    def close(self) -> None:
        """Nothing to close."""


class Direct:
    """A carrier without a line."""

    def __init__(self, replica: Replica) -> None:
        """Speak to a replica."""
        self.responder = Responder(replica, Nonces())
        self.requests = self.bytes_sent = self.bytes_received = 0

    def ask(self, parcel: Parcel) -> Reply:
        """Ask once."""
        self.requests += 1
        answer = self.responder.respond(parcel.envelope, parcel.payloads)
        return Reply(answer.envelope, answer.payloads)

    def close(self) -> None:
        """Nothing to close."""


def make(replica: Replica, name: str, officer: OfficerId = NO_OFFICER) -> RecordId:
    """Make a case."""
    return replica.write([create(CASE, {"name": name})], officer).records[0]


def change(
    replica: Replica, record: RecordId, officer: OfficerId = NO_OFFICER, **typed: Any
) -> Written:
    """Edit a case over what the replica shows now."""
    view = replica.read(record)
    if view is None:
        raise AssertionError("no such case here")
    shown = {}
    for name in typed:
        cell = view.field(name)
        shown[name] = Shown(cell.value, cell.dots) if cell else Shown(None, ())
    edited = edit(CASE, record, shown, typed)
    if edited is None:
        raise AssertionError("nothing was changed")
    return replica.write([edited], officer)
