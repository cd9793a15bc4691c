"""Whether an entry counts: a function of the roster, the writer and what the writer had seen."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sync_protocol.identity import NO_OFFICER, DeviceKey, Dot, FeedId, OfficerId, RecordId
from sync_protocol.membership import grant as g
from sync_protocol.membership.judgement import (
    ADMITTED,
    PENDING,
    Author,
    Standing,
    Verdict,
    held,
    judge_author,
    judge_changeset,
    role_in_force,
)
from sync_protocol.membership.roster import Granted, Roster
from sync_protocol.record.change import CellWrite, Changeset, RecordChange
from sync_protocol.record.schema import DEVICE_ROLE
from tests.clinic import APPROVAL, CLINIC, DOSE, NAME, STATE
from tests.ward import CLERK, DOCTOR

HUB, EDGE, STRANGER = (DeviceKey(letter * 32) for letter in (b"h", b"e", b"s"))
CONTROL = FeedId(b"c" * 16)
DOT = Dot(FeedId(b"e" * 16), 5)
SEEN = {CONTROL: 9}
NOBODY = OfficerId(b"n" * 16)


def roster(**more: object) -> Roster:
    found = Roster()
    found.hubs[HUB] = g.Certificate(1, HUB, b"a" * 32, b"y" * 32)
    found.grants[EDGE] = Granted(EDGE, b"a" * 32, g.EDGE, "", False, 1)
    found.officers = {
        CLERK: [(CONTROL, 1, g.Officer(CLERK, "Clerk", g.CLERK))],
        DOCTOR: [
            (CONTROL, 1, g.Officer(DOCTOR, "Doctor", g.SUPERVISOR)),
            (CONTROL, 20, g.Officer(DOCTOR, "Doctor", g.DISABLED, 2)),
        ],
    }
    for name, value in more.items():
        setattr(found, name, value)
    return found


def author(
    device: DeviceKey = EDGE,
    officer: OfficerId = NO_OFFICER,
    *,
    seen: Mapping[FeedId, int] = SEEN,
    within_cut: bool = True,
) -> Author:
    return Author(DOT, device, officer, seen, within_cut)


def wrote(field: int, value: object = "x", parents: int = 0, type_: int = 1) -> Changeset:
    dots = tuple(Dot(FeedId(b"p" * 16), seq + 1) for seq in range(parents))
    write = CellWrite(field, None, value, dots)
    return Changeset((RecordChange(RecordId(b"r" * 16), type_, {}, (write,)),))


# --- the writer -------------------------------------------------------------------------------


def test_a_device_with_a_grant_may_write() -> None:
    assert judge_author(roster(), author()) == ADMITTED


def test_a_feed_whose_grant_has_not_come_is_pending_and_not_refused() -> None:
    verdict = judge_author(roster(), author(STRANGER))
    assert verdict == PENDING
    assert verdict.standing is Standing.PENDING


def test_beyond_the_cut_an_entry_is_held_and_the_reason_names_the_revocation() -> None:
    lost = roster(revocations={EDGE: g.Revoke(EDGE, g.LOST, [])})
    assert judge_author(lost, author(within_cut=False)) == held("revoked-lost")
    assert judge_author(lost, author()) == ADMITTED
    assert judge_author(roster(), author(HUB, within_cut=False)) == held("revoked-hub")


def test_adoption_overrules_a_refusal_and_a_rejection() -> None:
    adopted = roster(adopted={DOT}, rejected={DOT})
    assert judge_author(adopted, author(within_cut=False)) == ADMITTED
    assert judge_author(adopted, author(officer=NOBODY)) == ADMITTED


def test_what_an_officer_turned_down_is_held() -> None:
    assert judge_author(roster(rejected={DOT}), author()) == held("rejected")


def test_an_officer_must_be_known_and_not_disabled_as_the_writer_knew_it() -> None:
    assert judge_author(roster(), author(officer=CLERK)) == ADMITTED
    assert judge_author(roster(), author(officer=NOBODY)) == held("officer-unknown")
    assert judge_author(roster(), author(officer=CLERK, seen={})) == held("officer-unknown")
    before, after = {CONTROL: 19}, {CONTROL: 20}
    assert judge_author(roster(), author(officer=DOCTOR, seen=before)) == ADMITTED
    assert judge_author(roster(), author(officer=DOCTOR, seen=after)) == held("officer-disabled")


def test_the_hub_speaks_for_any_officer() -> None:
    assert judge_author(roster(), author(HUB, NOBODY)) == ADMITTED


# --- what is written ----------------------------------------------------------------------------


def judge(who: Author, changeset: Changeset, found: Roster | None = None) -> Verdict:
    return judge_changeset(found or roster(), CLINIC, who, changeset)


def test_the_role_in_force_is_the_officers_or_the_devices() -> None:
    assert role_in_force(roster(), author()) == DEVICE_ROLE
    assert role_in_force(roster(), author(HUB)) == g.HUB
    assert role_in_force(roster(), author(officer=CLERK)) == g.CLERK
    assert role_in_force(roster(), author(officer=NOBODY)) == g.DISABLED


@pytest.mark.parametrize(
    ("officer", "field", "verdict"),
    [
        (CLERK, NAME, ADMITTED),
        (CLERK, DOSE, held("not-allowed")),
        (DOCTOR, DOSE, ADMITTED),
        (NO_OFFICER, DOSE, held("not-allowed")),
        (CLERK, APPROVAL, held("not-allowed")),
        (DOCTOR, APPROVAL, ADMITTED),
        (CLERK, 99, ADMITTED),
    ],
)
def test_a_restricted_field_is_for_its_writers(
    officer: OfficerId, field: int, verdict: Verdict
) -> None:
    assert judge(author(officer=officer), wrote(field)) == verdict
    assert judge(author(officer=officer), wrote(field, parents=1)) == verdict
    made = Changeset((RecordChange(None, 1, {field: 5}),))
    assert judge(author(officer=officer), made) == verdict


def test_settling_is_for_those_who_may_settle() -> None:
    assert judge(author(officer=CLERK), wrote(STATE, parents=1)) == ADMITTED
    assert judge(author(officer=CLERK), wrote(STATE, parents=2)) == held("not-allowed")
    assert judge(author(officer=DOCTOR), wrote(STATE, parents=2)) == ADMITTED
    assert judge(author(officer=CLERK), wrote(NAME, parents=2)) == ADMITTED


def test_retracting_is_for_those_who_may_retract() -> None:
    assert judge(author(officer=CLERK), wrote(0)) == held("not-allowed")
    assert judge(author(officer=DOCTOR), wrote(0)) == ADMITTED


def test_a_type_that_we_do_not_know_waits_for_a_version_that_does() -> None:
    assert judge(author(), wrote(DOSE, type_=77)) == held("newer-type")


def test_a_retraction_is_judged_wherever_it_stands() -> None:
    hidden = Changeset((RecordChange(None, 1, {0: ["gone", []]}),))
    assert judge(author(officer=CLERK), hidden) == held("not-allowed")


def test_one_cell_that_is_not_allowed_holds_the_whole_changeset() -> None:
    both = Changeset(wrote(NAME).records + wrote(DOSE).records)
    assert judge(author(officer=CLERK), both) == held("not-allowed")


def test_the_hub_and_what_was_adopted_may_write_anything() -> None:
    assert judge(author(HUB), wrote(DOSE)) == ADMITTED
    assert judge(author(officer=CLERK), wrote(DOSE), roster(adopted={DOT})) == ADMITTED
