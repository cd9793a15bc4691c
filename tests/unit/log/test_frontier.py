"""Frontiers: what one replica lacks of another, and what must not be concluded."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import FeedId
from sync_protocol.log.entry import Mark
from sync_protocol.log.frontier import ROOT_BYTES, Chain, after, check_frontier, lacking, root

F, G = FeedId(b"f" * 16), FeedId(b"g" * 16)


def _hash(branch: int, seq: int) -> bytes:
    return bytes([branch]) * 8 + seq.to_bytes(8, "big")


def chain(feed: FeedId, seq: int, branch: int = 0, floor: int = 0) -> Chain:
    return Chain(feed, seq, lambda at: _hash(branch, at) if floor < at <= seq else None)


def mark(feed: FeedId, seq: int, branch: int = 0) -> Mark:
    return Mark(feed, seq, _hash(branch, seq))


def test_the_root_does_not_depend_on_order_and_passes_over_empty_feeds() -> None:
    marks = [mark(F, 3), mark(G, 5)]
    assert root(marks) == root([*marks[::-1], Mark(F, 0, bytes(16))])
    assert root(marks) != root([mark(F, 3), mark(G, 6)])
    assert root(marks) != root([mark(F, 3), mark(G, 5, branch=1)])
    assert len(root([])) == ROOT_BYTES


def test_what_comes_after_the_peers_head_is_what_it_lacks() -> None:
    assert after(chain(F, 9), [mark(F, 4), mark(G, 7)]) == 4
    assert after(chain(F, 9), []) == 0
    assert after(chain(F, 9), [mark(F, 9)]) == 9


def test_a_mark_beyond_us_or_on_another_branch_says_nothing() -> None:
    assert after(chain(F, 9), [mark(F, 12)]) == 0
    assert after(chain(F, 9), [mark(F, 4, branch=1)]) == 0
    assert after(chain(F, 9), [mark(F, 3), mark(F, 4, branch=1)]) == 3


def test_we_lack_the_marks_that_lie_on_none_of_our_chains() -> None:
    ours = [chain(F, 9), chain(F, 6, branch=1)]
    theirs = [mark(F, 9), mark(F, 5, branch=1), mark(F, 6, branch=2), mark(F, 10), mark(G, 1)]
    assert lacking(ours, theirs) == [mark(F, 6, branch=2), mark(F, 10), mark(G, 1)]


def test_an_empty_feed_is_never_lacking() -> None:
    assert lacking([], [Mark(F, 0, bytes(16))]) == []


def test_a_frontier_is_checked_for_shape_and_size() -> None:
    check_frontier([mark(F, 1)])
    with pytest.raises(MalformedMessageError):
        check_frontier([Mark(FeedId(b"short"), 1, bytes(16))])
    with pytest.raises(LimitExceededError):
        check_frontier([mark(F, 1)] * (limits.FEEDS_PER_WARD_MAX + 1))
