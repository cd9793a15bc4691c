"""The line between two devices: it loses, delays, doubles, replays, cuts and parts.

Everything happens inside one call, as it would between two threads: while a parcel is on its way,
and between any two payloads, the world may go on with something else (`meanwhile`), on the very
devices that are talking. No lock of the engine is held there, which is what the engine promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync_protocol.errors import PeerError, StorageError, TransportError, UnreachableError
from sync_protocol.transport.carrier import Parcel
from tests.simulation.device import Device
from tests.simulation.disk import PowerCut

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(slots=True)
class Weather:
    """How bad the lines are: chances per parcel."""

    lost: float = 0.0
    reply_lost: float = 0.0
    cut: float = 0.0
    reply_cut: float = 0.0
    doubled: float = 0.0
    replayed: float = 0.0
    meanwhile: float = 0.0
    parted: frozenset[str] = frozenset()

    def parts(self, one: Device, other: Device) -> bool:
        """Whether these two can't reach one another."""
        return (
            bool({one.name, other.name} & self.parted) or f"{one.name}-{other.name}" in self.parted
        )


class Answered:
    """A reply whose payloads may break off."""

    def __init__(self, envelope: bytes, payloads: Iterator[bytes]) -> None:
        """Keep both."""
        self.envelope = envelope
        self.payloads = payloads

    def close(self) -> None:
        """Nothing to close."""


class Line:
    """A `Carrier` from one device to another."""

    def __init__(self, world: World, source: Device, target: Device) -> None:
        """Attach."""
        self.world = world
        self.source = source
        self.target = target
        self.requests = self.bytes_sent = self.bytes_received = 0
        self._disk = source.disk

    def close(self) -> None:
        """Nothing to close."""

    def ask(self, parcel: Parcel) -> Answered:
        """Carry a parcel over, and what comes back."""
        world, weather, random = self.world, self.world.weather, self.world.random
        payloads = [bytes(item) for item in parcel.payloads]
        self.requests += 1
        self.bytes_sent += len(parcel.envelope) + sum(map(len, payloads))
        self._go_on()
        if weather.parts(self.source, self.target):
            raise UnreachableError("Parted.")
        if random.random() < weather.lost:
            world.happened("lost")
            raise TransportError("Lost on the way.")
        if random.random() < weather.replayed and world.old_parcels:
            world.happened("replayed")
            self._deliver(*random.choice(world.old_parcels), reply=False)
        if random.random() < 0.2:
            world.old_parcels.append((self.target, parcel.envelope, payloads))
            del world.old_parcels[:-8]
        cut = None
        if payloads and random.random() < weather.cut:
            cut = random.randrange(len(payloads))
            world.happened("cut")
        reply = self._deliver(self.target, parcel.envelope, payloads, cut=cut)
        if random.random() < weather.doubled:
            world.happened("doubled")
            self._deliver(self.target, parcel.envelope, payloads, reply=False)
        self._go_on()
        if reply is None or random.random() < weather.reply_lost:
            world.happened("reply lost")
            raise TransportError("The answer was lost.")
        envelope, back = reply
        self.bytes_received += len(envelope) + sum(map(len, back))
        until = None
        if back and random.random() < weather.reply_cut:
            until = random.randrange(len(back))
            world.happened("reply cut")
        return Answered(envelope, self._arriving(back, until, self._go_on))

    def _go_on(self) -> None:
        """Let something else happen; die if it killed us."""
        self.world.meanwhile()
        if self.source.disk is not self._disk or self._disk.dead:
            raise PowerCut(self._disk)

    def _arriving(
        self, payloads: list[bytes], cut: int | None, between: Callable[[], None]
    ) -> Iterator[bytes]:
        for index, payload in enumerate(payloads):
            if index == cut:
                raise TransportError("The line broke off.")
            yield payload
            between()

    def _deliver(
        self,
        target: Device,
        envelope: bytes,
        payloads: list[bytes],
        *,
        cut: int | None = None,
        reply: bool = True,
    ) -> tuple[bytes, list[bytes]] | None:
        """Let the target answer; None where no answer leaves it."""
        responder, disk = target.responder, target.disk
        if responder is None:
            if reply:
                raise UnreachableError("Nobody is there.")
            return None

        def between() -> None:
            self.world.meanwhile()
            if disk.dead or target.disk is not disk:
                raise PowerCut(disk)

        try:
            answer = responder.respond(envelope, self._arriving(payloads, cut, between))
        except PowerCut as end:
            if end.disk is not disk:
                raise
            self.world.died(target, end)
            return None
        except (TransportError, StorageError) as problem:
            self.world.note(f"{target.name} failed to answer: {problem.code}")
            return None
        except PeerError:
            if reply:
                raise
            return None
        if disk.dead or target.disk is not disk:
            return None
        if answer.news:
            try:
                self.world.follow_soon(target)
            except PowerCut as end:  # after the answer has left
                self.world.died(target, end)
        return answer.envelope, list(answer.payloads)
