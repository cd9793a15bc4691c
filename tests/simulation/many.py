"""As many worlds as fit, over several processes."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.disk import PowerCut
from tests.simulation.world import BrokenLawError, Verdict, play


@dataclass(slots=True)
class Report:
    """What came of many worlds."""

    played: int = 0
    deeds: int = 0
    conflicts: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return a few lines for people."""
        lines = [
            (
                f"{self.played} worlds in {self.seconds:.0f} s, {len(self.failures)} broken; "
                f"{self.deeds} deeds, {self.conflicts} conflicts open at the end"
            ),
            "faults: " + ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items())),
        ]
        for seed, text in sorted(self.failures.items()):
            lines.append(f"{text}\n  replay: python -m tests.simulation --seed {seed} --verbose")
        return "\n".join(lines)


def try_one(seed: int) -> tuple[int, Verdict | None, str]:
    """Play one world; return its verdict, or what broke."""
    try:
        return seed, play(seed), ""
    except BrokenLawError as broken:
        return seed, None, str(broken).splitlines()[0]
    except (Exception, PowerCut):  # noqa: BLE001 - whatever the engine lets out is a finding
        return seed, None, f"seed {seed}: " + traceback.format_exc(limit=-4)


def play_many(seeds: Iterator[int], *, jobs: int, minutes: float, stop_after: int = 20) -> Report:
    """Play worlds until the seeds, the minutes or the patience with failures end."""
    report = Report()
    began = time.monotonic()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[tuple[int, Verdict | None, str]]] = set()
        while True:
            in_time = time.monotonic() - began < minutes * 60
            while in_time and len(running) < 2 * jobs and len(report.failures) < stop_after:
                seed = next(seeds, None)
                if seed is None:
                    break
                running.add(pool.submit(try_one, seed))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for item in done:
                _count(report, *item.result())
    report.seconds = time.monotonic() - began
    return report


def _count(report: Report, seed: int, verdict: Verdict | None, text: str) -> None:
    report.played += 1
    if verdict is None:
        report.failures[seed] = text
        return
    report.deeds += verdict.deeds
    report.conflicts += verdict.conflicts
    report.faults.update(verdict.faults)
