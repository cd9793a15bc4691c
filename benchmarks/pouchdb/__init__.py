"""The PouchDB peer: PouchDB 9 in Node.js against express-pouchdb, both on LevelDB.

The most deployed whole-system rival that runs here. Played twice: at its default batch of 100
documents, and at 1,000, which is kinder to it. The packages come from npm by `npm ci` with the
lock file beside this module, into the user's cache, once. Without Node.js it is left out.
"""

import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contender import BenchmarkError, Features
from benchmarks.driven import Driven, Session

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "orders.js", "hub.js", "client.js")
INSTALL_TIMEOUT_S = 300
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def installed() -> Path:
    """The directory with the scripts and their packages, made at the first call."""
    texts = b"".join((HERE / name).read_bytes() for name in FILES)
    mark = hashlib.sha256(texts).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "motcua-benchmarks" / f"pouchdb-{mark}"
    done = place / "installed"
    if not done.exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(HERE / name, place / name)
        run = subprocess.run(
            NPM_CI,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
        if run.returncode:
            raise BenchmarkError(f"npm ci failed: {run.stderr.strip()[-500:]}")
        done.touch()
    return place


@functools.cache
def _obstacle() -> str | None:
    if not shutil.which("node"):
        return "left out: no Node.js"
    if not shutil.which("npm"):
        return "left out: no npm"
    try:
        installed()
    except (BenchmarkError, OSError, subprocess.TimeoutExpired) as error:
        return f"left out: {error}"
    return None


class PouchDB(Driven):
    """PouchDB as a contender, at one batch size."""

    def __init__(self, session: Session, home: Path, batch: int = 1000) -> None:
        """Replicate `batch` documents at a time."""
        super().__init__(session, home)
        self.name = f"pouchdb-{batch}"
        self._batch = batch

    def missing(self) -> str | None:
        """Node.js, npm, or the packages."""
        return _obstacle()

    def features(self) -> Features:
        """What PouchDB does, and does not."""
        versions = []
        for name in ("pouchdb", "express-pouchdb"):
            package = installed() / "node_modules" / name / "package.json"
            versions.append(f"{name} {json.loads(package.read_text())['version']}")
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
        return Features(
            version=", ".join([*versions, f"Node.js {node.stdout.strip()}"]),
            signed="no",
            encrypted_at_rest="no",
            durable_ack="no: not every acknowledged batch is on the disk",
            conflicts_visible="no: kept, but hidden unless asked for; whole documents",
            transport="HTTP without TLS, a connection per request",
        )

    def hub_command(self, home: Path) -> Sequence[str]:
        """`hub.js`."""
        return ["node", str(installed() / "hub.js"), "--home", str(home)]

    def client_command(self, home: Path, port: int) -> Sequence[str]:
        """`client.js`."""
        script = str(installed() / "client.js")
        where = ["--home", str(home), "--port", str(port)]
        return ["node", script, *where, "--batch", str(self._batch)]
