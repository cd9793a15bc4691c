"""`restore`: a new home out of a backup, which is the old hub in a new incarnation.

What holds:
* The new home appears under its name only once everything was read to the end and verified: every
  frame, every entry up to its seal, every chunk by its address.
* Before any answer is given, the hub's feed in every ward is a new one, which names the head it
  knew of the old. Receipts of the old incarnation count for nothing from then on: what edges still
  hold and this hub has lost comes back by sync, with nothing to do on the edges.
* Invitations that were not spent when the backup was made are void.
"""

from __future__ import annotations

import argparse
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from central_hub.backup import CHUNK, CITY, END, FORMAT, LOG, note_backup
from central_hub.charter import (
    Charter,
    TlsIdentity,
    WardRow,
    save_address,
    save_charter,
    save_tls,
    save_wards,
)
from central_hub.city import CERTIFICATE_NOTE, City
from central_hub.copying import copy_log
from central_hub.paper_key import RECOVERY, load_paper_key
from central_hub.sealed_file import SealedReader
from device_home.command import DONE, Command, Output
from device_home.home import HUB_SETTINGS, Home
from sync_protocol import limits
from sync_protocol.clock import WallClock, wall_ms
from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.encoding import decode
from sync_protocol.errors import (
    MalformedMessageError,
    NewerStoreError,
    NotAllowedError,
    PeerError,
    StoreCorruptError,
)
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.identity import ID_BYTES, NO_OFFICER, WardId
from sync_protocol.membership import grant as g
from sync_protocol.storage.blob import FileChunks
from sync_protocol.storage.files import disk_errors, make_folder, sync_folder
from sync_protocol.storage.sqlite_log import SqliteLog

_ITEM = struct.Struct(">I")
_HEAD_BYTES_MAX = 4 * limits.KIB
_CITY_BYTES_MAX = 4 * limits.MIB
_PIECE_BYTES = 1 * limits.MIB


class Item(NamedTuple):
    """One item of a backup; its bytes follow in the file."""

    kind: str
    ward: bytes
    name: bytes
    size: int


class CityItem(NamedTuple):
    """What the backup says of the city."""

    keys: DeviceKeys
    charter: Charter
    tls: TlsIdentity
    wards: list[WardRow]
    address: str
    made_ms: int


class Restored(NamedTuple):
    """What was restored. `made_ms` is when the backup was made."""

    wards: int
    entries: int
    chunks: int
    made_ms: int


def restore_backup(
    path: Path, recovery: AgreementKey, home: Path, wall: WallClock = wall_ms
) -> Restored:
    """Make a home out of a backup.

    Raises `NotAllowedError` where the home is in use, `WrongKeyError`, `NewerStoreError`,
    `StoreCorruptError` where the backup is cut off or damaged, `InputError` where it is none.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise NotAllowedError("A backup is restored into a new home only. Nothing was changed.")
    part = home.with_name(home.name + ".part")
    with disk_errors("restoring a backup"):
        shutil.rmtree(part, ignore_errors=True)  # of a restore that was killed
    reader = SealedReader(path, recovery)
    try:
        restored = _read_all(reader, recovery, part, wall)
        with disk_errors("restoring a backup"):
            if home.exists():
                home.rmdir()
            part.rename(home)
            sync_folder(home.parent)
    except (PeerError, ValueError) as cause:
        raise StoreCorruptError(
            "The backup holds something that does not verify. Nothing was restored."
        ) from cause
    finally:
        reader.close()
        shutil.rmtree(part, ignore_errors=True)
    return restored


def _read_all(
    reader: SealedReader, recovery: AgreementKey, part: Path, wall: WallClock
) -> Restored:
    items = _items(reader)
    city = _read_city(next(items), reader, recovery)
    home = Home.create(part, wall, city.keys, HUB_SETTINGS)
    try:
        save_tls(home.vault, city.tls)
        save_wards(home.vault, city.wards)
        save_address(home.vault, city.address)
        wards = {row.id for row in city.wards}
        logs: set[WardId] = set()
        chunks = 0
        for item in items:
            if item.kind == END:
                counted = decode(reader.read(item.size), tuple[int, int])
                if counted != (len(logs), chunks) or logs != wards:
                    raise StoreCorruptError("The backup lacks a part. Nothing was restored.")
                reader.finish()
                break
            ward = WardId(item.ward)
            if ward not in wards:
                raise StoreCorruptError("The backup holds a ward that it does not name.")
            if item.kind == LOG:
                _read_log(home, ward, item, reader)
                logs.add(ward)
            else:
                _read_chunk(home, ward, item, reader)
                chunks += 1
        entries = sum(_begin_anew(home, row, city) for row in city.wards)
        save_charter(home.vault, city.charter)  # last: a home without it is no hub's
    finally:
        home.close()
    return Restored(len(wards), entries, chunks, city.made_ms)


def _items(reader: SealedReader) -> Iterator[Item]:
    while True:
        length = _ITEM.unpack(reader.read(_ITEM.size))[0]
        if length > _HEAD_BYTES_MAX:
            raise MalformedMessageError("An item of a backup is out of shape.")
        item = Item(*decode(reader.read(length), tuple[str, bytes, bytes, int]))
        known = item.kind in (CITY, LOG, CHUNK, END) and item.size >= 0
        if not known or len(item.ward) not in (0, ID_BYTES):
            raise MalformedMessageError("An item of a backup is out of shape.")
        yield item


def _read_city(item: Item, reader: SealedReader, recovery: AgreementKey) -> CityItem:
    if item.kind != CITY or item.size > _CITY_BYTES_MAX:
        raise StoreCorruptError("The backup does not begin with the city. Nothing was restored.")
    raw = reader.read(item.size)
    if decode(raw, list[object])[0] != FORMAT:
        raise NewerStoreError("A newer version of the program made this backup: update it.")
    _, keys, charter, tls, wards, address, made_ms = decode(
        raw,
        tuple[
            int,
            tuple[bytes, bytes],
            tuple[bytes, bytes, bytes],
            tuple[bytes, bytes, bytes, bytes, list[str]],
            list[tuple[bytes, str, str]],
            str,
            int,
        ],
    )
    found = CityItem(
        DeviceKeys(SigningKey(keys[0]), AgreementKey(keys[1])),
        Charter(*charter),
        TlsIdentity(*tls[:4], tuple(tls[4])),
        [WardRow(WardId(ward), code, name) for ward, code, name in wards],
        address,
        made_ms,
    )
    certificate = g.read_certificate(found.charter.certificate, found.charter.root)
    named = (certificate.hub, certificate.agreement, certificate.recovery)
    if named != (found.keys.public, found.keys.agreement.public, recovery.public):
        raise StoreCorruptError("The backup's certificate is for another hub.")
    return found


def _read_log(home: Home, ward: WardId, item: Item, reader: SealedReader) -> None:
    """Read a log, and copy it entry by entry under the new home's key, verifying each."""
    folder = home.ward_folder(ward)
    copy = folder / "restored.db"
    with disk_errors("restoring a log"):
        make_folder(folder)
        with copy.open("xb") as file:
            size = item.size
            while size:
                piece = reader.read(min(size, _PIECE_BYTES))
                size -= len(piece)
                file.write(piece)
    try:
        source = SqliteLog(str(copy), item.name)
        try:
            target = SqliteLog(str(folder / "log.db"), home.vault.key(f"log/{ward.hex()}"))
            try:
                copy_log(source, target, ward)
            finally:
                target.close()
        finally:
            source.close()
    finally:
        for path in folder.glob("restored.db*"):
            path.unlink(missing_ok=True)


