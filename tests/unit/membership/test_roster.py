"""Who may do what: a function of the set of statements, never of their order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.crypto.key import DeviceKeys, SigningKey
from sync_protocol.identity import NO_OFFICER, Dot, FeedId, OfficerId
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster, Spoken, build
from tests.ward import CHIEF, CLERK, DOCTOR, keys_of

ROOT = SigningKey(b"r" * 32)
HUB, NEW_HUB, EDGE, OTHER_EDGE, TABLET, STRANGER = (
    keys_of(name) for name in ("hub", "new hub", "edge", "other edge", "tablet", "stranger")
)
FEEDS = {
    keys.public: FeedId(bytes([65 + index]) * 16)
    for index, keys in enumerate((HUB, NEW_HUB, EDGE, OTHER_EDGE, TABLET, STRANGER))
}
HASH = b"h" * 16


def feed(keys: DeviceKeys) -> FeedId:
    return FEEDS[keys.public]


def certificate(keys: DeviceKeys, serial: int = 1, cuts: Sequence[Mark] = ()) -> g.Certified:
    return g.Certified(
        g.certify(
            ROOT,
            g.Certificate(serial, keys.public, keys.agreement.public, b"y" * 32, list(cuts)),
        )
    )


def grant(keys: DeviceKeys, role: str, version: int = 1, label: str = "") -> g.Grant:
    return g.Grant(keys.public, keys.agreement.public, role, label, version)


def says(
    keys: DeviceKeys,
    seq: int,
    *statements: g.Statement,
    officer: OfficerId = NO_OFFICER,
    seen: int = 1000,
    agrees: bool = True,
) -> Spoken:
    """One control entry; its writer had seen the hub's feed as far as `seen`."""
    dot = Dot(feed(keys), seq)
    heads = {feed(HUB): seen, feed(NEW_HUB): seen}
    return Spoken(dot, keys.public, officer, heads, statements, lambda _: agrees)


FOUNDED = says(
    HUB,
    1,
    certificate(HUB),
    grant(EDGE, g.EDGE),
    g.Officer(DOCTOR, "Doctor", g.SUPERVISOR),
    g.Officer(CLERK, "Clerk", g.CLERK),
    g.Officer(CHIEF, "Chief", g.ADMINISTRATOR),
)


def heard(*spoken: Spoken) -> Roster:
    return build(ROOT.public, [FOUNDED, *spoken])


# --- numbers ----------------------------------------------------------------------------------


def lease(to: DeviceKeys, first: int, last: int, agency: str = "H26.1") -> g.Lease:
    return g.Lease(feed(to), agency, first, last, "2026-01-01", "2026-12-31")


def test_an_edge_hands_on_parts_of_what_the_hub_leased_to_that_very_feed() -> None:
    leased = says(HUB, 2, lease(EDGE, 10, 99))
    parts = [
        (EDGE, lease(TABLET, 90, 99), True),
        (EDGE, lease(TABLET, 90, 100), False),
        (EDGE, lease(TABLET, 9, 20), False),
        (EDGE, lease(TABLET, 90, 99, "H26.2"), False),
        (EDGE, lease(EDGE, 90, 99), False),
        (EDGE, g.Lease(feed(TABLET), "H26.1", 90, 99, "2025-12-31", "2026-02-01"), False),
        (TABLET, lease(STRANGER, 90, 99), False),
    ]
    for giver, part, counts in parts:
        granted = says(HUB, 3, grant(TABLET, g.TABLET))
        for order in ((leased, granted), (granted, leased)):
            roster = heard(says(giver, 1, part), *order)
            assert roster.leases == [lease(EDGE, 10, 99)]
            assert roster.handed == ([part] if counts else []), part


def test_a_part_can_not_be_handed_on_again() -> None:
    granted = says(HUB, 2, lease(EDGE, 1, 99), grant(OTHER_EDGE, g.EDGE))
    first = says(EDGE, 1, lease(OTHER_EDGE, 50, 99))
    again = says(OTHER_EDGE, 1, lease(TABLET, 60, 99))
    assert heard(granted, first, again).handed == [lease(OTHER_EDGE, 50, 99)]


