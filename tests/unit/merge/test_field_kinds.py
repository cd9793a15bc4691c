"""What becomes of concurrent values, field kind by field kind (the table of the protocol)."""

from __future__ import annotations

import pytest

from sync_protocol.identity import Dot
from sync_protocol.merge.conflict import conflicts
from sync_protocol.record.diff import Shown, edit, edit_element, retract
from sync_protocol.view import view
from tests.clinic import (
    APPROVAL,
    BIRTH,
    NAME,
    NOTES,
    NUMBER,
    PAPERS,
    PATIENT,
    STATE,
    WEIGHT,
)
from tests.unit.merge.desk import (
    AN,
    BINH,
    CHI,
    RECORD,
    Said,
    cell,
    dot,
    folded,
    look,
    made,
    open_conflicts,
    put,
    values,
)

MADE = dot(AN, 1)
E1, E2 = b"1" * 16, b"2" * 16


# --- register ----------------------------------------------------------------------------


def test_two_values_that_had_not_seen_each_other_both_stay_and_are_disputed() -> None:
    said = [made(), put(dot(AN, 2), NAME, "Anh", [MADE]), put(dot(BINH, 1), NAME, "Ân", [MADE])]
    name = cell(look(said), "name")
    assert values(name) == {"Anh", "Ân"}
    assert name.conflict == "values"
    assert [item.kind for item in open_conflicts(said)] == ["values"]


def test_different_fields_of_one_record_never_conflict() -> None:
    said = [
        made({NAME: "An", STATE: "waiting", WEIGHT: "50"}),
        put(dot(AN, 2), NAME, "Anh", [MADE]),
        put(dot(BINH, 1), WEIGHT, "51", [MADE]),
    ]
    assert open_conflicts(said) == []
    assert look(said).values() == {"name": "Anh", "state": "waiting", "weight": "51"}


def test_equal_values_coalesce() -> None:
    said = [made(), put(dot(AN, 2), NAME, "Anh", [MADE]), put(dot(BINH, 1), NAME, "Anh", [MADE])]
    assert open_conflicts(said) == []
    assert look(said).value("name") == "Anh"
    assert cell(look(said), "name").dots == (dot(AN, 2), dot(BINH, 1))


def test_the_later_of_two_values_is_displayed_but_no_clock_decides() -> None:
    early = put(dot(AN, 2), NAME, "early", [MADE], at=20)
    late = put(dot(BINH, 1), NAME, "late", [MADE], at=30)
    name = cell(look([made(), early, late]), "name")
    assert name.value == "late"
    assert [sibling.value for sibling in name.siblings] == ["late", "early"]


def test_a_write_that_saw_nothing_is_concurrent_with_all() -> None:
    said = [made(), put(dot(BINH, 1), NAME, "blind")]
    assert values(cell(look(said), "name")) == {"An", "blind"}


def test_a_resolution_leaves_standing_what_it_had_not_seen() -> None:
    said = [
        made(),
        put(dot(AN, 2), NAME, "x", [MADE]),
        put(dot(BINH, 1), NAME, "y", [MADE]),
        put(dot(CHI, 1), NAME, "z", [MADE]),
        put(dot(AN, 3), NAME, "settled", [dot(AN, 2), dot(BINH, 1)]),
    ]
    assert values(cell(look(said), "name")) == {"settled", "z"}


def test_a_resolution_that_saw_all_ends_the_conflict() -> None:
    said = [
        made(),
        put(dot(AN, 2), NAME, "x", [MADE]),
        put(dot(BINH, 1), NAME, "y", [MADE]),
        put(dot(CHI, 1), NAME, "y", [dot(AN, 2), dot(BINH, 1)]),
    ]
    assert open_conflicts(said) == []
    assert cell(look(said), "name").dots == (dot(CHI, 1),)


