"""PUSH → PUSHED: declarations, seals and packed ranges of entries, as payloads in this order.

The responder checks and stores each payload as it arrives, makes what its seal proves durable, and
only then gives the receipt. One bad feed is named in `refused` and stops no other.
"""

from __future__ import annotations

from sync_protocol.log.entry import Mark
from sync_protocol.wire.message import Body


class RangeItem(Body, frozen=True):
    """One payload: `count` entries of `feed` from `first`.

    `before` is the 16-byte chain hash just before them; `size` and `digest` are of the packed
    bytes.
    """

    feed: bytes
    first: int
    count: int
    before: bytes
    size: int
    digest: bytes


class Push(Body, frozen=True):
    """What the initiator has and the responder lacks. `receipts` are relayed."""

    declarations: list[bytes]
    seals: list[bytes]
    ranges: list[RangeItem]
    receipts: list[bytes] = []


class Pushed(Body, frozen=True):
    """The responder's receipt after the push, and [feed, code, sentence] of each refusal."""

    receipt: bytes
    staged: list[Mark]
    refused: list[tuple[bytes, str, str]]
    relayed: list[bytes] = []