# --- the hub ----------------------------------------------------------------------------------


def test_whom_the_city_root_certifies_is_the_hub() -> None:
    roster = heard()
    assert roster.role_of(HUB.public) == g.HUB
    assert roster.control_feeds == {feed(HUB)}
    assert roster.by_id[HUB.id] == HUB.public


def test_a_certificate_by_another_root_makes_nobody_a_hub() -> None:
    other = SigningKey(b"o" * 32)
    claim = g.Certificate(9, STRANGER.public, STRANGER.agreement.public, b"y" * 32)
    roster = heard(says(STRANGER, 1, g.Certified(g.certify(other, claim)), grant(TABLET, g.TABLET)))
    assert roster.role_of(STRANGER.public) is None
    assert roster.role_of(TABLET.public) is None


def test_a_newer_certificate_cuts_the_older_hub_at_a_position() -> None:
    cut = Mark(feed(HUB), 2, HASH)
    spoken = (
        says(HUB, 2, grant(TABLET, g.TABLET)),
        says(HUB, 3, grant(STRANGER, g.EDGE)),
        says(NEW_HUB, 1, certificate(NEW_HUB, 2, [cut])),
    )
    roster = heard(*spoken)
    assert roster.role_of(NEW_HUB.public) == g.HUB
    assert roster.role_of(TABLET.public) == g.TABLET
    assert roster.role_of(STRANGER.public) is None
    assert roster.cuts(HUB.public, feed(HUB)) == [cut]
    assert roster.cuts(NEW_HUB.public, feed(NEW_HUB)) is None


def test_a_cut_keeps_nothing_of_another_branch() -> None:
    cut = Mark(feed(HUB), 2, HASH)
    other_branch = says(HUB, 2, grant(STRANGER, g.EDGE), agrees=False)
    roster = heard(other_branch, says(NEW_HUB, 1, certificate(NEW_HUB, 2, [cut])))
    assert roster.role_of(STRANGER.public) is None


# --- grants -----------------------------------------------------------------------------------


def test_nobody_has_a_role_without_a_grant() -> None:
    assert heard().role_of(STRANGER.public) is None
    assert heard(says(STRANGER, 1, grant(STRANGER, g.TABLET))).role_of(STRANGER.public) is None


@pytest.mark.parametrize("role", ["hub", "king", ""])
def test_a_grant_of_a_role_that_cannot_be_granted_counts_for_nothing(role: str) -> None:
    assert heard(says(HUB, 2, grant(STRANGER, role))).role_of(STRANGER.public) is None


def test_of_two_grants_the_higher_version_counts() -> None:
    old, new = grant(TABLET, g.TABLET, 1, "old"), grant(TABLET, g.TABLET, 2, "new")
    for spoken in ((says(HUB, 2, old), says(HUB, 3, new)), (says(HUB, 2, new), says(HUB, 3, old))):
        assert heard(*spoken).grants[TABLET.public].label == "new"


def test_of_two_grants_of_one_version_the_one_that_gives_less_counts() -> None:
    for roles in ((g.EDGE, g.TABLET), (g.TABLET, g.EDGE)):
        spoken = [says(HUB, 2 + index, grant(TABLET, role)) for index, role in enumerate(roles)]
        assert heard(*spoken).role_of(TABLET.public) == g.TABLET


def test_an_edge_may_enrol_tablets_until_the_hub_countersigns() -> None:
    by_edge = says(EDGE, 1, grant(TABLET, g.TABLET))
    roster = heard(by_edge)
    assert roster.role_of(TABLET.public) == g.TABLET
    assert roster.grants[TABLET.public].delegated
    signed = heard(by_edge, says(HUB, 2, grant(TABLET, g.TABLET, 1, "countersigned")))
    assert not signed.grants[TABLET.public].delegated
    later = heard(says(HUB, 2, grant(TABLET, g.TABLET)), says(EDGE, 1, grant(TABLET, g.TABLET, 9)))
    assert not later.grants[TABLET.public].delegated


