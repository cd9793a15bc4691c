"""python -m tests.simulation: replay one world, or play as many as fit."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.world import play


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--start", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        print(play(arguments.seed, verbose=arguments.verbose))
        return 0
    import time

    bad = 0
    began = time.monotonic()
    for seed in range(arguments.start, arguments.start + arguments.count):
        try:
            play(seed)
        except Exception as problem:
            bad += 1
            print(f"{seed}: {type(problem).__name__} {str(problem).splitlines()[0][:200]}")
    print(f"{arguments.count} worlds, {bad} failed, {time.monotonic() - began:.1f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
