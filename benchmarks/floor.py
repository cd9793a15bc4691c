"""The floor: what plain Python can do at best with SQLCipher on both sides."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contender import Features
from benchmarks.driven import Driven

NEEDED = ("sqlcipher3", "cryptography", "msgspec")


class Floor(Driven):
    """The floor as a contender."""

    name = "floor"

    def missing(self) -> str | None:
        """Its libraries are our own, so it is rarely missing."""
        absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        return f"left out: not installed: {', '.join(absent)}" if absent else None

    def features(self) -> Features:
        """What the floor does, and does not."""
        return Features(
            version="sqlcipher3 " + importlib.metadata.version("sqlcipher3"),
            signed="one signature per batch over a hash chain",
            encrypted_at_rest="yes (SQLCipher, both sides)",
            durable_ack="yes (synchronous=FULL)",
            conflicts_visible="no: the later stamp wins silently",
            transport="HTTP without TLS, connection kept",
        )

    def hub_command(self, home: Path) -> Sequence[str]:
        """`floor_node hub`."""
        return self._command("hub", home)

    def client_command(self, home: Path, port: int) -> Sequence[str]:
        """`floor_node client`."""
        return [*self._command("client", home), "--port", str(port)]

    def _command(self, role: str, home: Path) -> list[str]:
        fields = str(self.session.fields_file)
        module = ["-m", "benchmarks.floor_node", role]
        return [sys.executable, *module, "--home", str(home), "--fields", fields]
