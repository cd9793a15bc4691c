"""Ranges pack and unpack to the same entries; what is out of shape is refused within bounds."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.encoding import compress, encode
from sync_protocol.errors import (
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    PeerError,
    UnsupportedVersionError,
)
from sync_protocol.identity import NO_OFFICER
from sync_protocol.log import block
from sync_protocol.log.entry import CHANGESET, Entry, Header


def _entries(count: int, first: int = 1) -> list[Entry]:
    return [
        Entry.of(
            Header((first + n) << 16, NO_OFFICER, 1, CHANGESET),
            (first + n).to_bytes(8, "big") + f"Nguyễn Văn {n}".encode(),
        )
        for n in range(count)
    ]


def _alone(raw: bytes) -> bytes:
    return bytes([block.ALONE]) + compress(raw)


@pytest.mark.parametrize(("first", "count"), [(1, 1), (1, 256), (250, 7), (257, 256), (4097, 3)])
def test_a_range_unpacks_to_what_was_packed(first: int, count: int) -> None:
    entries = _entries(count, first)
    found = block.unpack(block.pack(first, entries))
    assert (found.first, found.entries, found.last) == (first, entries, first + count - 1)


def test_erased_bodies_travel_as_their_hashes() -> None:
    entries = _entries(5)
    entries[1], entries[4] = entries[1].erased(), entries[4].erased()
    assert block.unpack(block.pack(1, entries)).entries == entries


def test_a_range_against_its_groups_head_is_smaller_and_needs_that_head() -> None:
    head = block.raw_form(1, _entries(256))
    packed = block.pack(257, _entries(20, 257), head)
    assert len(packed) < len(block.pack(257, _entries(20, 257)))
    assert block.packed_against(packed) == block.head_digest(head)
    assert block.unpack(packed, head).entries == _entries(20, 257)
    for wrong in (None, block.raw_form(1, _entries(255))):
        with pytest.raises(FeedGapError):
            block.unpack(packed, wrong)


def test_a_range_that_stands_alone_names_no_head() -> None:
    assert block.packed_against(block.pack(1, _entries(1))) is None


def test_blocks_are_256_entries_and_groups_are_16_blocks() -> None:
    assert [block.block_number(seq) for seq in (1, 256, 257, 512, 513)] == [0, 0, 1, 1, 2]
    assert [block.block_first(number) for number in (0, 1, 2)] == [1, 257, 513]
    assert block.spans(250, 600) == [(250, 256), (257, 512), (513, 600)]
    assert block.spans(5, 4) == []
    assert block.is_full_block(257, 256)
    assert not block.is_full_block(256, 256)
    assert not block.is_full_block(257, 255)
    firsts = [block.group_head_first(seq) for seq in (1, 4096, 4097, 9000)]
    assert firsts == [1, 1, 4097, 8193]


E = _entries(1)[0]
HEADER, SALT, BODY = E.header, (E.body or b"")[:8], (E.body or b"")[8:]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        encode([]),
        encode([1, [], b"", [], []]),
        encode([0, [HEADER], SALT, [BODY], []]),
        encode([-5, [HEADER], SALT, [BODY], []]),
        encode([2**63, [HEADER], SALT, [BODY], []]),
        encode([1, [HEADER, HEADER], SALT, [BODY], []]),
        encode([1, [HEADER], b"", [BODY], []]),
        encode([1, [HEADER], SALT + b"x", [BODY], []]),
        encode([1, [HEADER], SALT, [None], []]),
        encode([1, [HEADER], b"", [None], [b"short"]]),
        encode([1, [HEADER], SALT, [BODY], [bytes(32)]]),
        encode([1, ["text"], SALT, [BODY], []]),
        encode([256, [HEADER] * 2, SALT * 2, [BODY] * 2, []]),
        encode([1, [HEADER] * 257, SALT * 257, [BODY] * 257, []]),
        encode([1, [HEADER], SALT, [BODY], []]) + b"tail",
    ],
    ids=range(17),
)
def test_columns_that_do_not_match_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        block.unpack(_alone(raw))


def test_an_entry_larger_than_its_bound_is_refused() -> None:
    body = b"x" * limits.ENTRY_BODY_BYTES_MAX
    for row in ([1, [HEADER], SALT, [body], []], [1, [body + b"x"], SALT, [BODY], []]):
        with pytest.raises(LimitExceededError):
            block.unpack(_alone(encode(row)))


@pytest.mark.parametrize(
    ("packed", "kind"),
    [
        (b"", MalformedMessageError),
        (b"\x00", UnsupportedVersionError),
        (b"\x03whatever", UnsupportedVersionError),
        (b"\x01", MalformedMessageError),
        (b"\x01not zstd", MalformedMessageError),
        (b"\x02short", FeedGapError),
        (bytes(limits.RANGE_PACKED_BYTES_MAX + 1), LimitExceededError),
        (_alone(b"")[:-1], MalformedMessageError),
        (_alone(encode([1, [HEADER], SALT, [BODY], []])) + b"tail", MalformedMessageError),
    ],
)
def test_bytes_that_are_no_block_are_refused(packed: bytes, kind: type[PeerError]) -> None:
    with pytest.raises(kind):
        block.unpack(packed)


def test_a_bomb_is_refused_without_being_unfolded() -> None:
    with pytest.raises(LimitExceededError):
        block.unpack(_alone(bytes(limits.RANGE_BYTES_MAX + 1)))


def test_a_memory_view_unpacks_as_bytes_do() -> None:
    packed = block.pack(1, _entries(3))
    assert block.unpack(memoryview(packed)) == block.unpack(packed)
