"""Our side, through the public commands only: `motcua-hub` and `motcua-edge`, over TLS.

Each act of an edge is a command, so an interpreter starts each time; a peer's client starts once.
That start is measured alone (`motcua-edge --version`) and taken off `wall_s` and `cpu_client_s`;
what the commands cost with it stands beside them as `gross_*` in `extra`. Where `sync --json` tells
its own `cpu_ms`, that is taken instead, since `--version` may load less than a sync does. Nothing
is taken off the bytes: each sync pays for a fresh TLS handshake, as a timer's `motcua-edge sync`
would.
"""

import contextlib
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.contender import CUT_SHARE, BenchmarkError, Features, Figures, Phase
from benchmarks.driven import IDLE_CHECKS, Session
from benchmarks.measure import Scene, measured
from benchmarks.process import ROOT, Proxy, Running, find_command, peak_rss_mb
from benchmarks.workload import Edit, Vocabulary, edits

EDGE, HUB = "motcua-edge", "motcua-hub"
WARD_CODE, WARD_NAME = "26734", "Phường Bến Nghé"
READY_TIMEOUT_S = 60.0
COMMAND_TIMEOUT_S = 600.0
PEAK_POLL_MS = 20
START_UP_TRIES = 5
WORDS = Vocabulary()


@dataclass(frozen=True)
class StartUp:
    """What one command costs before it does anything."""

    wall_s: float
    cpu_s: float


