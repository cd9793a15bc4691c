"""A device's keys: Ed25519 (RFC 8032) to sign, X25519 (RFC 7748) to be sealed to."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync_protocol.errors import BadSignatureError, WrongKeyError
from sync_protocol.identity import KEY_BYTES, DeviceId, DeviceKey, device_id

_RAW = (Encoding.Raw, PublicFormat.Raw)


def random_bytes(count: int) -> bytes:
    """Return `count` bytes from the system's generator."""
    return os.urandom(count)


class SigningKey:
    """An Ed25519 private key. `secret` is its 32-byte seed; never log it."""

    def __init__(self, secret: bytes) -> None:
        """Take a 32-byte seed. Raises `WrongKeyError`."""
        if len(secret) != KEY_BYTES:
            raise WrongKeyError("A signing key has 32 bytes.")
        self.secret = secret
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = DeviceKey(self._key.public_key().public_bytes(*_RAW))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (already domain-separated)."""
        return self._key.sign(message)


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature. Raises `BadSignatureError`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as cause:
        raise BadSignatureError("A signature does not verify; the message was refused.") from cause


class AgreementKey:
    """An X25519 private key, to which others seal. `secret` has 32 bytes; never log it."""

    def __init__(self, secret: bytes) -> None:
        """Take 32 secret bytes. Raises `WrongKeyError`."""
        if len(secret) != KEY_BYTES:
            raise WrongKeyError("An agreement key has 32 bytes.")
        self.secret = secret
        self.private = X25519PrivateKey.from_private_bytes(secret)
        self.public = self.private.public_key().public_bytes(*_RAW)


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """What makes a device itself: one key to sign with and one to be sealed to."""

    signing: SigningKey
    agreement: AgreementKey

    @classmethod
    def generate(cls) -> DeviceKeys:
        """Make new keys."""
        return cls(SigningKey(random_bytes(KEY_BYTES)), AgreementKey(random_bytes(KEY_BYTES)))

    @property
    def public(self) -> DeviceKey:
        """The device's name: its Ed25519 public key."""
        return self.signing.public

    @property
    def id(self) -> DeviceId:
        """The short name that messages carry."""
        return device_id(self.public)
