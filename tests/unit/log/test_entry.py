"""An entry's place in the chain: headers, bodies and hashes."""

from __future__ import annotations

import hashlib

import pytest

from sync_protocol import limits
from sync_protocol.encoding import encode
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import NO_OFFICER, FeedId, OfficerId
from sync_protocol.log.entry import CHANGESET, Entry, Header, Mark, check_mark, digest, read_header

FEED = FeedId(b"f" * 16)
MARK = Mark(FEED, 3, b"h" * 16)
OFFICER = OfficerId(b"o" * 16)


def test_a_header_reads_back_as_it_was_written() -> None:
    header = Header(5 << 16, OFFICER, 1, CHANGESET, [MARK])
    assert read_header(Entry.of(header, b"saltsaltbody").header) == header


def test_what_a_newer_version_appends_to_a_header_is_ignored_and_kept() -> None:
    raw = encode([5, b"", 1, 7, [], "more"])
    assert read_header(raw) == Header(5, NO_OFFICER, 1, 7)
    assert Entry(raw, None, bytes(32)).header == raw


def test_the_chain_covers_the_past_the_body_and_the_header() -> None:
    entry = Entry.of(Header(1, NO_OFFICER, 1, CHANGESET), b"saltsaltbody")
    assert entry.body_hash == digest(b"saltsaltbody")
    before = bytes(32)
    expected = hashlib.sha256(before + entry.body_hash + entry.header).digest()
    assert entry.follow(before) == expected
    assert entry.follow(b"\1" * 32) != expected


def test_an_erased_entry_keeps_its_place_in_the_chain() -> None:
    entry = Entry.of(Header(1, NO_OFFICER, 1, CHANGESET), b"saltsaltbody")
    assert entry.erased().body is None
    assert entry.erased().follow(bytes(32)) == entry.follow(bytes(32))


@pytest.mark.parametrize(
    "row",
    [
        [-1, b"", 1, 0, []],
        [1, b"short", 1, 0, []],
        [1, b"", 1],
        ["1", b"", 1, 0, []],
        [1, b"", 1, 0, [[b"short", 1, b"h" * 16]]],
        [1, b"", 1, 0, [[FEED, -1, b"h" * 16]]],
        [1, b"", 1, 0, [[FEED, 2**63, b"h" * 16]]],
        [1, b"", 1, 0, [[FEED, 1, b"h" * 32]]],
        {},
    ],
    ids=repr,
)
def test_a_header_out_of_shape_is_refused(row: object) -> None:
    with pytest.raises(MalformedMessageError):
        read_header(encode(row))


def test_a_context_larger_than_its_bound_is_refused() -> None:
    marks = [[FEED, 1, b"h" * 16]] * (limits.ENTRY_CONTEXT_FEEDS_MAX + 1)
    with pytest.raises(LimitExceededError):
        read_header(encode([1, b"", 1, 0, marks]))


def test_a_mark_in_shape_passes() -> None:
    check_mark(MARK)
    check_mark(Mark(FEED, 0, b"h" * 16))
