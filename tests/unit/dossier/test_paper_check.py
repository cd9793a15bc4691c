"""Which papers are needed, and which must not be asked for."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.labels import PAPER_ANSWERS
from sync_protocol.dossier.paper_check import GROUNDS, Answer, Checked, HandedIn, check_papers
from sync_protocol.dossier.procedure import Channel
from sync_protocol.dossier.record_type import PAPER_STATES

BIRTH = catalogue().procedures["1.001193"]
HERE, THERE = b"h" * 16, b"t" * 16
CERTIFICATE = HandedIn(THERE, 1, "giay-chung-sinh", "submitted", has_scan=False)


def checked(
    own: list[HandedIn], others: list[HandedIn], received_on: str = "2026-11-20"
) -> dict[str, Checked]:
    found = check_papers(
        catalogue(),
        BIRTH,
        channel=Channel.DIRECT,
        received_on=date.fromisoformat(received_on),
        own=own,
        others=others,
    )
    return {item.requirement.type: item for item in found}


def test_each_paper_is_answered_for() -> None:
    found = {name: item.answer.value for name, item in checked([], []).items()}
    assert found == {
        "to-khai": "needed",
        "giay-chung-sinh": "not-needed",
        "bien-ban-bo-roi": "conditional",
        "xac-nhan-mang-thai-ho": "conditional",
        "giay-uy-quyen": "conditional",
        "the-can-cuoc": "needed",
        "xac-nhan-cu-tru": "not-needed",
    }
    before = checked([], [], "2025-12-31")
    assert before["giay-chung-sinh"].answer is Answer.NEEDED
    assert before["xac-nhan-cu-tru"].answer is Answer.CONDITIONAL


@pytest.mark.parametrize(
    ("paper", "wanted"),
    [
        (CERTIFICATE, "held"),
        (HandedIn(THERE, 1, "giay-chung-sinh", "compared", has_scan=True), "held"),
        (HandedIn(THERE, 1, "giay-chung-sinh", "compared", has_scan=False), "not-needed"),
        (HandedIn(THERE, 1, "giay-chung-sinh", "missing", has_scan=True), "not-needed"),
        # It does as well, but an affidavit is made for one occasion.
        (HandedIn(THERE, 1, "giay-cam-doan", "submitted", has_scan=True), "not-needed"),
    ],
)
def test_what_the_ward_keeps_is_not_asked_for_again(paper: HandedIn, wanted: str) -> None:
    found = checked([], [paper])["giay-chung-sinh"]
    assert found.answer.value == wanted
    assert (found.evidence == paper) is (wanted == "held")


def test_what_is_in_the_dossier_comes_first() -> None:
    instead = HandedIn(HERE, 2, "giay-cam-doan", "submitted", has_scan=False)
    found = checked([instead], [CERTIFICATE])["giay-chung-sinh"]
    assert (found.answer, found.evidence) == (Answer.HERE, instead)
    known = HandedIn(HERE, 2, "giay-chung-sinh", "known", has_scan=False)
    assert checked([known], [])["giay-chung-sinh"].answer is Answer.KNOWN


def test_every_answer_has_words_and_every_refusal_to_ask_its_ground() -> None:
    assert set(PAPER_ANSWERS) == {answer.value for answer in Answer}
    assert set(GROUNDS) == {Answer.HELD, Answer.NOT_NEEDED}


PAPERS = st.lists(
    st.builds(
        HandedIn,
        st.just(THERE),
        st.integers(1, 9),
        st.sampled_from(sorted(catalogue().papers)),
        st.sampled_from([*PAPER_STATES, "?"]),
        st.booleans(),
    ),
    max_size=6,
)


@given(st.sampled_from(sorted(catalogue().procedures)), st.sampled_from(Channel), PAPERS, PAPERS)
def test_nothing_that_is_kept_is_ever_asked_for(
    code: str, channel: Channel, own: list[HandedIn], others: list[HandedIn]
) -> None:
    procedure = catalogue().procedures[code]
    found = check_papers(
        catalogue(), procedure, channel=channel, received_on=None, own=own, others=others
    )
    assert len(found) == sum(
        not paper.channels or channel in paper.channels for paper in procedure.papers
    )
    for item in found:
        if item.answer is Answer.NEEDED:
            assert item.requirement.known_from is None
            assert not any(
                paper.type == item.requirement.type and paper.state in ("submitted", "compared")
                for paper in own
            )
        assert (item.evidence is None) == (
            item.answer in (Answer.NEEDED, Answer.CONDITIONAL, Answer.NOT_NEEDED)
        )
