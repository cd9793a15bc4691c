"""One phase measured: counters before, the work, rest, counters after."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contender import Figures
from benchmarks.process import Metered, Proxy, Running

REST_WINDOW_S = 0.1
REST_WINDOWS = 3
"""A busy machine may leave a process without a core for a while; it is not at rest then."""
REST_CPU_S = 0.004
REST_WAIT_MAX_S = 60.0
DEFERRED_CPU_S = 0.02
"""A thread of the hub that uses more after the acknowledgement does deferred work."""


@dataclass(frozen=True)
class Scene:
    """Who takes part in a phase."""

    proxy: Proxy
    hub: Running
    clients: Sequence[Metered]

    def cpu_client_s(self) -> float:
        """CPU seconds of all clients so far."""
        return sum(client.cpu_s() for client in self.clients)

    def everybody(self) -> list[Metered]:
        """Clients and hub."""
        return [*self.clients, self.hub]


def rest(everybody: Sequence[Metered]) -> None:
    """Wait until nobody works any more: deferred folding and compaction belong to the phase."""
    end = time.monotonic() + REST_WAIT_MAX_S
    before = sum(one.cpu_s() for one in everybody)
    quiet = 0
    while quiet < REST_WINDOWS and time.monotonic() < end:
        time.sleep(REST_WINDOW_S)
        now = sum(one.cpu_s() for one in everybody)
        quiet = quiet + 1 if now - before < REST_CPU_S else 0
        before = now


def measured(scene: Scene, work: Callable[[], object], *, times: int = 1) -> Figures:
    """Do the work `times` times and return the figures of one time.

    `wall_s` ends at the acknowledgement; `cpu_*_s` are counted on to the rest that follows. `extra`
    tells `cpu_at_ack_s`: what was used until the acknowledgement, less what those threads of the
    hub used that went on working after it, for theirs is the deferred work.
    """
    everybody = scene.everybody()
    rest(everybody)
    for one in everybody:
        one.reset_peak()
    scene.proxy.reset()
    client_before, hub_before = scene.cpu_client_s(), scene.hub.cpu_s()
    threads_before = scene.hub.thread_cpu_s()
    began = time.perf_counter()
    for _ in range(times):
        work()
    wall_s = time.perf_counter() - began
    client_at_ack, hub_at_ack = scene.cpu_client_s(), scene.hub.cpu_s()
    threads_at_ack = scene.hub.thread_cpu_s()
    rest(everybody)
    line = scene.proxy.reading()
    deferred = _deferred_s(threads_before, threads_at_ack, scene.hub.thread_cpu_s())
    at_ack = client_at_ack - client_before + hub_at_ack - hub_before - deferred
    return Figures(
        wall_s=wall_s / times,
        cpu_client_s=(scene.cpu_client_s() - client_before) / times,
        cpu_hub_s=(scene.hub.cpu_s() - hub_before) / times,
        bytes_up=line["up"] // times,
        bytes_down=line["down"] // times,
        connections=round(line["connections"] / times),
        requests=round(line["requests"] / times) if line["plain"] else None,
        rss_client_mb=max((client.peak_mb() for client in scene.clients), default=0.0),
        rss_hub_mb=scene.hub.peak_mb(),
        extra={"cpu_at_ack_s": at_ack / times},
    )


def _deferred_s(
    before: Mapping[int, float], at_ack: Mapping[int, float], after: Mapping[int, float]
) -> float:
    """What the threads that worked on after the acknowledgement had used until then."""
    return sum(
        used - before.get(thread, 0.0)
        for thread, used in at_ack.items()
        if after.get(thread, used) - used > DEFERRED_CPU_S
    )
