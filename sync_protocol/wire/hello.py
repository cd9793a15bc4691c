"""HELLO → SAME, or FRONTIER: one round when nothing is new (at most 300 bytes of body).

The initiator states the root of its frontier. Where the responder's is equal it says SAME, in which
`incarnation` is the responder's: if that is not the one of the last receipt, the initiator asks
again with an empty root and gets the FRONTIER. `staged` are entries that already came whose seal
has not, so that an interrupted push goes on where it broke off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sync_protocol.log.entry import Mark
from sync_protocol.wire.message import Body

_NAME_BYTES = 8


class Hello(Body, frozen=True):
    """`root` of the sender's frontier (empty: state yours), its clock in ms."""

    root: bytes
    time: int


class Same(Body, frozen=True):
    """No entry is new on either side.

    `relayed` names the receipts of others that the responder would relay (`receipts_name`). Where
    it is not what they were the last time, the initiator asks again with an empty root. `lacking`
    are scans that the responder knows of and does not hold whole: [id, chunk addresses].
    """

    incarnation: bytes
    time: int
    relayed: bytes = b""
    lacking: list[tuple[bytes, list[bytes]]] = []


def receipts_name(relayed: Iterable[bytes]) -> bytes:
    """Return the 8 bytes that stand for a set of receipts; nothing stands for none."""
    found = sorted(hashlib.sha256(raw).digest() for raw in relayed)
    return hashlib.sha256(b"".join(found)).digest()[:_NAME_BYTES] if found else b""


class Frontier(Body, frozen=True):
    """The responder's receipt (which holds its frontier), and receipts of others that it relays.

    `purged` are floors: this replica can't serve entries at or before them. `standing` is empty, or
    says why the sender may only push ("revoked-lost"): it reads nothing, and should lock itself.
    `lacking` is that of `Same`.
    """

    receipt: bytes
    staged: list[Mark] = []
    relayed: list[bytes] = []
    purged: list[Mark] = []
    time: int = 0
    standing: str = ""
    lacking: list[tuple[bytes, list[bytes]]] = []
