"""The notices of the ward: who must be told, that they were told, and the port for a gateway.

What holds: a gateway is handed a phone number and a text without any name, number or link
(`dossier.notice.TEXTS`), and nothing else. Where there is none, or it does not take a message, the
person stays on the list of those to be called until an officer says that they were reached.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from device_home.dossiers import Edits, load, save_edits
from device_home.moves import note
from edge_node.desk.due import of_status
from sync_protocol.dossier.notice import (
    NOTICED,
    TEXTS,
    Notice,
    Outcome,
    Told,
    Why,
    due_notice,
    notice_kind,
)
from sync_protocol.dossier.record_type import NOTES, STATUS
from sync_protocol.identity import NO_OFFICER, OfficerId, RecordId
from sync_protocol.merge.state import RecordState
from sync_protocol.record.schema import RETRACTION
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

GATEWAY_TIMEOUT_S = 8.0
"""A modem takes about six seconds for a message; a station that stops waits ten."""
SENT_AT_ONCE_MAX = 50
"""Messages of one round: 50 x 6 s are five minutes; the rest goes in the next round."""
_SAID = {
    Outcome.REACHED: "Đã báo cho công dân",
    Outcome.MISSED: "Chưa liên lạc được",
    Outcome.SENT: "Đã gửi tin nhắn",
}
"""What the note says to whoever reads the dossier, by any version."""


class Gateway(Protocol):
    """What sends messages: SMS or e-mail."""

    def send(self, phone: str, text: str) -> bool:
        """Send a text; return whether it was taken. Never waits longer than its own timeout."""
        ...


class Due(NamedTuple):
    """Somebody who must be told."""

    record: RecordId
    notice: Notice


def due_notices(replica: Replica) -> list[Due]:
    """Return who must be told: those not tried yet first, then the longest not tried."""
    found = [
        Due(record, notice)
        for status in NOTICED
        for record, state in of_status(replica, status)
        if (notice := _notice(status, state)) is not None
    ]
    return sorted(found, key=lambda item: (item.notice.last, item.notice.since, item.record))


def _notice(status: str, state: RecordState) -> Notice | None:
    if any(item.value is not None for item in state.living((RETRACTION, None)).values()):
        return None
    since = min((item.timestamp for item in state.living((STATUS, None)).values()), default=0)
    return due_notice(status, since, list(_notes(state)))


def _notes(state: RecordState) -> Iterator[Told]:
    for key in state.keys():  # noqa: SIM118 - no mapping
        if key[0] == NOTES:
            for item in state.living(key).values():
                value = item.value
                if isinstance(value, list) and len(value) > 1 and isinstance(value[1], str):
                    yield Told(value[1], item.timestamp)


def keep_told(
    replica: Replica, officer: OfficerId, view: RecordView, outcome: Outcome, why: Why
) -> None:
    """Save what came of a notice, with who and when. Raises `InputError`, `NotAllowedError`."""
    write = note(_SAID[outcome], notice_kind(outcome, why))
    save_edits(replica, officer, view, Edits([], None, [write]))


def send_notices(
    replica: Replica, gateway: Gateway, ward: str, stops: Callable[[], bool] = lambda: False
) -> int:
    """Hand to a gateway what was not tried yet; return how many messages it took.

    Between two messages it ends where `stops` says so.
    """
    sent = 0
    for record, notice in due_notices(replica)[:SENT_AT_ONCE_MAX]:
        if stops():
            break
        view, _ = load(replica, record)
        field = view.field("phone")
        if notice.missed or field is None or field.conflict or view.read_only:
            continue  # a person calls: to two numbers nothing is sent
        if not field.value or not gateway.send(str(field.value), _text(notice.why, ward)):
            continue
        keep_told(replica, NO_OFFICER, view, Outcome.SENT, notice.why)
        sent += 1
    return sent


def _text(why: Why, ward: str) -> str:
    vietnamese, english = TEXTS[why]
    return f"{vietnamese}\n{english}".format(ward=ward)


class ProgramGateway:
    """A gateway that is a program of the office's: `{"to", "text"}` on stdin, exit 0 when taken."""

    def __init__(self, program: Path) -> None:
        """Name the program."""
        self._program = program

    def send(self, phone: str, text: str) -> bool:
        """Run the program once."""
        words = json.dumps({"to": phone, "text": text}, ensure_ascii=False)
        try:
            done = subprocess.run(  # noqa: S603 - the office's own program, without a shell
                [str(self._program)],
                input=words.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=GATEWAY_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
