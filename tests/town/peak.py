"""Run a command and tell, on the last line of stderr, its peak resident memory in KiB.

python -m tests.town.peak COMMAND …
"""

import os
import resource
import sys


def main() -> int:
    """Run it; return its exit code."""
    child = os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:])
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stderr.write(f"\npeak_kib {peak_kib}\n")
    return child


if __name__ == "__main__":
    sys.exit(main())
