"""A device's home: a folder, the vault with its keys, and one process that owns it.

    HOME/config.toml          settings, all optional; MOTCUA_* in the environment win
    HOME/vault …              keys, encrypted (storage.vault)
    HOME/owner.lock           held by the process that owns the home
    HOME/control.sock         where that process takes over others' commands
    HOME/wards/<id>/          one ward: log.db, views.db, journal/, chunks/

What holds: nothing here is clear text but config.toml, which holds no secret. Where a key in it is
no setting of this program, nothing is opened: as a warning the slip would be told to the log of a
service, and the office would go on by a default that somebody had meant to change.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sync_protocol.clock import WallClock, wall_ms
from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.record_type import SCHEMA
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, NotEnrolledError
from sync_protocol.identity import DeviceKey, FeedId, WardId
from sync_protocol.replica import Character, Replica, Rooms
from sync_protocol.storage.blob import FileChunks
from sync_protocol.storage.journal import FileJournal
from sync_protocol.storage.lock import OwnerLock
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews
from sync_protocol.storage.vault import Vault

_DEVICE = "device"
_ENROLMENT = "enrolment"
_INVITATION = "invitation"
_OWN_FEED = "own-feed:"
ENVIRONMENT = "MOTCUA_"
DEVICE_SETTINGS = frozenset(
    {
        "officer",
        "peer_url",
        "url",
        "idle_check_s",
        "disk_reserve_bytes",
        "retention_days",
        "gateway",
    }
)
HUB_SETTINGS = frozenset({"host", "port", "url"})
_KEY_CHARS_SHOWN_MAX = 40


class Enrolment(NamedTuple):
    """What an enrolled device knows of its place: the ward, the trust anchor, and its peer."""

    ward: WardId
    code: str
    name: str
    role: str
    root: bytes
    responder: DeviceKey
    url: str
    ca_pem: bytes


class Home:
    """An opened home. Use `create` or `open`; `close` gives the ownership back."""

    def __init__(
        self, folder: Path, lock: OwnerLock, vault: Vault, wall: WallClock, found: Settings
    ) -> None:
        """Not for callers."""
        self.folder = folder
        self.vault = vault
        self.wall = wall
        self.settings = found
        self._lock = lock
        signing, agreement = decode(vault.secret(_DEVICE) or b"", tuple[bytes, bytes])
        self.keys = DeviceKeys(SigningKey(signing), AgreementKey(agreement))

    @classmethod
    def create(
        cls,
        folder: Path,
        wall: WallClock = wall_ms,
        keys: DeviceKeys | None = None,
        known: Collection[str] = DEVICE_SETTINGS,
    ) -> Home:
        """Make a new home, with fresh keys, or those of a device that is restored.

        `known` are the settings that it may have. Raises `NotAllowedError` where there is a home
        already, `InputError` for its settings.
        """
        lock = OwnerLock(folder)
        try:
            found = settings(folder, known)
            vault = Vault.create(folder)
            keys = keys or DeviceKeys.generate()
            vault.put_secret(_DEVICE, encode([keys.signing.secret, keys.agreement.secret]))
            return cls(folder, lock, vault, wall, found)
        except BaseException:
            lock.close()
            raise

    @classmethod
    def open(
        cls,
        folder: Path,
        wall: WallClock = wall_ms,
        known: Collection[str] = DEVICE_SETTINGS,
    ) -> Home:
        """Open a home and own it. `known` are the settings that it may have.

        Raises `StoreBusyError` where another process does, `InputError` where there is none, and
        for its settings.
        """
        if not (folder / "vault").exists() and not (folder / "vault.copy").exists():
            raise InputError(f"There is no home in {folder}. Run “init” first.")
        lock = OwnerLock(folder)
        try:
            found = settings(folder, known)
            return cls(folder, lock, Vault.open_unattended(folder), wall, found)
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Give the ownership back."""
        self._lock.close()

    # --- the place of an enrolled device ----------------------------------------------------------

    def enrolment(self) -> Enrolment | None:
        """Return what this device knows of its place; None before it is enrolled."""
        raw = self.vault.secret(_ENROLMENT)
        if raw is None:
            return None
        return Enrolment(*decode(raw, tuple[bytes, str, str, str, bytes, bytes, str, bytes]))  # type: ignore[arg-type]

    def place(self) -> Enrolment:
        """Return the enrolment. Raises `NotEnrolledError`."""
        found = self.enrolment()
        if found is None:
            raise NotEnrolledError(
                "This device is not enrolled yet. Ask for an invitation and run “enrol”."
            )
        return found

    def enrol(self, enrolment: Enrolment, invitation: bytes) -> None:
        """Remember the place, and a hash of the invitation that led there."""
        self.vault.put_secret(_ENROLMENT, encode(list(enrolment)))
        self.vault.put_secret(_INVITATION, invitation)

    def enrolled_by(self, invitation: bytes) -> bool:
        """Return whether this invitation led to the place, by its hash."""
        return self.vault.secret(_INVITATION) == invitation

    # --- wards ------------------------------------------------------------------------------------

    def ward_folder(self, ward: WardId) -> Path:
        """Return the folder of one ward."""
        return self.folder / "wards" / ward.hex()

    def open_replica(self, ward: WardId, root: bytes) -> Replica:
        """Open (or begin) this device's replica of a ward."""
        folder = self.ward_folder(ward)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = ward.hex()
        log = SqliteLog(str(folder / "log.db"), self.vault.key(f"log/{name}"))
        views = SqliteViews(str(folder / "views.db"), self.vault.key(f"views/{name}"))
        rooms = Rooms(
            log,
            views,
            FileJournal(folder / "journal"),
            FileChunks(folder / "chunks"),
            self.vault.key(f"journal/{name}"),
        )
        replica = Replica(rooms, Character(self.keys, ward, root, SCHEMA, self.wall, fold))
        own = replica.own.declared
        name = _OWN_FEED + own.feed.hex()
        if self.vault.secret(name) is None:
            self.vault.put_secret(name, own.raw)
        return replica


