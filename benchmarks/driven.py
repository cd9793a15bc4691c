"""Contenders whose hub and clients are workers driven by JSON lines: the floor and PouchDB.

The worker's language: a client answers `load`, `push`, `pull`, `sync`, `edit`, `conflicts` and
`digest`; a hub says `{"port": N}` first and answers `digest`.
"""

import statistics
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.contender import CUT_SHARE, BenchmarkError, Features, Figures, Phase
from benchmarks.measure import Scene, measured
from benchmarks.process import Proxy, Worker
from benchmarks.workload import SEED, Edit, edits

IDLE_CHECKS = 10


@dataclass(frozen=True)
class Session:
    """What every contender of a session is given.

    `intake_file` holds the lines of `motcua-edge sample`, `dossiers_file` the same dossiers as the
    flat documents that peers store, `ids` those documents' ids in the order of the lines, and
    `received` the numbers of those that are just received.
    """

    intake_file: Path
    dossiers_file: Path
    fields_file: Path
    scratch: Path
    seed: int = SEED
    ids: tuple[str, ...] = ()
    proxy_options: tuple[str, ...] = ()
    received: frozenset[int] = frozenset()

    def order(self, one: Edit) -> dict[str, str]:
        """An edit in the worker's language."""
        return {"id": self.ids[one.number], "field": one.field, "value": one.value}


class Stage:
    """A hub, the proxy before it, and clients, all on stores below one directory."""

    def __init__(self, contender: "Driven", home: Path) -> None:
        """Bring the hub and the proxy up."""
        self._contender = contender
        self._home = home
        home.mkdir(parents=True)
        self.hub = Worker(contender.hub_command(home / "hub"), home / "hub.log")
        options = contender.session.proxy_options
        self.proxy = Proxy(int(self.hub.hello["port"]), home, options)
        self.clients: dict[str, Worker] = {}

    def client(self, name: str) -> Worker:
        """The client of that name, started if it does not run."""
        if name not in self.clients:
            command = self._contender.client_command(self._home / name, self.proxy.port)
            self.clients[name] = Worker(command, self._home / f"{name}.log")
        return self.clients[name]

    def kill(self, name: str) -> None:
        """SIGKILL to one client; `client` starts it again on the same store."""
        self.clients.pop(name).kill()

    def scene(self, *names: str) -> Scene:
        """Those clients and the hub, for measuring."""
        return Scene(self.proxy, self.hub, [self.client(name) for name in names])

    def stop(self) -> None:
        """End all processes."""
        for client in self.clients.values():
            client.stop()
        self.proxy.stop()
        self.hub.stop()


class Driven(ABC):
    """The seven phases, for workers."""

    name = "driven"

    def __init__(self, session: Session, home: Path) -> None:
        """Play in `home`, which must not exist yet."""
        self.session = session
        self._home = home
        self._stages: list[Stage] = []
        self._pushed_bytes = 0

    @abstractmethod
    def missing(self) -> str | None:
        """Why it can't run here."""

    @abstractmethod
    def features(self) -> Features:
        """What it does."""

    @abstractmethod
    def hub_command(self, home: Path) -> Sequence[str]:
        """How its hub is started."""

    @abstractmethod
    def client_command(self, home: Path, port: int) -> Sequence[str]:
        """How a client is started that talks to the hub through `port`."""

    def start(self) -> None:
        """Hub, proxy and A."""
        stage = Stage(self, self._home / "main")
        self._stages.append(stage)
        stage.client("a")

    def stop(self) -> None:
        """End everything."""
        while self._stages:
            self._stages.pop().stop()

    def phase(self, name: Phase) -> Figures:
        """Play one phase."""
        stage = self._stages[0]
        match name:
            case Phase.P0:
                return self._load(stage)
            case Phase.P1:
                figures = self._simple(stage, "a", "push")
                self._pushed_bytes = figures.bytes_up
                return figures
            case Phase.P2:
                return self._simple(stage, "b", "pull")
            case Phase.P3:
                return self._edits(stage, 0)
            case Phase.P3B:
                return self._edits(stage, 1)
            case Phase.P4:
                return self._idle(stage)
            case Phase.P5:
                return self._killed()

    def _load(self, stage: Stage) -> Figures:
        order = {"file": str(self.session.dossiers_file)}
        return measured(stage.scene("a"), lambda: stage.client("a").ask("load", **order))

    def _simple(self, stage: Stage, name: str, command: str) -> Figures:
        scene = stage.scene(name)
        figures = measured(scene, lambda: stage.client(name).ask(command))
        return replace(figures, converged=self._equal(stage, name))

    def _edits(self, stage: Stage, round_number: int) -> Figures:
        scene = stage.scene("a", "b")
        a, b = stage.client("a"), stage.client("b")
        session = self.session
        plan = edits(len(session.ids), round_number, session.received, session.seed)
        cpu_before, began = scene.cpu_client_s(), time.perf_counter()
        a.ask("edit", edits=[self.session.order(one) for one in plan.by_a])
        b.ask("edit", edits=[self.session.order(one) for one in plan.by_b])
        extra = {
            "edit_wall_s": time.perf_counter() - began,
            "edit_cpu_s": scene.cpu_client_s() - cpu_before,
        }

        def until_quiet() -> None:
            for client in (a, b, a):
                client.ask("sync")

        figures = measured(scene, until_quiet)
        numbers = {one: number for number, one in enumerate(self.session.ids)}
        shown = frozenset(numbers[one] for one in a.ask("conflicts")["ids"])
        return replace(
            figures,
            visible_conflicts=len(shown & plan.conflicting),
            false_conflicts=len(shown & plan.innocent),
            converged=self._equal(stage, "a", "b"),
            extra={**figures.extra, **extra, "conflicts_wanted": len(plan.conflicting)},
        )

    def _idle(self, stage: Stage) -> Figures:
        walls = []

        def check() -> None:
            began = time.perf_counter()
            stage.client("a").ask("sync")
            walls.append(time.perf_counter() - began)

        figures = measured(stage.scene("a"), check, times=IDLE_CHECKS)
        return replace(figures, wall_s=statistics.median(walls))

    def _killed(self) -> Figures:
        """Re-sent = what both attempts sent up, less what one undisturbed push sends."""
        stage = Stage(self, self._home / "killed")
        self._stages.append(stage)
        stage.client("a").ask("load", file=str(self.session.dossiers_file))
        stage.proxy.reset()
        with stage.proxy.tripwire(int(self._pushed_bytes * CUT_SHARE)):
            pushing = threading.Thread(target=_push_until_killed, args=(stage.client("a"),))
            pushing.start()
            stage.proxy.wait_for_trip()
            stage.kill("a")
            pushing.join()
        sent_before = stage.proxy.reading()["up"]
        figures = self._simple(stage, "a", "push")
        sent = sent_before + figures.bytes_up
        extra = {"resent_bytes": float(sent - self._pushed_bytes), "sent_before_kill": sent_before}
        return replace(figures, extra={**figures.extra, **extra})

    def _equal(self, stage: Stage, *names: str) -> bool:
        digests = {stage.client(name).ask("digest")["digest"] for name in names}
        digests.add(stage.hub.ask("digest")["digest"])
        return len(digests) == 1


def _push_until_killed(client: Worker) -> None:
    try:
        client.ask("push")
    except (BenchmarkError, OSError, ValueError):
        return
