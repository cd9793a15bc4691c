"""Codes and slips: leased, provisional, bound, made anew; what opens and what is void."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from device_home.dossiers import find_record, load
from device_home.numbers import new_code
from device_home.slips import ensure_slip, find_slip, received, slip_of
from sync_protocol.dossier.dossier_code import read_dossier_code
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.provisional_code import read_provisional_code
from sync_protocol.dossier.record_type import OFFICIAL_CODE, PROVISIONAL_CODE
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.slip import Slip
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from tests.integration.desk import CLERK, ask, run, staffed
from tests.integration.exchange.office import Office

DAY = date(2026, 11, 20)
MONDAY_MS = 1_795_400_000_000
"""23 November 2026, in the morning in Hà Nội."""


def lease(office: Office, edge: Replica, first: int, last: int, agency: str = "H26.1") -> None:
    stated = g.Lease(edge.own.feed, agency, first, last, "2026-11-01", "2026-12-31")
    office.hub.say([stated], NO_OFFICER)


def receive(replica: Replica, seed: int = 1, **changed: Any) -> str:
    """Receive one dossier as the desk does; return its id."""
    plain = {"status": "received", "received_on": DAY.isoformat(), "due_on": None}
    row = {**next(iter(sample(1, seed))), **plain, **changed}
    change = read_intake(json.dumps(row).encode()).change()
    return replica.write([received(replica, change)], NO_OFFICER).records[0].hex()


def slip(replica: Replica, record: str) -> Slip:
    found = slip_of(load(replica, find_record(replica, record))[0])
    assert found is not None
    return found


def test_without_a_lease_the_code_is_provisional_and_found() -> None:
    office = Office()
    edge = office.edge()
    record = receive(edge)
    code = slip(edge, record).code
    assert read_provisional_code(code).received_on == DAY
    assert [row["id"] for row in ask(edge, "dossier", "list", "--text", code)] == [record]


def test_leased_numbers_are_taken_once_and_then_the_code_is_provisional() -> None:
    office = Office()
    edge = office.edge()
    lease(office, edge, 7, 9)
    office.sync(edge)
    codes = [slip(edge, receive(edge, seed)).code for seed in range(1, 5)]
    assert codes[:3] == [f"H26.1-261120-{number:04d}" for number in (7, 8, 9)]
    assert codes[3].startswith("MT-261120-")
    assert new_code(edge, date(2026, 11, 21)) == {OFFICIAL_CODE: "H26.1-261121-0007"}
    assert new_code(edge, date(2027, 1, 1)).keys() == {PROVISIONAL_CODE}


def test_a_lease_is_its_feeds_alone() -> None:
    office = Office()
    one, two = office.edge("one"), office.edge("two")
    lease(office, one, 1, 50)
    office.sync(two)
    assert new_code(two, DAY).keys() == {PROVISIONAL_CODE}
    office.sync(one)
    assert new_code(one, DAY).keys() == {OFFICIAL_CODE}
    one.author.new_incarnation("restored")
    assert new_code(one, DAY).keys() == {PROVISIONAL_CODE}


def test_a_lease_that_an_edge_states_gives_nothing() -> None:
    office = Office()
    edge = office.edge()
    edge.say([g.Lease(edge.own.feed, "H26.1", 1, 9, "2026-11-01", "2026-12-31")], NO_OFFICER)
    assert new_code(edge, DAY).keys() == {PROVISIONAL_CODE}


@pytest.mark.parametrize(
    "stated",
    [("H26.1", 5, 1, "2026-11-01"), ("no agency", 1, 5, "2026-11-01"), ("H26.1", 1, 5, "soon")],
)
def test_a_lease_that_makes_no_sense_gives_a_provisional_code(
    stated: tuple[str, int, int, str],
) -> None:
    office = Office()
    edge = office.edge()
    agency, first, last, since = stated
    office.hub.say([g.Lease(edge.own.feed, agency, first, last, since, "2026-12-31")], NO_OFFICER)
    office.sync(edge)
    assert new_code(edge, DAY).keys() == {PROVISIONAL_CODE}


def test_a_station_hands_a_tablet_numbers_from_tomorrow_on_and_keeps_none_of_them() -> None:
    office = Office(now_ms=MONDAY_MS)
    edge, tablet = office.edge(), office.join(g.TABLET, "tablet")
    lease(office, edge, 1, 10)
    office.sync(edge)
    office.sync(tablet)
    receive(tablet)
    office.sync(tablet)
    office.sync(edge)
    rows = ask(edge, "tablet", "numbers", "tablet", "--count", "8")
    assert [(r["first"], r["last"], r["from"]) for r in rows] == [(3, 10, "2026-11-24")]
    office.sync(edge)
    office.sync(tablet)
    today, tomorrow = date(2026, 11, 23), date(2026, 11, 24)
    assert new_code(tablet, today).keys() == {PROVISIONAL_CODE}
    assert new_code(tablet, tomorrow) == {OFFICIAL_CODE: "H26.1-261124-0003"}
    codes = [new_code(edge, tomorrow).get(OFFICIAL_CODE) for _ in range(3)]
    assert codes == ["H26.1-261124-0001", "H26.1-261124-0002", None]
    assert new_code(edge, today) == {OFFICIAL_CODE: "H26.1-261123-0001"}
    assert "so many" in run(edge, "tablet", "numbers", "tablet", "--count", "3").err
    assert run(edge, "tablet", "numbers", "tablet", "--count", "0").code == 1
    assert len(ask(edge, "tablet", "numbers")) == 1


def test_a_number_that_stands_in_a_dossier_is_passed_over() -> None:
    office = Office()
    edge = office.edge()
    lease(office, edge, 1, 50)
    office.sync(edge)
    other = receive(edge)
    ask(edge, "dossier", "set", other, "official_code=H26.1-261120-0002")
    assert new_code(edge, DAY) == {OFFICIAL_CODE: "H26.1-261120-0003"}


# ------------------------------------------------------------------------------------ binding


def test_the_portals_code_is_bound_and_both_codes_find_the_dossier() -> None:
    office = staffed(Office())
    edge = office.edge()
    record = receive(edge)
    provisional = slip(edge, record).code
    code = "000.00.01.H26-261120-0012"
    answer = ask(edge, "dossier", "bind", record[:20], code.lower(), officer=CLERK)
    assert (answer["official_code"], answer["changed"]) == (code, True)
    assert ask(edge, "dossier", "bind", record, code)["changed"] is False
    for text in (code, provisional):
        assert [row["id"] for row in ask(edge, "dossier", "list", "--text", text)] == [record]
    assert "another code" in run(edge, "dossier", "bind", record, "H26-261120-0001").err
    other = receive(edge, 2)
    assert record[:20] in run(edge, "dossier", "bind", other, code).err
    assert run(edge, "dossier", "set", other, "official_code=12").code == 1
    for name in ("slip", "provisional_code"):
        assert run(edge, "dossier", "set", other, f"{name}=MT-261120-0").code == 1


def test_one_code_bound_apart_is_a_conflict_on_both_machines() -> None:
    office = Office()
    one, two = office.edge("one"), office.edge("two")
    first, second = receive(one), receive(two, 2)
    code = str(read_dossier_code("H26.1-261120-0001"))
    ask(one, "dossier", "bind", first, code)
    ask(two, "dossier", "bind", second, code)
    for replica in (one, two, one):
        office.sync(replica)
    for replica in (one, two):
        rows = [row for row in ask(replica, "conflict", "list") if row["kind"] == "claim"]
        assert [sorted(row["records"]) for row in rows] == [sorted([first, second])]


def test_who_turns_out_to_be_another_keeps_no_papers_of_theirs() -> None:
    office = Office()
    edge = office.edge()
    papers = [
        {"type": "xac-nhan-cu-tru", "name": "Giấy xác nhận", "state": "known"},
        {"type": "to-khai", "name": "Tờ khai", "state": "submitted"},
    ]
    applicant = {"name": "Nguyễn Văn Thử", "citizen_number": "097090000017"}
    record = receive(edge, papers=papers, applicant=applicant)
    ask(edge, "dossier", "set", record, "name=Nguyễn Văn Thử Hai", "identity=097090000017")
    assert [p["state"] for p in ask(edge, "dossier", "show", record)["papers"]] == [
        "known",
        "submitted",
    ]
    ask(edge, "dossier", "set", record, "identity=097090000025")
    states = {p["type"]: p["state"] for p in ask(edge, "dossier", "show", record)["papers"]}
    assert states == {"xac-nhan-cu-tru": "missing", "to-khai": "submitted"}
    found = ask(edge, "dossier", "list", "--text", "097090000025")
    assert [row["id"] for row in found] == [record]
    assert not run(edge, "dossier", "list", "--text", "097090000017").lines[-1]


# -------------------------------------------------------------------------------------- slips


def test_a_slip_opens_its_dossier_and_a_new_one_voids_the_old() -> None:
    office = staffed(Office())
    edge = office.edge()
    record = receive(edge)
    old = slip(edge, record)
    found = find_slip(edge, old)
    assert found is not None
    assert (found[0].hex(), found[1]) == (record, True)
    words = ("dossier", "slip", record, "--reason", "Mất phiếu")
    assert "identity" in run(edge, *words).err
    ask(edge, *words, "--identity-seen", officer=CLERK)
    new = slip(edge, record)
    assert (new.code, new.secret != old.secret) == (old.code, True)
    assert find_slip(edge, old) == (found[0], False)
    assert find_slip(edge, new) == (found[0], True)
    note = ask(edge, "dossier", "show", record)["notes"][-1]
    assert (note["text"], note["kind"], note["officer_name"]) == ("Mất phiếu", "new-slip", "An")
    assert find_slip(edge, Slip("H26.1-261120-0001", old.secret)) is None


def test_a_secret_stands_in_no_answer() -> None:
    office = Office()
    one, two = office.edge("one"), office.edge("two")
    record = receive(one)
    office.sync(one)
    office.sync(two)
    before = slip(one, record).secret
    for replica in (one, two):
        ask(replica, "dossier", "slip", record, "--reason", "Mất", "--identity-seen")
    secrets = {before, slip(one, record).secret, slip(two, record).secret}
    for replica in (one, two, one):
        office.sync(replica)
    asked = [("dossier", "show", record), ("dossier", "list"), ("conflict", "list")]
    said = json.dumps([ask(one, *words) for words in asked])
    assert "slip" in said
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in said]


def test_a_dossier_from_a_file_gets_its_slip_with_its_first_print() -> None:
    edge = Office().edge()
    row = next(iter(sample(1, 1)))
    change = read_intake(json.dumps(row).encode()).change()
    (record,) = edge.write([change], NO_OFFICER).records
    view, _ = load(edge, record)
    assert slip_of(view) is None
    made = slip_of(ensure_slip(edge, NO_OFFICER, view, DAY))
    assert made is not None
    again = ensure_slip(edge, NO_OFFICER, load(edge, record)[0], DAY)
    assert slip_of(again) == made
