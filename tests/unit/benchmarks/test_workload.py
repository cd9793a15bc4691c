"""Every contender, every time, carries the same dossiers and the same edits."""

import json

from benchmarks import workload

COUNT = 120


def test_the_same_seed_gives_the_same_lines_and_another_seed_others() -> None:
    lines = workload.dossiers(COUNT, 7)
    assert lines == workload.dossiers(COUNT, 7)
    assert lines != workload.dossiers(COUNT, 8)
    assert len(lines) == COUNT


def test_documents_carry_every_value_of_their_line_and_a_time_ordered_id() -> None:
    lines = workload.dossiers(COUNT, 7)
    documents = workload.documents(lines, 7)
    assert documents == workload.documents(lines, 7)
    ids = [str(one["id"]) for one in documents]
    assert ids == sorted(ids)
    assert len(set(ids)) == COUNT
    for line, document in zip(lines, documents, strict=True):
        row = json.loads(line)
        assert document["name"] == row["applicant"]["name"]
        assert document["address_unit"] == row["applicant"]["address"]["unit"]
        assert document["fee_amount"] == row["fee"]["amount"]
        assert document["papers"] == row["papers"]
        assert all(not isinstance(value, dict) for value in document.values())


def test_edits_meet_where_they_should_and_nowhere_else() -> None:
    first, second = (workload.edits(1000, number, 7) for number in (0, 1))
    assert first == workload.edits(1000, 0, 7)
    for plan in (first, second):
        assert len(plan.by_a) == len(plan.by_b) == workload.EDITS_PER_SIDE
        a = {(one.number, one.field): one.value for one in plan.by_a}
        b = {(one.number, one.field): one.value for one in plan.by_b}
        both = a.keys() & b.keys()
        assert {number for number, _ in both} == plan.conflicting
        assert all(a[cell] != b[cell] for cell in both)
        assert len(plan.conflicting) == workload.SAME_FIELD + workload.OPPOSITE_STATUS
        assert not plan.conflicting & plan.innocent
    touched = [{one.number for one in (*plan.by_a, *plan.by_b)} for plan in (first, second)]
    assert not touched[0] & touched[1]
