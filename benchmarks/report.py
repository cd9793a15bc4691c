"""Results saved, and the page docs/BENCHMARKS.md written between its markers.

Medians are over the runs of one session. A ratio is never made of medians: the ratios of all runs
are put in order and the middle one is quoted with the two figures of that one run.
"""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contender import PHASE_TITLES, Phase
from benchmarks.process import ROOT

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "BENCHMARKS.md"
BEGIN = "<!-- benchmarks: begin (written by python -m benchmarks) -->"
END = "<!-- benchmarks: end -->"
HEAD = """# Benchmarks

Our synchronisation beside PouchDB and beside a floor (the least that plain Python with SQLCipher
can do, and nothing of a system). Everything is measured by `python -m benchmarks`: separate
processes, real stores, a counting proxy between them. How it is measured stands in
`benchmarks/__init__.py` and `benchmarks/contender.py`.

"""

Row = Mapping[str, Any]
MEASURES: Mapping[str, tuple[str, Callable[[Row], float]]] = {
    "CPU": ("s", lambda row: float(row["cpu_s"])),
    "wall": ("s", lambda row: float(row["wall_s"])),
    "bytes": ("B", lambda row: float(row["bytes_total"])),
    "CPU to ack": ("s", lambda row: float(row["extra"]["cpu_at_ack_s"])),
}
SHOWN = ("CPU", "wall", "bytes")
COMPARED = (Phase.P0, Phase.P1, Phase.P2, Phase.P3, Phase.P3B, Phase.P4)
NETWORK_BYTES_MIN = 1.0


@dataclass
class Result:
    """One contender in one session."""

    name: str
    session: Mapping[str, Any]
    features: Mapping[str, str]
    runs: list[dict[str, Row]] = field(default_factory=list)

    def medians(self) -> dict[str, dict[str, Any]]:
        """Phase by phase, the median of each figure over the runs."""
        phases = self.runs[0] if self.runs else {}
        return {name: _median_row([run[name] for run in self.runs]) for name in phases}