def test_an_edge_may_not_enrol_edges_nor_turn_an_edge_into_a_tablet() -> None:
    assert heard(says(EDGE, 1, grant(STRANGER, g.EDGE))).role_of(STRANGER.public) is None
    granted = says(HUB, 2, grant(OTHER_EDGE, g.EDGE))
    demoted = says(EDGE, 1, grant(OTHER_EDGE, g.TABLET, 9))
    assert heard(granted, demoted).role_of(OTHER_EDGE.public) == g.EDGE


def test_a_tablet_may_say_nothing_about_anybody() -> None:
    granted = says(HUB, 2, grant(TABLET, g.TABLET))
    spoken = says(
        TABLET,
        1,
        grant(STRANGER, g.TABLET),
        g.Officer(OfficerId(b"x" * 16), "X", g.SUPERVISOR),
        g.Adopt([[feed(STRANGER), 1]]),
        officer=DOCTOR,
    )
    roster = heard(granted, spoken)
    assert roster.role_of(STRANGER.public) is None
    assert roster.officer_now(OfficerId(b"x" * 16)) is None
    assert roster.adopted == set()


@pytest.mark.parametrize(
    "statement",
    [
        g.Officer(OfficerId(b"x" * 16), "X", g.ADMINISTRATOR),
        g.Profile("99999", "Another", version=9),
        g.Erase([[feed(HUB), 1]], [b"c" * 32], [DOCTOR, CHIEF], "because"),
        g.Suspect(feed(HUB), 1, 9),
        g.Lapse(TABLET.public, True),
        g.Activate(7),
    ],
    ids=lambda statement: type(statement).__name__,
)
def test_what_only_the_hub_may_say_counts_for_nothing_from_an_edge(statement: g.Statement) -> None:
    roster = heard(says(EDGE, 1, statement, officer=DOCTOR))
    plain = heard()
    assert (roster.officers, roster.profile, roster.erased, roster.erased_chunks) == (
        plain.officers,
        plain.profile,
        plain.erased,
        plain.erased_chunks,
    )
    assert (roster.suspects, roster.lapses, roster.merge_version) == ([], {}, 1)
    by_hub = heard(says(HUB, 2, statement))
    assert by_hub != plain


# --- revocation -------------------------------------------------------------------------------


def _revoke(
    keys: DeviceKeys, reason: str = g.LOST, version: int = 1, seq: int | None = None
) -> g.Revoke:
    cuts = [] if seq is None else [Mark(feed(keys), seq, HASH)]
    return g.Revoke(keys.public, reason, cuts, version)


def test_a_revoked_device_is_cut_where_the_revocation_says_and_elsewhere_at_nothing() -> None:
    roster = heard(says(HUB, 2, _revoke(EDGE, seq=5)))
    assert roster.cuts(EDGE.public, feed(EDGE)) == [Mark(feed(EDGE), 5, HASH)]
    fresh = FeedId(b"z" * 16)
    assert roster.cuts(EDGE.public, fresh) == []
    assert roster.cuts(OTHER_EDGE.public, feed(OTHER_EDGE)) is None


def test_what_an_edge_said_beyond_its_cut_or_on_another_branch_counts_for_nothing() -> None:
    before = says(EDGE, 5, grant(TABLET, g.TABLET))
    beyond = says(EDGE, 6, grant(STRANGER, g.TABLET))
    aside = says(EDGE, 4, grant(OTHER_EDGE, g.TABLET), agrees=False)
    roster = heard(before, beyond, aside, says(HUB, 2, _revoke(EDGE, seq=5)))
    assert roster.role_of(TABLET.public) == g.TABLET
    assert roster.role_of(STRANGER.public) is None
    assert roster.role_of(OTHER_EDGE.public) is None


