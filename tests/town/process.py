"""Programs as a person starts them: one command and its answer, or one that serves until stopped.

Every wait has an end. Every process is in a session of its own, so that Ctrl-C reaches us alone and
we end them in order; whatever is still running when the scene closes is ended there.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S = 120.0
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
LEASH = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""Where we are killed ourselves, the system ends what we started."""
MODULES = {
    "motcua-hub": "central_hub",
    "motcua-edge": "edge_node",
    "motcua-tablet": "mobile_app",
}


class TownError(AssertionError):
    """A program did not do what it should; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command said, and how long it took."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    ms: int

    def json(self) -> Any:
        """Return the one JSON value on stdout."""
        try:
            return json.loads(self.out)
        except ValueError as cause:
            raise TownError(f"{self}: no JSON in {self.out[:500]!r}") from cause

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object per line; a line that was cut off is left out."""
        whole = self.out[: self.out.rfind("\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]

    def __str__(self) -> str:
        """Say what was asked and what became of it."""
        said = (self.err or self.out).strip()[-800:]
        return f"“{' '.join(self.words)}” ended with {self.code}: {said}"


class Processes:
    """Everything that was started, so that all of it can be ended."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._running: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path,
    ) -> "subprocess.Popen[str]":
        """Start a process."""
        process = subprocess.Popen(
            [*LEASH, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
        with self._lock:
            self._running.append(process)
        return process

    def ended(self, process: "subprocess.Popen[str]") -> None:
        """A process was waited for: forget it, and close its pipes."""
        with self._lock, contextlib.suppress(ValueError):
            self._running.remove(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        """End all that still runs, the last one first."""
        with self._lock:
            left, self._running = self._running[::-1], []
        for process in left:
            end(process)
            self.ended(process)


def end(process: "subprocess.Popen[str]", timeout_s: float = STOP_TIMEOUT_S) -> int:
    """End a process politely, then firmly; return its exit code."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout_s)
    kill(process)
    return process.wait(timeout_s)


def kill(process: "subprocess.Popen[str]") -> None:
    """`kill -9` a process and whatever it has started."""
    with contextlib.suppress(ProcessLookupError):  # its session is named after it
        os.killpg(process.pid, signal.SIGKILL)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment without any setting of the project, and with our tree first."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")}
    # The sources under test, and coverage's own hooks untouched.
    found["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    )
    found["PYTHONUNBUFFERED"] = "1"
    return found | dict(extra or {})


class Program:
    """One of our programs with one home."""

    def __init__(
        self,
        processes: Processes,
        name: str,
        home: Path,
        prefix: Sequence[str] = (),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare. `prefix` comes before the interpreter, such as faketime."""
        self.name = name
        self.home = home
        self._processes = processes
        self.prefix = tuple(prefix)
        self.extra = dict(extra or {})

    def command(self, *words: str) -> list[str]:
        """Return the command line for these words."""
        start = [*self.prefix, sys.executable, "-m", MODULES[self.name]]
        return [*start, "--home", str(self.home), *words]

    def run(self, *words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> Answer:
        """Run one command to its end, whatever comes of it."""
        began = time.monotonic()
        process = self._processes.start(
            self.command(*words), environment(self.extra), self.home.parent
        )
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as cause:
            kill(process)
            out, err = process.communicate()
            raise TownError(f"{self.name} {' '.join(words[:3])} hung: {err[-500:]}") from cause
        finally:
            self._processes.ended(process)
        ms = round((time.monotonic() - began) * 1000)
        return Answer((self.name, *words), process.returncode, out, err, ms)

    def ask(self, *words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> Any:
        """Run a command with `--json` that must end well; return what it reported."""
        answer = self.run(*words, "--json", timeout_s=timeout_s)
        if answer.code != 0:
            raise TownError(str(answer))
        return answer.json()

    def must(self, *words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> Answer:
        """Run a command that must end well."""
        answer = self.run(*words, timeout_s=timeout_s)
        if answer.code != 0:
            raise TownError(str(answer))
        return answer

    def refused(self, *words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> dict[str, str]:
        """Run a command that must fail in one clear sentence; return its code and sentence."""
        answer = self.run(*words, "--json", timeout_s=timeout_s)
        if answer.code != 1:
            raise TownError(f"this should have failed: {answer}")
        said = [line for line in answer.lines() if "error" in line]
        if not said or said[-1]["error"] == "internal":
            raise TownError(f"no clear sentence: {answer}")
        return said[-1]

    def begin(self, *words: str) -> "Running":
        """Start a command that will be watched line by line, or killed."""
        process = self._processes.start(
            self.command(*words), environment(self.extra), self.home.parent
        )
        return Running(self._processes, process, f"{self.name} {' '.join(words[:2])}")

    def serve(self, *words: str, timeout_s: float = READY_TIMEOUT_S) -> "Served":
        """Start `serve` and return once it says that it is ready."""
        running = self.begin("serve", *words)
        end_at = time.monotonic() + timeout_s
        while time.monotonic() < end_at:
            line = running.line(end_at - time.monotonic())
            if line is None:
                break
            if line.startswith("ready "):
                return Served(running, line.split()[1])
        code = running.stop()
        raise TownError(f"{self.name} serve did not get ready ({code}): {running.err()[-800:]}")


class Running:
    """A process whose lines are read as they come."""

    def __init__(self, processes: Processes, process: "subprocess.Popen[str]", title: str) -> None:
        """Begin to read."""
        self._processes = processes
        self._title = title
        self.process = process
        self._out: list[str] = []
        self._err: list[str] = []
        self._changed = threading.Condition()
        self._taken = 0
        self._ended = 0
        self._readers = [
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True)
            for pipe, lines in ((process.stdout, self._out), (process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe: Iterator[str], lines: list[str]) -> None:
        with contextlib.suppress(ValueError):
            for line in pipe:
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def line(self, timeout_s: float) -> str | None:
        """Return the next line of stdout; None at its end. Raises `TownError` when it is late."""
        with self._changed:
            come = self._changed.wait_for(
                lambda: self._taken < len(self._out) or self._ended == len(self._readers),
                timeout_s,
            )
            if not come:
                raise TownError(f"{self._title}: no word within {timeout_s:.0f} s")
            if self._taken == len(self._out):
                return None
            self._taken += 1
            return self._out[self._taken - 1]

    def out(self) -> list[str]:
        """Return the whole lines of stdout so far; one that was cut off is left out."""
        with self._changed:
            return [line for line in self._out if line.endswith("\n")]

    def err(self) -> str:
        """Return stderr so far."""
        with self._changed:
            return "".join(self._err)

    def kill(self) -> None:
        """`kill -9`, and read what it had said."""
        kill(self.process)
        self.wait()

    def stop(self) -> int:
        """End it politely; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(STOP_TIMEOUT_S)

    def wait(self, timeout_s: float = COMMAND_TIMEOUT_S) -> int:
        """Wait for its end; return its exit code."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as cause:
            kill(self.process)
            self.process.wait()
            raise TownError(f"{self._title} did not end within {timeout_s:.0f} s") from cause
        finally:
            for reader in self._readers:
                reader.join(STOP_TIMEOUT_S)
            self._processes.ended(self.process)
        return self.process.returncode


class Served:
    """A program that serves."""

    def __init__(self, running: Running, url: str) -> None:
        """Take a process that is ready, and the address that it told."""
        self.running = running
        self.url = url

    @property
    def port(self) -> str:
        """Return the port of the address."""
        return self.url.rpartition(":")[2]

    def stop(self) -> None:
        """Stop it; it must end well."""
        code = self.running.stop()
        if code != 0:
            raise TownError(f"serve ended with {code}: {self.running.err()[-800:]}")

    def kill(self) -> None:
        """`kill -9`, as a power cut would."""
        self.running.kill()
