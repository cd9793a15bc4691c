"""One world: a hub, edges and tablets under one seed, from the first grant to the verdict."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sync_protocol.crypto.key import AgreementKey, SigningKey
from sync_protocol.errors import PeerError, StorageError, TransportError
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.identity import WardId
from sync_protocol.membership import grant as g
from tests.simulation.authority import Authority
from tests.simulation.chance import seeded
from tests.simulation.checker import Checker
from tests.simulation.device import EPOCH_MS, YEAR_MS, Clock, Device, keys_of
from tests.simulation.disk import KILL, POWER, TAIL, PowerCut
from tests.simulation.file_disk import FileDisk
from tests.simulation.forgery import forge
from tests.simulation.ledger import REFUSED, SAVED, UNKNOWN, Ledger
from tests.simulation.network import Line, Weather
from tests.simulation.office import SCHEMA
from tests.simulation.workload import People

MINUTE_MS = 60_000
ROUNDS_MAX = 10
FILES_EVERY = 25
"""One world in so many stands on real SQLCipher files."""


class BrokenLawError(AssertionError):
    """A law did not hold; the message says which, and how to see it again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a world came to."""

    seed: int
    trace: str
    faults: dict[str, int]
    deeds: int
    entries: int
    conflicts: int
    rounds: int


class World:
    """The world of one seed. Call `run` once."""

    def __init__(self, seed: int, *, verbose: bool = False) -> None:
        """Draw its people and its weather."""
        self.seed = seed
        self.verbose = verbose
        self.random = Random(f"world {seed}")
        self.now_ms = 0
        self.depth = 0
        self.calm = False
        self.faults: Counter[str] = Counter()
        self.ledger = Ledger()
        self.old_parcels: list[tuple[Device, bytes, list[bytes]]] = []
        self._queue: list[tuple[int, int, str, Callable[[], None]]] = []
        self._count = 0
        self._trace = hashlib.sha256()
        self.people = People(self, Random(f"people {seed}"))
        self.authority = Authority(self, Random(f"authority {seed}"))
        self.weather = self._weather()
        self.length_ms = self.random.choice([120, 300, 600]) * MINUTE_MS
        self.devices: list[Device] = []
        self.shelf: Path | None = None
        self.root = SigningKey(hashlib.sha256(f"root {seed}".encode()).digest())
        self.ward = WardId(hashlib.sha256(f"ward {seed}".encode()).digest()[:16])

    def _weather(self) -> Weather:
        bad = self.random.choice([0.0, 0.02, 0.1, 0.25])
        return Weather(
            lost=bad * self.random.random(),
            reply_lost=bad * self.random.random(),
            cut=3 * bad * self.random.random(),
            reply_cut=3 * bad * self.random.random(),
            doubled=bad * self.random.random(),
            replayed=bad * self.random.random(),
            meanwhile=self.random.choice([0.0, 0.05, 0.15]),
        )

    # --- time -------------------------------------------------------------------------------------

    def tick(self) -> int:
        """Return the world's time; every look at a clock takes a millisecond."""
        self.now_ms += 1
        return self.now_ms

    def after(self, delay_ms: int, name: str, event: Callable[[], None]) -> None:
        """Let something happen later."""
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._count, name, event))

    def note(self, text: str) -> None:
        """Write a line of the trace."""
        line = f"{self.now_ms:>10} {'  ' * self.depth}{text}"
        self._trace.update(line.encode() + b"\n")
        if self.verbose:
            print(line)

    def happened(self, fault: str) -> None:
        """Count a fault that fired."""
        self.faults[fault] += 1

    def meanwhile(self) -> None:
        """Perhaps let the next event happen now, in the middle of something else."""
        if self.calm or self.depth > 2 or not self._queue:
            return
        if self.random.random() < self.weather.meanwhile:
            self.happened("meanwhile")
            self._next()

    def _next(self) -> None:
        at, _, name, event = heapq.heappop(self._queue)
        self.now_ms = max(self.now_ms, at)
        self.depth += 1
        try:
            self.note(name)
            event()
        except PowerCut as end:
            self._bury(end)
        finally:
            self.depth -= 1

    def _bury(self, end: PowerCut) -> None:
        for device in self.devices:
            if device.disk is end.disk:
                self.died(device, end)

    # --- building ---------------------------------------------------------------------------------

    def device(self, name: str, role: str, keys_name: str = "") -> Device:
        """Put up a machine, not yet running."""
        device = Device(
            name,
            role,
            keys_of(self.seed, keys_name or name),
            Clock(self.tick),
            self.ward,
            self.root.public,
            SCHEMA,
            Random(f"{name} {self.seed}"),
        )
        if self.shelf is not None:
            device.disk = FileDisk(self.shelf)
        self.devices.append(device)
        return device

    def build(self) -> None:
        """Found the ward and enrol its devices."""
        random = self.random
        hub = self.device("hub", "hub")
        hub.boot()
        recovery = AgreementKey(hashlib.sha256(b"recovery").digest())
        ward_key = AgreementKey(hashlib.sha256(f"ward {self.seed}".encode()).digest())
        certificate = g.Certificate(1, hub.keys.public, hub.keys.agreement.public, recovery.public)
        self.authority.found(
            hub,
            g.certify(self.root, certificate),
            g.WardKey(ward_key.public, recovery.public, b""),
        )
        edges = [self.device(f"edge{i}", "edge") for i in range(1, random.randint(2, 3) + 1)]
        for edge in edges:
            edge.boot()
            edge.peers = [hub]
            self.authority.grant(hub, edge)
        for edge in edges:
            if random.random() < 0.3:
                edge.peers.append(random.choice([item for item in edges if item is not edge]))
            self.sync(edge, hub)
        for index in range(random.randint(1, 3)):
            tablet = self.device(f"tablet{index + 1}", "tablet")
            tablet.boot()
            home = random.choice(edges)
            tablet.peers = [home, hub] if random.random() < 0.3 else [home]
            self.authority.grant(home if random.random() < 0.6 else hub, tablet)
            if random.random() < 0.5:
                self.sync(home, hub)

    def plan(self) -> None:
        """Put the day's work and the day's misfortunes into the queue."""
        random = self.random
        for device in list(self.devices):
            for _ in range(random.randint(2, 12) if device.role != "hub" else random.randint(0, 3)):
                at = random.randrange(self.length_ms)
                self.after(at, f"act {device.name}", lambda d=device: self.act(d))  # type: ignore[misc]
            if device.role != "hub":
                self._plan_syncs(device)
        for _ in range(random.choice([0, 1, 2, 4, 6])):
            at = random.randrange(self.length_ms)
            self.after(at, "authority", self.speak)
        for _ in range(random.choice([0, 1, 2, 4, 8])):
            at = random.randrange(self.length_ms)
            self.after(at, "fault", self.misfortune)

    def _plan_syncs(self, device: Device) -> None:
        every = self.random.choice([10, 30, 60, 150]) * MINUTE_MS
        at = self.random.randrange(every)
        while at < self.length_ms:
            self.after(at, f"sync {device.name}", lambda: self.sync_some(device))
            at += self.random.randint(every // 2, every * 3 // 2)

    # --- events -----------------------------------------------------------------------------------

    def act(self, device: Device) -> None:
        """Somebody does something on a device."""
        if device.replica is None or not device.up.is_enrolled():
            return
        self.people.act(device)

    def sync_some(self, device: Device) -> None:
        """A device syncs with one of its peers."""
        if device.replica is not None and device.peers:
            self.sync(device, self.random.choice(device.peers))

    def sync(self, device: Device, peer: Device) -> bool:
        """One exchange; whether it came to its end."""
        if device.busy or device.replica is None:
            return False
        device.busy = True
        life = device.lives
        line = Line(self, device, peer)
        try:
            outcome = Initiator(device.up, line, peer.keys.public).run()
            self.note(
                f"{device.name} > {peer.name}: {outcome.requests} requests, "
                f"{outcome.entries_sent} out, {outcome.entries_received} in"
                + "".join(f", refused {error.code}" for error in outcome.refused.values())
            )
            done = True
        except (TransportError, PeerError, StorageError) as problem:
            self.note(f"{device.name} > {peer.name}: {problem.code} {problem.diagnosis}")
            done = False
        finally:
            device.busy = False
        if device.lives == life:
            self.follow_soon(device)
        return done

    def follow_soon(self, device: Device) -> None:
        """The views follow: now, or with a lag."""
        life = device.lives

        def follow() -> None:
            if device.lives != life or device.replica is None:
                return
            try:
                device.up.follow(self.random.choice([1, 3, 1 << 60]))
            except StorageError as problem:
                self.note(f"{device.name} views: {problem.code}")

        if self.calm or self.random.random() < 0.6:
            follow()
        else:
            self.after(self.random.randint(1, 20) * MINUTE_MS, f"follow {device.name}", follow)

    def control_held(self, device: Device) -> frozenset[bytes]:
        """Return which control entries of the hub's feeds a device holds now."""
        holding = device.up.holding
        found: set[bytes] = set()
        for chain in holding.chains.values():
            if chain.device not in holding.roster.hubs:
                continue
            for key in holding.store.notes(f"control:{chain.number:08d}:"):
                seq = int(key.rsplit(":", 1)[1])
                if seq <= chain.row.head.seq:
                    found.update(e.body_hash for _, e in holding.entries(chain, seq, seq))
        return frozenset(found)

    def speak(self) -> None:
        """The authority says something."""
        hub = self.devices[0]
        if hub.replica is None:
            return
        random = self.random
        others = [item for item in self.devices[1:] if item.replica is not None]
        kind = random.choice(
            ["role", "role", "revoke", "lock", "review", "review", "erase", "lift", "confirm"]
        )
        if kind == "role":
            self.authority.change_role(hub)
        elif kind == "revoke" and self.faults["revoke"] < 2:
            tablets = [item for item in others if item.role == "tablet"]
            chosen = random.choice(tablets if random.random() < 0.8 and tablets else others)
            self.happened("revoke")
            self.authority.revoke(hub, chosen)
        elif kind == "lock" and self.faults["revoke"] < 2:
            edges = [item for item in others if item.role == "edge"]
            tablets = [item for item in others if item.role == "tablet"]
            if edges and tablets:
                self.happened("revoke")
                self.authority.revoke(random.choice(edges), random.choice(tablets))
        elif kind == "review":
            self.authority.review(random.choice([hub, *[d for d in others if d.role == "edge"]]))
        elif kind == "erase":
            self.happened("erase")
            self.authority.erase(hub)
        elif kind == "confirm":
            self.authority.grant(hub, random.choice(others or self.devices[1:]))
        elif kind == "lift":
            revoked = [d for d in others if hub.up.holding.roster.revoked(d.keys.public)]
            if revoked:
                self.authority.restore(hub, random.choice(revoked))

    # --- misfortune -------------------------------------------------------------------------------

    def misfortune(self) -> None:
        """Something breaks."""
        random = self.random
        device = random.choice(self.devices)
        kinds: list[tuple[int, Callable[[Device], None]]] = [
            (5, self._arm),
            (3, self._crash_now),
            (2, self._lose_tail),
            (2, self._fill),
            (3, self._part),
            (3, self._turn_clock),
            (2, self._back_up_or_restore),
            (1, self._clone),
            (2, self._lie),
        ]
        chosen = random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
        chosen(device)

    def _arm(self, device: Device) -> None:
        device.disk.bomb = self.random.choice([0, 1, 2, 3, 5, 8, 13, 30, 60])
        self.note(f"armed {device.name} {device.disk.bomb}")

    def _crash_now(self, device: Device) -> None:
        if device.replica is not None:
            self.happened("crash at rest")
            self._end_life(device, self.random.choice([KILL, POWER]))

    def _lose_tail(self, device: Device) -> None:
        """The log's database forgets its newest commits, durable or not."""
        disk = device.disk
        life = device.lives
        disk.mark()
        self.note(f"checkpoint {device.name}")

        def lose() -> None:
            if device.lives == life and device.disk is disk:
                self.happened("tail lost")
                self._end_life(device, TAIL)

        self.after(self.random.randint(5, 100) * MINUTE_MS, f"tail {device.name}", lose)

    def _fill(self, device: Device) -> None:
        disk = device.disk
        disk.full = Random(f"{self.seed} full {self._count}")
        self.happened("full")
        self.note(f"full {device.name}")

        def free() -> None:
            device.disk.full = None
            if device.replica is None:
                self.start(device)

        self.after(self.random.randint(5, 60) * MINUTE_MS, f"room {device.name}", free)

    def _part(self, device: Device) -> None:
        self.happened("parted")
        self.note(f"parted {device.name}")
        self.weather.parted |= {device.name}

        def heal() -> None:
            self.weather.parted -= {device.name}

        self.after(self.random.randint(10, 200) * MINUTE_MS, f"heal {device.name}", heal)

    def _turn_clock(self, device: Device) -> None:
        random, clock = self.random, device.clock
        self.happened("clock")
        kind = random.choice(["far", "back", "frozen", "right"])
        clock.frozen_ms = None
        if kind == "far":
            clock.offset_ms = random.randint(-30 * YEAR_MS, 30 * YEAR_MS)
        elif kind == "back":
            clock.offset_ms -= random.randint(1, 600) * MINUTE_MS
        elif kind == "frozen":
            clock.freeze()
        else:
            clock.offset_ms = 0
        self.note(f"clock {device.name} {kind} {clock() - EPOCH_MS}")

    def _back_up_or_restore(self, device: Device) -> None:
        """A copy of the whole disk is taken, and comes back later over what was done since."""
        image = device.disk.image()
        promised = set(device.promised)
        told = self.random.random() < 0.5 if device.role == "hub" else self.random.random() < 0.2
        self.note(f"backup {device.name}")

        def restore() -> None:
            if device.replica is None:
                return
            self.happened("restored")
            self.note(f"restored {device.name} told={told}")
            device.disk.dead = True
            device.restores += 1  # open forms and drafts go with the disk
            device.disk = device.disk.from_image(image)
            device.promised = set(promised)
            device.promised_scans.clear()
            self.start(device)
            device.expects &= device.held_bodies()
            if told and device.replica is not None:
                with device.up.lock:
                    device.up.author.new_incarnation("restored")
                if device.role == "hub":  # as “restore” does: by this everybody hears of it
                    self.authority.say(device, [g.Profile("00001", "Phường A")])
            self._forget_lost()

        self.after(self.random.randint(5, 120) * MINUTE_MS, f"restore {device.name}", restore)

    def _clone(self, device: Device) -> None:
        if device.role == "hub" or device.replica is None or self.faults["cloned"] >= 1:
            return
        self.happened("cloned")
        self.note(f"cloned {device.name}")
        twin = self.device(f"{device.name}'", device.role, device.name.rstrip("'"))
        twin.peers = list(device.peers)
        twin.disk = device.disk.from_image(device.disk.image())
        twin.clock.offset_ms = device.clock.offset_ms
        self.start(twin)
        twin.expects = device.expects & twin.held_bodies()
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randint(1, 120) * MINUTE_MS
            self.after(at, f"act {twin.name}", lambda: self.act(twin))
        self._plan_syncs_until_end(twin)

    def _lie(self, device: Device) -> None:
        if device.role == "hub" or device.replica is None or device.busy or not device.peers:
            return
        peer = self.random.choice(device.peers)
        line = Line(self, device, peer)
        self.note(f"{device.name} lies to {peer.name}: {forge(device, peer, line, self.random)}")
        self.happened("lied")

    def _plan_syncs_until_end(self, device: Device) -> None:
        at = self.random.randint(1, 60) * MINUTE_MS
        while self.now_ms + at < self.length_ms:
            self.after(at, f"sync {device.name}", lambda: self.sync_some(device))
            at += self.random.randint(10, 90) * MINUTE_MS

    # --- lives ------------------------------------------------------------------------------------

    def died(self, device: Device, end: PowerCut) -> None:
        """A write was the last one of this life."""
        if device.disk is not end.disk:
            return
        for what, count in device.disk.fired.items():
            self.faults[what] += count
        self._end_life(device, self.random.choice([KILL, POWER, POWER]))

    def _end_life(self, device: Device, how: str) -> None:
        self.happened(how)
        self.note(f"{device.name} died: {how}")
        full = device.disk.full
        device.disk = device.disk.aftermath(how, Random(f"{self.seed} tear {self._count}"))
        device.disk.full = full
        if self.random.random() < 0.15 and not self.calm:
            device.disk.bomb = self.random.choice([0, 1, 2, 4])
        self.start(device)
        if device.replica is None:
            return
        if how == TAIL:
            device.promised.clear()
            device.promised_scans.clear()
            self._forget_lost()
        for complaint in device.broken_promises():
            raise self.broken(complaint)
        self._check_own(device, how)

    def start(self, device: Device) -> None:
        """Boot, and again where it dies while it boots."""
        for _ in range(20):
            try:
                device.boot()
            except PowerCut:
                self.happened("died at boot")
                self.note(f"{device.name} died while it opened")
                full = device.disk.full
                random = Random(f"{self.seed} boot {device.lives}")
                device.disk = device.disk.aftermath(POWER, random)
                device.disk.full = full
            except StorageError as problem:
                self.note(f"{device.name} can't open: {problem.code}")
                return
            else:
                return
        raise self.broken(f"{device.name} never opens")

    def _check_own(self, device: Device, how: str) -> None:
        """What was acknowledged on this device before it died is on it, or with two others."""
        for body in sorted(device.expects - device.held_bodies()):
            deed = self.ledger.by_body[body]
            if how != TAIL or not self._elsewhere(body, device):
                raise self.broken(
                    f"deed {deed.number} was acknowledged on {device.name}; {how} lost it"
                )
            device.expects.discard(body)

    def _elsewhere(self, body: bytes, but: Device) -> bool:
        return any(body in item.held_bodies() for item in self.devices if item is not but)

    def _forget_lost(self) -> None:
        """After a restore: what no machine holds any more was lost with the disk, not by us."""
        held: set[bytes] = set()
        for device in self.devices:
            held |= device.held_bodies()
        for deed in self.ledger.deeds:
            if deed.outcome == SAVED and deed.body not in held:
                deed.outcome = UNKNOWN

    def broken(self, complaint: str) -> BrokenLawError:
        """Return the error that names the law, the seed and the way to see it again."""
        return BrokenLawError(
            f"seed {self.seed}: {complaint}\n"
            f"  replay: python -m tests.simulation --seed {self.seed} --verbose"
        )

    # --- the whole --------------------------------------------------------------------------------

    def run(self) -> Verdict:
        """Play the world to its end; raise `BrokenLawError` where a law did not hold."""
        with seeded(self.seed), TemporaryDirectory() as shelf:
            self.shelf = Path(shelf) if self.seed % FILES_EVERY == 0 else None
            self.build()
            self.plan()
            while self._queue:
                self._next()
            rounds = self._calm_down()
            checker = Checker(self)
            for complaint in checker.complaints():
                raise self.broken(complaint)
            for device in self.devices:
                digest = device.up.digest()
                self.note(f"{device.name} {digest.frontier} {digest.records} {digest.sha256}")
        return Verdict(
            self.seed,
            self._trace.hexdigest(),
            dict(sorted(self.faults.items())),
            sum(deed.outcome != REFUSED for deed in self.ledger.deeds),
            checker.entries,
            checker.conflicts,
            rounds,
        )

    def _calm_down(self) -> int:
        """Stop all faults and let everybody sync; return after how many rounds nothing was new."""
        self.calm = True
        self.weather = Weather()
        for device in self.devices[1:]:  # where a home edge was revoked, people turn to the hub
            if self.devices[0] not in device.peers:
                device.peers.append(self.devices[0])
        for device in self.devices:
            device.disk.bomb = device.disk.full = None
            if device.replica is None:
                self.start(device)
                self._check_own(device, POWER)
        for device in self.devices:
            device.up.follow()
        before: list[str] = []
        for number in range(ROUNDS_MAX):
            for device in [*self.devices[1:], *self.devices[:0:-1]]:
                for peer in device.peers:
                    self.sync(device, peer)
            for device in self.devices:
                device.up.follow()
            now = [device.up.digest().frontier for device in self.devices]
            if now == before:
                return number
            before = now
        raise self.broken(f"still moving after {ROUNDS_MAX} rounds of quiet")


def play(seed: int, *, verbose: bool = False) -> Verdict:
    """Play the world of one seed."""
    return World(seed, verbose=verbose).run()
