"""Frames of the capture journal open to what was sealed, under that key only."""

import pytest

from sync_protocol.crypto import seal
from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, MalformedMessageError
from sync_protocol.identity import NO_OFFICER, FeedId
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.log.journal import PURPOSE, JournalFrame, open_frame, seal_frame

KEY = bytes(range(32))
FEED = FeedId(b"f" * 16)
HASH = b"h" * 32


def _entry() -> Entry:
    return Entry.of(Header(1 << 16, NO_OFFICER, 1, CHANGESET), b"saltsalt" + "Nguyễn".encode())


@pytest.mark.parametrize("entry", [_entry(), _entry().erased()], ids=["whole", "erased"])
def test_a_frame_opens_to_what_was_sealed(entry: Entry) -> None:
    frame = seal_frame(KEY, FEED, 7, entry, HASH)
    assert open_frame(KEY, frame) == JournalFrame(FEED, 7, entry, HASH)


def test_a_frame_shows_nothing_in_clear() -> None:
    frame = seal_frame(KEY, FEED, 7, _entry(), HASH)
    assert "Nguyễn".encode() not in frame
    assert frame.find(FEED) == -1


def test_a_frame_does_not_open_under_another_key() -> None:
    with pytest.raises(BadSignatureError):
        open_frame(bytes(32), seal_frame(KEY, FEED, 7, _entry(), HASH))


def test_every_flipped_byte_is_seen() -> None:
    frame = seal_frame(KEY, FEED, 7, _entry(), HASH)
    for place in range(len(frame)):
        damaged = bytearray(frame)
        damaged[place] ^= 1
        with pytest.raises(BadSignatureError):
            open_frame(KEY, bytes(damaged))


@pytest.mark.parametrize(
    "clear",
    [
        [FEED, -1, b"", b"body", b"", HASH],
        [b"short", 1, b"", b"body", b"", HASH],
        [FEED, 1, b"", b"body", b"", b"short"],
        [FEED, 1, b"", None, b"", HASH],
        [FEED],
        "text",
    ],
)
def test_a_frame_out_of_shape_is_refused(clear: object) -> None:
    with pytest.raises(MalformedMessageError):
        open_frame(KEY, seal.encrypt(KEY, encode(clear), PURPOSE))
