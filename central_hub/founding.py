"""What is made once: the home, the hub's keys, its authority, and the keys that are taken away.

What holds: the city root's private key and the recovery key are written to the take-away folder
only, and are never in the home. Where anything fails, nothing is left behind that looks finished.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from central_hub.charter import Charter, make_tls, save_charter, save_tls, save_wards
from central_hub.paper_key import CITY_ROOT, RECOVERY, write_paper_key
from device_home.home import HUB_SETTINGS, Home
from sync_protocol.clock import WallClock, wall_ms
from sync_protocol.crypto.key import AgreementKey, SigningKey, random_bytes
from sync_protocol.errors import NotAllowedError
from sync_protocol.identity import KEY_BYTES
from sync_protocol.membership import grant as g
from sync_protocol.storage import vault
from sync_protocol.storage.files import disk_errors, make_folder, replace

CITY_ROOT_FILE = "city-root.key"
RECOVERY_FILE = "recovery.key"
README_FILE = "README.txt"

_README = """\
MANG THƯ MỤC NÀY ĐI NƠI KHÁC.  TAKE THIS FOLDER AWAY.

These two keys are not kept on the hub, and nobody can make them again.

  city-root.key   certifies the hub. It is needed to put another hub in its place.
  recovery.key    opens backups, and the wards' keys when a ward's machine has burned.

1. Print both files. Put the paper into two sealed envelopes, in two different buildings.
2. Copy the folder to a stick that stays in a safe, and compare the copy with the paper.
3. Delete the folder from this machine.

Whoever holds these keys can read every backup: treat them like the seal of the city.
"""


def found_city(home: Path, take_away: Path, wall: WallClock = wall_ms) -> None:
    """Make a hub in `home`, and write the offline keys to `take_away`.

    Raises `NotAllowedError` where either is in use already, and `StorageError` kinds.
    """
    if vault.exists(home):
        raise NotAllowedError("There is a hub in this folder already. Nothing was changed.")
    if take_away.exists() and any(take_away.iterdir()):
        raise NotAllowedError(f"The folder {take_away} is not empty. Nothing was changed.")
    root = SigningKey(random_bytes(KEY_BYTES))
    recovery = AgreementKey(random_bytes(KEY_BYTES))
    fresh = not home.exists()
    _write_take_away(take_away, root, recovery)
    try:
        _make_home(home, root, recovery, wall)
    except BaseException:
        if fresh:
            shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(take_away, ignore_errors=True)
        raise


def _make_home(home: Path, root: SigningKey, recovery: AgreementKey, wall: WallClock) -> None:
    opened = Home.create(home, wall, known=HUB_SETTINGS)
    try:
        keys = opened.keys
        certificate = g.certify(
            root, g.Certificate(1, keys.public, keys.agreement.public, recovery.public)
        )
        save_tls(opened.vault, make_tls(wall()))
        save_wards(opened.vault, [])
        # The charter comes last: a home without it is no hub's.
        save_charter(opened.vault, Charter(root.public, recovery.public, certificate))
    finally:
        opened.close()


def _write_take_away(folder: Path, root: SigningKey, recovery: AgreementKey) -> None:
    with disk_errors("writing the keys that are taken away"):
        make_folder(folder)
        for name, kind, secret, remark in (
            (CITY_ROOT_FILE, CITY_ROOT, root.secret, "Khóa gốc của thành phố. City root key."),
            (RECOVERY_FILE, RECOVERY, recovery.secret, "Khóa khôi phục. Recovery key."),
        ):
            remarks = [remark, "In ra giấy và cất vào két. Print it and lock it away."]
            replace(folder / name, write_paper_key(kind, secret, remarks).encode())
        replace(folder / README_FILE, _README.encode())
