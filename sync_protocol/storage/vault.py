"""The home's keys, in one small file that is itself only ciphertext.

What holds:
* A random **store secret** opens what sync needs; a random **view secret** opens what officers
  read. `key(purpose)` derives a key of its own for each purpose, by HKDF.
* The secrets lie in **slots**, each wrapped by another key. The *unattended* slot's key comes from
  systemd (`$CREDENTIALS_DIRECTORY/motcua`: TPM-bound if the unit says so), else from the file
  `unattended.key`, which protects against nobody who takes the disk (`protected_against_theft`
  tells). It wraps the view secret only if the vault was made so. An officer's slot has a key from
  Argon2id over the PIN *and* a secret of this device: the PIN alone opens nothing.
* Wrong PINs are counted up, durably, *before* each attempt, in a file per officer apart from any
  database. At `limits.PIN_TRIES_MAX`, or where the count is missing or damaged, the slot is locked
  until somebody who has the vault open resets it.
* Named secrets (`put_secret`) lie encrypted beside the slots.
* The file is replaced atomically and kept twice: one rotten sector does not cost a ward its keys.

Bytes: CRC-32, then MessagePack [format, generation, unattended, officers, secrets]. Set in stone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from sync_protocol.crypto import seal
from sync_protocol.crypto.key import random_bytes
from sync_protocol.encoding import checksum, decode, encode
from sync_protocol.errors import (
    BadSignatureError,
    MalformedMessageError,
    NewerStoreError,
    NotAllowedError,
    SlotLockedError,
    StoreCorruptError,
    WrongKeyError,
)
from sync_protocol.storage.files import disk_errors, make_folder, replace
from sync_protocol.storage.tries import PinTries

FORMAT = 1
VIEWS = "views"
"""The one purpose whose key comes from the view secret."""
NAMES = ("vault", "vault.copy")
KEY_FILE = "unattended.key"
DEVICE_FILE = "device.secret"
CREDENTIAL = "motcua"
CREDENTIAL_BYTES_MIN = 16
SALT_BYTES = 16
_CRC_BYTES = 4


class _Content(msgspec.Struct, array_like=True):
    format: int
    generation: int
    unattended: bytes | None
    officers: dict[str, list[bytes]]  # by the officer's id in hexadecimal
    secrets: dict[str, bytes]


class _Secrets(msgspec.Struct, array_like=True, frozen=True):
    """What a slot wraps. `views` is empty where the slot does not give it."""

    store: bytes
    views: bytes


class Vault:
    """An open vault. Safe to use from several threads and by several `Vault`s of one process."""

    def __init__(self, home: Path, secrets: _Secrets, *, protected: bool) -> None:
        """Not for callers: use `create`, `open_unattended` or `open_officer`."""
        self._home = home
        self._secrets = secrets
        self.protected_against_theft = protected

    @classmethod
    def create(
        cls,
        home: str | os.PathLike[str],
        *,
        unattended: bool = True,
        views_unattended: bool = True,
    ) -> Vault:
        """Make a vault with fresh secrets, open. Without `unattended`, add an officer at once.

        Raises `NotAllowedError` where there is one, and `StorageError` kinds.
        """
        folder = Path(home)
        if exists(folder):
            raise NotAllowedError("This folder has its keys already. Nothing was changed.")
        secrets = _Secrets(random_bytes(seal.KEY_BYTES), random_bytes(seal.KEY_BYTES))
        with disk_errors("making the vault"):
            make_folder(folder)
            _device_secret(folder, make=True)
            wrapped, protected = None, True
            if unattended:
                wrapped, protected = _wrap_unattended(folder, secrets, views=views_unattended)
            _write(folder, _Content(FORMAT, 1, wrapped, {}, {}))
        return cls(folder, secrets, protected=protected)

    @classmethod
    def open_unattended(cls, home: str | os.PathLike[str]) -> Vault:
        """Open without a person. Raises `WrongKeyError` or `StorageError` kinds."""
        folder = Path(home)
        wrapped = _read(folder).unattended
        if wrapped is None:
            raise WrongKeyError("These keys open only with an officer's PIN.")
        for key, protected in _unattended_keys(folder):
            try:
                secrets = _unwrap(key, wrapped, b"unattended")
            except BadSignatureError:
                continue
            return cls(folder, secrets, protected=protected)
        raise WrongKeyError(
            "The machine's own key is missing or is another's, so the keys stay closed. "
            "Nothing was changed; open with an officer's PIN, or bring the key back."
        )

    @classmethod
    def open_officer(cls, home: str | os.PathLike[str], officer: bytes, pin: str) -> Vault:
        """Open with an officer's PIN; a wrong one counts.

        Raises `WrongKeyError` (evidence `tries_left`), `SlotLockedError` or `StorageError` kinds.
        """
        folder = Path(home)
        with PinTries(folder, officer) as tries:
            content = _read(folder)
            slot = content.officers.get(officer.hex())
            if slot is None:
                raise WrongKeyError("This officer has no PIN on this device.")
            left = tries.left
            if left <= 0:
                raise SlotLockedError(
                    "Too many wrong PINs. What was saved is safe; a supervisor can unlock.",
                    officer=officer.hex(),
                )
            tries.count_up()
            try:
                salt, wrapped = slot
                key = seal.key_from_pin(pin, salt, _device_secret(folder))
                secrets = _unwrap(key, wrapped, b"officer/" + officer)
            except (BadSignatureError, ValueError) as cause:
                raise WrongKeyError("That PIN is wrong.", tries_left=left - 1) from cause
            tries.reset()
        protected = content.unattended is None or not (folder / KEY_FILE).exists()
        return cls(folder, secrets, protected=protected)

    @property
    def opens_views(self) -> bool:
        """Whether this vault was opened so that it gives the key of the views."""
        return bool(self._secrets.views)

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key for a purpose.

        Raises `NotAllowedError` for the views where nobody but the machine opened the vault.
        """
        root = self._secrets.views if purpose == VIEWS else self._secrets.store
        if not root:
            raise NotAllowedError("An officer must sign in before dossiers can be read.")
        return seal.derive(root, b"motcua/key/1/" + purpose.encode())

    def secret(self, name: str) -> bytes | None:
        """Return a named secret, or None. Raises `StoreCorruptError`."""
        sealed = _read(self._home).secrets.get(name)
        if sealed is None:
            return None
        try:
            return seal.decrypt(self.key("secrets"), sealed, _secret_purpose(name))
        except BadSignatureError as cause:
            raise StoreCorruptError("A key in the vault is damaged.", name=name) from cause

    def put_secret(self, name: str, value: bytes | None) -> None:
        """Keep a named secret durably; None removes it. Raises `StorageError` kinds."""

        def change(content: _Content) -> None:
            content.secrets.pop(name, None)
            if value is not None:
                sealed = seal.encrypt(self.key("secrets"), value, _secret_purpose(name))
                content.secrets[name] = sealed

        self._change(change)

    def secret_names(self) -> list[str]:
        """Return the names of the secrets that are kept."""
        return sorted(_read(self._home).secrets)

    def officers(self) -> list[bytes]:
        """Return the officers who have a slot on this device."""
        return sorted(bytes.fromhex(name) for name in _read(self._home).officers)

    def put_officer(self, officer: bytes, pin: str) -> None:
        """Give an officer a slot, or a new PIN, with no wrong tries counted.

        Raises `NotAllowedError` where this vault does not itself open the views.
        """
        if not self.opens_views:
            raise NotAllowedError("Only an officer who is signed in can give another a PIN.")
        salt = random_bytes(SALT_BYTES)
        key = seal.key_from_pin(pin, salt, _device_secret(self._home))
        wrapped = _wrap(key, self._secrets, b"officer/" + officer)
        with PinTries(self._home, officer) as tries:
            tries.reset()
            slot = {officer.hex(): [salt, wrapped]}
            self._change(lambda content: content.officers.update(slot))

    def remove_officer(self, officer: bytes) -> None:
        """Take an officer's slot away."""
        self._change(lambda content: content.officers.pop(officer.hex(), None))
        with PinTries(self._home, officer) as tries:
            tries.forget()

    def unlock_officer(self, officer: bytes) -> None:
        """Forget an officer's wrong tries. Whether the caller may is the caller's to check."""
        if officer not in self.officers():
            raise NotAllowedError("This officer has no PIN on this device.")
        with PinTries(self._home, officer) as tries:
            tries.reset()

    def renew_unattended(self, *, views: bool) -> None:
        """Wrap the unattended slot anew under the best key there is.

        Once systemd gives a credential, this puts it in the place of the key file, which goes.
        """
        with disk_errors("renewing the vault"):
            wrapped, protected = _wrap_unattended(self._home, self._secrets, views=views)
            self._change(lambda content: setattr(content, "unattended", wrapped))
            if protected:
                (self._home / KEY_FILE).unlink(missing_ok=True)
        self.protected_against_theft = protected

    def remove_unattended(self) -> None:
        """From now on the vault opens only with an officer's PIN."""
        if not self.officers():
            raise NotAllowedError("Without an officer's PIN nothing would open these keys again.")
        self._change(lambda content: setattr(content, "unattended", None))
        with disk_errors("removing the machine's key"):
            (self._home / KEY_FILE).unlink(missing_ok=True)
        self.protected_against_theft = True

    def _change(self, change: Callable[[_Content], object]) -> None:
        with _changing:
            content = _read(self._home)
            change(content)
            content.generation += 1
            with disk_errors("saving the vault"):
                _write(self._home, content)


