"""The edge's own private authority for TLS, made once and kept in the vault; and its address."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from device_home.home import Home
from sync_protocol.encoding import decode, encode
from sync_protocol.exchange.enrol import short_name
from sync_protocol.replica import Replica

_SECRET = "authority"  # noqa: S105 - the name of a secret, not one
_URL_NOTE = "served-url"


def authority(home: Home) -> tuple[bytes, bytes]:
    """Return the authority's certificate and key, both PEM, made at the first call."""
    kept = home.vault.secret(_SECRET)
    if kept is None:
        from sync_protocol.crypto.certificate import make_authority  # late: it is slow to load

        made = make_authority(f"Một Cửa {short_name(home.keys.public)[:8]}", _now(home))
        kept = encode(list(made))
        home.vault.put_secret(_SECRET, kept)
    return decode(kept, tuple[bytes, bytes])


def server_certificate(home: Home, host: str) -> tuple[bytes, bytes]:
    """Return a fresh server certificate and its key, both PEM."""
    names = [name for name in (host, "localhost", "127.0.0.1") if name not in ("", "0.0.0.0", "::")]  # noqa: S104
    from sync_protocol.crypto.certificate import issue_server_certificate  # late, as above

    return issue_server_certificate(*authority(home), names, _now(home))


def reachable_host(host: str) -> str:
    """Return the address at which tablets meet us, where we serve on every address."""
    if host not in ("", "0.0.0.0", "::"):  # noqa: S104
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only chooses a way
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def keep_served_url(replica: Replica, url: str) -> None:
    """Remember where tablets meet us, for invitations."""
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        store.put_note(_URL_NOTE, url.encode())


def served_url(replica: Replica) -> str:
    """Return where this station was last served, empty if it never was."""
    return (replica.rooms.log.note(_URL_NOTE) or b"").decode()


def _now(home: Home) -> datetime:
    return datetime.fromtimestamp(home.wall() / 1000, UTC)
