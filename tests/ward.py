"""A ward in memory: a hub, edges and tablets with real keys and no network. For unit tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.errors import UnreachableError
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.exchange.outcome import Outcome
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, Dot, OfficerId, RecordId, WardId
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.record.diff import Shown, create, edit
from sync_protocol.replica import Character, Offer, Replica, Rooms
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from sync_protocol.transport.carrier import Parcel
from sync_protocol.view import FieldView, RecordView
from tests.clinic import CLINIC, PATIENT

WARD = WardId(b"ward" * 4)
START_MS = 1_790_000_000_000
CLERK = OfficerId(b"clerk___________")
DOCTOR = OfficerId(b"doctor__________")
CHIEF = OfficerId(b"chief___________")


def keys_of(name: str) -> DeviceKeys:
    """Keys that are the same in every run."""
    seed = hashlib.sha256(name.encode()).digest()
    return DeviceKeys(SigningKey(seed), AgreementKey(hashlib.sha256(seed).digest()))


@dataclass
class Disk:
    """What a device rests on, with the hooks that the memory stores have."""

    log: MemoryLog = field(default_factory=MemoryLog)
    views: MemoryViews = field(default_factory=MemoryViews)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    chunks: MemoryChunks = field(default_factory=MemoryChunks)

    def rooms(self) -> Rooms:
        return Rooms(self.log, self.views, self.journal, self.chunks, b"j" * 32)

    def image(self) -> tuple[Any, Any, Any, Any]:
        return (
            self.log.snapshot(),
            self.views.snapshot(),
            self.journal.snapshot(),
            self.chunks.snapshot(),
        )

    def put_back(self, image: tuple[Any, Any, Any, Any]) -> None:
        self.log.restore(image[0])
        self.views.restore(image[1])
        self.journal.restore(image[2])
        self.chunks.restore(image[3])

    def clone(self) -> Disk:
        other = Disk()
        other.put_back(self.image())
        return other


class Device:
    """A replica that can be switched off and on again."""

    def __init__(self, ward: Ward, name: str, disk: Disk | None = None) -> None:
        self.ward = ward
        self.name = name
        self.keys = keys_of(name)
        self.disk = disk or Disk()
        self.replica = self._open()

    def _open(self) -> Replica:
        character = Character(
            self.keys, WARD, self.ward.root.public, CLINIC, lambda: self.ward.now_ms
        )
        return Replica(self.disk.rooms(), character)

    def reopen(self) -> Replica:
        """Start the program again over what the disk holds."""
        self.replica = self._open()
        return self.replica

    # --- short ways to do what an app does -------------------------------------------------------

    def admit(self, name: str = "Nguyễn Văn An", officer: OfficerId = NO_OFFICER) -> RecordId:
        """Write a new patient."""
        change = create(PATIENT, {"name": name, "state": "waiting"})
        return self.replica.write([change], officer).records[0]

    def show(self, record: RecordId) -> RecordView:
        view = self.replica.read(record)
        assert view is not None
        return view

    def form(self, record: RecordId) -> dict[str, Shown]:
        """What an open form displays."""
        view = self.show(record)
        return {f.name: Shown(f.value, f.dots) for f in view.fields if f.element is None}

    def edit(
        self,
        record: RecordId,
        form: Mapping[str, Shown] | None = None,
        officer: OfficerId = NO_OFFICER,
        **typed: object,
    ) -> Dot:
        """Save over what a form displayed (by default: what is shown now)."""
        shown = self.form(record) if form is None else form
        change = edit(PATIENT, record, shown, typed)
        assert change is not None
        return self.replica.write([change], officer).dot

    def held(self) -> dict[int, str]:
        """Return the reasons of what is in quarantine, by seq."""
        return {row.seq: row.reason for row in self.replica.rooms.views.held()}


def cell(view: RecordView, name: str) -> FieldView:
    found = view.field(name)
    assert found is not None
    return found


class Answered:
    """A reply whose payloads are all there."""

    def __init__(self, envelope: bytes, payloads: Sequence[bytes]) -> None:
        self.envelope = envelope
        self.payloads: Iterator[bytes] = iter(payloads)
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Wire:
    """A carrier straight into a responder. `cut_after` requests the line is gone."""

    def __init__(self, responder: Responder, cut_after: int = 1 << 30) -> None:
        self.responder = responder
        self.cut_after = cut_after
        self.requests = self.bytes_sent = self.bytes_received = 0
        self.kinds: list[int] = []
        self.tamper: Callable[[bytes], bytes] = lambda raw: raw

    def ask(self, parcel: Parcel) -> Answered:
        if self.requests >= self.cut_after:
            raise UnreachableError("Nobody answers.")
        self.requests += 1
        payloads = list(parcel.payloads)
        self.bytes_sent += len(parcel.envelope) + sum(map(len, payloads))
        answer = self.responder.respond(parcel.envelope, payloads)
        self.bytes_received += len(answer.envelope) + sum(map(len, answer.payloads))
        if answer.news:
            self.responder.replica.follow()
        return Answered(self.tamper(answer.envelope), answer.payloads)

    def close(self) -> None:
        pass


class Ward:
    """One ward, its hub, and the wall clock of all."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.root = SigningKey(hashlib.sha256(b"root").digest())
        self.recovery = AgreementKey(hashlib.sha256(b"recovery").digest())
        self.ward_key = AgreementKey(hashlib.sha256(b"ward key").digest())
        self.hub = Device(self, "hub")
        certificate = g.Certificate(
            1, self.hub.keys.public, self.hub.keys.agreement.public, self.recovery.public
        )
        self.hub.replica.say(
            [
                g.Certified(g.certify(self.root, certificate)),
                g.Profile("00001", "Phường A"),
                g.WardKey(self.ward_key.public, self.recovery.public, b""),
                g.Officer(CLERK, "Clerk", g.CLERK),
                g.Officer(DOCTOR, "Doctor", g.SUPERVISOR),
                g.Officer(CHIEF, "Chief", g.ADMINISTRATOR),
            ],
            NO_OFFICER,
        )
        self.responders: dict[str, Responder] = {}

    def grant(self, name: str, role: str = g.EDGE, version: int = 1) -> None:
        keys = keys_of(name)
        self.hub.replica.say(
            [g.Grant(keys.public, keys.agreement.public, role, name, version)], NO_OFFICER
        )

    def device(self, name: str, role: str = g.EDGE) -> Device:
        """Grant a device and let it hear of it."""
        self.grant(name, role)
        device = Device(self, name)
        self.sync(device)
        return device

    def responder(self, device: Device) -> Responder:
        found = self.responders.get(device.name)
        if found is None or found.replica is not device.replica:
            found = self.responders[device.name] = Responder(device.replica, Nonces())
        return found

    def wire(self, peer: Device | None = None, cut_after: int = 1 << 30) -> Wire:
        return Wire(self.responder(peer or self.hub), cut_after)

    def sync(
        self, device: Device, peer: Device | None = None, wire: Wire | None = None, **options: bool
    ) -> Outcome:
        """One whole exchange, led by `device`."""
        wire = wire or self.wire(peer)
        outcome = Initiator(device.replica, wire, (peer or self.hub).keys.public).run(**options)
        device.replica.follow()
        return outcome

    def revoke(
        self, device: Device, reason: str = g.LOST, cuts: Sequence[Mark] = (), version: int = 1
    ) -> None:
        self.hub.replica.say(
            [g.Revoke(device.keys.public, reason, list(cuts), version)], NO_OFFICER
        )


def mark_of(device: Device, seq: int | None = None) -> Mark:
    """Return the head of a device's own feed, or an earlier position on it."""
    own = device.replica.own
    at = own.row.head.seq if seq is None else seq
    found = device.replica.holding.short_hash_at(own, at)
    assert found is not None
    return Mark(own.feed, at, found)


def offers(source: Device, first: int = 1, last: int | None = None) -> list[Offer]:
    """Pack entries of a device's own feed as a push would carry them."""
    own = source.replica.own
    last = own.row.head.seq if last is None else last
    before = source.replica.holding.hash_at(own, first - 1)
    assert before is not None
    packed = source.replica.rooms.log.packed(own.number, first, last)
    return [Offer(own.feed, first, before[:16], packed)]


def same(*devices: Device) -> bool:
    """Whether all show byte-equal records at equal frontiers."""
    for device in devices:
        device.replica.follow()
    return len({device.replica.digest() for device in devices}) == 1
