"""What the city and the edges say: grants, revocations, adoptions, roles, erasure."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sync_protocol.identity import NO_OFFICER, Dot, OfficerId
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.membership.grant import Statement
from sync_protocol.replica import Replica
from tests.simulation.device import Device
from tests.simulation.ledger import tokens
from tests.simulation.office import AN, BINH, CHI, DUNG

if TYPE_CHECKING:
    from tests.simulation.world import World


class Authority:
    """Those who may speak."""

    def __init__(self, world: World, random: Random) -> None:
        """Begin with nothing said."""
        self.world = world
        self.random = random
        self.revoked: list[Device] = []

    def say(
        self,
        device: Device,
        statements: list[Statement],
        officer: OfficerId = NO_OFFICER,
        *,
        kept: frozenset[bytes] = frozenset(),
        named: frozenset[bytes] = frozenset(),
    ) -> None:
        """Write statements, and note what they mean to the model."""
        deed = self.world.ledger.begin(
            device.name,
            bytes(device.keys.public),
            officer,
            statements=tuple(statements),
            known=self.world.control_held(device),
            kept=kept,
            named=named,
        )
        self.world.people.save(device, [deed], lambda: [device.up.say(statements, officer)])
        self.world.note(f"{device.name} said {[type(item).__name__ for item in statements]}")

    # --- what the hub says ----------------------------------------------------------------------

    def found(self, hub: Device, certificate: bytes, ward_key: g.WardKey) -> None:
        """Begin a ward."""
        self.say(hub, [g.Certified(certificate), g.Profile("00001", "Phường A")])
        officers: list[Statement] = [
            g.Officer(AN, "An", g.CLERK),
            g.Officer(BINH, "Bình", g.SUPERVISOR),
            g.Officer(CHI, "Chi", g.CLERK),
            g.Officer(DUNG, "Dung", g.SUPERVISOR),
        ]
        self.say(hub, [ward_key, *officers])

    def grant(self, speaker: Device, device: Device) -> None:
        """Enrol a device."""
        keys = device.keys
        statement = g.Grant(keys.public, keys.agreement.public, device.role, device.name)
        self.say(speaker, [statement])

    def change_role(self, hub: Device) -> None:
        """Make a clerk a supervisor, or send somebody away."""
        officer = self.random.choice([AN, CHI, CHI, BINH])
        now = hub.up.holding.roster.officer_now(officer)
        if now is None:
            return
        role = self.random.choice([g.CLERK, g.SUPERVISOR, g.DISABLED])
        self.say(hub, [g.Officer(officer, now.name, role, now.version + 1)])

    def revoke(self, speaker: Device, device: Device) -> None:
        """Cut a device's feeds where the speaker holds them, or a little before."""
        replica = speaker.up
        cuts: list[Mark] = []
        kept: set[bytes] = set()
        earlier = self.random.random() < 0.3
        for chain in replica.holding.chains.values():
            if chain.device != device.keys.public or not chain.row.head.seq:
                continue
            seq = chain.row.head.seq
            if earlier:
                seq = self.random.randint(max(1, seq - 3), seq)
            short = replica.holding.short_hash_at(chain, seq)
            if short is None:
                continue
            cuts.append(Mark(chain.feed, seq, short))
            kept.update(e.body_hash for _, e in replica.holding.entries(chain, 1, seq))
        before = replica.holding.roster.revocations.get(device.keys.public)
        version = before.version + 1 if before is not None else 1
        reason = self.random.choice([g.LOST, g.COMPROMISED])
        officer = NO_OFFICER if speaker.role == "hub" else BINH
        if speaker.role == "edge" and self.random.random() < 0.5:
            reason, officer = g.LAPSED, NO_OFFICER
        statement = g.Revoke(device.keys.public, reason, cuts, version)
        self.say(speaker, [statement], officer, kept=frozenset(kept))

    def restore(self, hub: Device, device: Device) -> None:
        """Lift a revocation."""
        before = hub.up.holding.roster.revocations.get(device.keys.public)
        if before is not None:
            statement = g.Revoke(device.keys.public, g.RESTORED, [], before.version + 1)
            self.say(hub, [statement])

    def review(self, speaker: Device) -> None:
        """Adopt what is in quarantine, or turn it down."""
        replica = speaker.up
        dots = self._held(replica)
        if not dots:
            return
        chosen = self.random.sample(dots, min(len(dots), self.random.randint(1, 3)))
        rows = [g.wire_dot(dot) for dot in chosen]
        kind = g.Adopt if self.random.random() < 0.75 else g.Reject
        officer = NO_OFFICER if speaker.role == "hub" else BINH
        self.say(speaker, [kind(rows)], officer, named=tokens(replica, chosen))

    def _held(self, replica: Replica) -> list[Dot]:
        chains = replica.holding.chains
        return [
            replica.holding.dot(chains[row.chain], row.seq) for row in replica.rooms.views.held()
        ]

    def erase(self, hub: Device) -> None:
        """Forget one entry, by law."""
        replica = hub.up
        chains = [
            chain
            for chain in replica.holding.chains.values()
            if chain.row.head.seq > chain.row.base_seq
            and chain.device not in replica.holding.roster.hubs
        ]
        if not chains:
            return
        chain = self.random.choice(chains)
        folded = replica.follower.cursor(chain)  # people name what they can see
        if folded <= chain.row.base_seq:
            return
        seq = self.random.randint(chain.row.base_seq + 1, folded)
        dot = replica.holding.dot(chain, seq)
        entry = replica.holding.entry(dot)
        if entry is None or entry.body is None:
            return
        deed = self.world.ledger.find(entry.body_hash, entry.body)
        if deed is None or deed.statements:
            return
        named = frozenset([entry.body_hash])
        known = [(who, replica.holding.roster.officer_now(who)) for who in (AN, BINH, CHI, DUNG)]
        may = [who for who, now in known if now is not None and now.role in g.SUPERVISING]
        if len(may) >= g.ERASE_APPROVERS_MIN:
            self.say(hub, [g.Erase([g.wire_dot(dot)], [], may[:2], "law")], named=named)
