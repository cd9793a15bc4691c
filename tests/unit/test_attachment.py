"""A scan is sealed in chunks: its readers open it, nobody else does, and damage is seen."""

from __future__ import annotations

import hashlib

import pytest

from sync_protocol import limits
from sync_protocol.attachment import (
    Manifest,
    attachment_id,
    key_name,
    open_scan,
    read_manifest,
    scan_key,
    seal_scan,
)
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.encoding import encode
from sync_protocol.errors import (
    AttachmentRefusedError,
    BadSignatureError,
    MalformedMessageError,
    WrongKeyError,
)

WARD, RECOVERY = AgreementKey(b"w" * 32), AgreementKey(b"r" * 32)
PLAIN = bytes(range(256)) * 2100  # two whole chunks and a piece


def _sealed() -> tuple[Manifest, bytes, dict[bytes, bytes]]:
    sealed = seal_scan(PLAIN, "image/jpeg", [WARD.public, RECOVERY.public])
    return read_manifest(sealed.manifest), sealed.key, dict(sealed.chunks)


def test_each_reader_opens_the_scan_and_nobody_else_does() -> None:
    manifest, key, chunks = _sealed()
    assert (manifest.media_type, manifest.size, len(manifest.chunks)) == ("image/jpeg", 537_600, 3)
    for reader in (WARD, RECOVERY):
        assert open_scan(manifest, scan_key(manifest, reader), chunks.get) == PLAIN
    assert scan_key(manifest, WARD) == key
    with pytest.raises(WrongKeyError):
        scan_key(manifest, AgreementKey(b"x" * 32))


def test_equal_scans_have_different_addresses() -> None:
    one, other = _sealed()[0], _sealed()[0]
    assert one.id != other.id
    assert not set(one.chunks) & set(other.chunks)


def test_nothing_of_the_scan_shows_in_its_chunks() -> None:
    _, _, chunks = _sealed()
    assert all(PLAIN[:64] not in chunk for chunk in chunks.values())
    assert all(hashlib.sha256(chunk).digest() == address for address, chunk in chunks.items())


def test_a_scan_with_a_chunk_missing_is_not_there_yet() -> None:
    manifest, key, chunks = _sealed()
    del chunks[manifest.chunks[1]]
    assert open_scan(manifest, key, chunks.get) is None


def test_a_damaged_chunk_and_chunks_out_of_place_are_seen() -> None:
    manifest, key, chunks = _sealed()
    chunks[manifest.chunks[0]] = chunks[manifest.chunks[0]][:-1] + b"x"
    with pytest.raises(BadSignatureError):
        open_scan(manifest, key, chunks.get)
    manifest, key, chunks = _sealed()
    for order in ([1, 0, 2], [0, 1]):
        moved = Manifest("image/jpeg", 1, [manifest.chunks[n] for n in order], [])
        with pytest.raises(BadSignatureError):
            open_scan(moved, key, chunks.get)


def test_an_attachment_is_named_by_its_chunks_and_a_key_by_eight_bytes() -> None:
    manifest = _sealed()[0]
    assert manifest.id == attachment_id(manifest.chunks)
    assert len(manifest.id) == 16
    assert len(key_name(WARD.public)) == 8


@pytest.mark.parametrize("plain", [b"", bytes(limits.ATTACHMENT_BYTES_MAX + 1)])
def test_an_empty_or_a_huge_scan_is_refused(plain: bytes) -> None:
    with pytest.raises(AttachmentRefusedError):
        seal_scan(plain, "image/jpeg", [WARD.public])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        encode([]),
        encode(["image/jpeg", 5, [], []]),
        encode(["image/jpeg", 5, [b"short"], []]),
        encode(["image/jpeg", 5, [b"c" * 32] * (limits.CHUNKS_PER_ATTACHMENT_MAX + 1), []]),
        encode(["image/jpeg", 5, ["c" * 32], []]),
        encode(["image/jpeg", -5, [b"c" * 32], []]),
        encode(["image/jpeg", 2**63, [b"c" * 32], []]),
        encode(["image/jpeg", 5, [b"c" * 32], [[b"k"]]]),
        encode([5, 5, [b"c" * 32], []]),
    ],
    ids=range(10),
)
def test_a_manifest_out_of_shape_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        read_manifest(raw)
