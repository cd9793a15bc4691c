"""A record's bytes are one and the same, whatever the order in which its entries came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.encoding import encode
from sync_protocol.errors import MalformedMessageError
from sync_protocol.identity import NO_OFFICER, Dot
from sync_protocol.merge.fold import fold, is_read_only, refold
from sync_protocol.merge.register import Sibling, displayed, write
from sync_protocol.merge.state import (
    RecordState,
    decode_state,
    encode_pending,
    encode_state,
)
from sync_protocol.record.change import CellWrite, RecordChange
from tests.clinic import BIRTH, NAME, NOTES, PAPERS, PATIENT, STATE, WEIGHT
from tests.unit.merge.desk import AN, BINH, CHI, RECORD, Said, dot, folded, made, put

MADE = dot(AN, 1)
E1, E2 = b"1" * 16, b"2" * 16


def _paper(element: bytes, title: str) -> CellWrite:
    return CellWrite(PAPERS, element, [title, None])


@st.composite
def histories(draw: st.DrawFn) -> list[Said]:
    """Entries of three feeds about one record; each parent is some earlier entry."""
    added = [_paper(E1, "a"), _paper(E2, "b")][: draw(st.integers(0, 2))]
    said = [made({NAME: "An", STATE: "waiting", BIRTH: ["1990", "Huế"]}, *added)]
    seqs = {AN: 1, BINH: 0, CHI: 0}
    for _ in range(draw(st.integers(0, 8))):
        feed = draw(st.sampled_from([AN, BINH, CHI]))
        seqs[feed] += 1
        field, element = draw(
            st.sampled_from(
                [(NAME, None), (STATE, None), (BIRTH, None), (PAPERS, E1), (NOTES, E2), (0, None)]
            )
        )
        parents = draw(st.lists(st.sampled_from([s.dot for s, _ in said]), unique=True))
        value = draw(st.sampled_from([None, "x", "y", ["x", None]]))
        at = draw(st.integers(0, 50))
        op = draw(st.sampled_from([0, 0, 0, 1, 128]))
        item = put(Dot(feed, seqs[feed]), field, value, parents, element=element, at=at, op=op)
        said.append(item)
    return said


@given(st.data())
def test_any_order_of_arrival_gives_the_same_bytes(data: st.DataObject) -> None:
    said = data.draw(histories())
    shuffled = data.draw(st.permutations(said))
    assert encode_state(folded(said)) == encode_state(folded(shuffled))


@given(histories(), st.integers(0, 9))
def test_what_is_stored_reads_back_and_goes_on_where_it_was(said: list[Said], cut: int) -> None:
    before = folded(said[:cut])
    stored = decode_state(encode_state(before), encode_pending(before))
    assert encode_state(stored) == encode_state(before)
    seen = {stamp.dot for stamp, _ in said[:cut]}
    for stamp, change in said[cut:]:
        seen.add(stamp.dot)
        fold(stored, stamp, change, seen.__contains__)
    assert encode_state(stored) == encode_state(folded(said))


@given(st.data())
def test_making_a_record_anew_gives_the_same_bytes_as_folding_it(data: st.DataObject) -> None:
    said = data.draw(histories())
    anew = refold(PATIENT.id, data.draw(st.permutations(said)), lambda _: True)
    assert encode_state(anew) == encode_state(folded(said))
    assert anew.dead == {}


def test_making_anew_keeps_waiting_for_a_parent_that_has_not_come() -> None:
    said = [made(), put(dot(BINH, 2), NAME, "x", [dot(CHI, 9)])]
    anew = refold(PATIENT.id, said, lambda _: False)
    assert anew.dead == {(NAME, None): {dot(CHI, 9)}}


def test_an_edit_that_comes_before_what_it_replaces_wins_over_it_when_it_comes() -> None:
    edit = put(dot(BINH, 1), NAME, "Anh", [MADE])
    early = folded([edit])
    assert early.made is None
    assert encode_pending(early) != b""
    both = folded([edit, made()])
    assert both.living((NAME, None)) == {dot(BINH, 1): Sibling(20, NO_OFFICER, "Anh")}
    assert encode_pending(both) == b""


def test_folding_leaves_the_change_as_it_was() -> None:
    said = [made(), put(dot(BINH, 1), NAME, "Anh", [MADE])]
    folded(said)
    assert said[0][1].values == {NAME: "An", STATE: "waiting"}


def test_a_record_that_nobody_edited_is_its_base_alone() -> None:
    state = folded([made({NAME: "An"}, _paper(E1, "a"))])
    assert encode_state(state) == encode(
        [1, [[AN, 1], 10, b"", {NAME: "An"}, [[PAPERS, E1, ["a", None]]]], [], []]
    )
    assert state.cells == {}


def test_reading_a_cell_moves_nothing() -> None:
    state = folded([made({NAME: "An"}, _paper(E1, "a"))])
    assert state.living((NAME, None))[MADE].value == "An"
    assert state.living((PAPERS, E1))[MADE].value == ["a", None]
    assert state.living((WEIGHT, None)) == {}
    assert state.living((PAPERS, E2)) == {}
    assert state.cells == {}


def test_living_values_tell_of_every_value_but_those_cleared_or_unknown() -> None:
    said = [
        made({NAME: "An"}, _paper(E1, "a")),
        put(dot(BINH, 1), NAME, "Anh"),
        put(dot(BINH, 2), NAME, "?", op=3),
        put(dot(BINH, 3), PAPERS, ["b", None], element=E2),
        put(dot(BINH, 4), WEIGHT, None),
    ]
    state = folded(said)
    assert sorted(state.living_values(NAME, elements=False)) == ["An", "Anh"]
    assert sorted(state.living_values(PAPERS, elements=True)) == [["a", None], ["b", None]]
    assert state.living_values(WEIGHT, elements=False) == []
    assert folded(said[:1]).living_values(NAME, elements=False) == ["An"]
    assert folded(said[:1]).living_values(WEIGHT, elements=False) == []


def test_a_making_entry_with_one_cell_twice_keeps_the_last_and_has_no_base_for_it() -> None:
    state = folded([made({NAME: "An"}, _paper(E1, "a"), _paper(E1, "b"))])
    assert decode_state(encode_state(state)).living((PAPERS, E1))[MADE].value == ["b", None]


def test_dots_names_every_entry_that_touched_the_record() -> None:
    said = [made(), put(dot(BINH, 1), NAME, "x", [MADE]), put(dot(CHI, 1), NAME, "y", [MADE])]
    assert folded(said).dots() == {MADE, dot(BINH, 1), dot(CHI, 1)}
    assert folded(said[1:]).dots() == {dot(BINH, 1), dot(CHI, 1)}


def test_branches_of_a_forked_feed_keep_their_names_in_the_bytes() -> None:
    branch = Dot(BINH, 1, b"12345678")
    state = folded([made(), put(branch, NAME, "x", [MADE])])
    assert branch in decode_state(encode_state(state)).living((NAME, None))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x90",
        b"\xc1",
        encode([1]),
        encode([1, 5, [], []]),
        encode([1, [], [], []]),
        encode([1, None, [[1, None, [[]]]], []]),
        encode([1, None, 3, []]),
    ],
)
def test_damaged_bytes_are_named_as_such(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_state(raw)


def test_damaged_pending_dots_are_named_as_such() -> None:
    with pytest.raises(MalformedMessageError):
        decode_state(encode_state(folded([made()])), encode([[1]]))


def test_a_state_without_a_making_entry_is_empty_and_not_read_only() -> None:
    state = RecordState(PATIENT.id)
    assert state.keys() == []
    assert state.dots() == set()
    assert not is_read_only(state)


# --- register ---------------------------------------------------------------------------------


def test_a_write_replaces_exactly_the_dots_that_it_lists() -> None:
    cell = {dot(AN, 1): Sibling(1, NO_OFFICER, "a"), dot(BINH, 1): Sibling(2, NO_OFFICER, "b")}
    dead: set[Dot] = set()
    write(cell, dead, dot(CHI, 1), Sibling(3, NO_OFFICER, "c"), [dot(AN, 1)], lambda _: True)
    assert set(cell) == {dot(BINH, 1), dot(CHI, 1)}
    assert dead == set()


def test_a_write_that_lists_itself_is_kept() -> None:
    cell: dict[Dot, Sibling] = {}
    dead: set[Dot] = set()
    write(cell, dead, dot(AN, 1), Sibling(1, NO_OFFICER, "a"), [dot(AN, 1)], lambda _: False)
    assert set(cell) == {dot(AN, 1)}


def test_a_suspect_clock_is_displayed_last() -> None:
    cell: dict[Dot, Any] = {
        dot(AN, 1): Sibling(5, NO_OFFICER, "right"),
        dot(BINH, 1): Sibling(1 << 60, NO_OFFICER, "from 2080"),
    }
    assert displayed(cell, lambda _: False) == dot(BINH, 1)
    assert displayed(cell, lambda item: item.feed == BINH) == dot(AN, 1)
    assert displayed(cell, lambda _: False, ["right"]) == dot(AN, 1)


def test_equal_times_are_decided_by_the_dot_alone() -> None:
    said = [put(dot(BINH, 1), NAME, "b"), put(dot(AN, 2), NAME, "a")]
    state = folded([made({}), *said])
    assert displayed(state.living((NAME, None)), lambda _: False) == dot(BINH, 1)


def test_an_edit_without_its_record_keeps_its_type() -> None:
    state = RecordState(7)
    fold(state, put(dot(BINH, 1), NAME, "x")[0], RecordChange(RECORD, 7, {}), lambda _: True)
    assert state.type == 7
    assert state.history == {dot(BINH, 1)}
