"""A piece opens for its recipient only, and not a byte of it can change unseen."""

from dataclasses import dataclass

import pytest

from sync_protocol import limits
from sync_protocol.attachment import key_name
from sync_protocol.crypto.key import AgreementKey, DeviceKeys
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import (
    LimitExceededError,
    MalformedMessageError,
    PeerError,
    UnsupportedVersionError,
    WrongKeyError,
)
from sync_protocol.identity import WardId
from sync_protocol.wire import bundle as b
from sync_protocol.wire.push import RangeItem

SENDER = DeviceKeys.generate()
READER = AgreementKey(bytes(range(32)))
ITEM = RangeItem(b"f" * 16, 1, 2, b"h" * 16, 4, b"d" * 16)
CONTENT = b.Content(
    [b"declaration"], [b"seal"], [ITEM], [b"Nguy"], [b"receipt"], [(b"s" * 16, [b"a" * 32])], [b"c"]
)


@dataclass
class Made:
    address: b.Address
    piece: bytes
    manifest: bytes


def _made() -> Made:
    name = key_name(READER.public)
    address = b.Address(WardId(b"w" * 16), SENDER.public, name, b"b" * 16, 1_790_000_000_000)
    piece = b.write_piece(SENDER.signing, address, READER.public, 0, CONTENT)
    manifest = b.write_manifest(SENDER.signing, address, [(len(piece), b.file_digest(piece))])
    return Made(address, piece, manifest)


def test_a_piece_opens_to_what_was_put_in() -> None:
    made = _made()
    piece = b.read_piece(made.piece)
    assert (piece.address, piece.index) == (made.address, 0)
    assert b.open_piece(piece, [AgreementKey(bytes(32)), READER]) == CONTENT
    assert b.read_manifest(made.manifest).pieces == [(len(made.piece), b.file_digest(made.piece))]


def test_nothing_that_is_carried_shows() -> None:
    piece = _made().piece
    assert b"Nguy" not in piece
    assert b"declaration" not in piece


def test_every_flipped_byte_of_piece_and_manifest_is_seen() -> None:
    made = _made()
    for raw, read in ((made.piece, b.read_piece), (made.manifest, b.read_manifest)):
        for place in range(len(raw)):
            damaged = bytearray(raw)
            damaged[place] ^= 1 << place % 8
            with pytest.raises(PeerError):
                read(bytes(damaged))


def test_every_cut_and_every_tail_is_seen() -> None:
    made = _made()
    for raw, read in ((made.piece, b.read_piece), (made.manifest, b.read_manifest)):
        for length in range(len(raw)):
            with pytest.raises(PeerError):
                read(raw[:length])
        with pytest.raises(PeerError):
            read(raw + b"\0")


def test_a_piece_is_no_manifest_and_a_manifest_no_piece() -> None:
    made = _made()
    with pytest.raises(MalformedMessageError):
        b.read_manifest(made.piece)
    with pytest.raises(MalformedMessageError):
        b.read_piece(made.manifest)


def test_another_device_is_told_so() -> None:
    with pytest.raises(WrongKeyError, match="another device"):
        b.open_piece(b.read_piece(_made().piece), [AgreementKey(bytes(32))])


def _signed(rows: list[object]) -> bytes:
    return b._signed(SENDER.signing, encode(rows))


@pytest.mark.parametrize(
    ("place", "value"),
    [(1, 3), (2, b"w"), (3, b"s"), (4, b"r"), (5, b"b"), (6, -1), (6, 1 << 30), (7, -1)],
)
def test_what_is_out_of_shape_is_refused_though_signed(place: int, value: object) -> None:
    rows = decode(_made().piece[64:], list[object])
    rows[place] = value
    with pytest.raises(PeerError):
        b.read_piece(_signed(rows))


def test_another_version_says_what_to_do() -> None:
    rows = decode(_made().piece[64:], list[object])
    rows[0] = 2
    with pytest.raises(UnsupportedVersionError, match="update"):
        b.read_piece(_signed(rows))


def test_content_that_was_moved_to_another_place_does_not_open() -> None:
    rows = decode(_made().piece[64:], list[object])
    rows[6] = 1  # the sender itself signs it as another piece
    with pytest.raises(PeerError):
        b.open_piece(b.read_piece(_signed(rows)), [READER])


def test_columns_that_do_not_match_and_chunks_too_large_are_refused() -> None:
    made = _made()
    for content, error in (
        (b.Content(ranges=[ITEM]), MalformedMessageError),
        (b.Content(chunks=[bytes(300_000)]), LimitExceededError),
    ):
        raw = b.write_piece(SENDER.signing, made.address, READER.public, 0, content)
        with pytest.raises(error):
            b.open_piece(b.read_piece(raw), [READER])


def test_a_file_beyond_its_bound_is_neither_read_nor_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _made()
    monkeypatch.setattr(limits, "BUNDLE_FILE_BYTES_MAX", 100)
    with pytest.raises(LimitExceededError):
        b.read_piece(made.piece)
    with pytest.raises(LimitExceededError):
        b.write_piece(SENDER.signing, made.address, READER.public, 0, CONTENT)