def test_a_field_can_be_cleared_and_clearing_conflicts_with_an_edit() -> None:
    said = [
        made({NAME: "An", WEIGHT: "50"}),
        put(dot(AN, 2), WEIGHT, None, [MADE]),
        put(dot(BINH, 1), WEIGHT, "51", [MADE]),
    ]
    assert values(cell(look(said), "weight")) == {None, "51"}
    assert look(said[:2]).value("weight") is None


# --- group ---------------------------------------------------------------------------------


def test_halves_of_a_group_never_mix() -> None:
    said = [
        made({NAME: "An", BIRTH: ["1990", "Huế"]}),
        put(dot(AN, 2), BIRTH, ["1991", "Huế"], [MADE]),
        put(dot(BINH, 1), BIRTH, ["1990", "Hà Nội"], [MADE]),
    ]
    shown = cell(look(said), "birth")
    assert [sibling.value for sibling in shown.siblings] in (
        [["1990", "Hà Nội"], ["1991", "Huế"]],
        [["1991", "Huế"], ["1990", "Hà Nội"]],
    )
    assert shown.conflict == "values"


# --- collection ------------------------------------------------------------------------------


def _paper(by: Dot, value: object, parents: list[Dot], element: bytes = E1) -> Said:
    return put(by, PAPERS, value, parents, element=element)


def test_elements_added_by_two_people_are_both_there() -> None:
    said = [made(), _paper(dot(AN, 2), ["a", None], []), _paper(dot(BINH, 1), ["b", None], [], E2)]
    assert sorted(item.value[0] for item in look(said).elements("papers")) == ["a", "b"]
    assert open_conflicts(said) == []


def test_a_removed_element_is_gone() -> None:
    said = [made(), _paper(dot(AN, 2), ["a", None], []), _paper(dot(BINH, 1), None, [dot(AN, 2)])]
    assert look(said).elements("papers") == []
    assert open_conflicts(said) == []


def test_removing_while_another_edits_keeps_the_element_and_flags_it() -> None:
    said = [
        made(),
        _paper(dot(AN, 2), ["a", None], []),
        _paper(dot(AN, 3), None, [dot(AN, 2)]),
        _paper(dot(BINH, 1), ["b", None], [dot(AN, 2)]),
    ]
    [shown] = look(said).elements("papers")
    assert shown.value == ["b", None]
    assert shown.conflict == "removed"


def test_two_edits_and_a_removal_of_one_element_are_a_conflict_of_values() -> None:
    said = [
        made(),
        _paper(dot(AN, 2), ["a", None], []),
        _paper(dot(AN, 3), None, [dot(AN, 2)]),
        _paper(dot(BINH, 1), ["b", None], [dot(AN, 2)]),
        _paper(dot(CHI, 1), ["c", None], [dot(AN, 2)]),
    ]
    assert [item.kind for item in open_conflicts(said)] == ["values"]
    assert look(said).elements("papers")[0].value is not None


def test_two_removals_agree() -> None:
    said = [
        made(),
        _paper(dot(AN, 2), ["a", None], []),
        _paper(dot(AN, 3), None, [dot(AN, 2)]),
        _paper(dot(BINH, 1), None, [dot(AN, 2)]),
    ]
    assert open_conflicts(said) == []
    assert look(said).elements("papers") == []


# --- note ------------------------------------------------------------------------------------


def test_notes_are_all_kept_oldest_first_and_a_correction_replaces_what_it_saw() -> None:
    said = [
        made(),
        put(dot(BINH, 1), NOTES, "second", element=E2, at=30),
        put(dot(AN, 2), NOTES, "first", element=E1, at=20),
        put(dot(AN, 3), NOTES, "first, corrected", [dot(AN, 2)], element=E1, at=25),
    ]
    assert look(said).values()["notes"] == ["first, corrected", "second"]
    assert open_conflicts(said) == []


# --- status ----------------------------------------------------------------------------------


def test_the_same_move_by_two_people_is_one() -> None:
    said = [
        made(),
        put(dot(AN, 2), STATE, "treated", [MADE]),
        put(dot(BINH, 1), STATE, "treated", [MADE]),
    ]
    assert open_conflicts(said) == []
    assert look(said).value("state") == "treated"


