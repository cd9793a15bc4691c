"""What all control statements together say, and the judgement on one entry.

The roster is built anew from the whole set of statements held (hundreds in a ward; milliseconds),
so that it can't depend on their order. What holds:

1. Statements count only from a certified hub's control feeds, or, within bounds, from an edge:
   grants of tablets, locks of tablets, the ward key and its shares, adoption by a supervisor, and
   parts of the numbers that the hub leased to that very feed.
2. Of several statements about one thing the highest version counts; at equal versions the one that
   gives less.
3. A revocation cuts a device's feeds at positions (seq and hash), never at a time.
4. An officer's right is judged by the control head that the entry's writer had seen, which never
   goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync_protocol.errors import PeerError
from sync_protocol.identity import (
    DeviceId,
    DeviceKey,
    Dot,
    FeedId,
    OfficerId,
    device_id,
)
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g

_RIGHTS = (g.DISABLED, g.CLERK, g.SUPERVISOR, g.ADMINISTRATOR)
_ROLES = (g.TABLET, g.EDGE)


class Spoken(NamedTuple):
    """One control entry as the roster hears it.

    `seen` maps control feeds to the seq that the writer had folded. `agrees` says whether a cut
    of this feed keeps the entry: it lies at or before it, on the same branch. `lacking` are the
    devices of feeds of which the writer had seen more than is held here; None for one not known.
    """

    dot: Dot
    device: DeviceKey
    officer: OfficerId
    seen: Mapping[FeedId, int]
    statements: Sequence[g.Statement]
    agrees: Callable[[Mark], bool] = lambda _: True
    lacking: frozenset[DeviceKey | None] = frozenset()


class Granted(NamedTuple):
    """What a device holds. `delegated`: by an edge, not yet countersigned by the hub."""

    device: DeviceKey
    agreement: bytes
    role: str
    label: str
    delegated: bool
    version: int


@dataclass(slots=True)
class Roster:
    """Who may do what. Build with `build`; treat as a value."""

    hubs: dict[DeviceKey, g.Certificate] = field(default_factory=dict)
    certificate: g.Certificate | None = None
    control_feeds: set[FeedId] = field(default_factory=set)
    grants: dict[DeviceKey, Granted] = field(default_factory=dict)
    revocations: dict[DeviceKey, g.Revoke] = field(default_factory=dict)
    officers: dict[OfficerId, list[tuple[FeedId, int, g.Officer]]] = field(default_factory=dict)
    ward_keys: list[g.WardKey] = field(default_factory=list)
    shares: dict[tuple[bytes, DeviceKey], bytes] = field(default_factory=dict)
    adopted: set[Dot] = field(default_factory=set)
    rejected: set[Dot] = field(default_factory=set)
    erased: set[Dot] = field(default_factory=set)
    erased_chunks: set[bytes] = field(default_factory=set)
    suspects: list[g.Suspect] = field(default_factory=list)
    profile: g.Profile | None = None
    lapses: dict[DeviceKey, g.Lapse] = field(default_factory=dict)
    unconfirmed: set[DeviceKey] = field(default_factory=set)
    leases: list[g.Lease] = field(default_factory=list)
    handed: list[g.Lease] = field(default_factory=list)
    """Parts of leases that edges handed on."""
    merge_version: int = 1
    by_id: dict[DeviceId, DeviceKey] = field(default_factory=dict)

    def revoked(self, device: DeviceKey) -> g.Revoke | None:
        """Return the revocation in force for a device."""
        found = self.revocations.get(device)
        return None if found is None or found.reason == g.RESTORED else found

    def cuts(self, device: DeviceKey, feed: FeedId) -> list[Mark] | None:
        """Return where a feed is cut, or None where all of it counts. No mark: nothing counts.

        A forked feed has a mark for each branch of which something counts.
        """
        if device in self.hubs:
            newest = self.certificate
            if newest is None or newest.hub == device:
                return None
            # Of a former hub key counts what the city root's newest word names, and no more.
            return [item for item in newest.cuts if item.feed == feed]
        revoke = self.revoked(device)
        if revoke is None:
            return None
        return [item for item in revoke.cuts if item.feed == feed]

    def role_of(self, device: DeviceKey) -> str | None:
        """Return hub, edge or tablet; None for a device without a grant."""
        if device in self.hubs:
            return g.HUB
        found = self.grants.get(device)
        return None if found is None else found.role

    def relays(self, device: DeviceKey) -> bool:
        """Whether a device may speak for others: the hub, or an edge that is not revoked."""
        return self.role_of(device) in (g.HUB, g.EDGE) and self.revoked(device) is None

    def officer_role(self, officer: OfficerId, seen: Mapping[FeedId, int]) -> str | None:
        """Return an officer's role as somebody knew it who had folded `seen` of control feeds."""
        best: g.Officer | None = None
        for feed, seq, statement in self.officers.get(officer, ()):
            if seq <= seen.get(feed, 0) and (best is None or _newer_officer(statement, best)):
                best = statement
        return None if best is None else best.role

    def officer_now(self, officer: OfficerId) -> g.Officer | None:
        """Return what is in force for an officer, as far as this replica knows."""
        best: g.Officer | None = None
        for _, _, statement in self.officers.get(officer, ()):
            if best is None or _newer_officer(statement, best):
                best = statement
        return best

    def ward_key(self) -> g.WardKey | None:
        """Return the ward key in force."""
        return max(self.ward_keys, key=lambda item: (item.version, item.public), default=None)

    def is_suspect(self, dot: Dot) -> bool:
        """Whether an entry was written under a clock that was wrong."""
        return any(s.feed == dot.feed and s.first <= dot.seq <= s.last for s in self.suspects)


