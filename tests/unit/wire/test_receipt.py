"""A receipt is worth what its signer is worth."""

from __future__ import annotations

import pytest

from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, MalformedMessageError
from sync_protocol.identity import AttachmentId, DeviceKey, FeedId
from sync_protocol.log.entry import Mark
from sync_protocol.wire.receipt import Receipt, read_receipt, write_receipt
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


@pytest.mark.parametrize("raw", [b"", bytes(64), bytes(64) + encode([]), bytes(64) + encode("x")])
def test_bytes_that_are_no_receipt_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        read_receipt(raw)
