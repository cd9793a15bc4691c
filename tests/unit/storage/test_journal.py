"""The capture journal: what `append` acknowledged is there, whatever happens to the file's end."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync_protocol import limits
from sync_protocol.errors import StorageError, StoreCorruptError, StoreFullError
from sync_protocol.storage.journal import FileJournal

FRAMES = [bytes([n]) * (20 + n) for n in range(6)]


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def _filled(folder: Path) -> FileJournal:
    journal = FileJournal(folder)
    for seq, frame in enumerate(FRAMES, start=1):
        journal.append(seq, [frame])
    journal.close()
    return journal


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """Let the system itself cut every write short at `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_appended_is_there_after_opening_again(tmp_path: Path) -> None:
    _filled(tmp_path)
    journal = FileJournal(tmp_path)
    assert list(journal.frames()) == FRAMES
    journal.append(7, [b"seven", b"eight"])
    assert list(journal.frames()) == [*FRAMES, b"seven", b"eight"]
    assert not journal.damaged
    journal.close()


def test_an_empty_journal_has_no_frames_and_no_files(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "deep" / "journal")
    journal.append(1, [])
    assert list(journal.frames()) == []
    assert (tmp_path / "deep" / "journal").stat().st_mode & 0o777 == 0o700
    journal.close()


def test_files_are_private(tmp_path: Path) -> None:
    _filled(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in _segments(tmp_path)} == {0o600}


def test_a_power_cut_at_every_byte_of_the_last_append_loses_only_that(tmp_path: Path) -> None:
    _filled(tmp_path)
    path = _segments(tmp_path)[0]
    whole = path.read_bytes()
    last = len(whole) - 8 - len(FRAMES[-1])
    for size in range(last, len(whole)):
        path.write_bytes(whole[:size])
        journal = FileJournal(tmp_path)
        assert list(journal.frames()) == FRAMES[:-1]
        assert not journal.damaged
        journal.append(6, [b"again"])
        assert list(journal.frames()) == [*FRAMES[:-1], b"again"]
        journal.close()


@pytest.mark.parametrize(
    "tail", [bytes(100), b"\xff" * 100, bytes(range(100))], ids=["0", "ff", "count"]
)
def test_a_tail_of_rubbish_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    _filled(tmp_path)
    with _segments(tmp_path)[0].open("ab") as file:
        file.write(tail)
    journal = FileJournal(tmp_path)
    assert list(journal.frames()) == FRAMES
    journal.append(7, [b"seven"])
    assert list(journal.frames())[-1] == b"seven"
    journal.close()


def test_every_flipped_byte_ends_the_frames_right_before_it(tmp_path: Path) -> None:
    _filled(tmp_path)
    path = _segments(tmp_path)[0]
    whole = path.read_bytes()
    ends = [sum(8 + len(frame) for frame in FRAMES[: n + 1]) for n in range(len(FRAMES))]
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        hit = next(n for n, end in enumerate(ends) if place < end)
        journal = FileJournal(tmp_path)
        assert list(journal.frames()) == FRAMES[:hit]
        # The last frame can't be told from a torn tail; all others are known to be damage.
        assert journal.damaged == (hit < len(FRAMES) - 1)
        journal.close()


def test_a_damaged_journal_takes_nothing_until_it_is_set_aside(tmp_path: Path) -> None:
    _filled(tmp_path)
    path = _segments(tmp_path)[0]
    damaged = bytearray(path.read_bytes())
    damaged[10] ^= 1
    path.write_bytes(damaged)
    journal = FileJournal(tmp_path)
    with pytest.raises(StoreCorruptError):
        journal.append(7, [b"seven"])
    journal.restart()
    assert (tmp_path / "damaged-1" / path.name).read_bytes() == damaged
    journal.append(1, [b"anew"])
    assert list(journal.frames()) == [b"anew"]
    journal.restart()
    assert (tmp_path / "damaged-2").is_dir()
    assert list(journal.frames()) == []
    journal.close()


def test_segments_roll_and_are_dropped_but_for_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOURNAL_SEGMENT_BYTES_MAX", 100)
    journal = FileJournal(tmp_path)
    for seq in range(1, 11):
        journal.append(seq, [bytes([seq]) * 40])
    assert [int(path.stem) for path in _segments(tmp_path)] == [1, 3, 5, 7, 9]
    assert all(path.stat().st_size <= 100 for path in _segments(tmp_path))
    journal.drop(3)
    assert [int(path.stem) for path in _segments(tmp_path)] == [3, 5, 7, 9]
    journal.drop(4)
    assert [int(path.stem) for path in _segments(tmp_path)] == [5, 7, 9]
    journal.drop(1000)
    assert [int(path.stem) for path in _segments(tmp_path)] == [9]
    assert list(journal.frames()) == [bytes([9]) * 40, bytes([10]) * 40]
    journal.close()
    again = FileJournal(tmp_path)
    again.append(11, [b"eleven"])
    assert list(again.frames())[-1] == b"eleven"
    again.close()


def test_a_missing_segment_ends_the_frames_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOURNAL_SEGMENT_BYTES_MAX", 50)
    _filled(tmp_path)
    _segments(tmp_path)[2].unlink()
    journal = FileJournal(tmp_path)
    assert list(journal.frames()) == FRAMES[:2]
    assert journal.damaged
    journal.close()


def test_a_full_disk_leaves_no_half_frame_and_the_next_append_works(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.append(1, [b"a" * 1000])
    for room in range(1008, 2016, 7):
        with _no_file_beyond(room), pytest.raises(StoreFullError):
            journal.append(2, [b"b" * 1000])
        assert list(journal.frames()) == [b"a" * 1000]
    journal.append(2, [b"c" * 1000])
    assert list(journal.frames()) == [b"a" * 1000, b"c" * 1000]
    journal.close()
    again = FileJournal(tmp_path)
    assert list(again.frames()) == [b"a" * 1000, b"c" * 1000]
    again.close()


def test_a_full_disk_at_the_first_frame_leaves_no_file(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with _no_file_beyond(5), pytest.raises(StoreFullError):
        journal.append(1, [b"a" * 1000])
    assert _segments(tmp_path) == []
    journal.append(1, [b"a" * 1000])
    journal.close()


def test_no_space_at_the_sync_is_a_full_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = FileJournal(tmp_path)
    journal.append(1, [b"one"])
    real = os.fdatasync

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(StoreFullError):
        journal.append(2, [b"two"])
    monkeypatch.setattr(os, "fdatasync", real)
    journal.append(2, [b"deux"])
    assert list(journal.frames()) == [b"one", b"deux"]
    journal.close()


def test_after_a_failed_sync_the_old_file_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = FileJournal(tmp_path)
    journal.append(1, [b"one"])

    def broken(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(StorageError) as caught:
            journal.append(2, [b"two"])
    assert not isinstance(caught.value, StoreFullError)
    journal.append(2, [b"deux"])
    assert [int(path.stem) for path in _segments(tmp_path)] == [1, 2]
    assert list(journal.frames()) == [b"one", b"deux"]
    journal.close()


def test_a_gap_in_the_seqs_is_our_own_mistake(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.append(501, [b"x"])
    with pytest.raises(AssertionError):
        journal.append(503, [b"y"])
    with pytest.raises(AssertionError):
        journal.append(502, [b""])
    journal.close()
