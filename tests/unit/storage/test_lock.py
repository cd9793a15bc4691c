"""One process owns a home, and its end lets go of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync_protocol.errors import StoreBusyError
from sync_protocol.storage.lock import OwnerLock

HOLDER = """
import sys
from sync_protocol.storage.lock import OwnerLock
lock = OwnerLock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it_and_may_come_after(tmp_path: Path) -> None:
    with OwnerLock(tmp_path / "home"):
        with pytest.raises(StoreBusyError) as caught:
            OwnerLock(tmp_path / "home")
        assert caught.value.evidence == {"process": os.getpid()}
        assert caught.value.retryable
    OwnerLock(tmp_path / "home").close()


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path)
    lock.close()
    lock.close()
    OwnerLock(tmp_path).close()


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusyError) as caught:
            OwnerLock(tmp_path)
        assert caught.value.evidence == {"process": holder.pid}
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        OwnerLock(tmp_path).close()
