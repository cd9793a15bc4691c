"""A hub as small as can be: one ward, the real replica, responder and registrar, real TLS.

It stands in for `motcua-hub` where a test is about the other side, and lets a test reach into the
hub's replica directly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from device_home.duties import do_duties
from device_home.home import Home
from edge_node.web.face import make_face
from sync_protocol.clock import wall_ms
from sync_protocol.crypto.certificate import (
    fingerprint,
    issue_server_certificate,
    make_authority,
)
from sync_protocol.crypto.key import AgreementKey, SigningKey, random_bytes
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, OfficerId, WardId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.transport.serving import TlsServer
from sync_protocol.wire.enrol import write_invitation


@dataclass
class Hub:
    home: Home
    replica: Replica
    recovery: AgreementKey
    ca_pem: bytes
    ca_key: bytes
    registrar: Registrar
    server: TlsServer | None = None
    news: int = 0
    officers: dict[str, OfficerId] = field(default_factory=dict)

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.port

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        responder = Responder(self.replica, Nonces())
        face = make_face(responder, self.registrar, self.ca_pem, self._follow)
        now = datetime.now(UTC)
        pair = issue_server_certificate(self.ca_pem, self.ca_key, ["127.0.0.1"], now)
        self.server = TlsServer(face, ("127.0.0.1", port), *pair)
        self.server.start()

    def _follow(self) -> None:
        self.news += 1
        self.replica.follow()
        do_duties(self.home, self.replica)

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def invite(self, role: str, label: str = "", hours: int = 72) -> str:
        made = self.registrar.invite(role, label, self.url, fingerprint(self.ca_pem), hours)
        return write_invitation(made)

    def officer(self, name: str, role: str) -> OfficerId:
        officer = OfficerId(random_bytes(16))
        self.replica.say([g.Officer(officer, name, role)], NO_OFFICER)
        self.officers[name] = officer
        return officer


@contextlib.contextmanager
def running_hub(folder: Path, *, start: bool = True) -> Iterator[Hub]:
    home = Home.create(folder)
    root = SigningKey(random_bytes(32))
    recovery = AgreementKey(random_bytes(32))
    replica = home.open_replica(WardId(random_bytes(16)), root.public)
    keys = home.keys
    certificate = g.certify(
        root, g.Certificate(1, keys.public, keys.agreement.public, recovery.public)
    )
    replica.say([g.Certified(certificate), g.Profile("00070", "Phường Hoàn Kiếm")], NO_OFFICER)
    ca_pem, ca_key = make_authority("Thử", datetime.fromtimestamp(wall_ms() / 1000, UTC))
    hub = Hub(home, replica, recovery, ca_pem, ca_key, Registrar(replica))
    if start:
        hub.start()
    try:
        yield hub
    finally:
        hub.stop()
        replica.close()
        home.close()
