"""What must hold when all has come to rest, judged by a model that shares no code with merge.

The model knows deeds, not entries: which deed wrote which cell with what value, and which deeds'
values the form displayed. A value lives unless an admitted deed displayed it. From that follow the
living values of each cell, and so every conflict that must be shown, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import msgspec

from sync_protocol.identity import NO_OFFICER, RecordId
from sync_protocol.log.entry import read_header
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import decode_state
from sync_protocol.record.change import decode_changeset, new_record_ids
from sync_protocol.record.schema import RETRACTION
from sync_protocol.replica import Replica
from sync_protocol.storage.store import StoredRecord
from tests.simulation.device import Device
from tests.simulation.ledger import REFUSED, SAVED, Deed, Wrote
from tests.simulation.office import (
    ABSORBS,
    APPROVAL,
    BIRTH,
    NAME,
    NOTES,
    NUMBER,
    PAPERS,
    PHONE,
    STATUS,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

ADMITTED, HELD, PENDING, ERASED = "admitted", "held", "pending", "erased"
Cell = tuple[RecordId, int, bytes | None]
RANK = {g.DISABLED: 0, g.CLERK: 1, g.SUPERVISOR: 2, g.ADMINISTRATOR: 3}


@dataclass(slots=True)
class Found:
    """One entry as the logs hold it."""

    deed: Deed
    feed: bytes
    seq: int
    branch: bytes
    erased: bool
    records: tuple[RecordId, ...]
    path: list[bytes] = field(default_factory=list)


class Checker:
    """The judgement on one world."""

    def __init__(self, world: World) -> None:
        """Look at a world that has come to rest."""
        self.world = world
        self.ledger = world.ledger
        self.entries = 0
        self.conflicts = 0
        self.found: dict[bytes, Found] = {}
        self.verdicts: dict[bytes, str] = {}

    def complaints(self) -> Iterator[str]:
        """Yield what does not hold."""
        hub = self.world.devices[0]
        yield from self._read_log(hub)
        entitled = [d for d in self.world.devices if self._entitled(d)]
        yield from self._nothing_lost(hub, entitled)
        yield from self._one_frontier(entitled)
        self._judge()
        yield from self._rosters(entitled)
        for device in entitled:
            yield from self._quarantine(device)
            yield from self._states(device)
            yield from self._scans(device)
        yield from self._digests(entitled)
        for device in entitled:
            yield from self._rebuilt(device)
            yield from (f"in the end {text}" for text in device.broken_promises())

    def _entitled(self, device: Device) -> bool:
        roster = self.world.devices[0].up.holding.roster
        key = device.keys.public
        return roster.role_of(key) is not None and roster.revoked(key) is None

    # --- the log ------------------------------------------------------------------------------

    def _read_log(self, hub: Device) -> Iterator[str]:
        replica = hub.up
        salts: dict[bytes, int] = {}
        for chain in replica.holding.chains.values():
            path: list[bytes] = []
            first = chain.row.floor.seq + 1
            for seq, entry in replica.holding.entries(chain, 1, chain.row.head.seq):
                path.append(entry.body_hash)
                if seq < first or seq <= chain.row.base_seq:
                    continue
                deed = self.ledger.find(entry.body_hash, entry.body)
                if deed is None or deed.outcome == REFUSED:
                    yield f"an entry that nobody made: {chain.feed.hex()[:6]}:{seq}"
                    continue
                salts[deed.salt] = salts.get(deed.salt, 0) + 1
                if salts[deed.salt] > 1:
                    yield f"deed {deed.number} was written twice"
                records: tuple[RecordId, ...] = deed.records
                if entry.body is not None and not deed.statements:
                    header = read_header(entry.header)
                    changes = decode_changeset(entry.body, chain.feed)
                    ms = header.timestamp >> 16
                    records = tuple(new_record_ids(changes, ms, chain.feed, seq, entry.body[:8]))
                    if deed.outcome == SAVED and records != deed.records:
                        yield f"deed {deed.number} names other records than it was told"
                dot = replica.holding.dot(chain, seq)
                self.found[entry.body_hash] = Found(
                    deed, dot.feed, seq, dot.branch, entry.body is None, records, list(path)
                )
        self.entries = len(self.found)

    def _nothing_lost(self, hub: Device, entitled: list[Device]) -> Iterator[str]:
        for deed in self.ledger.deeds:
            if deed.outcome == SAVED and deed.body not in self.found:
                yield f"deed {deed.number} of {deed.device} was acknowledged and is not at the hub"
        for device in entitled:
            here = device.held_bodies()
            for body, found in self.found.items():
                if body not in here:
                    yield f"deed {found.deed.number} never reached {device.name}"

    def _one_frontier(self, entitled: list[Device]) -> Iterator[str]:
        roots = {device.up.digest().frontier for device in entitled}
        if len(roots) > 1:
            yield "entitled replicas rest at different frontiers"

    def _digests(self, entitled: list[Device]) -> Iterator[str]:
        digests = {device.up.digest() for device in entitled}
        if len(digests) > 1:
            names = [
                f"{d.name} {d.up.digest().records} {d.up.digest().sha256[:8]}" for d in entitled
            ]
            yield f"equal frontiers, different views: {names}"

    def _rebuilt(self, device: Device) -> Iterator[str]:
        replica = device.up
        before, quarantine = replica.digest(), self._held_rows(replica)
        rows = self._rows(replica)
        replica.rebuild()
        if replica.digest() != before:
            yield f"{device.name}: views that followed differ from views made anew"
        if self._held_rows(replica) != quarantine:
            yield f"{device.name}: the quarantine differs once made anew"
        if self._rows(replica) != rows:
            yield f"{device.name}: rows differ once made anew"

    def _rows(self, replica: Replica) -> list[StoredRecord]:
        # Pending dots are what the order of arrival left behind; they speak of what is held back.
        return [msgspec.structs.replace(row, pending=b"") for row in replica.rooms.views.scan()]

    def _held_rows(self, replica: Replica) -> dict[bytes, str]:
        chains = replica.holding.chains
        found = {}
        for row in replica.rooms.views.held():
            for _, entry in replica.holding.entries(chains[row.chain], row.seq, row.seq):
                found[entry.body_hash] = row.reason
        return found

    # --- who may write, by the model ----------------------------------------------------------

    def _judge(self) -> None:
        self.erased = {
            body
            for found in self.found.values()
            for item in found.deed.statements
            if isinstance(item, g.Erase)
            for body in found.deed.named
        }
        self.hubs = {d.keys.public for d in self.world.devices if d.role == "hub"}
        hub_said = [f for f in self.found.values() if f.deed.key in self.hubs and f.deed.statements]
        self.roles: dict[bytes, list[tuple[bytes, g.Officer]]] = {}
        self.granted: dict[bytes, str] = {}
        self.revocations: dict[bytes, tuple[g.Revoke, frozenset[bytes]]] = {}
        self.adopted: set[bytes] = set()
        self.rejected: set[bytes] = set()
        for item in hub_said:
            self._hear(item.deed)
        self.confirmed = frozenset(self.granted)
        by_hub = {k: r for k, r in self.revocations.items() if r[0].reason != g.RESTORED}
        edges_said = [
            f for f in self.found.values() if f.deed.statements and f.deed.key not in self.hubs
        ]
        for item in sorted(edges_said, key=lambda f: (f.feed, f.seq, f.branch)):
            if self.granted.get(item.deed.key) == "edge" and self._within(item.deed):
                supervises = self._role(item, self._known(item)) in (g.SUPERVISOR, g.ADMINISTRATOR)
                self._hear_edge(item.deed, supervises=supervises)
        self.revocations.update(by_hub)  # an edge lifts what edges locked, and nothing else
        for body, item in self.found.items():
            self.verdicts[body] = self._verdict(body, item)

    def _hear(self, deed: Deed) -> None:
        for item in deed.statements:
            if isinstance(item, g.Grant):
                self.granted.setdefault(item.device, item.role)
            elif isinstance(item, g.Officer):
                self.roles.setdefault(item.officer, []).append((deed.body, item))
            elif isinstance(item, g.Revoke):
                self._revoke(item, deed.kept)
            elif isinstance(item, g.Adopt):
                self.adopted |= deed.named
            elif isinstance(item, g.Reject):
                self.rejected |= deed.named

    def _hear_edge(self, deed: Deed, *, supervises: bool) -> None:
        for item in deed.statements:
            if isinstance(item, g.Grant):
                self.granted.setdefault(item.device, item.role)
            elif isinstance(item, g.Revoke):
                lapsed = item.reason == g.LAPSED
                if not (item.device not in self.confirmed if lapsed else supervises):
                    continue
                if self.granted.get(item.device) in (None, "tablet"):
                    self._revoke(item, deed.kept)
            elif isinstance(item, g.Adopt) and supervises:
                self.adopted |= deed.named
            elif isinstance(item, g.Reject) and supervises:
                self.rejected |= deed.named

    def _revoke(self, item: g.Revoke, kept: frozenset[bytes]) -> None:
        before = self.revocations.get(item.device)
        if before is None or _over(item, before[0]):
            self.revocations[item.device] = (item, kept)

    def _within(self, deed: Deed) -> bool:
        revoke = self.revocations.get(deed.key)
        if revoke is None or revoke[0].reason == g.RESTORED:
            return True
        return deed.body in revoke[1]

    def _known(self, item: Found) -> frozenset[bytes]:
        """Return the control entries that the writer's feed had seen: it never goes back."""
        known: set[bytes] = set()
        for body in item.path:
            before = self.found.get(body)
            if before is not None:
                known |= before.deed.known
        return frozenset(known)

    def _role(self, item: Found, known: frozenset[bytes]) -> str | None:
        best: g.Officer | None = None
        for body, said in self.roles.get(item.deed.officer, ()):
            if body in known and (best is None or _newer(said, best)):
                best = said
        return None if best is None else best.role

    def _verdict(self, body: bytes, item: Found) -> str:
        deed = item.deed
        if body in self.erased:
            return ERASED
        if deed.key not in self.hubs and deed.key not in self.granted:
            return PENDING
        if body in self.adopted:
            return ADMITTED
        if body in self.rejected or not self._within(deed):
            return HELD
        if deed.key in self.hubs:
            return ADMITTED
        role: str | None = "device"
        if deed.officer != NO_OFFICER:
            role = self._role(item, self._known(item))
            if role in (None, g.DISABLED):
                return HELD
        return ADMITTED if all(_may(write, role) for write in deed.wrote) else HELD

    def _rosters(self, entitled: list[Device]) -> Iterator[str]:
        said = {device.name: _plain(device.up.holding.roster) for device in entitled}
        first = next(iter(said.values()))
        for name, roster in said.items():
            for key, value in roster.items():
                if value != first[key]:
                    yield f"the roster of {name} differs in {key}"

    def _quarantine(self, device: Device) -> Iterator[str]:
        held = set(self._held_rows(device.up))
        expected = {body for body, verdict in self.verdicts.items() if verdict == HELD}
        for body in sorted(expected - held):
            deed = self.found[body].deed
            yield f"deed {deed.number} of {deed.device} is not in quarantine on {device.name}"
        for body in sorted(held - expected):
            deed = self.found[body].deed
            reason = self._held_rows(device.up)[body]
            verdict = self.verdicts[body]
            what = f"deed {deed.number} of {deed.device}"
            yield f"{what} is held ({reason}) on {device.name}: {verdict}"

    # --- what is true, by the model -----------------------------------------------------------

    def _living(self) -> dict[Cell, dict[bytes, Wrote]]:
        written: dict[Cell, dict[bytes, Wrote]] = {}
        gone: dict[Cell, set[bytes]] = {}
        for body, item in self.found.items():
            if self.verdicts[body] != ADMITTED:
                continue
            for write in item.deed.wrote:
                record = write.record or item.records[write.index]
                cell = (record, write.field, write.element)
                written.setdefault(cell, {})[body] = write
                gone.setdefault(cell, set()).update(write.parents)
        return {
            cell: {body: w for body, w in deeds.items() if body not in gone[cell]}
            for cell, deeds in written.items()
        }

    def _states(self, device: Device) -> Iterator[str]:
        replica = device.up
        living = self._living()
        actual: dict[Cell, dict[bytes, Any]] = {}
        records = {cell[0] for cell in living}
        shown: dict[Cell, str] = {}
        for row in replica.rooms.views.scan():
            state = decode_state(row.state, row.pending)
            if row.id not in records:
                yield f"{device.name} shows a record that nobody made"
            for key in state.keys():  # noqa: SIM118 - a state is no dict
                cell = {}
                for dot, item in state.living(key).items():
                    entry = replica.holding.entry(dot)
                    if entry is None:
                        yield f"{device.name}: a value names no entry of the log"
                        continue
                    cell[entry.body_hash] = item.value
                actual[row.id, key[0], key[1]] = cell
            view = replica.read(row.id)
            if view is not None:
                for conflict in view.conflicts:
                    shown[row.id, conflict.field, conflict.element] = conflict.kind
        for at in sorted({*living, *actual}, key=repr):
            yield from self._cell(device, at, living.get(at, {}), actual.get(at, {}))
        yield from self._shown(device, living, shown)

    def _cell(
        self, device: Device, cell: Cell, expected: dict[bytes, Wrote], actual: dict[bytes, Any]
    ) -> Iterator[str]:
        for body in sorted(expected.keys() - actual.keys()):
            deed = self.found[body].deed
            yield (
                f"{device.name}: what deed {deed.number} wrote into field {cell[1]} has vanished, "
                "and nobody had seen it"
            )
        for body in sorted(actual.keys() - expected.keys()):
            deed = self.found[body].deed
            yield (
                f"{device.name}: what deed {deed.number} wrote into field {cell[1]} lives, but it "
                f"was replaced or is {self.verdicts[body]}"
            )
        for body in expected.keys() & actual.keys():
            want, have = expected[body].value, actual[body]
            if cell[1] in (RETRACTION, APPROVAL):  # the rest names entries, whose names may change
                want, have = want[:1], have[:1]
            if want != have:
                yield f"{device.name}: field {cell[1]} holds another value than was written"

    def _shown(
        self, device: Device, living: dict[Cell, dict[bytes, Wrote]], shown: dict[Cell, str]
    ) -> Iterator[str]:
        expected = {
            cell: kind
            for cell, deeds in living.items()
            if deeds and (kind := self._conflict(cell, deeds, living))
        }
        self.conflicts = len(expected)
        for cell in sorted({*expected, *shown}, key=repr):
            want, have = expected.get(cell, ""), shown.get(cell, "")
            if want != have:
                numbers = [self.found[body].deed.number for body in living.get(cell, {})]
                yield (
                    f"{device.name}: field {cell[1]} of {cell[0].hex()[:12]} shows conflict "
                    f"{have!r}, not {want!r}; deeds {numbers}"
                )

    def _conflict(
        self, cell: Cell, deeds: dict[bytes, Wrote], living: dict[Cell, dict[bytes, Wrote]]
    ) -> str:
        values = [write.value for write in deeds.values()]
        different = {repr(value) for value in values}
        record, number, _ = cell
        if number == RETRACTION:
            seen = {body for w in deeds.values() for _, bodies in w.saw for body in bodies}
            alive = {
                body
                for other, there in living.items()
                if other[0] == record and other[1] != RETRACTION
                for body in there
            }
            return "" if alive <= seen else "retracted"
        if number == STATUS:
            targets = {value[0] for value in values}
            left = {t for t in targets if not any((t, o) in ABSORBS for o in targets)} or targets
            return "status" if len(left) > 1 else ""
        if number == APPROVAL and len(different) == 1:
            (write,) = deeds.values()
            changed = any(
                set(living.get((record, basis, None), {})) != bodies for basis, bodies in write.saw
            )
            return "basis" if changed else ""
        if len(different) < 2:
            return ""
        if number in (PAPERS, NOTES) and None in values:
            return "removed" if len(different) == 2 else "values"
        if number == NUMBER:
            return "number"
        return "values" if number in (NAME, PHONE, BIRTH, APPROVAL, PAPERS, NOTES) else "?"

    # --- scans --------------------------------------------------------------------------------

    def _scans(self, device: Device) -> Iterator[str]:
        replica = device.up
        for row in replica.rooms.views.scan():
            state = decode_state(row.state, row.pending)
            kind = replica.schema.by_id[row.type]
            for manifest in replica.follower.projection.manifests(kind, state):
                for address in manifest.chunks:
                    somewhere = any(other.disk.chunks.has(address) for other in self.world.devices)
                    if somewhere and replica.rooms.chunks.get(address) is None:
                        yield f"{device.name} lacks a chunk that another holds"


def _over(one: g.Revoke, other: g.Revoke) -> bool:
    if one.version != other.version:
        return one.version > other.version

    def left(item: g.Revoke) -> tuple[int, list[tuple[bytes, int, bytes]]]:
        marks = sorted((bytes(mark.feed), mark.seq, mark.hash) for mark in item.cuts)
        return int(item.reason == g.RESTORED), marks

    return left(one) < left(other)


def _newer(one: g.Officer, other: g.Officer) -> bool:
    return (one.version, -RANK[one.role]) > (other.version, -RANK[other.role])


def _may(write: Wrote, role: str | None) -> bool:
    if write.field == RETRACTION:
        return role == g.SUPERVISOR
    if write.field == APPROVAL:
        return role == g.SUPERVISOR
    return write.field != STATUS or len(write.parents) < 2 or role == g.SUPERVISOR


def _plain(roster: Any) -> dict[str, str]:
    found = {}
    for item in fields(roster):
        value = getattr(roster, item.name)
        if isinstance(value, set | frozenset):
            value = sorted(value)
        elif isinstance(value, dict):
            value = sorted(value.items(), key=lambda pair: repr(pair[0]))
        found[item.name] = repr(value)
    return found
