"""The vault with the real key derivation, once."""

from pathlib import Path

import pytest

from sync_protocol.errors import WrongKeyError
from sync_protocol.storage.vault import Vault


def test_a_pin_opens_through_argon2id(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path, unattended=False)
    vault.put_officer(b"o" * 16, "246813")
    assert Vault.open_officer(tmp_path, b"o" * 16, "246813").key("log") == vault.key("log")
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, b"o" * 16, "246814")
