"""Would the simulation notice? Each planted bug is found, and the seed that finds it is sound."""

from __future__ import annotations

import pytest

from tests.simulation.many import try_one
from tests.simulation.planted import BUGS, Bug

SEEDS_MAX = 60


def test_there_are_enough_of_them() -> None:
    assert len(BUGS) >= 12


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    for seed in (bug.first, *range(1, SEEDS_MAX)):
        with bug.plant():
            _, verdict, _ = try_one(seed)
        if verdict is None:
            _, sound, text = try_one(seed)
            assert sound is not None, f"the unpatched engine fails as well: {text}"
            return
    pytest.fail(f"{SEEDS_MAX} worlds did not find: {bug.name}")
