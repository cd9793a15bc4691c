"""The state of a record is a function of the set of its entries: no order, no batching, no repeat.

Drawn: writers that each saw some of what the others wrote. Folded: in any order, one by one, or
made anew at once.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.identity import Dot, FeedId, OfficerId
from sync_protocol.merge.conflict import conflicts
from sync_protocol.merge.fold import Stamp, fold, refold
from sync_protocol.merge.state import RecordState, decode_state, encode_pending, encode_state
from sync_protocol.record.change import CellWrite, RecordChange
from tests.small_ward import CASE

FEEDS = [FeedId(bytes([number]) * 16) for number in (1, 2, 3)]
Deed = tuple[Stamp, RecordChange]


@st.composite
def histories(draw: st.DrawFn) -> list[Deed]:
    """Draw deeds on one record: each names as parents a subset of what was there to be seen."""
    count = draw(st.integers(1, 7))
    next_seq = dict.fromkeys(FEEDS, 1)
    deeds: list[Deed] = []
    written: dict[int, list[Dot]] = {1: [], 2: []}
    for index in range(count):
        feed = draw(st.sampled_from(FEEDS))
        dot = Dot(feed, next_seq[feed])
        next_seq[feed] += 1
        stamp = Stamp(dot, draw(st.integers(0, 2**64 - 1)), OfficerId(b""))
        if index == 0:
            deeds.append((stamp, RecordChange(None, 1, {1: "made", 2: "made"})))
            written = {1: [dot], 2: [dot]}
            continue
        writes = []
        for field in sorted(draw(st.sets(st.sampled_from([1, 2]), min_size=1))):
            seen = draw(st.sets(st.sampled_from(written[field]), max_size=3))
            writes.append(CellWrite(field, None, f"v{index}", tuple(sorted(seen))))
            written[field].append(dot)
        deeds.append((stamp, RecordChange(None if index == 0 else b"r" * 16, 1, {}, tuple(writes))))  # type: ignore[arg-type]
    return deeds


def folded(deeds: list[Deed], batches: list[int] | None = None) -> RecordState:
    """Fold one by one; between batches the state rests as bytes, as it does on a disk."""
    state = RecordState(1)
    done: set[Dot] = set()
    cuts = set(batches or [])
    for index, (stamp, change) in enumerate(deeds):
        if index in cuts:
            state = decode_state(encode_state(state), encode_pending(state))
        done.add(stamp.dot)
        fold(state, stamp, change, done.__contains__)
    return state


@given(histories().flatmap(lambda deeds: st.tuples(st.just(deeds), st.permutations(deeds))))
def test_no_order_changes_the_state(both: tuple[list[Deed], list[Deed]]) -> None:
    one, other = folded(both[0]), folded(both[1])
    assert encode_state(one) == encode_state(other)
    assert not encode_pending(one)
    assert not encode_pending(other)


@given(histories().flatmap(st.permutations), st.lists(st.integers(0, 7)))
def test_no_batching_changes_the_state(deeds: list[Deed], batches: list[int]) -> None:
    assert encode_state(folded(deeds, batches)) == encode_state(folded(deeds))


@given(histories().flatmap(st.permutations))
def test_following_and_making_anew_agree(deeds: list[Deed]) -> None:
    anew = refold(1, deeds, lambda _: True)
    assert encode_state(anew) == encode_state(folded(deeds))


@given(histories().flatmap(st.permutations))
def test_what_nobody_saw_lives_and_what_was_seen_is_gone(deeds: list[Deed]) -> None:
    state = folded(deeds)
    for field in (1, 2):
        wrote = {
            stamp.dot
            for stamp, change in deeds
            if field in change.values or any(w.field == field for w in change.writes)
        }
        seen = {
            dot
            for _, change in deeds
            for write in change.writes
            if write.field == field
            for dot in write.parents
        }
        assert set(state.living((field, None))) == wrote - seen


@given(histories().flatmap(lambda deeds: st.tuples(st.just(deeds), st.permutations(deeds))))
def test_no_order_changes_what_is_disputed(both: tuple[list[Deed], list[Deed]]) -> None:
    one, other = (conflicts(CASE, folded(deeds)) for deeds in both)
    assert one == other


@given(histories(), st.lists(st.integers(0, 2**64 - 1), min_size=7, max_size=7))
def test_no_clock_decides_what_lives(deeds: list[Deed], times: list[int]) -> None:
    moved = [
        (Stamp(stamp.dot, time, stamp.officer), change)
        for (stamp, change), time in zip(deeds, times, strict=False)
    ]
    one, other = folded(deeds), folded(moved)
    assert one.keys() == other.keys()
    for key in one.keys():  # noqa: SIM118 - a method, not a mapping
        assert set(one.living(key)) == set(other.living(key))
