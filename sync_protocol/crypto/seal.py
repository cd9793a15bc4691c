"""Hiding: AES-256-GCM under a shared key, HPKE to a public key, Argon2id from a PIN.

* `encrypt`/`decrypt`: 12 random nonce bytes, then ciphertext with its 16-byte tag. A key is used
  for far fewer than 2^32 messages (NIST SP 800-38D).
* `seal_to`/`open_sealed`: RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
  AES-256-GCM: 48 bytes more than the plaintext. `info` names the purpose.
* `key_from_pin`: Argon2id (RFC 9106, second recommended choice: t=3, 64 MiB, p=4) over the PIN,
  keyed by a secret that never leaves the device: the PIN alone opens nothing.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync_protocol.crypto.key import AgreementKey
from sync_protocol.errors import BadSignatureError, MalformedMessageError, WrongKeyError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
HPKE_OVERHEAD_BYTES = 48

_suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def encrypt(key: bytes, plaintext: bytes, purpose: bytes) -> bytes:
    """Encrypt under a 32-byte key; `purpose` is authenticated with it."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, purpose)


def decrypt(key: bytes, sealed: bytes, purpose: bytes) -> bytes:
    """Undo `encrypt`. Raises `BadSignatureError` for a wrong key, purpose or damaged bytes."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise BadSignatureError("Encrypted bytes are cut off.")
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose)
    except InvalidTag as cause:
        raise BadSignatureError("Encrypted bytes are damaged, or the key is another.") from cause


def seal_to(public: bytes, plaintext: bytes, purpose: bytes) -> bytes:
    """Seal to an X25519 public key (HPKE base mode). Raises `MalformedMessageError`."""
    try:
        return _suite.encrypt(plaintext, X25519PublicKey.from_public_bytes(public), purpose)
    except ValueError as cause:
        raise MalformedMessageError("A public key is not a point that can be sealed to.") from cause


def open_sealed(key: AgreementKey, sealed: bytes, purpose: bytes) -> bytes:
    """Undo `seal_to`. Raises `WrongKeyError`."""
    try:
        return _suite.decrypt(sealed, key.private, purpose)
    except (InvalidTag, ValueError) as cause:
        raise WrongKeyError(
            "This is sealed to another key, or damaged. Nothing was changed."
        ) from cause


def key_from_pin(pin: str, salt: bytes, device_secret: bytes) -> bytes:
    """Return the 32-byte key of an officer's slot: Argon2id over PIN and device secret."""
    kdf = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=3,
        lanes=4,
        memory_cost=64 * 1024,
        secret=device_secret,
    )
    return kdf.derive(pin.encode())


def derive(key: bytes, purpose: bytes) -> bytes:
    """Return a 32-byte key for one `purpose` (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, None, purpose).derive(key)
