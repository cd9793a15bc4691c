"""Why a child refuses what it was given: a word that `scan` puts into a sentence."""

from __future__ import annotations


class RefusedError(Exception):
    """What was given is not taken; `reason` is a key of `scan.SENTENCES`."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason
