"""A private authority for TLS, and the certificates of its servers.

Each hub and each edge is its own authority (ECDSA P-256). Devices pin that authority and nothing
else; its fingerprint comes with the invitation. Dates are written for tools that look at them: our
own devices don't (their clocks may be wrong), so what ends trust is a new authority, not a date.
Keys are PKCS #8 in PEM; the vault keeps them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sync_protocol.errors import InputError, MalformedMessageError, WrongKeyError

AUTHORITY_DAYS = 20 * 365
SERVER_DAYS = 2 * 365
BACKDATED_DAYS = 365
"""Certificates begin a year before they are made: a clock that lags is common."""
FINGERPRINT_BYTES = 32
_NAME_BYTES_MAX = 64  # X.520 ub-common-name, as `cryptography` counts it


def make_authority(name: str, now: datetime) -> tuple[bytes, bytes]:
    """Make an authority; return its certificate and its private key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(name)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return _pem(builder.sign(key, hashes.SHA256())), _key_pem(key)


def issue_server_certificate(
    ca_pem: bytes, ca_key_pem: bytes, names: Iterable[str], now: datetime
) -> tuple[bytes, bytes]:
    """Issue a certificate for host names and IP addresses; return it and its key, both PEM.

    Raises `WrongKeyError` where the authority's certificate and key don't belong together, and
    `InputError` for what is no host name.
    """
    ca, ca_key = _certificate(ca_pem), _private_key(ca_key_pem)
    if ca.public_key() != ca_key.public_key():
        raise WrongKeyError("The authority's key is not that of its certificate.")
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = list(dict.fromkeys(names))
    subject = _subject(hosts[0] if hosts else "motcua")
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server_only = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _builder(subject, ca.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(server_only, critical=False)
        .add_extension(authority_id, critical=False)
    )
    if hosts:
        alternatives = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(alternatives, critical=False)
    return _pem(builder.sign(ca_key, hashes.SHA256())), _key_pem(key)


def fingerprint(pem: bytes) -> bytes:
    """Return the SHA-256 of a certificate's DER bytes. Raises `MalformedMessageError`."""
    return _certificate(pem).fingerprint(hashes.SHA256())


def expires(pem: bytes) -> datetime:
    """Return when a certificate ends, in UTC. Raises `MalformedMessageError`."""
    return _certificate(pem).not_valid_after_utc


def lock_key(key_pem: bytes, passphrase: bytes) -> bytes:
    """Return a private key's PEM encrypted under a passphrase. Raises `WrongKeyError`."""
    return _private_key(key_pem).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=BACKDATED_DAYS))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(name: str) -> x509.Name:
    short = name.encode()[:_NAME_BYTES_MAX].decode(errors="ignore") or "motcua"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, short)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError as cause:
        raise InputError("That is no host name and no IP address.", host=host) from cause
    if not name:
        raise InputError("A host name is empty.")
    return x509.DNSName(name)


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as cause:
        raise MalformedMessageError("That is no certificate.") from cause


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as cause:
        raise WrongKeyError("That is no private key, or it is damaged.") from cause
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise WrongKeyError("That is no key of an authority or server of ours.")
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