def _newer_officer(one: g.Officer, other: g.Officer) -> bool:
    return (one.version, -_rank(one.role)) > (other.version, -_rank(other.role))


def _rank(role: str) -> int:
    return _RIGHTS.index(role) if role in _RIGHTS else 0


def build(root: bytes, spoken: Iterable[Spoken]) -> Roster:
    """Fold every control entry held into a roster. `root` is the city root's public key."""
    entries = sorted(spoken, key=lambda item: item.dot)
    roster = Roster()
    _hear_certificates(roster, root, entries)
    from_hub = [item for item in entries if _counts_from_hub(roster, item)]
    roster.control_feeds = {item.dot.feed for item in from_hub}
    for item in from_hub:
        for statement in item.statements:
            _hear(roster, item, statement, delegated=False)
    for item in from_hub:
        _hear_erasures(roster, item)
    stated = dict(roster.revocations)
    for item in entries:
        if item.device not in roster.hubs and roster.role_of(item.device) == g.EDGE:
            _hear_edge(roster, item)
    # What the hub revoked, only the hub restores or cuts otherwise; an edge lifts locks of edges.
    by_hub = {item.device: item for item in stated.values() if item.reason != g.RESTORED}
    roster.revocations.update(by_hub)
    return roster


def _hear_certificates(roster: Roster, root: bytes, entries: list[Spoken]) -> None:
    for item in entries:
        for statement in item.statements:
            if isinstance(statement, g.Certified):
                try:
                    certificate = g.read_certificate(statement.certificate, root)
                except PeerError:
                    continue  # anybody may claim to be the hub; only the root's word makes it so
                roster.hubs[certificate.hub] = certificate
                roster.by_id[device_id(certificate.hub)] = certificate.hub
                newest = roster.certificate
                if newest is None or certificate.serial > newest.serial:
                    roster.certificate = certificate


def _counts_from_hub(roster: Roster, item: Spoken) -> bool:
    return item.device in roster.hubs and _within_cut(roster, item)


def _within_cut(roster: Roster, item: Spoken) -> bool:
    cuts = roster.cuts(item.device, item.dot.feed)
    return cuts is None or any(item.dot.seq <= cut.seq and item.agrees(cut) for cut in cuts)


def _hear_edge(roster: Roster, item: Spoken) -> None:
    """An edge may enrol and lock tablets, share the ward key, and adopt for a supervisor."""
    if not _within_cut(roster, item):
        return
    recoveries = {certificate.recovery for certificate in roster.hubs.values()}
    supervises = roster.officer_role(item.officer, item.seen) in g.SUPERVISING
    for statement in item.statements:
        target = getattr(statement, "device", None)
        tablet = target is not None and roster.role_of(target) in (None, g.TABLET)
        allowed = (
            (isinstance(statement, g.Grant) and statement.role == g.TABLET and tablet)
            or (tablet and _may_cut(roster, statement, supervises=supervises))
            or isinstance(statement, g.KeyShare)
            or (isinstance(statement, g.WardKey) and statement.recovery in recoveries)
            or (isinstance(statement, g.Adopt | g.Reject) and supervises)
            or (isinstance(statement, g.Lease) and _may_hand_on(roster, item.dot.feed, statement))
        )
        if allowed:
            _hear(roster, item, statement, delegated=True)


