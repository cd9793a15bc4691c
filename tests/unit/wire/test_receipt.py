"""Receipts and snapshot manifests are worth what their signer is worth."""

from __future__ import annotations

import pytest

from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, MalformedMessageError
from sync_protocol.identity import AttachmentId, DeviceKey, FeedId
from sync_protocol.log.entry import Mark
from sync_protocol.wire.receipt import Receipt, read_receipt, write_receipt
from sync_protocol.wire.snapshot import Manifest, Start, read_manifest, write_manifest
from tests.ward import WARD, keys_of

KEYS = keys_of("edge")
MARK = Mark(FeedId(b"f" * 16), 3, b"h" * 16)
BAD_MARK = Mark(FeedId(b"f"), 3, b"h" * 16)


def receipt(holder: DeviceKey = KEYS.public, mark: Mark = MARK, backed: Mark = MARK) -> Receipt:
    return Receipt(
        holder,
        "edge",
        WARD,
        b"incarnat",
        5,
        [mark],
        [backed],
        [[MARK.feed, 2]],
        [AttachmentId(b"a" * 16)],
    )


def test_a_receipt_reads_back_and_is_signed_by_the_holder_it_names() -> None:
    assert read_receipt(write_receipt(KEYS.signing, receipt())) == receipt()
    with pytest.raises(BadSignatureError):
        read_receipt(write_receipt(keys_of("thief").signing, receipt()))


def test_a_receipt_with_marks_out_of_shape_is_refused_though_it_is_signed() -> None:
    for bad in (receipt(mark=BAD_MARK), receipt(backed=BAD_MARK)):
        with pytest.raises(MalformedMessageError):
            read_receipt(write_receipt(KEYS.signing, bad))


def manifest(mark: Mark = MARK) -> Manifest:
    start = Start(b"declaration", 3, bytes(32), b"seal", [mark])
    return Manifest(KEYS.public, WARD, 1, 1, 5, [start], [b"c" * 32], 10)


def test_a_snapshots_manifest_reads_back_and_is_signed_by_the_signer_it_names() -> None:
    assert read_manifest(write_manifest(KEYS.signing, manifest())) == manifest()
    with pytest.raises(BadSignatureError):
        read_manifest(write_manifest(keys_of("thief").signing, manifest()))


def test_a_snapshots_manifest_out_of_shape_is_refused_though_it_is_signed() -> None:
    with pytest.raises(MalformedMessageError):
        read_manifest(write_manifest(KEYS.signing, manifest(BAD_MARK)))


@pytest.mark.parametrize("raw", [b"", bytes(64), bytes(64) + encode([]), bytes(64) + encode("x")])
def test_bytes_that_are_neither_are_refused(raw: bytes) -> None:
    for read in (read_receipt, read_manifest):
        with pytest.raises(MalformedMessageError):
            read(raw)
