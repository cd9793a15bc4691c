"""A snapshot's manifest, preface and rows: read back as written, refused where out of shape."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.crypto import signature
from sync_protocol.encoding import compress, encode
from sync_protocol.errors import BadSignatureError, LimitExceededError, MalformedMessageError
from sync_protocol.identity import RecordId
from sync_protocol.wire import message as m
from sync_protocol.wire import snapshot as s
from tests.ward import WARD, keys_of

KEYS = keys_of("edge")
ROWS = [
    s.Row(RecordId(b"1" * 16), b"state one", b""),
    s.Row(RecordId(b"2" * 16), b"state two", b"pending"),
]


def manifest(chunks: list[bytes] | None = None, preface: bytes = b"p" * 32) -> s.Manifest:
    named = [b"c" * 32] if chunks is None else chunks
    return s.Manifest(KEYS.public, WARD, 1, 1, 5, preface, named, 10)


def start(**change: object) -> s.Start:
    known: dict[str, object] = {
        "declaration": b"declaration", "seq": 3, "hash": b"h" * 32, "seal": b"seal",
        "whole": True, "seen": [(0, 3)], "control": [(1, b"header", b"body")],
    } | change  # fmt: skip
    return s.Start(**known)  # type: ignore[arg-type]


def test_a_manifest_reads_back_and_is_signed_by_the_signer_it_names() -> None:
    assert s.read_manifest(s.write_manifest(KEYS.signing, manifest())) == manifest()
    with pytest.raises(BadSignatureError):
        s.read_manifest(s.write_manifest(keys_of("thief").signing, manifest()))


def test_a_manifest_out_of_shape_is_refused_though_it_is_signed() -> None:
    for bad in (manifest([b"short"]), manifest(preface=b"short")):
        with pytest.raises(MalformedMessageError):
            s.read_manifest(s.write_manifest(KEYS.signing, bad))
    many = manifest([b"c" * 32] * (limits.SNAPSHOT_CHUNKS_MAX + 1))
    with pytest.raises(LimitExceededError):
        s.read_manifest(s.write_manifest(KEYS.signing, many))
    for raw in (b"", bytes(signature.SIGNATURE_BYTES) + encode([])):
        with pytest.raises(MalformedMessageError):
            s.read_manifest(raw)


def test_a_preface_reads_back() -> None:
    preface = s.Preface([start()], [s.Quarantined(0, 1, "rejected", [b"r" * 16])])
    assert s.read_preface(s.write_preface(preface)) == preface


@pytest.mark.parametrize(
    "preface",
    [
        s.Preface([start(seq=0)], []),
        s.Preface([start(hash=b"short")], []),
        s.Preface([start(seen=[(1, 3)])], []),
        s.Preface([start(seen=[(-1, 3)])], []),
        s.Preface([start(seen=[(0, 0)])], []),
        s.Preface([start()], [s.Quarantined(1, 1, "rejected", [])]),
        s.Preface([], [s.Quarantined(0, 1, "rejected", [])]),
    ],
)
def test_a_preface_out_of_shape_is_refused(preface: s.Preface) -> None:
    with pytest.raises(MalformedMessageError):
        s.read_preface(s.write_preface(preface))


def test_a_preface_of_more_feeds_than_the_bound_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "FEEDS_PER_WARD_MAX", 1)
    with pytest.raises(LimitExceededError):
        s.read_preface(s.write_preface(s.Preface([start(), start()], [])))


def test_rows_read_back_and_a_chunk_is_what_its_name_says() -> None:
    chunk = s.write_rows(ROWS)
    assert s.read_rows(chunk) == ROWS
    s.check_chunk(s.address_of(chunk), chunk)
    with pytest.raises(BadSignatureError):
        s.check_chunk(s.address_of(chunk), chunk + b"x")


@pytest.mark.parametrize(
    "raw",
    [encode([]), encode([b"", b"", [b"state"], []]), encode([b"1" * 6, b"1" * 9, [b"s"], []])],
)
def test_rows_out_of_shape_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        s.read_rows(compress(raw))


def test_sums_differ_where_a_bucket_differs() -> None:
    ours = bytes(s.BUCKETS * s.SUM_BYTES)
    theirs = bytearray(ours)
    theirs[5 * s.SUM_BYTES] = 1
    assert s.differing(ours, ours) == []
    assert s.differing(ours, bytes(theirs)) == [5]
    with pytest.raises(MalformedMessageError):
        s.differing(ours, b"short")


def test_a_record_has_one_bucket_and_its_state_one_hash() -> None:
    record = RecordId(b"1" * 16)
    assert 0 <= s.bucket_of(record) < s.BUCKETS
    assert s.state_hash(record, b"a" * 32) != s.state_hash(record, b"b" * 32)
    assert s.state_hash(record, b"a" * 32) < 2 ** (8 * s.SUM_BYTES)


def test_the_newest_manifest_may_be_absent() -> None:
    envelope = m.Envelope(1, 1, WARD, KEYS.id, b"", m.encode_body(s.SnapshotAnswer()))
    assert m.decode_body(envelope, s.SnapshotAnswer).manifest == b""
