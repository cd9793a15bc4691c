"""What a person reads, and what a save from there replaces."""

from __future__ import annotations

from sync_protocol.identity import Dot
from sync_protocol.view import view
from tests.clinic import NAME, NOTES, PAPERS, PATIENT, STATE
from tests.unit.merge.desk import AN, BINH, RECORD, cell, dot, folded, look, made, put

MADE = dot(AN, 1)
E1, E2 = b"1" * 16, b"2" * 16


def test_a_record_reads_as_its_values_by_name() -> None:
    said = [
        made(),
        put(dot(AN, 2), PAPERS, ["a", None], element=E1),
        put(dot(AN, 3), NOTES, "late", element=E2, at=50),
        put(dot(AN, 4), NOTES, "early", element=E1, at=40),
    ]
    assert look(said).values() == {
        "name": "An",
        "state": "waiting",
        "papers": [["a", None]],
        "notes": ["early", "late"],
    }
    assert look(said).created == 10


def test_a_name_that_is_not_there_reads_as_nothing() -> None:
    assert look([made()]).value("weight") is None
    assert look([made()]).field("weight") is None
    assert look([made()]).elements("papers") == []


def test_each_field_carries_the_dots_that_a_save_replaces() -> None:
    said = [made(), put(dot(BINH, 1), NAME, "Bình", at=99)]
    assert cell(look(said), "name").dots == (MADE, dot(BINH, 1))
    assert cell(look(said), "state").dots == (MADE,)


def test_a_suspect_clock_does_not_choose_what_is_displayed() -> None:
    state = folded([made(), put(dot(BINH, 1), NAME, "from 2080", at=1 << 60)])
    assert view(RECORD, PATIENT, state, lambda _: False).value("name") == "from 2080"

    def suspect(item: Dot) -> bool:
        return item.feed == BINH

    found = view(RECORD, PATIENT, state, suspect)
    assert found.value("name") == "An"
    assert [item.value for item in cell(found, "name").siblings] == ["An", "from 2080"]


def test_a_record_whose_making_entry_has_not_come_is_held() -> None:
    assert look([put(dot(BINH, 1), NAME, "Bình", [MADE])]).held
    assert not look([made()]).held


def test_an_element_is_found_by_its_id() -> None:
    said = [made(), put(dot(AN, 2), PAPERS, ["a", None], element=E1)]
    found = look(said).field("papers", E1)
    assert found is not None
    assert found.element == E1
    assert look(said).field("papers", E2) is None


def test_a_status_with_its_reason_is_displayed_whole() -> None:
    said = [made(), put(dot(BINH, 1), STATE, ["treated", "by Dr. Chi"], [MADE])]
    assert look(said).value("state") == ["treated", "by Dr. Chi"]
