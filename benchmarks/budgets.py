"""The budgets of the design beside what one session measured.

Bytes, requests and conflicts are medians; a ratio is the middle one of the runs' ratios, quoted
with the two figures of that run. What a session can't measure says so, and counts as open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contender import Phase
from benchmarks.report import Result, ratio, seconds, size, times

EDIT_TRANSFERS = 4
"""P3 carries a hundred edits four times: A up, B down, B up, A down."""
BLOCK_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget. `held` is None where this session did not measure it."""

    wanted: str
    measured: str
    held: bool | None


def budgets(results: Sequence[Result]) -> list[Budget]:
    """Every budget, in the order of the design; none without our own side."""
    by_name = {result.name: result for result in results}
    ours = by_name.get("ours")
    if ours is None:
        return []
    return [
        *_bytes(ours),
        *_edits(ours),
        *_ratios(ours, by_name),
        *_own(ours),
        *_elsewhere(),
    ]


def _bytes(ours: Result) -> Iterator[Budget]:
    medians = ours.medians()
    push, pull, idle, killed = (
        medians[phase] for phase in (Phase.P1, Phase.P2, Phase.P4, Phase.P5)
    )
    zstd, count = float(ours.session["zstd3_bytes"]), int(ours.session["dossiers"])
    for title, row, sent in (
        ("push", push, push["bytes_up"]),
        ("pull", pull, pull["bytes_down"]),
    ):
        wanted = f"{title}: bytes on the wire ≤ zstd -3 of the same JSON lines"
        yield Budget(wanted, f"{size(sent)} : {size(zstd)} = {sent / zstd:.2f}×", sent <= zstd)
        asked = row["requests"] * 10_000 / count
        wanted = f"{title}: ≤ 6 requests per 10,000 dossiers"
        yield Budget(wanted, f"{row['requests']:g}", asked <= 6)
    wanted = "bytes: stretch goal, ≤ 0.75 × zstd -3"
    yield Budget(wanted, f"{push['bytes_up'] / zstd:.2f}×", push["bytes_up"] <= 0.75 * zstd)
    body = idle["extra"]["body_bytes"]
    held = idle["requests"] == 1 and body <= 300
    measured = f"{idle['requests']:g} request, {size(body)}"
    yield Budget("idle check: 1 request, ≤ 300 bytes of body", measured, held)
    again = max(0.0, killed["extra"]["resent_bytes"] - idle["bytes_up"])
    block = push["bytes_up"] / max(1.0, count / BLOCK_ENTRIES)
    measured = f"{size(again)} again, beside a second handshake; a block has {size(block)} (mean)"
    yield Budget("killed in mid-push: at most 1 block again", measured, again <= block)


def _edits(ours: Result) -> Iterator[Budget]:
    for phase, name in ((Phase.P3, "first contact"), (Phase.P3B, "steady")):
        row = ours.medians()[phase]
        each = row["extra"]["body_bytes"] / EDIT_TRANSFERS
        wanted = f"100 edits ({name}): ≤ 4 KB per link"
        yield Budget(wanted, f"{size(each)} of bodies", each <= 4_000)
        found, false = row["visible_conflicts"], row["false_conflicts"]
        expected = row["extra"]["conflicts_wanted"]
        wanted = f"overlapping edits ({name}): all visible, no false conflicts"
        measured = f"{found:g} of {expected:g} visible, {false:g} false"
        yield Budget(wanted, measured, found == expected and not false)


def _ratios(ours: Result, by_name: Mapping[str, Result]) -> Iterator[Budget]:
    for phase, title in ((Phase.P1, "push"), (Phase.P2, "pull")):
        for peer, factor, sentence in (
            ("floor", 0.5, "≤ 2 × the floor of the same run"),
            ("pouchdb-1000", 6.0, "≥ 6 × less than PouchDB at batch 1000"),
            ("pouchdb-100", 9.0, "≥ 9 × less than PouchDB at its default"),
        ):
            wanted = f"{title}: CPU of both ends, everything on, {sentence}"
            yield _ratio(ours, by_name.get(peer), phase, "CPU", wanted, factor)
    wanted = "push, to the durable acknowledgement: CPU ≥ 20 × less than PouchDB at batch 1000"
    yield _ratio(ours, by_name.get("pouchdb-1000"), Phase.P1, "CPU to ack", wanted, 20.0)


def _ratio(
    ours: Result, peer: Result | None, phase: Phase, measure: str, wanted: str, factor: float
) -> Budget:
    found = None if peer is None else ratio(ours, peer, phase, measure)
    if found is None:
        return Budget(wanted, "the peer was not part of this session", None)
    if factor < 1:  # better read as ours over theirs
        mine, theirs = seconds(found.ours), seconds(found.theirs)
        measured = f"{times(1 / found.factor)} × ({mine} : {theirs}, run {found.run})"
    else:
        measured = f"{times(found.factor)} × ({found.quoted().split('(')[1]}"
    return Budget(wanted, measured, found.factor >= factor)


def _own(ours: Result) -> Iterator[Budget]:
    medians = ours.medians()
    push, load, idle = medians[Phase.P1], medians[Phase.P0], medians[Phase.P4]
    speed = int(ours.session["dossiers"]) / push["cpu_hub_s"]
    measured = f"{speed:,.0f} dossiers/s ({seconds(push['cpu_hub_s'])} of CPU)"
    yield Budget("a full ingest on the hub ≥ 15,000 dossiers/s per core", measured, speed >= 15_000)
    memory = push["rss_hub_mb"]
    wanted = "memory of the hub while it takes them in ≤ 200 MB"
    yield Budget(wanted, f"{memory:.0f} MB", memory <= 200)
    cpu = load["extra"]["gross_cpu_client_s"]
    wanted = "intake of the file, start included: < 4 s of CPU (for 10,000)"
    yield Budget(wanted, seconds(cpu), cpu < 4 * int(ours.session["dossiers"]) / 10_000)
    cpu = idle["extra"]["gross_cpu_client_s"]
    wanted = "an idle `sync`, start included: < 0.35 s of CPU"
    yield Budget(wanted, seconds(cpu), cpu < 0.35)


def _elsewhere() -> Iterator[Budget]:
    yield Budget("status look-ups ≥ 5,000/s per core through Flask", "not in this benchmark", None)
    yield Budget("a million dossiers under 200 MB of memory", "not in this benchmark", None)
    wanted = "100,000 dossiers on an edge: every list and search ≤ 100 ms"
    yield Budget(wanted, "not in this benchmark", None)


def table(results: Sequence[Result]) -> list[str]:
    """The budgets as lines of Markdown."""
    rows = budgets(results)
    if not rows:
        return []
    lines = ["### Budgets", "", "| budget | measured | held |", "|---|---|---|"]
    words: Mapping[Any, str] = {True: "yes", False: "**no**", None: "open"}
    lines += [f"| {row.wanted} | {row.measured} | {words[row.held]} |" for row in rows]
    return [*lines, ""]
