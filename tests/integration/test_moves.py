"""A dossier's way through its statuses by officers' commands: notes, papers, dates, who may."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.record_type import STATUS
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.status import Status
from sync_protocol.identity import NO_OFFICER, OfficerId, RecordId
from sync_protocol.merge.state import decode_state
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.exchange.office import DAY_MS, Office, same
from tests.unit.dossier.test_workflow import WAYS

MONDAY_MS = 1_795_400_000_000
"""23 November 2026, in the morning in Hà Nội."""


def made(replica: Replica, **changed: Any) -> str:
    """Capture one dossier and return its id."""
    plain = {"status": "received", "received_on": "2026-11-20", "due_on": None}
    row = {**next(iter(sample(1, 1))), **plain, **changed}
    change = read_intake(json.dumps(row).encode()).change()
    return replica.write([change], NO_OFFICER).records[0].hex()


def test_a_supplement_names_its_papers_stops_the_clock_and_is_answered() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    papers = [{"type": "to-khai", "name": "Tờ khai"}]
    record = made(edge, procedure="1.004873", due_on="2026-11-25", papers=papers)
    ask_for = ("dossier", "set", record, "status=supplement")
    bare = run(edge, *ask_for, "--reason", "Thiếu giấy tờ.")
    assert (bare.code, "paper by paper" in bare.err) == (1, True)
    assert "needs its reason" in run(edge, *ask_for, "--missing", "to-khai", "x").err
    wanted = ("--missing", "to-khai", "Chưa ký.", "--missing", "xac-nhan-cu-tru", "Chưa có.")
    ask(edge, *ask_for, *wanted, "--reason", "Tờ khai chưa ký.", officer=CLERK)
    shown = ask(edge, "dossier", "show", record)
    assert (shown["status"], shown["next"]) == ("5", ["2", "7", "8"])
    assert {(p["type"], p["state"], p["note"]) for p in shown["papers"]} == {
        ("to-khai", "missing", "Chưa ký."),
        ("xac-nhan-cu-tru", "missing", "Chưa có."),
    }
    [note] = [note for note in shown["notes"] if note["kind"] == "2>5"]
    assert (note["text"], note["officer_name"]) == ("Tờ khai chưa ký.", "An")

    office.now_ms += 2 * DAY_MS  # Tuesday is Vietnam Cultural Day: one working day was waited
    ask(edge, "dossier", "set", record, "--add-paper", "to-khai", "Tờ khai đã ký")
    done = ask(edge, "dossier", "set", record, "status=received")
    assert done["due_on"] == "2026-11-26"
    assert [item["code"] for item in done["remarks"]] == ["papers-still-missing"]
    shown = ask(edge, "dossier", "show", record)
    assert shown["due_on"] == "2026-11-26"
    assert [p["state"] for p in shown["papers"] if p["type"] == "to-khai"] == ["submitted"]
    again = ask(edge, *ask_for, *wanted, "--reason", "Lại chưa ký.")
    assert [item["code"] for item in again["remarks"]] == ["supplement-again"]
    office.now_ms += DAY_MS
    set_by_hand = ask(edge, "dossier", "set", record, "status=2", "due_on=2026-12-01")
    assert "due_on" not in set_by_hand
    assert ask(edge, "dossier", "show", record)["due_on"] == "2026-12-01"


def test_only_a_supervisor_refuses_and_says_why() -> None:
    office = staffed(Office())
    edge = office.edge()
    record = made(edge, status="filed")
    refuse = ("dossier", "set", record, "status=refused", "--reason", "Không thuộc thẩm quyền.")
    for officer in (CLERK, NO_OFFICER):
        assert run(edge, *refuse, officer=officer).lines[0]["error"] == "not-allowed"
    assert run(edge, *refuse[:-2], officer=CHIEF).lines[0]["error"] == "bad-input"
    ask(edge, *refuse, officer=CHIEF)
    shown = ask(edge, "dossier", "show", record)
    assert (shown["status"], shown["next"]) == ("3", [])
    assert run(edge, "dossier", "set", record, "status=2", officer=CHIEF).code == 1


def test_what_goes_with_a_status_is_asked_for_with_it_alone() -> None:
    edge = staffed(Office()).edge()
    record = made(edge)
    stray = run(edge, "dossier", "set", record, "phone=0912000123", "--missing", "to-khai", "x")
    assert (stray.code, "belongs to" in stray.err) == (1, True)
    bad = ("dossier", "set", record, "status=5", "--reason", "Thiếu.")
    assert "lower-case" in run(edge, *bad, "--missing", "Tờ khai", "x").err
    twice = ("--missing", "to-khai", "x", "--missing", "to-khai", "y")
    assert "each paper once" in run(edge, *bad, *twice).err
    assert "what is missing" in run(edge, *bad, "--missing", "to-khai", " ").err
    assert len(ask(edge, "dossier", "show", record)["history"]) == 1
    assert not ask(edge, "dossier", "set", record, "status=2")["changed"]


def test_of_two_due_dates_no_program_chooses_one() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge, other = office.edge("một"), office.edge("hai")
    record = made(edge, due_on="2026-11-25")
    ask(edge, "dossier", "set", record, "status=payment")
    office.sync(edge)
    office.sync(other)
    ask(edge, "dossier", "set", record, "due_on=2026-11-26")
    ask(other, "dossier", "set", record, "due_on=2026-11-27")
    office.sync(edge)
    office.sync(other)
    office.now_ms += 2 * DAY_MS
    give = ("dossier", "apologise", record, "--reason", "Đông người.", "--until", "2026-12-02")
    assert "settle them first" in run(other, *give).err
    assert "due_on" not in ask(other, "dossier", "set", record, "status=processing")
    assert ask(other, "dossier", "show", record)["disputed"] == [
        {"field": "due_on", "kind": "values"}
    ]


def test_an_apology_gives_a_new_date_and_keeps_the_old_one() -> None:
    office = staffed(Office(now_ms=MONDAY_MS))
    edge = office.edge()
    record = made(edge, due_on="2026-11-23")
    give = ("dossier", "apologise", record, "--reason", "Đông người quá.", "--until")
    for until in ("2026-11-23", "2026-11-24", "2026-11-28", "mai"):  # not later, off, off, no day
        assert run(edge, *give, until).lines[0]["error"] == "bad-input", until
    done = ask(edge, *give, "2026-11-25", officer=CLERK)
    assert (done["due_on"], done["before"]) == ("2026-11-25", "2026-11-23")
    assert "remarks" not in done
    office.now_ms += 3 * DAY_MS
    again = ask(edge, *give, "2026-11-27")
    codes = {item["code"] for item in again["remarks"]}
    assert codes == {"apology-again", "apology-too-late"}
    shown = ask(edge, "dossier", "show", record)
    assert shown["due_on"] == "2026-11-27"
    kinds = [note["kind"] for note in shown["notes"] if ":" in note["kind"]]
    assert kinds == ["apology:2026-11-23", "apology:2026-11-25"]
    ask(edge, "dossier", "set", record, "status=ready")
    assert "not one in which" in run(edge, *give, "2026-12-01").err
    undated = made(edge)
    assert run(edge, *give[:2], undated, *give[3:], "2026-12-01").code == 1


# ----------------------------------------------------------------------------------- the law

_ACTS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([*Status, "sync", "sync"]), st.booleans()),
    min_size=4,
    max_size=14,
)


def _statuses(replica: Replica, record: RecordId) -> list[str]:
    stored = replica.rooms.views.load([record])[record]
    state = decode_state(stored.state, stored.pending)
    return [str(value) for value in state.living_values(STATUS, elements=False)]


def _set(replica: Replica, record: RecordId, to: Status, officer: OfficerId) -> None:
    before = ask(replica, "dossier", "show", record.hex())
    words = [f"status={to.value}", "--reason", "Vì thế."]
    if to is Status.SUPPLEMENT:
        words += ["--missing", "to-khai", "Chưa ký."]
    answer = run(replica, "dossier", "set", record.hex(), *words, officer=officer)
    if answer.code or not answer.lines[-1]["changed"]:
        return
    if before["disputed"]:
        assert to.value in {item["value"] for item in before["fields"]["status"]["siblings"]}
        assert officer == CHIEF
    else:
        assert to.value in WAYS[before["status"]]
        assert to.value in before["next"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["filed", "received", "processing"]), _ACTS)
def test_no_unlawful_move_is_written_and_merging_lawful_ones_gives_known_statuses(
    start: str, acts: list[tuple[int, Status | str, bool]]
) -> None:
    office = staffed(Office())
    edges = [office.edge("một"), office.edge("hai")]
    record = RecordId(bytes.fromhex(made(edges[0], status=start)))
    for edge in (*edges, edges[0]):
        office.sync(edge)
    for which, act, chief in acts:
        if isinstance(act, Status):
            _set(edges[which], record, act, CHIEF if chief else CLERK)
        else:
            office.sync(edges[which])
    for edge in (*edges, *edges):
        office.sync(edge)
    assert same(office.hub, *edges)
    found = _statuses(edges[0], record)
    assert found
    assert set(found) <= {status.value for status in Status}
    shown = ask(edges[0], "dossier", "show", record.hex())
    assert shown["status"] in found
    if shown["disputed"]:
        ask(edges[0], "dossier", "set", record.hex(), f"status={shown['status']}", officer=CHIEF)
        assert not ask(edges[0], "dossier", "show", record.hex())["disputed"]