_changing = threading.Lock()
"""One change at a time: the home has one owner process, but maybe several open vaults."""


def exists(home: str | os.PathLike[str]) -> bool:
    """Whether a home has a vault."""
    return any((Path(home) / name).exists() for name in NAMES)


def tries_left(home: str | os.PathLike[str], officer: bytes) -> int:
    """Return how many wrong PINs remain before the officer's slot is locked."""
    with PinTries(Path(home), officer) as tries:
        return max(0, tries.left)


def _read(home: Path) -> _Content:
    """Return the newest sound copy. Raises `StoreCorruptError` or `NewerStoreError`."""
    found = [content for name in NAMES if (content := _read_one(home / name)) is not None]
    if not found:
        raise StoreCorruptError(
            "The file with this machine's keys is missing or damaged in both copies. "
            "Bring it back from a backup, or enrol the machine anew."
        )
    newest = max(found, key=lambda content: content.generation)
    if newest.format > FORMAT:
        raise NewerStoreError("A newer version of the program made these keys: update it.")
    return newest


def _read_one(path: Path) -> _Content | None:
    with disk_errors("reading the vault"):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
    if raw[:_CRC_BYTES] != checksum(raw[_CRC_BYTES:]).to_bytes(_CRC_BYTES, "big"):
        return None
    try:
        return decode(raw[_CRC_BYTES:], _Content)
    except MalformedMessageError:
        return None


