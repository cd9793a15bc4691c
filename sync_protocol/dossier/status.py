"""The ten national statuses of a dossier, and which concurrent ones swallow each other.

The codes are the numbers that the national portal uses (TrangThaiHoSo), kept as text.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a dossier is. The value is the national number; intake files write the name."""

    FILED = "1"
    RECEIVED = "2"
    REFUSED = "3"
    PROCESSING = "4"
    SUPPLEMENT = "5"
    PAYMENT = "6"
    WITHDRAWAL = "7"
    STOPPED = "8"
    READY = "9"
    RETURNED = "10"


ABSORBED = (
    (Status.FILED, Status.RECEIVED),
    (Status.FILED, Status.PROCESSING),
    (Status.RECEIVED, Status.PROCESSING),
)
"""Pairs (a, b) where b swallows a concurrent a: b lies further on the only road that a can take,
and nobody's decision is lost. READY and RETURNED swallow nothing: a concurrent PROCESSING may be
the correction of a wrong result, and hiding it would hide that a wrong paper was handed out."""


CLOSED = frozenset({Status.REFUSED.value, Status.STOPPED.value, Status.RETURNED.value})
"""After these nothing is expected any more: a tablet may let go of the dossier once it is safe."""


def status_named(slug: str) -> Status | None:
    """Return the status that intake files call `slug` ("received"), or None."""
    return Status.__members__.get(slug.upper()) if slug == slug.lower() else None
