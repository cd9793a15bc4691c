"""Run the benchmarks: `python -m benchmarks [--count N] [--only ours,floor,pouchdb] [--runs R]`."""

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import budgets, report, workload
from benchmarks.contender import BenchmarkError, Contender, Phase
from benchmarks.driven import Session
from benchmarks.floor import Floor
from benchmarks.ours import Ours
from benchmarks.pouchdb import PouchDB

Maker = Callable[[Session, Path], Contender]
MAKERS: dict[str, Maker] = {
    "ours": Ours,
    "floor": Floor,
    "pouchdb-1000": partial(PouchDB, batch=1000),
    "pouchdb-100": partial(PouchDB, batch=100),
}
COUNT_MIN = 100


def wanted() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="dossiers")
    parser.add_argument("--only", default="ours,floor,pouchdb", help="names or beginnings of names")
    parser.add_argument("--runs", type=int, default=3, help="rotations; medians are over them")
    parser.add_argument("--seed", type=int, default=workload.SEED)
    parser.add_argument(
        "--rate", type=float, default=0.0, help="slow line: bytes per second each way"
    )
    parser.add_argument("--delay", type=float, default=0.0, help="slow line: milliseconds each way")
    parser.add_argument("--scratch", type=Path, help="where the stores go: a real disk, not memory")
    parser.add_argument("--no-save", action="store_true", help="print only; leave results and page")
    parser.add_argument("--page-only", action="store_true", help="write the page anew, run nothing")
    found = parser.parse_args()
    if found.count < COUNT_MIN or found.runs < 1:
        parser.error(f"--count is at least {COUNT_MIN}, --runs at least 1")
    return found


def main() -> int:
    """Play all contenders in rotation and report."""
    options = wanted()
    if options.page_only:
        return write_again()
    beginnings = tuple(options.only.split(","))
    names = [name for name in MAKERS if name.startswith(beginnings)]
    scratch = Path(tempfile.mkdtemp(prefix="motcua-benchmarks-", dir=options.scratch))
    try:
        session, facts = prepared(options, scratch)
        results, left_out = rotate(names, session, facts, options)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = report.markdown(results, left_out, budgets.table(results))
    sys.stdout.write(text + "\n")
    if not options.no_save and results:
        report.write_page(text)
    return 0 if results else 1


def write_again() -> int:
    """Write the page from the results that are saved."""
    results = report.load()
    report.write_page(report.markdown(results, {}, budgets.table(results)))
    return 0 if results else 1


def prepared(options: argparse.Namespace, scratch: Path) -> tuple[Session, dict[str, object]]:
    """The dossiers on disk, and the circumstances to be written beside the figures."""
    lines = workload.dossiers(options.count, options.seed)
    rows = workload.documents(lines, options.seed)
    intake_file, dossiers_file = scratch / "intake.jsonl", scratch / "dossiers.jsonl"
    fields_file = scratch / "fields.json"
    intake_file.write_bytes(b"".join(lines))
    workload.write_json_lines(dossiers_file, rows)
    names = sorted({name for row in rows for name in row})
    fields_file.write_text(json.dumps(names), encoding="utf-8")
    line = ("--rate", str(options.rate), "--delay", str(options.delay))
    facts = {
        "begun": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "dossiers": options.count,
        "seed": options.seed,
        "runs": options.runs,
        "fields": len(names),
        **workload.sizes(lines),
        "line": f"{options.rate:g} B/s, {options.delay:g} ms"
        if options.rate or options.delay
        else "loopback",
        **machine(scratch),
    }
    ids = tuple(str(row["id"]) for row in rows)
    session = Session(
        intake_file,
        dossiers_file,
        fields_file,
        scratch,
        options.seed,
        ids,
        line,
        workload.received(rows),
    )
    return session, facts


def machine(scratch: Path) -> dict[str, object]:
    """What the figures depend on beside the code."""
    rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(
        (row.partition(":")[2].strip() for row in rows if row.startswith("model name")), ""
    )
    mounts = [row.split() for row in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    below = [(len(row[1]), row[2]) for row in mounts if str(scratch).startswith(row[1])]
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "file_system": max(below)[1] if below else "unknown",
    }


def rotate(
    names: list[str], session: Session, facts: dict[str, object], options: argparse.Namespace
) -> tuple[list[report.Result], dict[str, str]]:
    """Run 1 of each, run 2 of each, ...; one that fails is left out, the others go on.

    What is there is saved after each run: a session that is stopped is not lost.
    """
    results: dict[str, report.Result] = {}
    left_out: dict[str, str] = {}
    loads: list[float] = []
    facts["load_after_each_run"] = loads
    for run in range(1, options.runs + 1):
        for name in names:
            if name in left_out:
                continue
            home = session.scratch / f"{name}-{run}"
            contender = MAKERS[name](session, home)
            reason = contender.missing()
            if reason:
                left_out[name] = reason
                continue
            try:
                figures = play(contender, run)
            except BenchmarkError as error:
                left_out[name] = f"failed in run {run}: {error}"
                results.pop(name, None)
                continue
            finally:
                shutil.rmtree(home, ignore_errors=True)
            features = contender.features().as_json()
            result = results.setdefault(name, report.Result(name, facts, features))
            result.runs.append(figures)
        loads.append(round(os.getloadavg()[0], 1))
        if not options.no_save:
            for result in results.values():
                report.save(result)
    return list(results.values()), left_out


def play(contender: Contender, run: int) -> dict[str, report.Row]:
    """All phases of one run."""
    figures: dict[str, report.Row] = {}
    try:
        contender.start()
        for phase in Phase:
            row = contender.phase(phase).as_json()
            figures[phase] = row
            line = (
                f"{contender.name} run {run} {phase.value}: {report.seconds(row['wall_s'])} wall, "
            )
            line += f"{report.seconds(row['cpu_s'])} CPU, {report.size(row['bytes_total'])}"
            sys.stderr.write(line + "\n")
    finally:
        contender.stop()
    return figures


if __name__ == "__main__":
    sys.exit(main())
