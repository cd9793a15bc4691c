"""The file that is named as a scan: a plain one, or a refusal, and never a wait."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device_home.lines import open_lines
from device_home.scan_files import ScanFile, read_bounded
from sync_protocol.errors import InputError


def test_a_device_is_no_file_of_lines() -> None:
    with pytest.raises(InputError, match="no file of lines"):
        open_lines(Path("/dev/zero"), "file of dossiers")


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"scan")
    assert read_bounded(ScanFile(tmp_path / "scan.png", "scan.png")) == b"scan"


@pytest.mark.timeout(20)
def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero"), tmp_path, tmp_path / "gone.png"):
        with pytest.raises(InputError, match="“as it was typed”"):
            read_bounded(ScanFile(path, "as it was typed"))
