"""`python -m central_hub` and `motcua-hub`."""

from __future__ import annotations

import sys

from central_hub.program import program


def main() -> int:
    """Run one command line; return its exit code."""
    return program().main()


if __name__ == "__main__":
    sys.exit(main())
