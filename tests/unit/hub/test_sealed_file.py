"""Every flip, cut, drop, double and exchange of a sealed file is noticed."""

from pathlib import Path

import pytest

from central_hub import sealed_file
from central_hub.sealed_file import SealedReader, SealedWriter
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.errors import (
    InputError,
    NewerStoreError,
    NotAllowedError,
    StoreCorruptError,
    SyncError,
    WrongKeyError,
)

KEY = AgreementKey(bytes([7]) * 32)
CONTENT = bytes(range(256)) * 5


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_file, "FRAME_BYTES", 300)


def written(path: Path, content: bytes = CONTENT) -> bytes:
    path.unlink(missing_ok=True)
    with SealedWriter(path, KEY.public) as writer:
        for at in range(0, len(content), 77):
            writer.write(content[at : at + 77])
        writer.finish()
    return path.read_bytes()


def read(path: Path, raw: bytes, size: int = len(CONTENT)) -> bytes:
    path.write_bytes(raw)
    reader = SealedReader(path, KEY)
    try:
        found = reader.read(size)
        reader.finish()
    finally:
        reader.close()
    return found


def frames(raw: bytes) -> tuple[bytes, list[bytes]]:
    """Return the header, and each frame with its head."""
    at = 14 + int.from_bytes(raw[10:14], "big")
    header, found = raw[:at], []
    while at < len(raw):
        length = 5 + int.from_bytes(raw[at + 1 : at + 5], "big")
        found.append(raw[at : at + length])
        at += length
    return header, found


def test_what_was_written_is_read(tmp_path: Path) -> None:
    raw = written(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert read(tmp_path / "b", raw) == CONTENT
    for content in (b"", bytes(300), bytes(600)):
        assert read(tmp_path / "b", written(tmp_path / "a", content), len(content)) == content


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    raw = written(tmp_path / "a")
    for length in range(len(raw)):
        with pytest.raises(StoreCorruptError):
            read(tmp_path / "b", raw[:length])


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    raw = written(tmp_path / "a")
    for at in range(len(raw)):
        flipped = bytearray(raw)
        flipped[at] ^= 0x55
        with pytest.raises(SyncError):
            read(tmp_path / "b", bytes(flipped))


def test_frames_can_not_be_dropped_doubled_exchanged_or_borrowed(tmp_path: Path) -> None:
    header, parts = frames(written(tmp_path / "a"))
    _, others = frames(written(tmp_path / "c"))
    assert len(parts) > 3
    for order in (
        parts[1:],
        parts[:-1],
        [parts[0], *parts],
        [*parts, parts[-1]],
        [parts[1], parts[0], *parts[2:]],
        [others[0], *parts[1:]],
        [*parts[:2], parts[-1]],
    ):
        with pytest.raises(StoreCorruptError):
            read(tmp_path / "b", header + b"".join(order))


def test_reading_beyond_the_end_or_stopping_before_it_is_noticed(tmp_path: Path) -> None:
    raw = written(tmp_path / "a")
    for size in (len(CONTENT) + 1, len(CONTENT) - 1, 0):
        with pytest.raises(StoreCorruptError):
            read(tmp_path / "b", raw, size)


def test_nothing_appears_until_it_is_finished(tmp_path: Path) -> None:
    with SealedWriter(tmp_path / "a", KEY.public) as writer:
        writer.write(CONTENT)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").write_bytes(b"kept")
    with pytest.raises(NotAllowedError):
        SealedWriter(tmp_path / "a", KEY.public)
    with pytest.raises(InputError):
        SealedWriter(tmp_path / "none" / "a", KEY.public)
    assert (tmp_path / "a").read_bytes() == b"kept"


def test_another_key_another_file_and_a_newer_version_are_told_apart(tmp_path: Path) -> None:
    raw = written(tmp_path / "a")
    with pytest.raises(WrongKeyError):
        SealedReader(tmp_path / "a", AgreementKey(bytes([8]) * 32))
    with pytest.raises(NewerStoreError):
        read(tmp_path / "b", raw[:8] + b"\0\2" + raw[10:])
    with pytest.raises(InputError):
        read(tmp_path / "b", b"something else entirely")
    with pytest.raises(InputError):
        SealedReader(tmp_path / "none", KEY)