def _may_hand_on(roster: Roster, giver: FeedId, part: g.Lease) -> bool:
    """Whether a part lies within a lease that the hub gave to the feed which hands it on."""
    return any(
        lease.feed == giver != part.feed
        and lease.agency == part.agency
        and lease.first <= part.first <= part.last <= lease.last
        and lease.valid_from <= part.valid_from <= part.valid_until <= lease.valid_until
        for lease in roster.leases
    )


def _may_cut(roster: Roster, statement: g.Statement, *, supervises: bool) -> bool:
    """A supervisor locks and restores; the edge itself takes back what no hub has confirmed."""
    if not isinstance(statement, g.Revoke):
        return False
    if statement.reason != g.LAPSED:
        return supervises
    roster.unconfirmed.add(statement.device)
    known = roster.grants.get(statement.device)
    return known is None or known.delegated


def _hear_erasures(roster: Roster, item: Spoken) -> None:
    """An erasure can't be undone: it counts under four eyes, by what its speaker knew of them.

    So what that was must be here first, or a role that comes later would take the erasure back.
    """
    if any(device is None or device in roster.hubs for device in item.lacking):
        return
    seen = {**item.seen, item.dot.feed: item.dot.seq}
    for statement in item.statements:
        if isinstance(statement, g.Erase):
            roles = (roster.officer_role(who, seen) for who in set(statement.approvers))
            if sum(role in g.SUPERVISING for role in roles) >= g.ERASE_APPROVERS_MIN:
                roster.erased.update(g.read_dots(statement.dots))
                roster.erased_chunks.update(statement.chunks)


def _hear(roster: Roster, item: Spoken, statement: g.Statement, *, delegated: bool) -> None:
    match statement:
        case g.Grant():
            old = roster.grants.get(statement.device)
            if statement.role in _ROLES and (
                old is None
                or (not delegated and old.delegated)
                or (delegated == old.delegated and _grants_over(statement, old))
            ):
                roster.by_id[device_id(statement.device)] = statement.device
                roster.grants[statement.device] = Granted(
                    statement.device,
                    statement.agreement,
                    statement.role,
                    statement.label,
                    delegated,
                    statement.version,
                )
        case g.Revoke():
            before = roster.revocations.get(statement.device)
            if before is None or _revokes_over(statement, before):
                roster.revocations[statement.device] = statement
        case g.Officer():
            known = roster.officers.setdefault(statement.officer, [])
            known.append((item.dot.feed, item.dot.seq, statement))
        case g.WardKey():
            roster.ward_keys.append(statement)
        case g.KeyShare():
            roster.shares[statement.public, statement.device] = statement.sealed
        case g.Adopt():
            roster.adopted.update(g.read_dots(statement.dots))
        case g.Reject():
            roster.rejected.update(g.read_dots(statement.dots))
        case g.Suspect():
            roster.suspects.append(statement)
        case g.Profile():
            if roster.profile is None or statement.version >= roster.profile.version:
                roster.profile = statement
        case g.Lapse():
            last = roster.lapses.get(statement.device)
            if last is None or statement.version > last.version:
                roster.lapses[statement.device] = statement
        case g.Lease():
            (roster.handed if delegated else roster.leases).append(statement)
        case g.Activate():
            roster.merge_version = max(roster.merge_version, statement.merge_version)


def _grants_over(one: g.Grant, other: Granted) -> bool:
    """Higher version first; at equal versions the one that gives less."""
    if one.version != other.version:
        return one.version > other.version
    return _ROLES.index(one.role) < _ROLES.index(other.role)


def _revokes_over(one: g.Revoke, other: g.Revoke) -> bool:
    """Higher version first; at equal versions the one that leaves less."""
    if one.version != other.version:
        return one.version > other.version
    return _kept(one) < _kept(other)


def _kept(revoke: g.Revoke) -> tuple[int, list[tuple[bytes, int, bytes]]]:
    lifted = revoke.reason == g.RESTORED
    return int(lifted), sorted((item.feed, item.seq, item.hash) for item in revoke.cuts)
