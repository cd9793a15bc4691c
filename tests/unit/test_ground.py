"""Encoding, clock and identity: the ground that everything stands on."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol import limits
from sync_protocol.clock import MILLIS_MAX, HybridLogicalClock, millis, pack, wall_ms
from sync_protocol.encoding import checksum, compress, decode, decompress, encode
from sync_protocol.errors import (
    InputError,
    LimitExceededError,
    MalformedMessageError,
    SyncError,
)
from sync_protocol.identity import DeviceKey, FeedId, device_id, feed_id, parse_id, record_id

# --- encoding ---------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_encoded_decodes_to_itself(value: object) -> None:
    assert decode(encode(value), Any) == value


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_malformed(raw: bytes) -> None:
    for kind in (Any, list[Any], dict[int, str], bytes, int):
        with suppress(MalformedMessageError):
            decode(raw, kind)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b"\xa2\xff\xfe",
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\x01",
        b"\xc6\xff\xff\xff\xff",
        b"\x81\x80\x01",
        b"\x01\x01",
    ],
    ids=repr,
)
def test_bytes_that_are_no_message_are_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(raw[:200_000], Any)


@given(st.binary(max_size=5000), st.binary(min_size=8, max_size=5000) | st.none())
def test_what_is_compressed_unfolds_to_itself(raw: bytes, prefix: bytes | None) -> None:
    packed = compress(raw, prefix=prefix)
    assert decompress(packed, len(raw), prefix) == raw
    if raw:
        with pytest.raises(LimitExceededError):
            decompress(packed, len(raw) - 1, prefix)


@given(st.binary(max_size=300))
def test_any_bytes_unfold_within_their_bound_or_are_refused(packed: bytes) -> None:
    with suppress(MalformedMessageError, LimitExceededError):
        assert len(decompress(packed, 1000)) <= 1000


def test_a_frame_that_is_cut_off_doubled_or_has_a_tail_is_malformed() -> None:
    packed = compress(b"hello" * 100)
    for bad in (packed[:-1], packed[:4], packed * 2, packed + b"x", b""):
        with pytest.raises(MalformedMessageError):
            decompress(bad, 10_000)


def test_a_frame_that_asks_for_a_huge_window_is_malformed() -> None:
    window_27_bits = 0x88  # exponent 17, mantissa 0: 2^27 bytes
    frame = struct.pack("<I", 0xFD2FB528) + bytes([0x00, window_27_bits]) + b"\x01\x00\x00"
    with pytest.raises(MalformedMessageError):
        decompress(frame, 1000)


def test_the_checksum_finds_a_flipped_bit() -> None:
    assert checksum(b"abc") != checksum(b"abb")


def test_only_what_the_protocol_has_is_written() -> None:
    assert encode([None, True, 1, "a", b"b", {1: 2}]) == msgspec.msgpack.encode(
        [None, True, 1, "a", b"b", {1: 2}]
    )


# --- clock ----------------------------------------------------------------------------------------


def test_readings_never_go_back_and_never_repeat_whatever_the_wall_does() -> None:
    wall = iter([100, 100, 50, 0, 101, 101])
    clock = HybridLogicalClock(lambda: next(wall))
    readings = [clock.now() for _ in range(6)]
    assert readings == sorted(set(readings))
    assert millis(readings[0]) == 100
    assert millis(readings[4]) == 101


def test_a_clock_goes_on_from_where_it_was() -> None:
    last = pack(1000, 5)
    assert HybridLogicalClock(lambda: 10, last).now() == last + 1


def test_a_foreign_time_moves_ours_no_further_than_the_bound() -> None:
    clock = HybridLogicalClock(lambda: 1000)
    clock.hear(pack(1500))
    assert millis(clock.now()) == 1500
    clock.hear(2**64 - 1)
    assert millis(clock.now()) == 1000 + limits.CLOCK_ADOPT_MS_MAX
    clock.hear(0)
    assert millis(clock.now()) == 1000 + limits.CLOCK_ADOPT_MS_MAX


def test_a_wall_beyond_48_bits_or_before_1970_is_bounded() -> None:
    assert millis(pack(-5)) == 0
    assert millis(pack(2**60)) == MILLIS_MAX
    assert wall_ms() > 0


# --- identity -------------------------------------------------------------------------------------


def test_ids_have_sixteen_bytes_and_are_apart() -> None:
    key = DeviceKey(b"k" * 32)
    assert len(device_id(key)) == len(feed_id(key)) == 16
    assert bytes(device_id(key)) != bytes(feed_id(key))
    assert len(record_id(5, FeedId(b"f" * 16), 1, b"saltsalt", 0)) == 16


def test_an_id_is_read_as_people_copy_it() -> None:
    assert parse_id(" 000102030405060708090a0b0c0d0e0F\n") == bytes(range(16))
    for bad in ("", "00", "zz" * 16, "00" * 17):
        with pytest.raises(InputError):
            parse_id(bad)


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_tells_people_a_sentence_and_machines_the_evidence() -> None:
    problem = LimitExceededError("Too large.", bytes=5)
    assert (problem.diagnosis, problem.evidence, str(problem)) == (
        "Too large.",
        {"bytes": 5},
        "Too large.",
    )
    assert isinstance(problem, SyncError)
    assert not problem.retryable