def test_a_cut_may_be_raised_and_a_revocation_lifted_by_a_higher_version() -> None:
    first, raised = _revoke(EDGE, seq=5), _revoke(EDGE, seq=9, version=2)
    roster = heard(says(HUB, 2, first), says(HUB, 3, raised))
    assert roster.cuts(EDGE.public, feed(EDGE)) == [Mark(feed(EDGE), 9, HASH)]
    lifted = heard(says(HUB, 2, first), says(HUB, 3, _revoke(EDGE, g.RESTORED, 2)))
    assert lifted.revoked(EDGE.public) is None
    assert lifted.cuts(EDGE.public, feed(EDGE)) is None


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (_revoke(EDGE), _revoke(EDGE, seq=5)),
        (_revoke(EDGE, seq=4), _revoke(EDGE, seq=5)),
        (_revoke(EDGE, seq=9), _revoke(EDGE, g.RESTORED)),
    ],
)
def test_of_two_revocations_of_one_version_the_one_that_leaves_less_counts(
    less: g.Revoke, more: g.Revoke
) -> None:
    for pair in ((less, more), (more, less)):
        spoken = [says(HUB, 2 + index, item) for index, item in enumerate(pair)]
        assert heard(*spoken).revoked(EDGE.public) == less


def test_a_supervisor_locks_a_tablet_at_the_edge_and_unlocks_it() -> None:
    granted = says(HUB, 2, grant(TABLET, g.TABLET))
    lock = says(EDGE, 1, _revoke(TABLET, g.LOCKED), officer=DOCTOR)
    assert heard(granted, lock).revoked(TABLET.public) is not None
    unlock = says(EDGE, 2, _revoke(TABLET, g.RESTORED, 2), officer=DOCTOR)
    assert heard(granted, lock, unlock).revoked(TABLET.public) is None


def test_a_clerk_locks_nobody() -> None:
    granted = says(HUB, 2, grant(TABLET, g.TABLET))
    for officer in (CLERK, NO_OFFICER):
        lock = says(EDGE, 1, _revoke(TABLET, g.LOCKED), officer=officer)
        assert heard(granted, lock).revoked(TABLET.public) is None


def test_an_edge_may_not_revoke_an_edge_nor_the_hub() -> None:
    granted = says(HUB, 2, grant(OTHER_EDGE, g.EDGE))
    for keys in (OTHER_EDGE, HUB):
        lock = says(EDGE, 1, _revoke(keys, g.LOCKED), officer=DOCTOR)
        assert heard(granted, lock).revoked(keys.public) is None


def test_what_the_hub_revoked_no_edge_restores_nor_raises() -> None:
    granted = says(HUB, 2, grant(TABLET, g.TABLET))
    revoked = says(HUB, 3, _revoke(TABLET, g.COMPROMISED, 1, seq=3))
    restored = says(EDGE, 1, _revoke(TABLET, g.RESTORED, 2), officer=DOCTOR)
    raised = says(EDGE, 2, _revoke(TABLET, g.LOCKED, 3, seq=99), officer=DOCTOR)
    for spoken in ([restored], [raised], [raised, restored]):
        found = heard(granted, revoked, *spoken).revoked(TABLET.public)
        assert found is not None
        assert found.reason == g.COMPROMISED
    assert (
        heard(granted, revoked, raised, says(HUB, 4, _revoke(TABLET, g.RESTORED, 9))).revoked(
            TABLET.public
        )
        is None
    )


# --- officers ---------------------------------------------------------------------------------


def test_a_right_is_judged_by_what_the_writer_had_seen() -> None:
    demoted = says(HUB, 7, g.Officer(DOCTOR, "Doctor", g.DISABLED, 2))
    roster = heard(demoted)
    assert roster.officer_role(DOCTOR, {feed(HUB): 6}) == g.SUPERVISOR
    assert roster.officer_role(DOCTOR, {feed(HUB): 7}) == g.DISABLED
    assert roster.officer_role(DOCTOR, {}) is None
    now = roster.officer_now(DOCTOR)
    assert now is not None
    assert now.role == g.DISABLED


def test_of_two_roles_of_one_version_the_one_that_gives_less_counts() -> None:
    who = OfficerId(b"x" * 16)
    for roles in ((g.CLERK, g.ADMINISTRATOR), (g.ADMINISTRATOR, g.CLERK), ("wizard", g.CLERK)):
        spoken = [says(HUB, 2 + i, g.Officer(who, "X", role)) for i, role in enumerate(roles)]
        role = heard(*spoken).officer_role(who, {feed(HUB): 99})
        assert role == (g.CLERK if "wizard" not in roles else "wizard")


