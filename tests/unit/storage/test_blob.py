"""Chunks in files: what an address names, or nothing."""

import hashlib
import os
import resource
from pathlib import Path

import pytest

from sync_protocol.errors import BadSignatureError, StoreFullError
from sync_protocol.storage.blob import FileChunks

CHUNK = os.urandom(5000)
ADDRESS = hashlib.sha256(CHUNK).digest()


def _file(folder: Path) -> Path:
    name = ADDRESS.hex()
    return folder / name[:2] / name[2:4] / name


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_chunk_is_there_after_opening_again(tmp_path: Path) -> None:
    FileChunks(tmp_path).put(ADDRESS, CHUNK)
    chunks = FileChunks(tmp_path)
    assert chunks.has(ADDRESS)
    assert chunks.get(ADDRESS) == CHUNK
    assert list(chunks.addresses()) == [ADDRESS]
    assert _files(tmp_path) == [_file(tmp_path)]
    assert _file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_removed_chunk_is_gone_and_removing_it_again_is_fine(tmp_path: Path) -> None:
    chunks = FileChunks(tmp_path)
    chunks.put(ADDRESS, CHUNK)
    chunks.remove(ADDRESS)
    chunks.remove(ADDRESS)
    assert not chunks.has(ADDRESS)
    assert chunks.get(ADDRESS) is None
    assert list(chunks.addresses()) == []


def test_bytes_that_are_not_what_their_address_says_are_refused(tmp_path: Path) -> None:
    chunks = FileChunks(tmp_path)
    with pytest.raises(BadSignatureError):
        chunks.put(ADDRESS, CHUNK + b"!")
    assert _files(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", CHUNK[:-1], CHUNK + b"x", bytes(5000)])
def test_a_damaged_chunk_is_dropped_and_can_come_again(tmp_path: Path, damage: bytes) -> None:
    chunks = FileChunks(tmp_path)
    chunks.put(ADDRESS, CHUNK)
    _file(tmp_path).write_bytes(damage)
    assert chunks.get(ADDRESS) is None
    assert not chunks.has(ADDRESS)
    chunks.put(ADDRESS, CHUNK)
    assert chunks.get(ADDRESS) == CHUNK


def test_putting_again_mends_a_damaged_chunk(tmp_path: Path) -> None:
    chunks = FileChunks(tmp_path)
    chunks.put(ADDRESS, CHUNK)
    _file(tmp_path).write_bytes(b"rot")
    chunks.put(ADDRESS, CHUNK)
    assert chunks.get(ADDRESS) == CHUNK


def test_what_a_kill_left_unfinished_is_cleared_at_open(tmp_path: Path) -> None:
    FileChunks(tmp_path)
    (tmp_path / "incoming" / "abc.part").write_bytes(b"half")
    FileChunks(tmp_path)
    assert _files(tmp_path) == []


def test_strangers_among_the_files_are_passed_over(tmp_path: Path) -> None:
    chunks = FileChunks(tmp_path)
    chunks.put(ADDRESS, CHUNK)
    _file(tmp_path).with_name("notes.txt").write_text("x")
    (tmp_path / "00" / "00").mkdir(parents=True)
    (tmp_path / "00" / "00" / ("ff" * 32)).write_text("misplaced")
    assert list(chunks.addresses()) == [ADDRESS]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    chunks = FileChunks(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreFullError):
            chunks.put(ADDRESS, CHUNK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _files(tmp_path) == []
    chunks.put(ADDRESS, CHUNK)
    assert chunks.get(ADDRESS) == CHUNK


@pytest.mark.parametrize("address", [b"", b"short", b"../../../../etc/passwd"])
def test_an_address_of_another_length_names_nothing(tmp_path: Path, address: bytes) -> None:
    chunks = FileChunks(tmp_path)
    assert chunks.get(address) is None
    assert not chunks.has(address)
    chunks.remove(address)
