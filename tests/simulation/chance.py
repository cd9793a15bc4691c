"""All randomness from the seed, that of cryptography too: one seed, one trace."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest import mock

from sync_protocol import limits
from sync_protocol.crypto import seal
from sync_protocol.crypto.key import AgreementKey


def _pair_key(public: bytes, purpose: bytes) -> bytes:
    return hashlib.sha256(b"simulated" + public + purpose).digest()


def _seal_to(public: bytes, plaintext: bytes, purpose: bytes) -> bytes:
    return seal.encrypt(_pair_key(public, purpose), plaintext, purpose)


def _open_sealed(key: AgreementKey, sealed: bytes, purpose: bytes) -> bytes:
    return seal.decrypt(_pair_key(key.public, purpose), sealed, purpose)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let every random byte of this process come from the seed, and make bounds small.

    HPKE draws its ephemeral key where nobody can reach; a sealing without one stands in for it.
    """
    source = Random(f"bytes {seed}")
    with (
        mock.patch.object(limits, "BLOCK_ENTRIES", 4),  # a day's work fills blocks and groups
        mock.patch.object(limits, "CHUNK_BYTES", 500),  # and a scan has several chunks
        mock.patch.object(limits, "FOLD_BATCH_ENTRIES", 3),
        mock.patch.object(os, "urandom", source.randbytes),
        mock.patch.object(seal, "seal_to", _seal_to),
        mock.patch.object(seal, "open_sealed", _open_sealed),
    ):
        yield