def _write(home: Path, content: _Content) -> None:
    body = encode(
        [
            content.format,
            content.generation,
            content.unattended,
            content.officers,
            content.secrets,
        ]
    )
    for name in NAMES:
        replace(home / name, checksum(body).to_bytes(_CRC_BYTES, "big") + body)


def _wrap(key: bytes, secrets: _Secrets, slot: bytes) -> bytes:
    return seal.encrypt(key, encode([secrets.store, secrets.views]), _slot_purpose(slot))


def _unwrap(key: bytes, wrapped: bytes, slot: bytes) -> _Secrets:
    return decode(seal.decrypt(key, wrapped, _slot_purpose(slot)), _Secrets)


def _slot_purpose(slot: bytes) -> bytes:
    return b"motcua/slot/1/" + slot


def _secret_purpose(name: str) -> bytes:
    return b"motcua/secret/1/" + name.encode()


def _wrap_unattended(home: Path, secrets: _Secrets, *, views: bool) -> tuple[bytes, bool]:
    given = secrets if views else _Secrets(secrets.store, b"")
    credential = _credential()
    if credential is not None:
        return _wrap(credential, given, b"unattended"), True
    path = home / KEY_FILE
    if not path.exists() or path.stat().st_size != seal.KEY_BYTES:
        replace(path, random_bytes(seal.KEY_BYTES))
    return _wrap(_from_file(path.read_bytes()), given, b"unattended"), False


def _unattended_keys(home: Path) -> list[tuple[bytes, bool]]:
    """Return the keys to try, each with whether it protects against theft."""
    keys = []
    credential = _credential()
    if credential is not None:
        keys.append((credential, True))
    with disk_errors("reading the machine's key"):
        path = home / KEY_FILE
        if path.exists():
            keys.append((_from_file(path.read_bytes()), False))
    return keys


def _credential() -> bytes | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder or not (Path(folder) / CREDENTIAL).is_file():
        return None
    with disk_errors("reading the machine's credential"):
        content = (Path(folder) / CREDENTIAL).read_bytes()
    if len(content) < CREDENTIAL_BYTES_MIN:
        raise WrongKeyError(f"The credential needs {CREDENTIAL_BYTES_MIN} random bytes or more.")
    return seal.derive(content, b"motcua/unattended/credential/1")


def _from_file(content: bytes) -> bytes:
    return seal.derive(content, b"motcua/unattended/file/1")


def _device_secret(home: Path, *, make: bool = False) -> bytes:
    path = home / DEVICE_FILE
    with disk_errors("reading this device's secret"):
        if make and not path.exists():
            replace(path, random_bytes(seal.KEY_BYTES))
        try:
            return path.read_bytes()
        except FileNotFoundError as cause:
            raise WrongKeyError(
                "This device's own secret is missing: no PIN opens anything here."
            ) from cause
