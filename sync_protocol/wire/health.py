"""HEALTH → THANKS: what a device says of itself, apart from the idle check. Figures only."""

from __future__ import annotations

from sync_protocol.wire.message import Body


class Health(Body, frozen=True):
    """Named figures: counts, ages in seconds, free bytes, versions."""

    figures: dict[str, int | str]


class Thanks(Body, frozen=True):
    """Taken down. `time` is the responder's clock in ms."""

    time: int
