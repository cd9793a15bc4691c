"""Feeds open with a signed declaration, and seals prove how far they go."""

from __future__ import annotations

import hashlib

import pytest

from sync_protocol.crypto import signature
from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, MalformedMessageError
from sync_protocol.identity import NO_OFFICER, DeviceKey, FeedId, WardId, feed_id
from sync_protocol.log.entry import CHANGESET, Entry, Header, Mark
from sync_protocol.log.feed import Head, declare, follow, mark, read_declaration
from sync_protocol.log.seal import Seal, check_seal, decode_seal, encode_seal, make_seal
from tests.ward import keys_of

KEYS = keys_of("edge")
WARD = WardId(b"w" * 16)
OLD = Mark(FeedId(b"f" * 16), 9, b"h" * 16)


def test_a_declaration_reads_back_and_names_its_feed_by_its_hash() -> None:
    declared = declare(KEYS, WARD, b"incarnat", OLD)
    again = read_declaration(declared.raw)
    assert again == declared
    assert again.feed == feed_id(declared.raw)
    assert again.declaration.device == KEYS.public
    assert again.declaration.agreement == KEYS.agreement.public
    assert again.declaration.supersedes == OLD
    assert declare(KEYS, WARD, b"incarnat").declaration.supersedes is None


def test_a_fresh_incarnation_is_another_feed() -> None:
    assert declare(KEYS, WARD, b"incarna1").feed != declare(KEYS, WARD, b"incarna2").feed


def test_the_chain_starts_with_the_hash_of_the_declaration() -> None:
    declared = declare(KEYS, WARD, b"incarnat")
    expected = hashlib.sha256(b"motcua/chain/1" + declared.raw).digest()
    assert declared.start == Head(0, expected)


def test_every_flipped_byte_of_a_declaration_is_seen() -> None:
    raw = declare(KEYS, WARD, b"incarnat", OLD).raw
    for place in range(len(raw)):
        bad = bytearray(raw)
        bad[place] ^= 1
        with pytest.raises((BadSignatureError, MalformedMessageError)):
            read_declaration(bytes(bad))


@pytest.mark.parametrize(
    "row",
    [
        [b"k", KEYS.agreement.public, WARD, b"incarnat", None],
        [KEYS.public, b"a", WARD, b"incarnat", None],
        [KEYS.public, KEYS.agreement.public, b"w", b"incarnat", None],
        [KEYS.public, KEYS.agreement.public, WARD, b"i", None],
        [KEYS.public, KEYS.agreement.public, WARD, b"incarnat", [b"f", 1, b"h" * 16]],
        [KEYS.public, KEYS.agreement.public, WARD, b"incarnat", [b"f" * 16, -1, b"h" * 16]],
        [KEYS.public, KEYS.agreement.public],
    ],
)
def test_a_declaration_out_of_shape_is_refused_though_it_is_signed(row: list[object]) -> None:
    body = encode(row)
    with pytest.raises(MalformedMessageError):
        read_declaration(signature.sign(KEYS.signing, signature.DECLARATION, body) + body)


def test_following_gives_the_hash_after_each_entry() -> None:
    head = declare(KEYS, WARD, b"incarnat").start
    entries = [Entry.of(Header(n, NO_OFFICER, 1, CHANGESET), b"saltsalt%d" % n) for n in range(3)]
    first = entries[0].follow(head.hash)
    assert follow(head, entries)[:2] == [first, entries[1].follow(first)]
    assert follow(head, []) == []


def test_a_head_is_stated_with_half_its_hash() -> None:
    assert mark(FeedId(b"f" * 16), Head(7, bytes(range(32)))) == Mark(
        FeedId(b"f" * 16), 7, bytes(range(16))
    )


# --- seals ----------------------------------------------------------------------------------------

SEAL = make_seal(KEYS.signing, FeedId(b"f" * 16), 7, bytes(range(32)))


def test_a_seal_reads_back_and_verifies_under_its_device_only() -> None:
    again = decode_seal(encode_seal(SEAL))
    assert again == SEAL
    assert again.mark == Mark(FeedId(b"f" * 16), 7, bytes(range(16)))
    check_seal(again, KEYS.public)
    with pytest.raises(BadSignatureError):
        check_seal(again, keys_of("other").public)


@pytest.mark.parametrize(
    "bad",
    [
        Seal(FeedId(b"f"), 7, bytes(32), SEAL.signature),
        Seal(SEAL.feed, -1, bytes(32), SEAL.signature),
        Seal(SEAL.feed, 2**63, bytes(32), SEAL.signature),
        Seal(SEAL.feed, 7, bytes(31), SEAL.signature),
    ],
)
def test_a_seal_out_of_shape_is_refused(bad: Seal) -> None:
    with pytest.raises(MalformedMessageError):
        check_seal(bad, KEYS.public)


@pytest.mark.parametrize(
    "bad",
    [
        Seal(SEAL.feed, 8, SEAL.hash, SEAL.signature),
        Seal(SEAL.feed, 7, bytes(32), SEAL.signature),
        Seal(FeedId(b"g" * 16), 7, SEAL.hash, SEAL.signature),
        Seal(SEAL.feed, 7, SEAL.hash, b""),
        Seal(SEAL.feed, 7, SEAL.hash, SEAL.signature[::-1]),
    ],
)
def test_a_seal_proves_its_own_feed_seq_and_hash_only(bad: Seal) -> None:
    with pytest.raises(BadSignatureError):
        check_seal(bad, KEYS.public)


def test_a_device_key_that_is_no_key_verifies_nothing() -> None:
    with pytest.raises(BadSignatureError):
        check_seal(SEAL, DeviceKey(b"short"))