def _median_row(rows: Sequence[Row]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, first in rows[0].items():
        values = [row[name] for row in rows]
        if isinstance(first, dict):
            shared = [value for value in values if set(value) == set(first)]
            found[name] = _median_row(shared)
        elif isinstance(first, bool) or any(value is None for value in values):
            found[name] = all(values) if None not in values else None
        else:
            found[name] = statistics.median(values)
    return found


def save(result: Result, directory: Path = RESULTS) -> None:
    """Write `results/<name>.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    whole = {
        "name": result.name,
        "session": result.session,
        "features": result.features,
        "medians": result.medians(),
        "runs": result.runs,
    }
    text = json.dumps(_rounded(whole), ensure_ascii=False, indent=1) + "\n"
    (directory / f"{result.name}.json").write_text(text, encoding="utf-8")


def _rounded(value: Any) -> Any:  # noqa: ANN401 - it is JSON
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value


def load(directory: Path = RESULTS) -> list[Result]:
    """Read what `save` wrote last, our own side first."""
    found = []
    for path in directory.glob("*.json"):
        whole = json.loads(path.read_text(encoding="utf-8"))
        found.append(Result(whole["name"], whole["session"], whole["features"], whole["runs"]))
    return sorted(found, key=lambda one: (one.name != "ours", one.name != "floor", one.name))


def write_page(text: str, page: Path = PAGE) -> None:
    """Put the session's tables between the markers; the rest of the page stays as it is."""
    old = page.read_text(encoding="utf-8") if page.exists() else f"{HEAD}{BEGIN}\n{END}\n"
    before, _, rest = old.partition(BEGIN)
    after = rest.partition(END)[2]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def markdown(
    results: Sequence[Result], left_out: Mapping[str, str], budgets: Sequence[str] = ()
) -> str:
    """The session as Markdown; `budgets` is their table."""
    parts = [*_circumstances(results, left_out), "", *budgets, *_phase_tables(results)]
    base = next((one for one in results if one.name == "ours"), None)
    if base:
        parts += [*_ratios(base, results), *_losses(base, results)]
    else:
        parts += ["Our own side was not part of this session, so no ratio to it is quoted.", ""]
    return "\n".join([*parts, *_features(results)])


def _circumstances(results: Sequence[Result], left_out: Mapping[str, str]) -> Iterator[str]:
    if results:
        for name, value in results[0].session.items():
            yield f"* {name.replace('_', ' ')}: {value}"
    for name, reason in left_out.items():
        yield f"* **{name}**: {reason}"


def _phase_tables(results: Sequence[Result]) -> Iterator[str]:
    medians = {one.name: one.medians() for one in results}
    for phase in Phase:
        rows = [(name, rows[phase]) for name, rows in medians.items() if phase in rows]
        if not rows:
            continue
        yield f"### {phase.value}: {PHASE_TITLES[phase]}"
        yield ""
        yield (
            "| | wall | CPU client + hub = sum | bytes up / down | requests"
            " | peak memory client / hub | notes |"
        )
        yield "|---|---|---|---|---|---|---|"
        for name, row in rows:
            yield _phase_row(name, row)
        yield ""


def _phase_row(name: str, row: Row) -> str:
    client, hub = seconds(row["cpu_client_s"]), seconds(row["cpu_hub_s"])
    cells = [
        name,
        seconds(row["wall_s"]),
        f"{client} + {hub} = {seconds(row['cpu_s'])}",
        f"{size(row['bytes_up'])} / {size(row['bytes_down'])}",
        "not seen" if row["requests"] is None else f"{row['requests']:g}",
        f"{row['rss_client_mb']:.0f} / {row['rss_hub_mb']:.0f} MB",
        "; ".join(_notes(row)),
    ]
    return f"| {' | '.join(cells)} |"


def _notes(row: Row) -> Iterator[str]:
    extra = row["extra"]
    if row["visible_conflicts"] is not None:
        wanted = extra.get("conflicts_wanted", 0)
        yield f"conflicts found {row['visible_conflicts']:g} of {wanted:g}"
        yield f"false ones {row['false_conflicts']:g}"
    if "resent_bytes" in extra:
        yield f"sent again: {size(max(0.0, extra['resent_bytes']))}"
    if row.get("converged") is not None and extra.get("cpu_at_ack_s", 0) > 0:
        yield f"CPU to the acknowledgement {seconds(extra['cpu_at_ack_s'])}"
    if "gross_wall_s" in extra:
        gross = seconds(extra["gross_cpu_client_s"])
        yield f"with process starts: wall {seconds(extra['gross_wall_s'])}, client CPU {gross}"
    if "body_bytes" in extra:
        yield f"bodies {size(extra['body_bytes'])}"
    if row["converged"] is False:
        yield "**replicas differ**"


@dataclass(frozen=True)
class Ratio:
    """A peer's figure over ours, both from the same run."""

    phase: Phase
    measure: str
    peer: str
    theirs: float
    ours: float
    run: int

    @property
    def factor(self) -> float:
        """Above one: the peer needs more than we do."""
        return self.theirs / self.ours

    def quoted(self) -> str:
        """The ratio with the two figures behind it."""
        unit = MEASURES[self.measure][0]
        show = size if unit == "B" else seconds
        return f"{times(self.factor)}× ({show(self.theirs)} : {show(self.ours)}, run {self.run})"


def ratio(base: Result, peer: Result, phase: Phase, measure: str) -> Ratio | None:
    """The middle one of the runs' ratios; None where it would mean nothing."""
    figure = MEASURES[measure][1]
    found = []
    for number, (mine, other) in enumerate(zip(base.runs, peer.runs, strict=False), 1):
        if phase in mine and phase in other:
            ours, theirs = figure(mine[phase]), figure(other[phase])
            if ours > 0 and (measure != "bytes" or theirs >= NETWORK_BYTES_MIN):
                found.append(Ratio(phase, measure, peer.name, theirs, ours, number))
    found.sort(key=lambda one: one.factor)
    return found[(len(found) - 1) // 2] if found else None


def _ratios(base: Result, results: Sequence[Result]) -> Iterator[str]:
    yield "### What the others need for each of ours"
    yield ""
    yield "Each ratio is of one run (the middle one); below 1× the other is better."
    yield ""
    yield "| | against | CPU | wall | bytes |"
    yield "|---|---|---|---|---|"
    for phase in COMPARED:
        for peer in results:
            if peer.name != base.name:
                found = [ratio(base, peer, phase, measure) for measure in SHOWN]
                cells = [one.quoted() if one else "-" for one in found]
                yield f"| {phase.value} {PHASE_TITLES[phase]} | {peer.name} | {' | '.join(cells)} |"
    yield ""


def _losses(base: Result, results: Sequence[Result]) -> Iterator[str]:
    yield "### Where we lose"
    yield ""
    lost = []
    for peer in results:
        for phase in COMPARED:
            for measure in SHOWN:
                found = ratio(base, peer, phase, measure) if peer.name != base.name else None
                if found and found.factor < 1:
                    lost.append(found)
    for one in lost:
        yield (
            f"* {one.phase.value}, {PHASE_TITLES[one.phase]}: {one.measure}"
            f" {times(1 / one.factor)} times that of {one.peer}: {one.quoted()}."
        )
    if not lost:
        yield "Nowhere in this session's figures."
    yield ""


def _features(results: Sequence[Result]) -> Iterator[str]:
    yield "### What each one does for its figures"
    yield ""
    names = [one.name for one in results]
    yield f"| | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for feature in results[0].features if results else ():
        cells = [one.features[feature] for one in results]
        yield f"| {feature.replace('_', ' ')} | {' | '.join(cells)} |"


def times(factor: float) -> str:
    """A ratio without more digits than it deserves."""
    digits = 0 if factor >= 10 else 2 if factor < 2 else 1
    return f"{factor:.{digits}f}" if factor >= 0.1 else f"{factor:.2g}"


def seconds(value: float) -> str:
    """A duration that can be read at a glance."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.2f} ms"


def size(value: float) -> str:
    """A number of bytes that can be read at a glance."""
    if value >= 1e6:
        return f"{value / 1e6:.2f} MB"
    return f"{value / 1e3:.1f} kB" if value >= 1e4 else f"{value:.0f} B"
