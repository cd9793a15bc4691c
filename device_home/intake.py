"""`intake FILE.jsonl` or `FILE.csv`: bulk capture, one dossier a line.

What holds:
* A line is acknowledged (`--json`: one `{"line", "id", "saved"}`, flushed) after its durable commit
  and not before. Commits begin with one line and grow to a block's worth: a small file answers at
  once, a large one pays for one fsync per block.
* A refused line is told with its number and reason, and stops no other. Any refused: exit 1.
* A line that is saved though something in it looks odd is remarked upon, with its number: under
  `--json` in its own answer, always; on stderr as often as a person would read.
* A line that may be a dossier that was captured before, by another desk or earlier in the file, is
  saved, and its remark names those dossiers.
* A line that this device saved before, to the letter, is not saved again but answered with the
  dossier's id and `"duplicate": true`: so a file may be given again after a power cut. `--again`
  saves it all the same. (A kill between a commit and the note of it may double that commit's
  lines; of those none was acknowledged. After a power cut the last notes may be missing, too.)
* Nothing is begun while the disk is nearly full.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from device_home.app import App
from device_home.command import DONE, FAILED, Command, Output
from device_home.duplicates import Like, Watch
from device_home.home import Home
from device_home.intake_csv import csv_lines
from device_home.lines import open_lines, read_lines
from device_home.officers import acting_officer, check_allowed, officer_option
from device_home.scan_files import ScanFile, attached_paper
from sync_protocol import limits
from sync_protocol.dossier.duplicate import CAPTURED_TWICE, read_capture
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.intake import Intake, read_intake
from sync_protocol.dossier.labels import ENGLISH, REMARKS, label
from sync_protocol.errors import (
    AccessError,
    InputError,
    LimitExceededError,
    NotEnrolledError,
    StoreFullError,
    SyncError,
)
from sync_protocol.identity import ID_BYTES, OfficerId
from sync_protocol.record.change import Changeset
from sync_protocol.replica import Act, Replica

_IMPORTED = "imported:"
_DIGEST_BYTES = 16
REMARKS_SHOWN_MAX = 50
"""Remarks told on stderr: two screens. Where every line looks odd, the first ones say so."""
_SCAN_PAPER = ("ban-chup", "Bản chụp")
"""A scan that came with a line becomes a paper of this type and name, numbered."""


def intake_commands() -> list[Command[App]]:
    """Return the command."""
    return [Command("intake", "capture dossiers from a file, one a line", run_intake, _options)]


class Line(NamedTuple):
    """A line that is ready to be saved."""

    number: int
    digest: bytes
    act: Act
    remarks: tuple[Remark, ...] = ()
    like: Like = Like()


@dataclass(slots=True)
class Tally:
    """What became of the lines."""

    saved: int = 0
    doubled: int = 0
    refused: int = 0
    remarks: int = 0


@dataclass(slots=True)
class Import:
    """One run over one file."""

    replica: Replica
    output: Output
    folder: Path
    officer: OfficerId
    known: dict[bytes, bytes]
    watch: Watch
    on_refused: Callable[[int, SyncError], None] = lambda _number, _problem: None
    tally: Tally = field(default_factory=Tally)
    _waiting: list[Line] = field(default_factory=list)
    _batch: int = 1

    def take_line(self, number: int, line: bytes | InputError) -> None:
        """Take a line, unless it is blank or was refused as it was read."""
        if isinstance(line, InputError):
            self.refuse(number, line)
        elif line.strip():
            self.take(number, line)

    def take(self, number: int, raw: bytes) -> None:
        """Read one line; save it with others, once there are enough."""
        digest = hashlib.sha256(raw).digest()[:_DIGEST_BYTES]
        if (before := self.known.get(digest)) is not None:
            self.tally.doubled += 1
            row = {"line": number, "id": before.hex(), "saved": True, "duplicate": True}
            self.output.data(row)
            return
        try:
            read = read_intake(raw)
            act = self._act(read)
            like = self.watch.look(number, read_capture(read.values))
            self._waiting.append(Line(number, digest, act, read.warnings, like))
        except NotEnrolledError:
            raise
        except (InputError, AccessError) as problem:
            self.refuse(number, problem)
        if len(self._waiting) >= self._batch:
            self.save()
            self._batch = min(2 * self._batch, limits.BLOCK_ENTRIES)

    def _act(self, read: Intake) -> Act:
        kind, name = _SCAN_PAPER
        attached = [
            attached_paper(self.replica, self._scan(path, index), kind, f"{name} {index}")
            for index, path in enumerate(read.scans, start=1)
        ]
        return Act(self.officer, Changeset((read.change(attached),)))

    def _scan(self, path: str, index: int) -> ScanFile:
        """Return a scan's file. A link that leads out of the file's folder is not followed."""
        found = ScanFile((self.folder / path).resolve(), f"scans[{index}]")
        if not found.path.is_relative_to(self.folder):
            raise InputError(f"“{found.called}” lies outside the folder of the intake file.")
        return found

    def save(self) -> None:
        """Commit what waits, then acknowledge it. Raises `StorageError` kinds."""
        lines, self._waiting = self._waiting, []
        try:
            self._commit(lines)
        except LimitExceededError as problem:
            if len(lines) == 1:
                self.refuse(lines[0].number, problem)
                return
            for line in lines:  # one of them is larger than its bound; the others are not
                self._waiting = [line]
                self.save()

    def _commit(self, lines: list[Line]) -> None:
        written = self.replica.write_many([line.act for line in lines])
        if not written:
            return
        pairs = [(line, entry.records[0]) for line, entry in zip(lines, written, strict=True)]
        rows = b"".join(line.digest + record for line, record in pairs)
        _note_imported(self.replica, written[0].dot.seq, rows)  # before anybody hears of it
        for line, record in pairs:
            self.known[line.digest] = record
            self.watch.saved(line.number, record)
            row: dict[str, object] = {"line": line.number, "id": record.hex(), "saved": True}
            self.output.data(row | self._remark(line))
        self.tally.saved += len(written)

    def _remark(self, line: Line) -> dict[str, object]:
        """Tell what looks odd in a line that was saved; return what its answer says of it."""
        rows = [_remark_row(item) for item in line.remarks]
        if like := self.watch.records(line.like):
            rows.append(_remark_row(CAPTURED_TWICE) | {"dossiers": [item.hex() for item in like]})
        for row in rows:
            self.tally.remarks += 1
            if self.tally.remarks <= REMARKS_SHOWN_MAX:
                where = f"line {line.number}: “{row['field']}”"
                self.output.note(f"{where}: {row['diagnosis']} [{row['code']}]\n")
        return {"remarks": rows} if rows else {}

    def refuse(self, number: int, problem: SyncError) -> None:
        """Tell that a line was refused, and why."""
        self.on_refused(number, problem)
        self.tally.refused += 1
        row = {"line": number, "error": problem.code, "diagnosis": problem.diagnosis}
        self.output.data(row)
        self.output.note(f"line {number}: {problem.diagnosis} [{problem.code}]\n")


def _remark_row(remark: Remark) -> dict[str, object]:
    words = label(REMARKS, remark.code, ENGLISH)
    return {"field": remark.field, "code": remark.code, "diagnosis": words}


def run_intake(app: App, arguments: Namespace, output: Output) -> int:
    """Capture every line of a file."""
    replica = app.replica(arguments)
    path = output.path(arguments.file)
    officer = acting_officer(app.home, replica, arguments, output)
    run = begin(app.home, replica, officer, output, again=arguments.again)
    run.folder = path.parent
    with (
        open_lines(path, f"intake file “{arguments.file}”") as file,
        _progress(path, output) as bar,
    ):
        is_table = path.suffix.lower() == ".csv"
        for number, line in csv_lines(file) if is_table else read_lines(file):
            run.take_line(number, line)
            bar.update(len(line) + 1 if isinstance(line, bytes) else 0)
        run.save()
    return _closing(run.tally, output)


def begin(
    home: Home, replica: Replica, officer: OfficerId, output: Output, *, again: bool = False
) -> Import:
    """Return a run that may begin; scans lie in its folder, the home's unless it is set.

    Raises `NotEnrolledError`, `NotAllowedError`, `StoreFullError`.
    """
    if not replica.is_enrolled():
        raise NotEnrolledError(
            "This device's grant has not come yet: let it sync once. Nothing was saved."
        )
    check_allowed(replica, officer)
    check_room(home)
    known = {} if again else _imported(replica)
    return Import(replica, output, home.folder, officer, known, Watch(replica))


def _closing(tally: Tally, output: Output) -> int:
    if tally.doubled:
        output.note(f"{tally.doubled} lines had been saved before and were not saved again.\n")
    if tally.remarks > REMARKS_SHOWN_MAX:
        untold = tally.remarks - REMARKS_SHOWN_MAX
        output.note(f"{untold} more remarks are not shown; --json gives each with its line.\n")
    output.say(f"{tally.saved} dossiers saved, {tally.remarks} remarks.")
    if tally.refused:
        output.note(f"{tally.refused} lines were refused; correct them and give them again.\n")
        return FAILED
    return DONE


def check_room(home: Home) -> None:
    """Raise `StoreFullError` where bulk capture should not begin."""
    reserve = home.settings.number("disk_reserve_bytes", limits.DISK_RESERVE_BYTES)
    free = shutil.disk_usage(home.folder).free
    if free < reserve:
        raise StoreFullError(
            "The disk is nearly full, so nothing was begun. What was saved before is safe: "
            "make room and try again.",
            free_bytes=free,
        )


# -------------------------------------------------------------- what was imported before


def _imported(replica: Replica) -> dict[bytes, bytes]:
    step = _DIGEST_BYTES + ID_BYTES
    return {
        rows[at : at + _DIGEST_BYTES]: rows[at + _DIGEST_BYTES : at + step]
        for rows in replica.rooms.log.notes(_IMPORTED).values()
        for at in range(0, len(rows), step)
    }


def _note_imported(replica: Replica, seq: int, rows: bytes) -> None:
    store = replica.rooms.log
    key = f"{_IMPORTED}{replica.own.feed.hex()}:{seq:016d}"
    with replica.lock, store.transaction(durable=False):
        store.put_note(key, rows)


# ------------------------------------------------------------------------------ progress


class _NoBar:
    def update(self, _count: int) -> None:
        """Show nothing."""


def _progress(path: Path, output: Output) -> AbstractContextManager[Any]:
    if not output.terminal:
        return nullcontext(_NoBar())
    try:
        from tqdm import tqdm
    except ImportError:  # the tablet does without
        return nullcontext(_NoBar())
    size = path.stat().st_size
    bar: AbstractContextManager[Any] = tqdm(
        total=size, unit="B", unit_scale=True, desc="intake", file=sys.stderr, leave=False
    )
    return bar


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON lines or .csv, see docs/INTAKE.md")
    parser.add_argument(
        "--again", action="store_true", help="save lines again that were saved before"
    )
    officer_option(parser)
