"""Signatures over opaque bytes, each in its own domain, so that none can pass for another.

The signed bytes are `domain || 0x00 || parts...`, where every part but the last is of fixed length.
"""

from __future__ import annotations

from sync_protocol.crypto.key import SigningKey, verify

DECLARATION = b"motcua/declaration/1"
SEAL = b"motcua/seal/1"
MESSAGE = b"motcua/message/1"
REPLY = b"motcua/reply/1"
RECEIPT = b"motcua/receipt/1"
CERTIFICATE = b"motcua/certificate/1"
BUNDLE = b"motcua/bundle/1"
SNAPSHOT = b"motcua/snapshot/1"
HEALTH = b"motcua/health/1"
ENROLMENT = b"motcua/enrolment/1"

SIGNATURE_BYTES = 64


def sign(key: SigningKey, domain: bytes, *parts: bytes) -> bytes:
    """Sign `parts` in `domain`; 64 bytes."""
    return key.sign(b"".join((domain, b"\0", *parts)))


def check(public: bytes, signature: bytes, domain: bytes, *parts: bytes) -> None:
    """Check a signature made by `sign`. Raises `BadSignatureError`."""
    verify(public, signature, b"".join((domain, b"\0", *parts)))
