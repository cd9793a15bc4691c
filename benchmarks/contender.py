"""What each side of the comparison must be able to do, and what is written down about it.

A contender plays seven phases in order; P5 uses a fresh pair of stores.

| phase | what happens |
|---|---|
| P0 | A writes all dossiers into its own store (no network) |
| P1 | A sends them to the hub |
| P2 | B, empty, fetches them |
| P3 | A edits 100 and B edits 100 unseen by each other; A, B, A synchronise (first contact) |
| P3B | the same again with other dossiers (the steady day) |
| P4 | nothing is new; A checks ten times; figures are per check |
| P5 | the sender is killed with SIGKILL when about half of P1's bytes went up, and resumes |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

CUT_SHARE = 0.545
"""Where P5 cuts: an even half falls between two batches of a push in 10 or 100: flattering."""


class Phase(StrEnum):
    """The phases, in the order in which they are played."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P3B = "P3B"
    P4 = "P4"
    P5 = "P5"


PHASE_TITLES: Mapping[Phase, str] = {
    Phase.P0: "write locally",
    Phase.P1: "push A → hub",
    Phase.P2: "empty B pulls",
    Phase.P3: "100 + 100 edits, first contact",
    Phase.P3B: "100 + 100 edits, steady",
    Phase.P4: "idle check (each)",
    Phase.P5: "killed at 54.5 % of P1, resumed",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One phase of one run. `None` means: cannot be seen for this contender."""

    wall_s: float
    cpu_client_s: float
    cpu_hub_s: float
    bytes_up: int
    bytes_down: int
    connections: int = 0
    requests: int | None = None
    rss_client_mb: float = 0.0
    rss_hub_mb: float = 0.0
    visible_conflicts: int | None = None
    false_conflicts: int | None = None
    converged: bool | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """Client and hub together."""
        return self.cpu_client_s + self.cpu_hub_s

    @property
    def bytes_total(self) -> int:
        """Both directions together."""
        return self.bytes_up + self.bytes_down

    def as_json(self) -> dict[str, Any]:
        """The figures as they are saved, sums included so that a reader need not add."""
        plain = asdict(self)
        plain["cpu_s"] = self.cpu_s
        plain["bytes_total"] = self.bytes_total
        return plain


@dataclass(frozen=True, slots=True)
class Features:
    """What a contender does for its figures: without this column they mean nothing."""

    version: str
    signed: str
    encrypted_at_rest: str
    durable_ack: str
    conflicts_visible: str
    transport: str

    def as_json(self) -> dict[str, str]:
        """The column as it is saved."""
        return asdict(self)


class Contender(Protocol):
    """One side of the comparison, for one run."""

    name: str

    def missing(self) -> str | None:
        """Why this contender must be left out here, as one sentence; None if it can run."""

    def features(self) -> Features:
        """What it does beside being fast or slow."""

    def start(self) -> None:
        """Bring the hub, the proxy and A up on empty stores."""

    def phase(self, name: Phase) -> Figures:
        """Play one phase. Called in the order of `Phase`."""

    def stop(self) -> None:
        """End every process that was started. May be called twice."""


class BenchmarkError(Exception):
    """A contender could not be driven to the end: its figures must not be used."""
