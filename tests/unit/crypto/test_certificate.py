"""The private authority and what it issues."""

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_protocol.crypto.certificate import (
    expires,
    fingerprint,
    issue_server_certificate,
    lock_key,
    make_authority,
)
from sync_protocol.errors import InputError, MalformedMessageError, WrongKeyError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_dates_are_as_said_and_begin_in_the_past() -> None:
    ca, ca_key = make_authority("Phường Bến Nghé", NOW)
    leaf, _ = issue_server_certificate(ca, ca_key, ["10.0.0.5", "tram.local", "::1"], NOW)
    assert expires(ca) == NOW + timedelta(days=20 * 365)
    assert expires(leaf) == NOW + timedelta(days=2 * 365)


def test_a_fingerprint_is_the_sha_256_of_the_der() -> None:
    ca, _ = make_authority("a", NOW)
    der = ssl.PEM_cert_to_DER_cert(ca.decode())
    assert fingerprint(ca) == hashlib.sha256(der).digest()
    with pytest.raises(MalformedMessageError):
        fingerprint(b"rubbish")


def test_a_locked_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    ca, ca_key = make_authority("a", NOW)
    leaf, key = issue_server_certificate(ca, ca_key, [], NOW)
    path = tmp_path / "tls"
    path.write_bytes(lock_key(key, b"passphrase") + leaf)
    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password="passphrase")
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password="another")


def test_keys_that_do_not_belong_are_refused() -> None:
    ca, ca_key = make_authority("a", NOW)
    _, other_key = make_authority("b", NOW)
    for key in (other_key, b"rubbish", lock_key(ca_key, b"locked")):
        with pytest.raises(WrongKeyError):
            issue_server_certificate(ca, key, [], NOW)


@pytest.mark.parametrize("host", ["a" * 64 + ".vn", "a..b", ""])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(InputError):
        issue_server_certificate(*make_authority("a", NOW), [host], NOW)


def test_a_long_name_of_a_ward_is_taken() -> None:
    make_authority("Ủy ban nhân dân xã " + "Đ" * 100, NOW)
