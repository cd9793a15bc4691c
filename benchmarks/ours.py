"""Our side, through the public commands only: `motcua-hub` and `motcua-edge`, over TLS.

Each act of an edge is a command, so an interpreter starts each time; a peer's client starts once.
What is taken off, so that like is compared with like, and what stands beside it in `extra`:

* `sync`: `wall_s` and `cpu_client_s` are what the command itself tells (`duration_ms`, `cpu_ms`):
  opening the stores, the exchange and the folding, without the interpreter's start.
* `intake` and the edits: the start of a command that opens everything and does nothing (`health`)
  is taken off.
* `gross_*` is what the commands cost with their starts.

Nothing is taken off the bytes: each sync pays for a fresh TLS handshake, as a timer's
`motcua-edge sync` would. The hub's folding counts in full: a phase ends when the hub is at rest,
and it must hold every dossier then.
"""

import contextlib
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.contender import CUT_SHARE, BenchmarkError, Features, Figures, Phase
from benchmarks.driven import IDLE_CHECKS, Session
from benchmarks.measure import Scene, measured
from benchmarks.process import ROOT, Proxy, Running, environment, peak_rss_mb
from benchmarks.workload import Edit, edits

EDGE, HUB = "edge_node", "central_hub"
WARD_CODE, WARD_NAME = "00070", "Phường Hoàn Kiếm"
READY_TIMEOUT_S = 60.0
COMMAND_TIMEOUT_S = 600.0
PEAK_POLL_MS = 20
START_UP_TRIES = 5


@dataclass(frozen=True)
class StartUp:
    """What one command costs before it does anything."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


class Commands:
    """One device's commands, with their CPU time and peak memory added up."""

    def __init__(self, program: str, home: Path) -> None:
        """Commands of `program` for one home."""
        self._start = [sys.executable, "-m", program, "--home", str(home)]
        self._log = home.with_suffix(".log")
        self._cpu_s = 0.0
        self._peak_mb = 0.0
        self.count = 0
        self.wall_s = 0.0

    def cpu_s(self) -> float:
        """Seconds of all commands that have ended."""
        return self._cpu_s

    def peak_mb(self) -> float:
        """The largest command since `reset_peak`."""
        return self._peak_mb

    def reset_peak(self) -> None:
        """Forget the peak."""
        self._peak_mb = 0.0

    def run(self, *words: str) -> str:
        """Run one command to its end and return its stdout."""
        with tempfile.TemporaryFile("w+") as out, self._log.open("ab") as log:
            began = time.perf_counter()
            process = self._popen(words, out, log)
            code = self._wait(process.pid)
            process.returncode = code
            self.wall_s += time.perf_counter() - began
            self.count += 1
            out.seek(0)
            answer = out.read()
        if code:
            said = self._log.read_text(errors="replace")[-1500:]
            raise BenchmarkError(f"{' '.join(words[:3])} ended with {code}: {answer[-300:]} {said}")
        return answer

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - it is JSON
        """Run a command with `--json` and return what it reported."""
        return self.ask_lines(*words)[-1]

    def ask_lines(self, *words: str) -> list[Any]:
        """Run a command with `--json` that reports line by line."""
        answer = self.run(*words, "--json")
        try:
            found = [json.loads(line) for line in answer.splitlines()]
        except ValueError as error:
            raise BenchmarkError(f"{' '.join(words[:3])} --json said: {answer[:300]}") from error
        if not found:
            raise BenchmarkError(f"{' '.join(words[:3])} --json said nothing")
        return found

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command that is going to be killed."""
        return self._popen(words, subprocess.DEVNULL, subprocess.DEVNULL)

    def serve(self, *words: str) -> "subprocess.Popen[str]":
        """Start `serve` and return once it is ready."""
        with self._log.open("ab") as log:
            process = self._popen(["serve", *words], subprocess.PIPE, log)
        alarm = threading.Timer(READY_TIMEOUT_S, process.kill)
        alarm.start()
        ready = any(line.startswith("ready") for line in process.stdout or ())
        alarm.cancel()
        if not ready:
            said = self._log.read_text(errors="replace")[-1500:]
            raise BenchmarkError(f"serve did not get ready: {said}")
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        return process

    def _popen(self, words: Sequence[str], out: Any, log: Any) -> "subprocess.Popen[str]":  # noqa: ANN401 - as Popen takes them
        return subprocess.Popen(
            [*self._start, *words], stdout=out, stderr=log, text=True, cwd=ROOT, env=environment()
        )

    def _wait(self, pid: int) -> int:
        end = time.monotonic() + COMMAND_TIMEOUT_S
        handle = os.pidfd_open(pid)
        try:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            while not ended.poll(PEAK_POLL_MS):
                self._peak_mb = max(self._peak_mb, peak_rss_mb(pid))
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGKILL)
        finally:
            os.close(handle)
        _, status, usage = os.wait4(pid, 0)
        self._cpu_s += usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status)


class OurStage:
    """A hub that serves, the proxy before it, and edges that are enrolled through it."""

    def __init__(self, home: Path, proxy_options: tuple[str, ...]) -> None:
        """Everything on fresh stores below `home`."""
        home.mkdir(parents=True)
        self._home = home
        self._admin = Commands(HUB, home / "hub")
        self._admin.run("init")
        self._admin.run("ward", "add", WARD_CODE, WARD_NAME)
        port = _free_port()
        self.proxy = Proxy(port, home, proxy_options)
        self.hub = Running(self._admin.serve("--host", "127.0.0.1", "--port", str(port)))
        self.edges: dict[str, Commands] = {}
        self.ids: list[str] = []

    def edge(self, name: str) -> Commands:
        """The edge of that name, enrolled (and empty) at the first call."""
        if name not in self.edges:
            url = f"https://127.0.0.1:{self.proxy.port}"
            words = ["invite", "--ward", WARD_CODE, "--role", "edge", "--url", url]
            invite = self._admin.ask(*words)["invite"]
            commands = Commands(EDGE, self._home / name)
            commands.run("init")
            commands.run("enrol", "--invite", invite)
            self.edges[name] = commands
        return self.edges[name]

    def intake(self, name: str, file: Path) -> None:
        """Let an edge capture a file; the dossiers' ids are kept in the order of its lines."""
        self.ids = [line["id"] for line in self.edge(name).ask_lines("intake", str(file))]

    def hub_holds(self) -> int:
        """How many dossiers the hub shows, which is after it has folded them."""
        rows = self._admin.ask("ward", "list")
        return sum(int(row["dossiers"]) for row in rows)

    def scene(self, *names: str) -> Scene:
        """Those edges and the hub, for measuring."""
        return Scene(self.proxy, self.hub, [self.edge(name) for name in names])

    def stop(self) -> None:
        """End the proxy and the hub."""
        self.proxy.stop()
        self.hub.stop()


