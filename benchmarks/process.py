"""Processes that are measured: started, asked by JSON lines, killed, and their CPU and memory read.

CPU is the kernel's per-process clock (nanoseconds, all threads, ended threads included), which
`/proc/PID/stat` would give in steps of 10 ms only: too coarse for an idle check. A process that has
children (a web server's workers) counts with them. Peak memory is `VmHWM`, set back per phase.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.contender import BenchmarkError

ANSWER_TIMEOUT_S = 900.0
ROOT = Path(__file__).resolve().parent.parent


class Metered(Protocol):
    """Something with CPU time and memory: a process, or a series of commands."""

    def cpu_s(self) -> float:
        """User and system seconds so far."""

    def peak_mb(self) -> float:
        """Peak resident memory since `reset_peak`."""

    def reset_peak(self) -> None:
        """Forget the peak so far."""


def environment() -> dict[str, str]:
    """What every process is started with: it runs the code of this tree, whatever is installed.

    Compiled code is kept, as in every installation, also where the shell says otherwise.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "NODE_ENV": "production"}


def thread_cpu_s(pid: int) -> dict[int, float]:
    """CPU seconds of each living thread of one process."""
    found = {}
    for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            found[int(stat.parent.name)] = int(stat.read_text().split()[0]) / 1e9
    return found


def cpu_clock_s(pid: int) -> float:
    """CPU seconds of one living process; 0.0 if it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, []))
    return found


def peak_rss_mb(pid: int) -> float:
    """`VmHWM` of one living process."""
    with contextlib.suppress(OSError):
        for row in Path(f"/proc/{pid}/status").read_text().splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) / 1024
    return 0.0


class Running:
    """A process that was started here and is measured with all its descendants."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Measure a process that is already running."""
        self.process = process

    def cpu_s(self) -> float:
        """User and system seconds of the whole family so far."""
        return sum(cpu_clock_s(pid) for pid in family(self.process.pid))

    def thread_cpu_s(self) -> dict[int, float]:
        """CPU seconds of each thread of the process itself."""
        return thread_cpu_s(self.process.pid)

    def peak_mb(self) -> float:
        """The sum of the family's peaks."""
        return sum(peak_rss_mb(pid) for pid in family(self.process.pid))

    def reset_peak(self) -> None:
        """Let the kernel count the peak anew."""
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()
        self._close()

    def stop(self, timeout_s: float = 15.0) -> None:
        """End it politely, then firmly."""
        with contextlib.suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


class Worker(Running):
    """A process that answers each JSON line on stdin with one JSON line on stdout."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """Start it and wait for its first line, which is kept as `hello`."""
        with log.open("ab") as errors:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=environment(),
            )
        super().__init__(process)
        self._log = log
        self.hello = self._answer()

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Give one order and wait for its answer."""
        self.tell(json.dumps({"do": command, **arguments}))
        return self._answer()

    def order(self, words: str) -> dict[str, Any]:
        """Give one order in plain words (the proxy's language)."""
        self.tell(words)
        return self._answer()

    def tell(self, words: str) -> None:
        """Give one order without waiting."""
        if not self.process.stdin:
            raise BenchmarkError("the process has no stdin")
        try:
            self.process.stdin.write(words + "\n")
            self.process.stdin.flush()
        except OSError as error:
            last = self._log.read_text(errors="replace")[-2000:]
            raise BenchmarkError(f"a process ended before its order:\n{last}") from error

    def _answer(self) -> dict[str, Any]:
        stdout = self.process.stdout
        if not stdout:
            raise BenchmarkError("the process has no stdout")
        alarm = threading.Timer(ANSWER_TIMEOUT_S, self.process.kill)
        alarm.start()
        try:
            text = stdout.readline()
        finally:
            alarm.cancel()
        if not text:
            last = self._log.read_text(errors="replace")[-2000:]
            raise BenchmarkError(f"a process ended without an answer:\n{last}")
        answer: dict[str, Any] = json.loads(text)
        if "error" in answer:
            raise BenchmarkError(str(answer["error"]))
        return answer


class Proxy:
    """The counting proxy, seen from the one who measures."""

    def __init__(self, hub_port: int, scratch: Path, options: Sequence[str] = ()) -> None:
        """Start it in front of the hub's port."""
        to = f"127.0.0.1:{hub_port}"
        command = [sys.executable, "-m", "benchmarks.proxy", "--to", to, *options]
        self._worker = Worker(command, scratch / "proxy.log")
        self.port = int(self._worker.hello["port"])

    def reading(self) -> Mapping[str, int]:
        """The counters since the last reset."""
        return self._worker.order("read")

    def reset(self) -> None:
        """Count from nothing."""
        self._worker.order("reset")

    @contextlib.contextmanager
    def tripwire(self, bytes_up: int) -> Iterator[None]:
        """Hold the line after `bytes_up`; on leaving, drop what is held and let new lines pass."""
        self._worker.order(f"trip {bytes_up}")
        try:
            yield
        finally:
            self._worker.order("release")

    def wait_for_trip(self, timeout_s: float = 300.0) -> None:
        """Return when the line is held."""
        end = time.monotonic() + timeout_s
        while not self._worker.order("tripped")["tripped"]:
            if time.monotonic() > end:
                raise BenchmarkError("the push ended before the line was cut")
            time.sleep(0.005)

    def cpu_s(self) -> float:
        """What the proxy itself used (never part of a contender's figures)."""
        return self._worker.cpu_s()

    def stop(self) -> None:
        """End it."""
        self._worker.stop()