def test_a_move_that_the_schema_lists_absorbs_the_other() -> None:
    said = [
        made({NAME: "An"}),
        put(dot(AN, 2), STATE, "waiting", at=90),
        put(dot(BINH, 1), STATE, "treated", at=20),
    ]
    assert open_conflicts(said) == []
    assert look(said).value("state") == "treated"


def test_moves_that_do_not_absorb_each_other_are_disputed() -> None:
    said = [
        made(),
        put(dot(AN, 2), STATE, "treated", [MADE]),
        put(dot(BINH, 1), STATE, "sent home", [MADE]),
    ]
    assert [item.kind for item in open_conflicts(said)] == ["status"]
    assert values(cell(look(said), "state")) == {"treated", "sent home"}


def test_what_is_absorbed_is_not_displayed_even_in_a_dispute() -> None:
    said = [
        made({NAME: "An"}),
        put(dot(AN, 2), STATE, "waiting", at=99),
        put(dot(BINH, 1), STATE, "treated", at=20),
        put(dot(CHI, 1), STATE, "sent home", at=30),
    ]
    assert [item.kind for item in open_conflicts(said)] == ["status"]
    assert look(said).value("state") == "sent home"


@pytest.mark.parametrize("strange", [["waiting", {"a": 1}], {"to": "treated"}, [["x"]], 7, b"x"])
def test_a_status_of_a_shape_that_we_do_not_know_is_disputed_and_harms_nothing(
    strange: object,
) -> None:
    said = [
        made(),
        put(dot(AN, 2), STATE, strange, [MADE]),
        put(dot(BINH, 1), STATE, "sent home", [MADE]),
    ]
    assert [item.kind for item in open_conflicts(said)] == ["status"]
    look(said)


# --- approval --------------------------------------------------------------------------------


def _approved(by: Dot, said: list[Said], decision: str | None = "approved") -> Said:
    """An approval of what the form shows of `said`."""
    found = look(said)
    shown = {f.name: Shown(f.value, f.dots) for f in found.fields if f.element is None}
    change = edit(PATIENT, RECORD, shown, {"approval": decision})
    assert change is not None
    [write] = change.writes
    return put(by, APPROVAL, write.value, write.parents)


def test_an_approval_stands_while_what_it_relied_on_stands() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    assert open_conflicts(said) == []
    assert look(said).value("approval") == "approved"


def test_any_other_value_where_an_approval_relied_flags_it() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    said.append(put(dot(AN, 2), NAME, "somebody else", [MADE]))
    assert [(item.field, item.kind) for item in open_conflicts(said)] == [(APPROVAL, "basis")]
    assert look(said).value("approval") == "approved"


def test_a_change_where_no_approval_relied_flags_nothing() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    said.append(put(dot(AN, 2), WEIGHT, "50", []))
    assert open_conflicts(said) == []


def test_a_field_that_was_empty_at_the_approval_and_is_filled_flags_it() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    said.append(put(dot(AN, 2), BIRTH, ["1990", "Huế"]))
    assert [item.kind for item in open_conflicts(said)] == ["basis"]


def test_approving_again_what_stands_now_ends_the_conflict() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    said.append(put(dot(AN, 2), NAME, "somebody else", [MADE]))
    said.append(_approved(dot(BINH, 2), said))
    assert open_conflicts(said) == []


def test_an_approval_can_be_taken_back() -> None:
    said = [made()]
    said.append(_approved(dot(BINH, 1), said))
    said.append(_approved(dot(BINH, 2), said, None))
    assert look(said).value("approval") is None
    assert open_conflicts(said) == []


def test_two_decisions_are_a_conflict_and_two_equal_ones_are_not() -> None:
    said = [made()]
    yes = _approved(dot(BINH, 1), said)
    no = _approved(dot(CHI, 1), said, "refused")
    changed = put(dot(AN, 2), NAME, "Anh", [MADE])
    again = _approved(dot(CHI, 1), [*said, changed])
    assert [item.kind for item in open_conflicts([*said, yes, no])] == ["values"]
    # They relied on different values of the name; one of them relied on what stands now.
    assert open_conflicts([*said, yes, changed, again]) == []