def _read_chunk(home: Home, ward: WardId, item: Item, reader: SealedReader) -> None:
    if item.size > limits.CHUNK_BYTES + limits.KIB:
        raise MalformedMessageError("A piece of a scan is larger than its bound.")
    chunks = FileChunks(home.ward_folder(ward) / "chunks")
    chunks.put(item.name, reader.read(item.size))


def _begin_anew(home: Home, row: WardRow, city: CityItem) -> int:
    """Open a ward's feed in a new incarnation, and say who speaks; return the entries it holds."""
    replica = home.open_replica(row.id, city.charter.root)
    try:
        marks = [mark for mark in replica.holding.frontier() if mark.feed != replica.own.feed]
        if replica.own.row.head.seq:  # the journal is empty, so a new feed was opened already
            replica.author.new_incarnation("restored")
        if not replica.is_hub():
            raise StoreCorruptError("A ward of the backup was never this hub's.")
        with replica.lock, replica.rooms.log.transaction(durable=True):
            replica.rooms.log.put_note(CERTIFICATE_NOTE, city.charter.certificate)
        Registrar(replica).forget_unspent()
        note_backup(replica, marks, city.made_ms)
        known = replica.holding.roster.profile or g.Profile(row.code, row.name)
        profile = g.Profile(known.code, known.name, known.successors, known.version)
        replica.say([g.Certified(city.charter.certificate), profile], NO_OFFICER)
        return sum(mark.seq for mark in marks)
    finally:
        replica.close()


# --------------------------------------------------------------------------------- command


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the backup")
    parser.add_argument("--recovery-key", required=True, metavar="FILE")
    parser.add_argument(
        "--home", dest="new_home", default="", metavar="NEW", help="the new home, not there yet"
    )


def _restore(_city: City, arguments: argparse.Namespace, output: Output) -> int:
    home = output.path(arguments.new_home) if arguments.new_home else arguments.home
    key = AgreementKey(load_paper_key(RECOVERY, output.path(arguments.recovery_key)))
    restored = restore_backup(output.path(arguments.file), key, home)
    output.say(
        f"Restored to {home}: {restored.wards} wards, {restored.entries} entries, "
        f"{restored.chunks} pieces of scans."
    )
    output.say("Start “serve” at the old address. What the wards wrote since comes back by itself.")
    output.say("Make sure that the old machine never serves again.")
    output.data({"home": str(home), **restored._asdict()})
    return DONE


COMMANDS: tuple[Command[City], ...] = (
    Command("restore", "make a new home out of a backup", _restore, _configure, alone=True),
)
