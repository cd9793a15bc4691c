"""How far a replica holds which feed, and so what one lacks of another: the heart of sync.

A frontier is a list of marks (feed, seq, 16-byte hash), one per chain; a forked feed has several.
The hash tells a fork or a restored backup at the first message, before any entry is sent.
Always compare against the frontier that the peer states now, never a remembered one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.errors import LimitExceededError
from sync_protocol.identity import FeedId
from sync_protocol.log.entry import Mark, check_mark

ROOT_BYTES = 32


def root(frontier: Iterable[Mark]) -> bytes:
    """Return the 32 bytes that stand for a whole frontier in the idle check."""
    total = hashlib.sha256(b"motcua/root/1")
    for item in sorted((mark.feed, mark.seq, mark.hash) for mark in frontier if mark.seq):
        total.update(item[0] + item[1].to_bytes(8, "big") + item[2])
    return total.digest()


def check_frontier(frontier: Sequence[Mark]) -> None:
    """Check a stated frontier's shape and size. Raises `PeerError` kinds."""
    if len(frontier) > limits.FEEDS_PER_WARD_MAX:
        raise LimitExceededError("A frontier names more feeds than its bound.")
    for mark in frontier:
        check_mark(mark)


class Chain(NamedTuple):
    """One of our chains, as far as comparing needs it.

    `hash_at(seq)` returns our 16-byte hash at `seq` on this chain, or None where we do not hold it.
    """

    feed: FeedId
    seq: int
    hash_at: Callable[[int], bytes | None]


def after(chain: Chain, theirs: Iterable[Mark]) -> int:
    """Return the last seq of `chain` that the peer is known to hold.

    `theirs` is the peer's frontier. Marks that are not on our chain say nothing: the peer may be
    ahead (then we lack), or on another branch (then both lack).
    """
    found = 0
    for mark in theirs:
        on_chain = found < mark.seq <= chain.seq and mark.feed == chain.feed
        if on_chain and chain.hash_at(mark.seq) == mark.hash:
            found = mark.seq
    return found


def lacking(ours: Sequence[Chain], theirs: Iterable[Mark]) -> list[Mark]:
    """Return the marks of the peer that lie on none of our chains: what we lack."""
    by_feed: dict[FeedId, list[Chain]] = {}
    for chain in ours:
        by_feed.setdefault(chain.feed, []).append(chain)
    return [
        mark
        for mark in theirs
        if mark.seq
        and not any(
            mark.seq <= chain.seq and chain.hash_at(mark.seq) == mark.hash
            for chain in by_feed.get(mark.feed, ())
        )
    ]
