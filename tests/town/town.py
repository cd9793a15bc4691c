"""A city with its hub, its wards and their devices, founded by commands alone."""

import contextlib
import json
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.town.process import Answer, Processes, Program, Served, TownError

PORTS = range(20_000, 32_000)
"""Below the range from which the system takes ports for outgoing calls, so that a hub that is
stopped finds its own port free when it comes back."""
RETURN_TIMEOUT_S = 30.0
EVENTUALLY_S = 60.0
_AT_ONCE = 3


def free_port() -> int:
    """Return a port at which nobody listens now."""
    for _ in range(200):
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise TownError("no port is free")


class Town:
    """A hub in its folder, and everything that was enrolled. Use `town()`."""

    def __init__(self, folder: Path) -> None:
        """Begin in an empty folder."""
        self.folder = folder
        self.processes = Processes()
        self.hub = Program(self.processes, "motcua-hub", folder / "hub")
        self.port = free_port()
        self._served: Served | None = None

    # --- the hub ----------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where devices meet the hub."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def recovery_key(self) -> Path:
        """The offline key that was taken away."""
        return self.folder / "takeaway" / "recovery.key"

    def found(self, *wards: tuple[str, str]) -> None:
        """Make the hub, serve it, and add wards."""
        self.hub.must("init", "--take-away", str(self.folder / "takeaway"))
        self.line_back()
        for code, name in wards:
            self.hub.ask("ward", "add", code, name)

    def line_back(self) -> Served:
        """Serve the hub, at the port where the devices look for it."""
        end_at = time.monotonic() + RETURN_TIMEOUT_S
        while self._served is None:
            try:
                words = ("--host", "127.0.0.1", "--port", str(self.port))
                self._served = self.hub.serve(*words)
            except TownError:
                if time.monotonic() > end_at:
                    raise
        return self._served

    def cut_line(self) -> None:
        """Stop the hub: no device reaches it."""
        if self._served is not None:
            served, self._served = self._served, None
            served.stop()

    def kill_hub(self) -> None:
        """`kill -9` the hub."""
        if self._served is not None:
            served, self._served = self._served, None
            served.kill()

    # --- devices ----------------------------------------------------------------------------------

    def program(self, role: str, name: str, **options: Any) -> Program:
        """Return a program with a home of that name, not initialised."""
        return Program(self.processes, f"motcua-{role}", self.folder / name, **options)

    def enrol(self, role: str, name: str, ward: str, label: str = "", **options: Any) -> Program:
        """Make a device and enrol it at the hub, by a fresh invitation."""
        words = ("--ward", ward, "--role", role, "--label", label or name)
        invite = self.hub.ask("invite", *words)["invite"]
        device = self.program(role, name, **options)
        device.must("init")
        device.must("enrol", "--invite", invite)
        return device

    # --- what devices do --------------------------------------------------------------------------

    def intake_file(self, name: str, count: int, seed: int, scans: bool = False) -> Path:
        """Write `count` sample dossiers to a file of that name, with scans if asked for."""
        words = ["sample", "--count", str(count), "--seed", str(seed)]
        if scans:  # they lie below the folder in which the command runs, and the file with them
            words += ["--scans", f"scans-{name}"]
        path = self.folder / f"{name}.jsonl"
        path.write_text(self.program("edge", "nobody").must(*words).out, "utf-8")
        return path

    def capture(
        self, device: Program, name: str, count: int, seed: int, scans: bool = False
    ) -> list[str]:
        """Capture sample dossiers; return the ids that were acknowledged."""
        path = self.intake_file(name, count, seed, scans)
        return saved(device.must("intake", str(path), "--json"))

    def digest(self, device: Program, ward: str = "") -> dict[str, Any]:
        """Return a replica's digest; of the hub's, with `ward`."""
        words = ("--ward", ward) if ward else ()
        found = device.ask("digest", *words)
        return {name: found[name] for name in ("frontier", "records", "sha256")}

    def check_equal(self, ward: str, devices: Sequence[Program]) -> dict[str, Any]:
        """Check that the hub and these devices hold byte-equal state; return it."""
        works = [partial(self.digest, self.hub, ward), *(partial(self.digest, d) for d in devices)]
        first, *others = together(*works)
        for device, found in zip(devices, others, strict=True):
            if found != first:
                raise TownError(f"{device.home.name} differs from the hub: {found} {first}")
        return dict(first)

    def settle(self, ward: str, devices: Sequence[Program], rounds: int = 2) -> dict[str, Any]:
        """Let every device sync until nothing is new, and check that all are equal."""
        for _ in range(rounds):
            for device in devices:
                device.ask("sync")
        return self.check_equal(ward, devices)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do several things at the same time; return what came of each."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(work) for work in works]
        return [future.result() for future in futures]


def saved(answer: Answer) -> list[str]:
    """Return the ids that `intake --json` acknowledged."""
    return [line["id"] for line in answer.lines() if line.get("saved")]


def acknowledged(lines: Sequence[str]) -> list[str]:
    """Return the ids in those lines of `intake --json`."""
    found = [json.loads(line) for line in lines]
    return [line["id"] for line in found if line.get("saved")]


def dossiers(program: Program, *words: str) -> list[dict[str, Any]]:
    """Return every dossier of a list, page by page."""
    found: list[dict[str, Any]] = []
    page = program.ask("dossier", "list", "--limit", "200", *words)
    while page:
        found += page
        page = program.ask("dossier", "list", "--limit", "200", *words, "--before", page[-1]["id"])
    return found


def eventually(
    what: str, check: Callable[[], object], timeout_s: float = EVENTUALLY_S, pause_s: float = 0.2
) -> Any:
    """Return the first true answer of `check`; raise `TownError` if none comes in time."""
    end_at = time.monotonic() + timeout_s
    while True:
        if answer := check():
            return answer
        if time.monotonic() > end_at:
            raise TownError(f"within {timeout_s:.0f} s it did not come true: {what}")
        _pause(pause_s)


def _pause(seconds: float) -> None:
    time.sleep(seconds)


@contextlib.contextmanager
def town() -> Iterator[Town]:
    """Give a town in a fresh folder; at the end, end every process and remove the folder."""
    place = Town(Path(tempfile.mkdtemp(prefix="mc-")))  # short: a socket's address has 107 bytes
    try:
        yield place
    finally:
        place.processes.close()
        shutil.rmtree(place.folder, ignore_errors=True)
