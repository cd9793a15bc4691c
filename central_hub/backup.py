"""`backup`: one sealed file with everything that a new hub needs to be the old one.

It holds, in this order, items of [kind, ward, name, size] and so many bytes: the city's keys and
register, then per ward its log (a consistent copy) and the chunks of its scans; at last how many.

What holds: a copy begins before its marks are promised to anybody; once the file is on the disk,
each ward notes how far it reaches, and receipts say so from then on. Memory is bounded; the copy of
one log at a time lies in the home meanwhile, encrypted as the log is.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from central_hub.charter import load_address, load_tls
from central_hub.city import City, Office
from central_hub.sealed_file import SealedWriter
from device_home.command import DONE, Command, Output
from sync_protocol import limits
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, StorageError
from sync_protocol.log.entry import Mark
from sync_protocol.replica import Replica
from sync_protocol.replica.receipts import BACKED_UP_NOTE
from sync_protocol.storage.files import disk_errors, make_folder

CITY, LOG, CHUNK, END = "city", "log", "chunk", "end"
FORMAT = 1
BACKED_UP_AT_NOTE = "backed-up-at"
_ITEM = struct.Struct(">I")
_PIECE_BYTES = 1 * limits.MIB


class Counted(NamedTuple):
    """What a backup holds."""

    wards: int
    entries: int
    chunks: int
    bytes: int


def write_backup(city: City, path: Path) -> Counted:
    """Write a backup of every ward to a new file.

    Raises `NotAllowedError` where there is a file, `InputError` where there is no folder,
    `StorageError` kinds; then no file is there and no receipt says more than before.
    """
    if city.home.folder in path.parents:
        raise InputError("A backup in the home goes with the home. Give another place.")
    reached: list[tuple[Office, list[Mark]]] = []
    entries = chunks = 0
    with SealedWriter(path, city.charter.recovery) as writer:
        _put_item(writer, CITY, b"", b"", _city_bytes(city))
        for office in city.chosen(None):
            marks = office.replica.holding.frontier()
            _put_log(city, office, writer)
            chunks += _put_chunks(office, writer)
            entries += sum(mark.seq for mark in marks)
            reached.append((office, marks))
        _put_item(writer, END, b"", b"", encode([len(reached), chunks]))
        writer.finish()
        size = writer.bytes_written
    now = city.home.wall()
    for office, marks in reached:
        note_backup(office.replica, marks, now)
    return Counted(len(reached), entries, chunks, size)


def note_backup(replica: Replica, marks: list[Mark], now_ms: int) -> None:
    """Let receipts say from now on that these heads are backed up."""
    log = replica.rooms.log
    with replica.lock, log.transaction(durable=True):
        log.put_note(BACKED_UP_NOTE, encode(marks))
        log.put_note(BACKED_UP_AT_NOTE, encode(now_ms))


def backup_age_s(replica: Replica) -> int:
    """Return how old the newest backup of a ward is; -1 where there is none."""
    raw = replica.rooms.log.note(BACKED_UP_AT_NOTE)
    if raw is None:
        return -1
    return max(0, replica.character.wall() - decode(raw, int)) // 1000


def _city_bytes(city: City) -> bytes:
    keys, tls = city.home.keys, load_tls(city.home.vault)
    return encode(
        [
            FORMAT,
            [keys.signing.secret, keys.agreement.secret],
            list(city.charter),
            [*tls[:4], list(tls.names)],
            [list(row) for row in city.wards()],
            load_address(city.home.vault),
            city.home.wall(),
        ]
    )


def _put_item(writer: SealedWriter, kind: str, ward: bytes, name: bytes, content: bytes) -> None:
    _put_head(writer, kind, ward, name, len(content))
    writer.write(content)


def _put_head(writer: SealedWriter, kind: str, ward: bytes, name: bytes, size: int) -> None:
    head = encode([kind, ward, name, size])
    writer.write(_ITEM.pack(len(head)) + head)


def _put_log(city: City, office: Office, writer: SealedWriter) -> None:
    folder = city.home.folder / "backup"
    copy = folder / "log.db"
    with disk_errors("copying a log"):
        make_folder(folder)
        copy.unlink(missing_ok=True)  # of a backup that was killed
    try:
        office.replica.rooms.log.copy_to(str(copy))
        ward = office.ward.id
        with disk_errors("copying a log"), copy.open("rb") as file:
            size = copy.stat().st_size
            _put_head(writer, LOG, ward, city.home.vault.key(f"log/{ward.hex()}"), size)
            for piece in _pieces(file, size):
                writer.write(piece)
    finally:
        copy.unlink(missing_ok=True)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, _PIECE_BYTES))
        if not piece:
            raise StorageError("The copy of a log ended early. No backup was written.")
        size -= len(piece)
        yield piece


def _put_chunks(office: Office, writer: SealedWriter) -> int:
    store = office.replica.rooms.chunks
    count = 0
    for address in store.addresses():
        chunk = store.get(address)
        if chunk is not None:  # erased or found damaged meanwhile
            _put_item(writer, CHUNK, office.ward.id, address, chunk)
            count += 1
    return count


# --------------------------------------------------------------------------------- command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the new file; best on another disk")


def _backup(city: City, arguments: argparse.Namespace, output: Output) -> int:
    path = output.path(arguments.file)
    counted = write_backup(city, path)
    output.say(
        f"Backed up: {counted.wards} wards, {counted.entries} entries, {counted.chunks} pieces of "
        f"scans, {counted.bytes} bytes."
    )
    output.say("Only the recovery key opens it. Carry a copy to another building.")
    output.data({"file": str(path), **counted._asdict()})
    return DONE


COMMANDS: tuple[Command[City], ...] = (
    Command("backup", "write everything into one sealed file", _backup, _configure),
)
