"""Real processes of `motcua-edge` and `motcua-tablet`, and what they answer."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Program:
    """One device: a program and its home."""

    module: str
    home: Path
    settings: dict[str, str]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", self.module, "--home", str(self.home), *words]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MOTCUA_")}
        return {**kept, "PYTHONPATH": str(ROOT), **self.settings}

    def run(self, *words: str, cwd: Path | None = None) -> Answer:
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            cwd=cwd or self.home.parent,
            env=self.environment(),
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, cwd: Path | None = None) -> Answer:
        answer = self.run(*words, cwd=cwd)
        assert answer.code == 0, (words, answer)
        return answer

    def ask(self, *words: str, cwd: Path | None = None) -> Any:
        """Run a reporting command and return its JSON."""
        return self.ok(*words, "--json", cwd=cwd).json

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home.parent,
            env=self.environment(),
        )

    @contextlib.contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Run `serve`, on a free port unless one is given; yield its address."""
        process = self.start("serve", "--host", "127.0.0.1", "--port", str(port))
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready https://"), (line, process.poll())
            yield line.removeprefix("ready ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
            assert process.returncode == 0, err
            assert not out, "exactly one line on stdout"
            assert "Traceback" not in err, err


def edge(folder: Path, name: str, **settings: str) -> Program:
    return Program("edge_node", folder / name, settings)


def tablet(folder: Path, name: str, **settings: str) -> Program:
    return Program("mobile_app", folder / name, settings)


def write_lines(path: Path, dossiers: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(item, ensure_ascii=False) for item in dossiers]
    path.write_text("".join(line + "\n" for line in lines))
    return path