class Commands:
    """One edge's commands, with their CPU time and peak memory added up."""

    def __init__(self, program: str, home: Path) -> None:
        """Commands of `program` for one home."""
        self._start = [find_command(program) or program, "--home", str(home)]
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
            process = subprocess.Popen([*self._start, *words], stdout=out, stderr=log, cwd=ROOT)
            code = self._wait(process.pid)
            process.returncode = code
            self.wall_s += time.perf_counter() - began
            self.count += 1
            out.seek(0)
            answer = out.read()
        if code:
            said = self._log.read_text(errors="replace")[-1500:]
            raise BenchmarkError(f"{' '.join(words[:3])} ended with {code}: {said}")
        return answer

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - it is JSON
        """Run a command with `--json` and return what it reported."""
        answer = self.run(*words, "--json")
        try:
            return json.loads(answer)
        except ValueError as error:
            raise BenchmarkError(f"{' '.join(words[:3])} --json said: {answer[:300]}") from error

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a command that is going to be killed."""
        silent = subprocess.DEVNULL
        return subprocess.Popen([*self._start, *words], stdout=silent, stderr=silent, cwd=ROOT)

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
        self._admin.ask("ward", "add", WARD_CODE, WARD_NAME)
        port = _free_port()
        self.proxy = Proxy(port, home, proxy_options)
        self.hub = Running(self._serve(port))
        self.edges: dict[str, Commands] = {}

    def _serve(self, port: int) -> "subprocess.Popen[str]":
        command = [find_command(HUB) or HUB, "--home", str(self._home / "hub")]
        with (self._home / "hub.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "serve", "--port", str(port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        alarm = threading.Timer(READY_TIMEOUT_S, process.kill)
        alarm.start()
        ready = any(line.startswith("ready") for line in process.stdout or ())
        alarm.cancel()
        if not ready:
            said = (self._home / "hub.log").read_text(errors="replace")[-1500:]
            raise BenchmarkError(f"{HUB} serve did not get ready: {said}")
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        return process

    def edge(self, name: str) -> Commands:
        """The edge of that name, enrolled at the first call."""
        if name not in self.edges:
            url = f"https://127.0.0.1:{self.proxy.port}"
            words = ["invite", "--ward", WARD_CODE, "--role", "edge", "--url", url]
            invite = self._admin.ask(*words)["invite"]
            commands = Commands(EDGE, self._home / name)
            commands.run("init")
            commands.run("enrol", "--invite", invite)
            self.edges[name] = commands
        return self.edges[name]

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
        self._start_up = StartUp(0.0, 0.0)

    def missing(self) -> str | None:
        """Whether both commands are installed and answer."""
        absent = [name for name in (EDGE, HUB) if not find_command(name)]
        return f"left out: not installed: {', '.join(absent)}" if absent else None

    def features(self) -> Features:
        """What our figures include."""
        version = subprocess.run(
            [find_command(EDGE) or EDGE, "--version"], capture_output=True, text=True, check=False
        )
        return Features(
            version=version.stdout.strip() or "unknown",
            signed="yes: every feed's head, every message and every receipt",
            encrypted_at_rest="yes (SQLCipher, both sides)",
            durable_ack="yes: a signed receipt after the commit",
            conflicts_visible="yes: per field, until a person settles them",
            transport="HTTPS, private CA, a new connection per sync",
        )

    def start(self) -> None:
        """Hub, proxy, A; and what a command costs before it does anything."""
        self._home.mkdir(parents=True)
        idle = Commands(EDGE, self._home / "nowhere")
        walls, cpus = [], []
        for _ in range(START_UP_TRIES):
            wall, cpu = idle.wall_s, idle.cpu_s()
            idle.run("--version")
            walls.append(idle.wall_s - wall)
            cpus.append(idle.cpu_s() - cpu)
        self._start_up = StartUp(statistics.median(walls), statistics.median(cpus))
        stage = OurStage(self._home / "main", self._session.proxy_options)
        self._stages.append(stage)
        stage.edge("a")

    def stop(self) -> None:
        """End everything."""
        while self._stages:
            self._stages.pop().stop()

    def phase(self, name: Phase) -> Figures:
        """Play one phase."""
        stage = self._stages[0]
        match name:
            case Phase.P0:
                file = str(self._session.dossiers_file)
                return self._measured(stage, ("a",), lambda: stage.edge("a").ask("intake", file))
            case Phase.P1:
                figures = self._syncs(stage, "a")
                self._pushed_bytes = figures.bytes_up
                return figures
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
        """Measure, and take the interpreters' starts off wall and client CPU."""
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
        """`sync` by those edges one after the other; `wall_s` is what the commands report."""
        reports: list[dict[str, Any]] = []

        def work() -> None:
            reports.extend(stage.edge(name).ask("sync") for name in order)

        figures = self._measured(stage, tuple(dict.fromkeys(order)), work)
        inside_s = [report["duration_ms"] / 1000 for report in reports]
        requests = sum(int(report["requests"]) for report in reports)
        said = sum(report["bytes_sent"] + report["bytes_received"] for report in reports)
        extra = {**figures.extra, "body_bytes": said}
        figures = replace(figures, wall_s=sum(inside_s), requests=requests, extra=extra)
        if all("cpu_ms" in report for report in reports):
            inside_cpu_s = sum(report["cpu_ms"] for report in reports) / 1000
            figures = replace(figures, cpu_client_s=inside_cpu_s)
        if each:
            figures = _share(figures, len(reports), statistics.median(inside_s))
        return figures

    def _edits(self, stage: OurStage, round_number: int) -> Figures:
        a, b = stage.edge("a"), stage.edge("b")
        ids = [str(row["id"]) for row in a.ask("dossier", "list")]
        plan = edits(ids, round_number, WORDS)
        cpu_before, began = a.cpu_s() + b.cpu_s(), time.perf_counter()
        for edge, wanted in ((a, plan.by_a), (b, plan.by_b)):
            for one in wanted:
                _set(edge, one)
        extra = {
            "edit_wall_s": time.perf_counter() - began,
            "edit_cpu_s": a.cpu_s() + b.cpu_s() - cpu_before,
        }
        figures = self._syncs(stage, "a", "b", "a")
        shown = frozenset(_dossier_of(item) for item in a.ask("conflict", "list"))
        return replace(
            figures,
            visible_conflicts=len(shown & plan.conflicting),
            false_conflicts=len(shown & plan.innocent),
            converged=_equal(stage),
            extra={**figures.extra, **extra, "conflicts_wanted": len(plan.conflicting)},
        )

    def _killed(self) -> Figures:
        """Re-sent = what both attempts sent up, less what one undisturbed push sends."""
        stage = OurStage(self._home / "killed", self._session.proxy_options)
        self._stages.append(stage)
        edge = stage.edge("a")
        edge.ask("intake", str(self._session.dossiers_file))
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
        return replace(figures, extra=extra)


def _set(edge: Commands, one: Edit) -> None:
    edge.run("dossier", "set", one.dossier_id, f"{one.field}={one.value}")


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
    """Whether A and B report the same digest."""
    said = [stage.edge(name).ask("digest") for name in ("a", "b")]
    digests = [one.get("digest", one) if isinstance(one, dict) else one for one in said]
    return bool(digests[0] == digests[1])


def _dossier_of(item: dict[str, Any]) -> str:
    """The dossier that an open conflict belongs to."""
    for name in ("dossier", "dossier_id", "record", "record_id", "id"):
        if name in item:
            return str(item[name])
    raise BenchmarkError(f"conflict list names no dossier: {sorted(item)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _drain(process: "subprocess.Popen[str]") -> None:
    """Read on, so that the hub never waits for its reader."""
    with contextlib.suppress(OSError, ValueError):
        for _ in process.stdout or ():
            pass
