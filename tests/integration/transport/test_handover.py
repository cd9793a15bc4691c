"""Handing commands over, through real sockets and real processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sync_protocol.errors import (
    MalformedMessageError,
    NotAllowedError,
    StoreBusyError,
    TransportError,
    UnreachableError,
    WrongPeerError,
)
from sync_protocol.transport import handover
from sync_protocol.transport.handover import HandoverServer, hand_over

Item = dict[str, Any]


def _echo(command: str, arguments: Item) -> Iterator[Item]:
    yield {"line": command}
    yield {"line": arguments}
    yield {"exit": 3}


def test_a_command_and_its_answer_go_over(tmp_path: Path) -> None:
    with HandoverServer(tmp_path, _echo):
        items = list(hand_over(tmp_path, "sync", {"now": True, "wards": [1, 2], "name": "Huế"}))
    assert items == [
        {"line": "sync"},
        {"line": {"now": True, "wards": [1, 2], "name": "Huế"}},
        {"exit": 3},
    ]


def test_the_socket_is_private_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with HandoverServer(tmp_path, _echo):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_nobody_there_is_told(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "none"):
        with pytest.raises(UnreachableError):
            list(hand_over(home, "x", {}))


def test_a_deep_home_is_no_obstacle(tmp_path: Path) -> None:
    home = tmp_path / ("d" * 100) / ("e" * 100)
    with HandoverServer(home, _echo):
        assert list(hand_over(home, "x", {}))[-1] == {"exit": 3}


def test_errors_of_ours_are_told_and_others_are_named_without_their_words(tmp_path: Path) -> None:
    def execute(command: str, arguments: Item) -> Iterator[Item]:
        yield {"line": "begun"}
        if command == "ours":
            raise NotAllowedError("You may not.")
        if command == "other":
            raise ValueError("Nguyễn Văn An")

    with HandoverServer(tmp_path, execute):
        ours = list(hand_over(tmp_path, "ours", {}))
        other = list(hand_over(tmp_path, "other", {}))
        silent = list(hand_over(tmp_path, "silent", {}))
    assert ours[1:] == [{"error": "not-allowed", "diagnosis": "You may not."}, {"exit": 1}]
    assert other[-1] == {"exit": 1}
    assert "Nguyễn" not in str(other)
    assert silent == [{"line": "begun"}, {"exit": 0}]


def test_items_come_as_they_are_made(tmp_path: Path) -> None:
    go_on = threading.Event()

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        yield {"line": 1}
        go_on.wait(10)
        yield {"line": 2}

    with HandoverServer(tmp_path, execute):
        items = hand_over(tmp_path, "x", {})
        assert next(items) == {"line": 1}
        go_on.set()
        assert list(items) == [{"line": 2}, {"exit": 0}]


def test_a_long_silence_is_bridged_and_a_dead_server_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "STILL_AT_IT_S", 0.05)
    monkeypatch.setattr(handover, "SILENCE_S", 0.3)

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        time.sleep(1)
        yield {"line": "done"}

    with HandoverServer(tmp_path, execute):
        assert list(hand_over(tmp_path, "x", {})) == [{"line": "done"}, {"exit": 0}]
        monkeypatch.setattr(handover, "STILL_AT_IT_S", 10)
        with pytest.raises(TransportError):
            list(hand_over(tmp_path, "x", {}))


CLIENT = """
import sys
from sync_protocol.transport.handover import hand_over
for item in hand_over(sys.argv[1], "write", {}):
    print(item, flush=True)
