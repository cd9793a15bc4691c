"""What people did and what they were told: the memory against which the checker holds the engine.

A deed is known by the hash of its entry's body, which begins with 8 random bytes: nothing here
rests on the engine's own names for entries, which change when a feed forks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sync_protocol.identity import Dot, OfficerId, RecordId
from sync_protocol.log.entry import read_header
from sync_protocol.membership.grant import Statement
from sync_protocol.replica import Replica
from sync_protocol.view import FieldView

SAVED, UNKNOWN, REFUSED = "saved", "unknown", "refused"


@dataclass(frozen=True, slots=True)
class Wrote:
    """One cell that a deed wrote: `parents` are the deeds whose values the form displayed.

    `record` is None where the deed makes its `index`-th record. `saw` are the deeds on which an
    approval or a retraction relies, by field (-1: all of the record).
    """

    record: RecordId | None
    index: int
    field: int
    element: bytes | None
    value: Any
    parents: frozenset[bytes] = frozenset()
    saw: tuple[tuple[int, frozenset[bytes]], ...] = ()


@dataclass(slots=True)
class Deed:
    """One act: a changeset or control statements."""

    number: int
    device: str
    key: bytes
    officer: OfficerId
    wrote: tuple[Wrote, ...] = ()
    statements: tuple[Statement, ...] = ()
    known: frozenset[bytes] = frozenset()
    kept: frozenset[bytes] = frozenset()
    named: frozenset[bytes] = frozenset()
    outcome: str = UNKNOWN
    salt: bytes = b""
    body: bytes = b""
    records: tuple[RecordId, ...] = ()


@dataclass(slots=True)
class Ledger:
    """All deeds of a world."""

    deeds: list[Deed] = field(default_factory=list)
    by_body: dict[bytes, Deed] = field(default_factory=dict)
    by_salt: dict[bytes, Deed] = field(default_factory=dict)
    scans: dict[bytes, list[bytes]] = field(default_factory=dict)

    def begin(self, device: str, key: bytes, officer: OfficerId, **named: Any) -> Deed:
        """Note a deed before it is done."""
        deed = Deed(len(self.deeds), device, key, officer, **named)
        self.deeds.append(deed)
        return deed

    def saved(self, deed: Deed, body: bytes, salt: bytes, records: Iterable[RecordId]) -> None:
        """The person was told that it is saved."""
        deed.outcome, deed.body, deed.salt = SAVED, body, salt
        deed.records = tuple(records)
        self.by_body[body] = deed
        self.by_salt[salt] = deed

    def unknown(self, deed: Deed, salt: bytes) -> None:
        """The person was told nothing."""
        deed.outcome, deed.salt = UNKNOWN, salt
        self.by_salt[salt] = deed

    def refused(self, deed: Deed, salt: bytes) -> None:
        """The person was told that nothing was saved."""
        deed.outcome, deed.salt = REFUSED, salt
        if salt:
            self.by_salt[salt] = deed

    def find(self, body: bytes, raw: bytes | None) -> Deed | None:
        """Return the deed of an entry by its body's hash, or where unknown by its body."""
        deed = self.by_body.get(body)
        if deed is None and raw is not None:
            deed = self.by_salt.get(raw[:8])
            if deed is not None:
                deed.body = body
                self.by_body[body] = deed
        return deed


def token(replica: Replica, dot: Dot, timestamp: int | None = None) -> bytes:
    """Return the body hash of the entry that a replica's dot names.

    Views that have not followed a fork yet name its entries without their branch; `timestamp` tells
    which one was displayed.
    """
    holding = replica.holding
    entry = holding.entry(dot)
    if entry is not None:
        return entry.body_hash
    for chain in holding.by_feed.get(dot.feed, ()):
        if chain.row.base_seq < dot.seq <= chain.row.head.seq:
            for _, found in holding.entries(chain, dot.seq, dot.seq):
                if timestamp in (None, read_header(found.header).timestamp):
                    return found.body_hash
    raise AssertionError(f"a displayed dot names no entry: {dot}")


def shown(replica: Replica, cell: FieldView) -> frozenset[bytes]:
    """Return the body hashes of the entries whose values a cell displays."""
    return frozenset(token(replica, item.dot, item.timestamp) for item in cell.siblings)


def tokens(replica: Replica, dots: Iterable[Dot]) -> frozenset[bytes]:
    """Return the body hashes of several."""
    return frozenset(token(replica, dot) for dot in dots)