def test_nobody_knows_an_officer_of_whom_nothing_was_said() -> None:
    assert heard().officer_role(OfficerId(b"x" * 16), {feed(HUB): 9}) is None
    assert heard().officer_now(OfficerId(b"x" * 16)) is None


# --- keys, adoption, erasure, and the rest ----------------------------------------------------


def test_the_ward_key_of_the_highest_version_is_in_force_and_edges_may_share_it() -> None:
    assert heard().ward_key() is None
    keys = [g.WardKey(bytes([n]) * 32, b"y" * 32, b"", n) for n in (1, 3, 2)]
    share = g.KeyShare(keys[1].public, OTHER_EDGE.public, b"sealed")
    roster = heard(says(HUB, 2, keys[0], keys[2]), says(EDGE, 1, keys[1], share))
    assert roster.ward_key() == keys[1]
    assert roster.shares[keys[1].public, OTHER_EDGE.public] == b"sealed"


def test_the_hub_and_a_supervisor_at_an_edge_adopt_and_reject() -> None:
    dots = [[feed(TABLET), 3], [feed(TABLET), 4, b"branch__"]]
    named = {Dot(feed(TABLET), 3), Dot(feed(TABLET), 4, b"branch__")}
    for spoken in (says(HUB, 2, g.Adopt(dots)), says(EDGE, 1, g.Adopt(dots), officer=DOCTOR)):
        assert heard(spoken).adopted == named
    for spoken in (says(HUB, 2, g.Reject(dots)), says(EDGE, 1, g.Reject(dots), officer=DOCTOR)):
        assert heard(spoken).rejected == named
    assert heard(says(EDGE, 1, g.Adopt(dots), officer=CLERK)).adopted == set()


def test_an_edge_takes_back_what_no_hub_confirmed_and_a_confirmation_ends_that() -> None:
    granted = says(EDGE, 1, grant(TABLET, g.TABLET))
    lapsed = says(EDGE, 2, _revoke(TABLET, g.LAPSED, 1, seq=4))
    found = heard(granted, lapsed).revoked(TABLET.public)
    assert found is not None
    assert found.reason == g.LAPSED
    confirmed = says(HUB, 2, grant(TABLET, g.TABLET, 2))
    assert heard(granted, lapsed, confirmed).revoked(TABLET.public) is None
    lock = says(OTHER_EDGE, 1, _revoke(TABLET, g.LOCKED, 2), officer=DOCTOR)
    second = says(HUB, 3, grant(OTHER_EDGE, g.EDGE))
    locked = heard(granted, lapsed, second, lock, confirmed).revoked(TABLET.public)
    assert locked is not None
    assert locked.reason == g.LOCKED, "a lock is lifted by nobody's confirmation"
    unsaid = heard(granted, says(EDGE, 2, _revoke(TABLET, g.LOCKED, 1)))
    assert unsaid.revoked(TABLET.public) is None, "a lock needs a supervisor"


def test_an_erasure_names_entries_and_chunks() -> None:
    roster = heard(says(HUB, 2, _erase(DOCTOR, CHIEF)))
    assert roster.erased == {Dot(feed(EDGE), 3)}
    assert roster.erased_chunks == {b"c" * 32}


def _erase(*approvers: OfficerId) -> g.Erase:
    return g.Erase([[feed(EDGE), 3]], [b"c" * 32], list(approvers), "law")


@pytest.mark.parametrize(
    "approvers",
    [(), (DOCTOR,), (DOCTOR, DOCTOR), (DOCTOR, CLERK), (DOCTOR, OfficerId(b"x" * 16))],
)
def test_an_erasure_needs_four_eyes_that_may(approvers: tuple[OfficerId, ...]) -> None:
    roster = heard(says(HUB, 2, _erase(*approvers)))
    assert (roster.erased, roster.erased_chunks) == (set(), set())


