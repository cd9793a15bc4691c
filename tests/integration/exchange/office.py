"""A ward in memory: hub, edges, tablets with real keys, rosters and exchanges, and no network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.record_type import DOSSIER, SCHEMA
from sync_protocol.dossier.sample import sample
from sync_protocol.exchange.bundle import Recipient, recipient_of
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, RecordId, WardId
from sync_protocol.membership import grant as g
from sync_protocol.record.change import Changeset
from sync_protocol.record.diff import Shown, edit
from sync_protocol.replica import Act, Character, Replica, Rooms
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from sync_protocol.transport.carrier import Parcel

START_MS = 1_790_000_000_000
DAY_MS = 86_400_000


class Answered:
    """A reply that is all there."""

    def __init__(self, envelope: bytes, payloads: Iterable[bytes]) -> None:
        self.envelope = envelope
        self.payloads = iter(payloads)

    def close(self) -> None:
        pass


class Wire:
    """A carrier straight into a responder."""

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.requests = self.bytes_sent = self.bytes_received = 0

    def ask(self, parcel: Parcel) -> Answered:
        self.requests += 1
        self.bytes_sent += len(parcel.envelope) + sum(map(len, parcel.payloads))
        answer = self.responder.respond(parcel.envelope, parcel.payloads)
        self.bytes_received += len(answer.envelope) + sum(map(len, answer.payloads))
        if answer.news:
            self.responder.replica.follow()
        return Answered(answer.envelope, answer.payloads)

    def close(self) -> None:
        pass


@dataclass
class Office:
    """One ward. `now_ms` is the wall clock of all."""

    ward: WardId = field(default_factory=lambda: WardId(os.urandom(16)))
    root: SigningKey = field(default_factory=lambda: SigningKey(os.urandom(32)))
    now_ms: int = START_MS
    hub_keys: DeviceKeys = field(default_factory=DeviceKeys.generate)
    recovery: AgreementKey = field(default_factory=lambda: AgreementKey(os.urandom(32)))
    ward_key: AgreementKey = field(default_factory=lambda: AgreementKey(os.urandom(32)))

    def __post_init__(self) -> None:
        self.hub = self.replica(self.hub_keys)
        keys = self.hub_keys
        certificate = g.Certificate(1, keys.public, keys.agreement.public, self.recovery.public)
        certified = g.Certified(g.certify(self.root, certificate))
        ward_key = g.WardKey(self.ward_key.public, self.recovery.public, b"")
        self.hub.say([certified, g.Profile("00001", "Phường A"), ward_key], NO_OFFICER)

    def rooms(self) -> Rooms:
        return Rooms(MemoryLog(), MemoryViews(), MemoryJournal(), MemoryChunks(), os.urandom(32))

    def replica(self, keys: DeviceKeys, rooms: Rooms | None = None) -> Replica:
        character = Character(keys, self.ward, self.root.public, SCHEMA, lambda: self.now_ms, fold)
        return Replica(rooms or self.rooms(), character)

    def join(self, role: str = g.EDGE, label: str = "", rooms: Rooms | None = None) -> Replica:
        """Grant a new device; it has heard nothing yet."""
        keys = DeviceKeys.generate()
        grant = g.Grant(keys.public, keys.agreement.public, role, label or role)
        self.hub.say([grant], NO_OFFICER)
        return self.replica(keys, rooms)

    def edge(self, label: str = "") -> Replica:
        """Grant a new edge, and let it hear of it."""
        replica = self.join(g.EDGE, label)
        self.sync(replica)
        return replica

    def to(self, replica: Replica) -> Recipient:
        found = recipient_of(self.hub, replica.keys.public)
        assert found is not None
        return found

    def sync(self, replica: Replica, peer: Replica | None = None, **options: bool) -> Outcome:
        """One exchange; both sides follow."""
        wire = Wire(Responder(peer or self.hub, Nonces()))
        outcome = Initiator(replica, wire, (peer or self.hub).keys.public).run(**options)
        replica.follow()
        return outcome


def capture(replica: Replica, count: int, seed: int = 1) -> list[RecordId]:
    """Write sample dossiers."""
    acts = []
    for row in sample(count, seed):
        change = read_intake(json.dumps(row).encode()).change()
        acts.append(Act(NO_OFFICER, Changeset((change,))))
    found: list[RecordId] = []
    for first in range(0, count, 256):
        for written in replica.write_many(acts[first : first + 256]):
            found.extend(written.records)
    return found


def change_phone(replica: Replica, record: RecordId, phone: str) -> None:
    """Edit what the replica shows."""
    view = replica.read(record)
    assert view is not None
    shown = view.field("phone")
    before = Shown(None, ()) if shown is None else Shown(shown.value, shown.dots)
    change = edit(DOSSIER, record, {"phone": before}, {"phone": phone})
    assert change is not None
    replica.write([change], NO_OFFICER)


def same(*replicas: Replica) -> bool:
    """Whether all hold byte-equal views at equal frontiers."""
    return len({replica.digest() for replica in replicas}) == 1
