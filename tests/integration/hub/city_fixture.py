"""A real hub and real stations, each a process with a home of its own."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from sync_protocol.dossier.sample import sample
from tests.integration.process_fixture import Program, edge, write_lines

WARD = "00070"
NAME = "Phường Hoàn Kiếm"


@dataclass
class Town:
    """A folder with a hub, and whoever was enrolled."""

    folder: Path
    hub: Program

    @property
    def recovery_key(self) -> str:
        return str(self.folder / "hub-takeaway" / "recovery.key")

    def invite(self, role: str = "edge", **options: str) -> str:
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        answer = self.hub.ask("invite", "--ward", WARD, "--role", role, *words)
        return str(answer["invite"])

    def station(self, name: str, **settings: str) -> Program:
        """Enrol an edge. The hub must be serving."""
        made = edge(self.folder, name, **settings)
        made.ok("init")
        made.ok("enrol", "--invite", self.invite(), "--label", name)
        made.ok("sync")
        return made

    def dossiers(self, count: int, seed: int, scans: int = 0) -> Path:
        """Write an intake file; the first `scans` of them with one scan each."""
        folder = self.folder / f"intake-{seed}"
        folder.mkdir()
        made = sample_lines(count, seed)
        for number in range(scans):
            name = f"scan-{number}.png"
            (folder / name).write_bytes(png(seed * 1000 + number))
            made[number]["scans"] = [name]
        return write_lines(folder / "d.jsonl", made)

    def device_id(self, label: str) -> str:
        rows = [row for row in self.hub.ask("device", "list") if row["label"] == label]
        assert len(rows) == 1, rows
        return str(rows[0]["id"])

    def digest(self) -> Any:
        return self.hub.ask("digest", "--ward", WARD)


def sample_lines(count: int, seed: int) -> list[dict[str, Any]]:
    lines = [dict(item) for item in sample(count, seed)]
    for line in lines:
        line.pop("scans", None)
    return lines


def png(seed: int) -> bytes:
    """A small picture that compresses badly, so that two seeds never make the same."""
    picture = Image.frombytes("RGB", (160, 120), random.Random(seed).randbytes(160 * 120 * 3))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def found(folder: Path, name: str = "hub") -> Town:
    hub = Program("central_hub", folder / name, {})
    town = Town(folder, hub)
    hub.ok("init")
    hub.ok("ward", "add", WARD, NAME)
    return town


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