def test_who_may_approve_is_judged_by_what_the_speaker_knew() -> None:
    gone = says(HUB, 3, g.Officer(CHIEF, "Chief", g.DISABLED, 2))
    assert heard(says(HUB, 2, _erase(DOCTOR, CHIEF), seen=0), gone).erased
    assert not heard(says(HUB, 4, _erase(DOCTOR, CHIEF), seen=0), gone).erased


def test_an_erasure_waits_for_what_its_speaker_had_seen_of_hubs() -> None:
    early = says(HUB, 2, _erase(DOCTOR, CHIEF))
    assert not heard(early._replace(lacking=frozenset({None}))).erased
    assert not heard(early._replace(lacking=frozenset({HUB.public}))).erased
    assert heard(early._replace(lacking=frozenset({EDGE.public}))).erased


def test_entries_under_a_wrong_clock_are_suspect_and_others_are_not() -> None:
    roster = heard(says(HUB, 2, g.Suspect(feed(EDGE), 3, 5)))
    suspects = [seq for seq in range(1, 8) if roster.is_suspect(Dot(feed(EDGE), seq))]
    assert suspects == [3, 4, 5]
    assert not roster.is_suspect(Dot(feed(TABLET), 4))


def test_profile_lapse_and_merge_version_follow_the_highest_version() -> None:
    roster = heard(
        says(HUB, 2, g.Profile("1", "old"), g.Lapse(TABLET.public, True, 1), g.Activate(3)),
        says(HUB, 3, g.Profile("2", "new", [], 2), g.Lapse(TABLET.public, False, 2), g.Activate(2)),
        says(HUB, 4, g.Profile("1", "old"), g.Lapse(TABLET.public, True, 1)),
    )
    assert roster.profile is not None
    assert roster.profile.name == "new"
    assert not roster.lapses[TABLET.public].lapsed
    assert roster.merge_version == 3


# --- order ------------------------------------------------------------------------------------


def _everything() -> list[Spoken]:
    cut = Mark(feed(HUB), 6, HASH)
    return [
        FOUNDED,
        says(HUB, 2, grant(TABLET, g.TABLET), grant(OTHER_EDGE, g.EDGE)),
        says(HUB, 3, g.Officer(CLERK, "Clerk", g.DISABLED, 2), _revoke(TABLET, g.LOST, 1, seq=4)),
        says(HUB, 4, g.Profile("1", "one"), g.WardKey(b"1" * 32, b"y" * 32, b"")),
        says(
            HUB, 5, grant(STRANGER, g.TABLET), g.Erase([[feed(EDGE), 1]], [], [DOCTOR, CHIEF], "")
        ),
        says(HUB, 7, grant(STRANGER, g.EDGE, 5)),
        says(NEW_HUB, 1, certificate(NEW_HUB, 2, [cut]), g.Profile("2", "two", [], 1)),
        says(EDGE, 1, grant(STRANGER, g.TABLET, 9), _revoke(TABLET, g.RESTORED, 7), officer=DOCTOR),
        says(OTHER_EDGE, 3, _revoke(STRANGER, g.LAPSED, 9, seq=1), grant(TABLET, g.TABLET, 8)),
        says(OTHER_EDGE, 1, _revoke(STRANGER, g.LOCKED, 3), officer=DOCTOR),
        says(OTHER_EDGE, 2, g.Adopt([[feed(TABLET), 9]]), officer=DOCTOR),
        says(EDGE, 2, _revoke(STRANGER, g.LOCKED, 3, seq=2), g.Reject([[feed(TABLET), 9]])),
        says(STRANGER, 1, grant(STRANGER, g.EDGE, 99), g.Adopt([[feed(STRANGER), 1]])),
    ]


@given(st.permutations(_everything()))
def test_any_order_of_hearing_gives_the_same_roster(spoken: list[Spoken]) -> None:
    assert build(ROOT.public, spoken) == build(ROOT.public, _everything())


@given(st.sets(st.sampled_from(range(len(_everything())))))
def test_so_does_any_order_of_any_part_of_it(chosen: set[int]) -> None:
    part = [item for index, item in enumerate(_everything()) if index in chosen]
    assert build(ROOT.public, part[::-1]) == build(ROOT.public, part)