def own_declarations(home: Home) -> dict[FeedId, bytes]:
    """Return the declaration of every feed that this device ever opened.

    They lie apart from the log, so that the journal's entries can be put back without it.
    """
    found = {}
    for name in home.vault.secret_names():
        raw = home.vault.secret(name) if name.startswith(_OWN_FEED) else None
        if raw is not None:
            found[FeedId(bytes.fromhex(name[len(_OWN_FEED) :]))] = raw
    return found


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a home: what config.toml says, overruled by MOTCUA_* in the environment."""

    values: Mapping[str, object]

    def text(self, name: str, default: str = "") -> str:
        """Return a text setting."""
        return str(self.values.get(name, default))

    def number(self, name: str, default: int) -> int:
        """Return a whole number. Raises `InputError`."""
        value = self.values.get(name, default)
        try:
            return int(str(value))
        except ValueError as cause:
            raise InputError(f"The setting “{name}” must be a whole number.") from cause


def settings(
    folder: Path, known: Collection[str], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings of a home. Raises `InputError` for a broken file or an unknown setting."""
    path = folder / "config.toml"
    try:
        values: dict[str, object] = tomllib.loads(path.read_text()) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise InputError(f"{path} can't be read: {cause}. Correct it; nothing was done.") from cause
    for name in values:
        if name not in known:
            raise InputError(f"{path}: {_unknown(name, known)} Correct it; nothing was done.")
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT):
            values[name[len(ENVIRONMENT) :].lower()] = value
    return Settings(values)


def _unknown(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # late: only a slip needs it

    near = get_close_matches(name.lower(), known, n=1)
    meant = f"“{near[0]}” may be meant" if near else f"there are {', '.join(sorted(known))}"
    return f"“{name[:_KEY_CHARS_SHOWN_MAX]}” is no setting here; {meant}."