"""


@pytest.mark.process
def test_ctrl_c_in_the_terminal_does_not_stop_a_command(tmp_path: Path) -> None:
    written: list[int] = []
    left = threading.Event()
    done = threading.Event()

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        for number in range(1000):
            written.append(number)
            yield {"saved": number, "text": "x" * 1000}
            if number == 5:
                left.wait(10)
        done.set()

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", CLIENT, str(tmp_path)]
    with (
        HandoverServer(tmp_path, execute),
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as client,
    ):
        assert client.stdout is not None
        assert b"saved" in client.stdout.readline()
        client.send_signal(signal.SIGINT)
        client.communicate()
        left.set()
        assert done.wait(10)
    assert written == list(range(1000))


def test_stopping_waits_for_a_command_under_way(tmp_path: Path) -> None:
    begun = threading.Event()
    ended: list[bool] = []

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        begun.set()
        time.sleep(0.3)
        ended.append(True)
        yield {"line": "done"}

    server = HandoverServer(tmp_path, execute)
    server.start()
    items = hand_over(tmp_path, "x", {})
    thread = threading.Thread(target=lambda: ended.append(bool(list(items))))
    thread.start()
    assert begun.wait(10)
    server.stop()
    server.stop()
    assert ended[0] is True
    thread.join()


def test_a_socket_left_by_a_kill_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "control.sock"))
    with HandoverServer(tmp_path, _echo):
        assert list(hand_over(tmp_path, "x", {}))[-1] == {"exit": 3}
        second = HandoverServer(tmp_path, _echo)
        with pytest.raises(StoreBusyError):
            second.start()
        second.stop()
        assert list(hand_over(tmp_path, "x", {}))[-1] == {"exit": 3}


def test_a_file_in_the_sockets_place_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("mine")
    server = HandoverServer(tmp_path, _echo)
    with pytest.raises(StoreBusyError):
        server.start()
    server.stop()
    assert (tmp_path / "control.sock").read_text() == "mine"


def test_another_account_is_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        ran.append(command)
        yield {"exit": 0}

    with HandoverServer(tmp_path, execute):
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        with pytest.raises(WrongPeerError):
            list(hand_over(tmp_path, "x", {}))
        with socket.socket(socket.AF_UNIX) as line:  # a client that doesn't check, to the server
            line.connect(str(tmp_path / "control.sock"))
            with suppress(ConnectionError):  # it hangs up without reading
                line.sendall(b"\0\0\0\4\x92\xa1x\x80")
                assert line.recv(100) == b""
    assert ran == []


@pytest.mark.parametrize("raw", [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1x", b"\0\0\0\0"])
def test_rubbish_at_the_socket_harms_nobody(tmp_path: Path, raw: bytes) -> None:
    with HandoverServer(tmp_path, _echo):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / "control.sock"))
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(100) == b""
        assert list(hand_over(tmp_path, "x", {}))[-1] == {"exit": 3}


def test_rubbish_from_the_server_is_refused(tmp_path: Path) -> None:
    def rubbish(server: socket.socket) -> None:
        line, _ = server.accept()
        with line:
            line.recv(1000)
            line.sendall(b"\xff\xff\xff\xff")

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "control.sock"))
        server.listen()
        thread = threading.Thread(target=rubbish, args=(server,))
        thread.start()
        with pytest.raises(MalformedMessageError):
            list(hand_over(tmp_path, "x", {}))
        thread.join()


def test_too_many_at_once_are_turned_away(tmp_path: Path) -> None:
    go_on = threading.Event()

    def execute(command: str, arguments: Item) -> Iterator[Item]:
        yield {"line": "begun"}
        go_on.wait(10)

    with HandoverServer(tmp_path, execute):
        under_way = [hand_over(tmp_path, "x", {}) for _ in range(handover.AT_ONCE_MAX)]
        for items in under_way:
            next(items)
        with pytest.raises(TransportError):
            list(hand_over(tmp_path, "x", {}))
        go_on.set()
        for items in under_way:
            assert list(items) == [{"exit": 0}]


def test_a_line_that_is_too_long_is_told(tmp_path: Path) -> None:
    def execute(command: str, arguments: Item) -> Iterator[Item]:
        yield {"line": "x" * handover.FRAME_BYTES_MAX}

    with HandoverServer(tmp_path, execute):
        items = list(hand_over(tmp_path, "x", {}))
    assert items[0]["error"] == "limit-exceeded"
    assert items[-1] == {"exit": 0}


def test_the_socket_goes_however_early_the_stop_comes(tmp_path: Path) -> None:
    for _ in range(200):
        HandoverServer(tmp_path, _echo).__enter__().stop()
        assert not (tmp_path / "control.sock").exists()