@pytest.mark.parametrize("basis", [None, 5, [5], [[]], [["x", []]], [[NAME, [[1, 2]]]], [{}]])
def test_a_basis_that_cannot_be_read_harms_nothing(basis: object) -> None:
    said = [made(), put(dot(BINH, 1), APPROVAL, ["approved", basis])]
    assert look(said).value("approval") == "approved"


# --- number ----------------------------------------------------------------------------------


def test_a_record_with_two_numbers_is_a_number_conflict_and_keeps_both() -> None:
    said = [
        made(),
        put(dot(AN, 2), NUMBER, "001"),
        put(dot(BINH, 1), NUMBER, "002"),
    ]
    assert [item.kind for item in open_conflicts(said)] == ["number"]
    assert values(cell(look(said), "number")) == {"001", "002"}


# --- retraction ------------------------------------------------------------------------------


def _retracted(by: Dot, said: list[Said]) -> Said:
    seen = {d for f in look(said).fields for d in f.dots}
    [write] = retract(PATIENT, RECORD, "entered twice", seen).writes
    return put(by, write.field, write.value, write.parents)


def test_a_record_retracted_by_somebody_who_saw_all_of_it_is_gone() -> None:
    said = [made()]
    said.append(_retracted(dot(BINH, 1), said))
    assert look(said).retracted
    assert open_conflicts(said) == []


def test_retracting_while_another_edits_is_a_conflict_and_the_record_stays() -> None:
    said = [made()]
    said.append(_retracted(dot(BINH, 1), said))
    said.append(put(dot(AN, 2), NAME, "Anh", [MADE]))
    assert not look(said).retracted
    assert [item.kind for item in open_conflicts(said)] == ["retracted"]


def test_a_retraction_can_be_taken_back() -> None:
    said = [made()]
    said.append(_retracted(dot(BINH, 1), said))
    said.append(put(dot(CHI, 1), 0, None, [dot(BINH, 1)]))
    assert not look(said).retracted
    assert open_conflicts(said) == []


@pytest.mark.parametrize("value", ["gone", ["gone"], ["gone", 5], ["gone", [5, [[], 1], [1]]]])
def test_a_retraction_of_a_shape_that_we_do_not_know_is_disputed(value: object) -> None:
    said = [made(), put(dot(BINH, 1), 0, value)]
    assert [item.kind for item in open_conflicts(said)] == ["retracted"]


# --- what newer versions write ----------------------------------------------------------------


def test_a_field_that_we_do_not_know_is_kept_and_not_shown() -> None:
    said = [made(), put(dot(BINH, 1), 99, "from the future"), put(dot(CHI, 1), 99, "another")]
    assert "from the future" not in str(look(said))
    assert open_conflicts(said) == []


def test_an_unknown_critical_opcode_makes_the_record_read_only() -> None:
    said = [made(), put(dot(BINH, 1), NAME, "?", op=128)]
    assert look(said).read_only
    assert look(said).value("name") == "An"


def test_an_unknown_opcode_that_is_not_critical_does_not() -> None:
    said = [made(), put(dot(BINH, 1), WEIGHT, "?", op=1)]
    assert not look(said).read_only
    assert look(said).field("weight") is None


def test_a_record_of_unknown_type_has_no_conflicts_and_shows_no_fields() -> None:
    state = folded([made(), put(dot(BINH, 1), NAME, "x"), put(dot(CHI, 1), NAME, "y")])
    assert conflicts(None, state) == []
    assert view(RECORD, None, state, lambda _: False).fields == ()


def test_an_element_edit_takes_its_parents_from_what_was_shown() -> None:
    write = edit_element(PATIENT, "papers", E1, ["a", None], Shown(["b", None], (dot(AN, 2),)))
    assert write.parents == (dot(AN, 2),)
