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
    statuses = [json.loads(line)["status"] for line in lines]
    assert [statuses[at] for at in sorted(workload.received(documents))] == [
        status for status in statuses if status == "received"
    ]


def test_edits_meet_where_they_should_and_nowhere_else() -> None:
    open_ones = frozenset(range(0, 1000, 3))
    first, second = (workload.edits(1000, number, open_ones, 7) for number in (0, 1))
    assert first == workload.edits(1000, 0, open_ones, 7)
    for plan in (first, second):
        assert len(plan.by_a) == len(plan.by_b) == workload.EDITS_PER_SIDE
        a = {(one.number, one.field): one.value for one in plan.by_a}
        b = {(one.number, one.field): one.value for one in plan.by_b}
        both = a.keys() & b.keys()
        moved = {number for number, name in (*a, *b) if name == "status"}
        assert len(moved) == workload.OPPOSITE_STATUS
        assert moved <= open_ones
        assert {number for number, _ in both} == plan.conflicting
        assert all(a[cell] != b[cell] for cell in both)
        assert len(plan.conflicting) == workload.SAME_FIELD + workload.OPPOSITE_STATUS
        assert not plan.conflicting & plan.innocent
    touched = [{one.number for one in (*plan.by_a, *plan.by_b)} for plan in (first, second)]
    assert not touched[0] & touched[1]
