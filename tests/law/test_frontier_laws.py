"""What one replica lacks of another: nothing of itself, nothing after it was brought."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.identity import FeedId
from sync_protocol.log import frontier
from sync_protocol.log.entry import Mark

FEEDS = [FeedId(bytes([number]) * 16) for number in range(4)]
Paths = dict[FeedId, list[bytes]]


def short(feed: FeedId, branch: int, seq: int, parted: int) -> bytes:
    """Return a made-up chain hash: branches agree up to where they part."""
    name = 0 if seq <= parted else branch
    return hashlib.sha256(feed + bytes([name, seq])).digest()[:16]


@st.composite
def holdings(draw: st.DrawFn) -> tuple[list[frontier.Chain], list[Mark]]:
    """Draw what a replica holds: some feeds, of which one may have parted at 3."""
    chains = []
    marks = []
    for feed in draw(st.sets(st.sampled_from(FEEDS))):
        for branch in draw(st.sets(st.sampled_from([0, 1]), min_size=1)):
            seq = draw(st.integers(1, 9))

            def hash_at(at: int, feed: FeedId = feed, branch: int = branch) -> bytes:
                return short(feed, branch, at, 3)

            chains.append(frontier.Chain(feed, seq, hash_at))
            marks.append(Mark(feed, seq, hash_at(seq)))
    return chains, marks


@given(holdings())
def test_nobody_lacks_what_he_holds(held: tuple[list[frontier.Chain], list[Mark]]) -> None:
    chains, marks = held
    assert frontier.lacking(chains, marks) == []


@given(holdings(), holdings())
def test_who_has_brought_all_that_was_lacking_lacks_nothing(
    ours: tuple[list[frontier.Chain], list[Mark]], theirs: tuple[list[frontier.Chain], list[Mark]]
) -> None:
    lacking = frontier.lacking(ours[0], theirs[1])
    assert all(mark in theirs[1] for mark in lacking)
    brought = [chain for chain, mark in zip(theirs[0], theirs[1], strict=True) if mark in lacking]
    assert frontier.lacking([*ours[0], *brought], theirs[1]) == []


@given(holdings().flatmap(lambda held: st.tuples(st.just(held[1]), st.permutations(held[1]))))
def test_the_root_does_not_depend_on_order(both: tuple[list[Mark], list[Mark]]) -> None:
    assert frontier.root(both[0]) == frontier.root(both[1])


@given(holdings(), holdings())
def test_equal_roots_mean_equal_frontiers(
    one: tuple[list[frontier.Chain], list[Mark]], other: tuple[list[frontier.Chain], list[Mark]]
) -> None:
    left, right = (sorted((m.feed, m.seq, m.hash) for m in held[1]) for held in (one, other))
    assert (frontier.root(one[1]) == frontier.root(other[1])) == (left == right)