class Ours:
    """Một Cửa as a contender."""

    name = "ours"

    def __init__(self, session: Session, home: Path) -> None:
        """Play in `home`, which must not exist yet."""
        self._session = session
        self._home = home
        self._stages: list[OurStage] = []
        self._pushed_bytes = 0
        self._start_up = StartUp()

    def missing(self) -> str | None:
        """Nothing: it is the code beside this file."""
        return None

    def features(self) -> Features:
        """What our figures include."""
        return Features(
            version="motcua " + metadata.version("motcua"),
            signed="yes: every feed's head, every message and every receipt",
            encrypted_at_rest="yes (SQLCipher, both sides)",
            durable_ack="yes: a signed receipt after the commit",
            conflicts_visible="yes: per field, until a person settles them",
            transport="HTTPS, private CA, a new connection per sync",
        )

    def start(self) -> None:
        """Hub, proxy, A and B, both empty; and what a command costs before it does anything."""
        stage = OurStage(self._home / "main", self._session.proxy_options)
        self._stages.append(stage)
        stage.edge("b")
        edge = stage.edge("a")
        walls, cpus = [], []
        for _ in range(START_UP_TRIES):
            wall, cpu = edge.wall_s, edge.cpu_s()
            edge.ask("health")
            walls.append(edge.wall_s - wall)
            cpus.append(edge.cpu_s() - cpu)
        self._start_up = StartUp(statistics.median(walls), statistics.median(cpus))

    def stop(self) -> None:
        """End everything."""
        while self._stages:
            self._stages.pop().stop()

    def phase(self, name: Phase) -> Figures:
        """Play one phase."""
        stage = self._stages[0]
        match name:
            case Phase.P0:
                file = self._session.intake_file
                return self._measured(stage, ("a",), lambda: stage.intake("a", file))
            case Phase.P1:
                figures = self._syncs(stage, "a")
                self._pushed_bytes = figures.bytes_up
                return replace(figures, converged=self._arrived(stage))
            case Phase.P2:
                figures = self._syncs(stage, "b")
                return replace(figures, converged=_equal(stage))
            case Phase.P3:
                return self._edits(stage, 0)
            case Phase.P3B:
                return self._edits(stage, 1)
            case Phase.P4:
                return self._syncs(stage, *["a"] * IDLE_CHECKS, each=True)
            case Phase.P5:
                return self._killed()

    def _measured(
        self, stage: OurStage, names: tuple[str, ...], work: Callable[[], object]
    ) -> Figures:
        """Measure, and take the commands' starts off wall and client CPU."""
        scene = stage.scene(*names)
        edges = [stage.edge(name) for name in names]
        before = sum(edge.count for edge in edges)
        figures = measured(scene, work)
        starts = sum(edge.count for edge in edges) - before
        start_cpu_s = starts * self._start_up.cpu_s
        return replace(
            figures,
            wall_s=max(0.0, figures.wall_s - starts * self._start_up.wall_s),
            cpu_client_s=max(0.0, figures.cpu_client_s - start_cpu_s),
            extra={
                **figures.extra,
                "cpu_at_ack_s": max(0.0, figures.extra["cpu_at_ack_s"] - start_cpu_s),
                "gross_wall_s": figures.wall_s,
                "gross_cpu_client_s": figures.cpu_client_s,
                "commands": starts,
                "start_up_cpu_s": self._start_up.cpu_s,
            },
        )

    def _syncs(self, stage: OurStage, *order: str, each: bool = False) -> Figures:
        """`sync` by those edges one after the other; wall and CPU are what the commands report."""
        reports: list[dict[str, Any]] = []

        def work() -> None:
            reports.extend(stage.edge(name).ask("sync") for name in order)

        figures = self._measured(stage, tuple(dict.fromkeys(order)), work)
        inside_s = [report["duration_ms"] / 1000 for report in reports]
        inside_cpu_s = sum(report["cpu_ms"] for report in reports) / 1000
        at_ack_s = figures.extra["cpu_at_ack_s"] - figures.cpu_client_s + inside_cpu_s
        said = sum(report["bytes_sent"] + report["bytes_received"] for report in reports)
        figures = replace(
            figures,
            wall_s=sum(inside_s),
            cpu_client_s=inside_cpu_s,
            requests=sum(int(report["requests"]) for report in reports),
            extra={**figures.extra, "body_bytes": said, "cpu_at_ack_s": at_ack_s},
        )
        if each:
            figures = _share(figures, len(reports), statistics.median(inside_s))
        return figures

    def _edits(self, stage: OurStage, round_number: int) -> Figures:
        a, b = stage.edge("a"), stage.edge("b")
        session = self._session
        plan = edits(len(stage.ids), round_number, session.received, session.seed)
        cpu_before, began = a.cpu_s() + b.cpu_s(), time.perf_counter()
        for edge, wanted in ((a, plan.by_a), (b, plan.by_b)):
            self._save(edge, stage.ids, wanted)
        extra = {
            "edit_wall_s": time.perf_counter() - began - 2 * self._start_up.wall_s,
            "edit_cpu_s": a.cpu_s() + b.cpu_s() - cpu_before - 2 * self._start_up.cpu_s,
        }
        figures = self._syncs(stage, "a", "b", "a")
        number = {one: at for at, one in enumerate(stage.ids)}
        shown = frozenset(number[item["id"]] for item in a.ask("conflict", "list"))
        return replace(
            figures,
            visible_conflicts=len(shown & plan.conflicting),
            false_conflicts=len(shown & plan.innocent),
            converged=_equal(stage),
            extra={**figures.extra, **extra, "conflicts_wanted": len(plan.conflicting)},
        )

    def _save(self, edge: Commands, ids: Sequence[str], wanted: Sequence[Edit]) -> None:
        """Save edits one by one, each durably, with one command."""
        file = self._home / "edits.jsonl"
        rows = [{"id": ids[one.number], "fields": [f"{one.field}={one.value}"]} for one in wanted]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        saved = edge.ask_lines("dossier", "set", "--file", str(file))
        if [row.get("changed") for row in saved] != [True] * len(wanted):
            raise BenchmarkError("an edit was not saved")

    def _killed(self) -> Figures:
        """Re-sent = what both attempts sent up, less what one undisturbed push sends."""
        stage = OurStage(self._home / "killed", self._session.proxy_options)
        self._stages.append(stage)
        edge = stage.edge("a")
        stage.intake("a", self._session.intake_file)
        stage.proxy.reset()
        with stage.proxy.tripwire(int(self._pushed_bytes * CUT_SHARE)):
            pushing = edge.begin("sync", "--json")
            stage.proxy.wait_for_trip()
            pushing.kill()
            pushing.wait()
        sent_before = stage.proxy.reading()["up"]
        figures = self._syncs(stage, "a")
        resent = float(sent_before + figures.bytes_up - self._pushed_bytes)
        extra = {**figures.extra, "resent_bytes": resent, "sent_before_kill": sent_before}
        return replace(figures, converged=self._arrived(stage), extra=extra)

    def _arrived(self, stage: OurStage) -> bool:
        """Whether the hub, at rest, shows every dossier."""
        return stage.hub_holds() == len(self._session.ids)


def _share(figures: Figures, parts: int, wall_s: float) -> Figures:
    """One of several equal checks."""
    return replace(
        figures,
        wall_s=wall_s,
        cpu_client_s=figures.cpu_client_s / parts,
        cpu_hub_s=figures.cpu_hub_s / parts,
        bytes_up=figures.bytes_up // parts,
        bytes_down=figures.bytes_down // parts,
        connections=round(figures.connections / parts),
        requests=round((figures.requests or 0) / parts),
        extra={name: value / parts for name, value in figures.extra.items()}
        | {"start_up_cpu_s": figures.extra["start_up_cpu_s"]},
    )


def _equal(stage: OurStage) -> bool:
    """Whether A and B show the same. (A frontier may lag by what the hub said since.)"""
    a, b = (stage.edge(name).ask("digest") for name in ("a", "b"))
    return bool(a["sha256"] == b["sha256"] and a["records"] == b["records"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _drain(process: "subprocess.Popen[str]") -> None:
    """Read on, so that the hub never waits for its reader."""
    with contextlib.suppress(OSError, ValueError):
        for _ in process.stdout or ():
            pass
