"""Replay one world, or play as many as fit: python -m tests.simulation --seed 7 --verbose."""

from __future__ import annotations

import argparse
import itertools
import sys

from tests.simulation.many import play_many
from tests.simulation.world import BrokenLawError, play


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this world")
    parser.add_argument("--verbose", action="store_true", help="show every event")
    parser.add_argument("--start", type=int, default=1, help="the first of many seeds")
    parser.add_argument("--count", type=int, help="how many worlds at most")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long at most")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        try:
            verdict = play(chosen.seed, verbose=chosen.verbose)
        except BrokenLawError as broken:
            print(broken)
            return 1
        print(verdict)
        return 0
    stop = None if chosen.count is None else chosen.start + chosen.count
    seeds = itertools.islice(itertools.count(chosen.start), stop and chosen.count)
    report = play_many(seeds, jobs=chosen.jobs, minutes=chosen.minutes)
    print(report)
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
