"""What the hub keeps in its vault besides its own keys: the charter, its TLS identity, its wards.

What holds: the city root's private key and the recovery key are never among them. All of it lies
encrypted in the vault, so a look at the home tells neither the wards' names nor how many there are.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sync_protocol.crypto.certificate import (
    expires,
    issue_server_certificate,
    make_authority,
)
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError
from sync_protocol.identity import WardId
from sync_protocol.storage.vault import Vault

_CHARTER = "charter"
_TLS = "tls"
_WARDS = "wards"
_ADDRESS = "address"
_RENEW_DAYS = 60


class Charter(NamedTuple):
    """The city's trust: the root's public key, the recovery key's, and the hub's certificate."""

    root: bytes
    recovery: bytes
    certificate: bytes


class TlsIdentity(NamedTuple):
    """The private authority and the certificate that it gave this server, all PEM."""

    ca_pem: bytes
    ca_key_pem: bytes
    server_pem: bytes
    server_key_pem: bytes
    names: tuple[str, ...]


class WardRow(NamedTuple):
    """One ward as the register lists it; its Profile in the log is what binds."""

    id: WardId
    code: str
    name: str


def load_charter(vault: Vault) -> Charter:
    """Return the charter. Raises `InputError` where the home is no hub's."""
    raw = vault.secret(_CHARTER)
    if raw is None:
        raise InputError("This folder is no hub's home. Give the right one with --home.")
    return Charter(*decode(raw, tuple[bytes, bytes, bytes]))


def save_charter(vault: Vault, charter: Charter) -> None:
    """Keep the charter."""
    vault.put_secret(_CHARTER, encode(list(charter)))


def load_wards(vault: Vault) -> list[WardRow]:
    """Return the register of wards, in the order in which they were added."""
    raw = vault.secret(_WARDS)
    rows = decode(raw, list[tuple[bytes, str, str]]) if raw else []
    return [WardRow(WardId(ward), code, name) for ward, code, name in rows]


def save_wards(vault: Vault, rows: list[WardRow]) -> None:
    """Keep the register of wards."""
    vault.put_secret(_WARDS, encode([list(row) for row in rows]))


def load_address(vault: Vault) -> str:
    """Return the address that invitations carry; empty before the first `serve`."""
    return (vault.secret(_ADDRESS) or b"").decode()


def save_address(vault: Vault, url: str) -> None:
    """Keep the address that invitations carry."""
    if load_address(vault) != url:
        vault.put_secret(_ADDRESS, url.encode())


def load_tls(vault: Vault) -> TlsIdentity:
    """Return the TLS identity. Raises `InputError` where the home is no hub's."""
    raw = vault.secret(_TLS)
    if raw is None:
        raise InputError("This folder is no hub's home. Give the right one with --home.")
    ca, ca_key, server, server_key, names = decode(
        raw, tuple[bytes, bytes, bytes, bytes, list[str]]
    )
    return TlsIdentity(ca, ca_key, server, server_key, tuple(names))


def save_tls(vault: Vault, tls: TlsIdentity) -> None:
    """Keep the TLS identity."""
    vault.put_secret(_TLS, encode([*tls[:4], list(tls.names)]))


def make_tls(now_ms: int) -> TlsIdentity:
    """Make the private authority, and a certificate for this machine's usual names."""
    now = _date(now_ms)
    ca_pem, ca_key = make_authority("Một Cửa", now)
    names = tuple(dict.fromkeys(["localhost", "127.0.0.1", _host_name()]))
    server, key = issue_server_certificate(ca_pem, ca_key, names, now)
    return TlsIdentity(ca_pem, ca_key, server, key, names)


def fit_tls(vault: Vault, host: str, now_ms: int) -> TlsIdentity:
    """Return a TLS identity that names `host` and is fresh; the authority stays what it is."""
    tls = load_tls(vault)
    now = _date(now_ms)
    fresh = expires(tls.server_pem) > now + timedelta(days=_RENEW_DAYS)
    if fresh and host in tls.names:
        return tls
    names = tuple(dict.fromkeys([*tls.names, host]))
    server, key = issue_server_certificate(tls.ca_pem, tls.ca_key_pem, names, now)
    tls = tls._replace(server_pem=server, server_key_pem=key, names=names)
    save_tls(vault, tls)
    return tls


def _date(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)


def _host_name() -> str:
    name = socket.gethostname()
    usable = name.isascii() and 0 < len(name) < 64 and not name.startswith("-")  # noqa: PLR2004 - a DNS label
    return name if usable else "localhost"
