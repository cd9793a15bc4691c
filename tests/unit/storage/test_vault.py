"""The vault: who opens it, what a thief gets, and how wrong PINs count."""

import shutil
import threading
from pathlib import Path

import pytest

from sync_protocol import limits
from sync_protocol.crypto import seal
from sync_protocol.errors import (
    NewerStoreError,
    NotAllowedError,
    SlotLockedError,
    StoreCorruptError,
    WrongKeyError,
)
from sync_protocol.storage import vault as vaults
from sync_protocol.storage.vault import Vault, exists, tries_left

CLERK, SUPERVISOR = b"clerk".ljust(16), b"supervisor".ljust(16)
PIN = "246813"


@pytest.fixture(autouse=True)
def _cheap_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten tries of Argon2id take seconds; one test below runs the real one."""

    def cheap(pin: str, salt: bytes, device_secret: bytes) -> bytes:
        return seal.derive(salt + device_secret + pin.encode(), b"test")

    monkeypatch.setattr(seal, "key_from_pin", cheap)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def _tablet(home: Path) -> Vault:
    """A vault that opens only with a PIN."""
    vault = Vault.create(home, unattended=False)
    vault.put_officer(SUPERVISOR, "135790")
    vault.put_officer(CLERK, PIN)
    return vault


def _credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes = b"k" * 32
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir(exist_ok=True)
    (folder / "motcua").write_bytes(content)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def test_keys_are_the_same_whoever_opens_and_another_for_each_purpose(tmp_path: Path) -> None:
    made = Vault.create(tmp_path)
    made.put_officer(CLERK, PIN)
    for opened in (Vault.open_unattended(tmp_path), Vault.open_officer(tmp_path, CLERK, PIN)):
        for purpose in ("log", "views", "journal", "chunks"):
            assert opened.key(purpose) == made.key(purpose)
    assert len({made.key(purpose) for purpose in ("log", "views", "journal", "chunks")}) == 4
    assert len(made.key("log")) == 32


def test_two_vaults_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = Vault.create(tmp_path / "a"), Vault.create(tmp_path / "b")
    assert one.key("log") != other.key("log")
    assert exists(tmp_path / "a")
    assert not exists(tmp_path / "c")


def test_a_vault_is_never_overwritten(tmp_path: Path) -> None:
    key = Vault.create(tmp_path).key("log")
    with pytest.raises(NotAllowedError):
        Vault.create(tmp_path)
    assert Vault.open_unattended(tmp_path).key("log") == key


def test_every_file_is_private(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    vault.put_officer(CLERK, PIN)
    vault.put_secret("signing", b"s" * 32)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_named_secrets_are_kept_and_never_in_clear(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    vault.put_secret("signing", b"signing-seed-in-clear-0123456789")
    vault.put_secret("ward/1", b"w" * 32)
    again = Vault.open_unattended(tmp_path)
    assert again.secret("signing") == b"signing-seed-in-clear-0123456789"
    assert again.secret("none") is None
    assert again.secret_names() == ["signing", "ward/1"]
    again.put_secret("ward/1", None)
    assert vault.secret("ward/1") is None
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"signing-seed-in-clear" not in path.read_bytes()


def test_without_a_credential_the_key_file_opens_and_theft_is_told(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    assert (tmp_path / "unattended.key").exists()
    assert not vault.protected_against_theft
    assert not Vault.open_unattended(tmp_path).protected_against_theft
    (tmp_path / "unattended.key").unlink()
    with pytest.raises(WrongKeyError):
        Vault.open_unattended(tmp_path)


def test_a_credential_opens_and_leaves_no_key_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _credential(tmp_path, monkeypatch)
    home = tmp_path / "home"
    key = Vault.create(home).key("log")
    assert not (home / "unattended.key").exists()
    opened = Vault.open_unattended(home)
    assert opened.protected_against_theft
    assert opened.key("log") == key
    _credential(tmp_path, monkeypatch, b"another" * 5)
    with pytest.raises(WrongKeyError):
        Vault.open_unattended(home)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(WrongKeyError):
        Vault.open_unattended(home)


def test_a_credential_can_take_the_place_of_the_key_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    key = Vault.create(home).key("log")
    _credential(tmp_path, monkeypatch)
    vault = Vault.open_unattended(home)
    assert not vault.protected_against_theft
    vault.renew_unattended(views=True)
    assert not (home / "unattended.key").exists()
    renewed = Vault.open_unattended(home)
    assert renewed.protected_against_theft
    assert renewed.key("log") == key


def test_a_short_credential_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _credential(tmp_path, monkeypatch, b"short")
    with pytest.raises(WrongKeyError):
        Vault.create(tmp_path / "home")


def test_the_machine_alone_does_not_read_views_where_the_vault_was_made_so(tmp_path: Path) -> None:
    made = Vault.create(tmp_path, views_unattended=False)
    made.put_officer(CLERK, PIN)
    machine = Vault.open_unattended(tmp_path)
    assert not machine.opens_views
    assert machine.key("log") == made.key("log")
    with pytest.raises(NotAllowedError):
        machine.key("views")
    with pytest.raises(NotAllowedError):
        machine.put_officer(b"thief".ljust(16), "000000")
    assert Vault.open_officer(tmp_path, CLERK, PIN).key("views") == made.key("views")


def test_a_tablet_opens_only_with_a_pin(tmp_path: Path) -> None:
    made = _tablet(tmp_path)
    assert made.protected_against_theft
    assert not (tmp_path / "unattended.key").exists()
    with pytest.raises(WrongKeyError):
        Vault.open_unattended(tmp_path)
    assert Vault.open_officer(tmp_path, CLERK, PIN).key("log") == made.key("log")
    assert made.officers() == sorted([CLERK, SUPERVISOR])
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, b"nobody".ljust(16), PIN)


def test_the_pin_alone_opens_nothing(tmp_path: Path) -> None:
    _tablet(tmp_path)
    (tmp_path / "device.secret").write_bytes(bytes(32))
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, CLERK, PIN)
    (tmp_path / "device.secret").unlink()
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, CLERK, PIN)


def test_ten_wrong_pins_lock_that_slot_only_and_a_supervisor_unlocks_it(tmp_path: Path) -> None:
    _tablet(tmp_path)
    for tries in range(limits.PIN_TRIES_MAX):
        with pytest.raises(WrongKeyError) as caught:
            Vault.open_officer(tmp_path, CLERK, "000000")
        assert caught.value.evidence["tries_left"] == limits.PIN_TRIES_MAX - 1 - tries
    with pytest.raises(SlotLockedError):
        Vault.open_officer(tmp_path, CLERK, PIN)
    supervisor = Vault.open_officer(tmp_path, SUPERVISOR, "135790")
    supervisor.unlock_officer(CLERK)
    Vault.open_officer(tmp_path, CLERK, PIN)


def test_a_right_pin_forgets_the_wrong_ones(tmp_path: Path) -> None:
    _tablet(tmp_path)
    for _ in range(limits.PIN_TRIES_MAX - 1):
        with pytest.raises(WrongKeyError):
            Vault.open_officer(tmp_path, CLERK, "000000")
    assert tries_left(tmp_path, CLERK) == 1
    Vault.open_officer(tmp_path, CLERK, PIN)
    assert tries_left(tmp_path, CLERK) == limits.PIN_TRIES_MAX


def test_an_attempt_counts_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tablet(tmp_path)

    def power_cut(pin: str, salt: bytes, device_secret: bytes) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(seal, "key_from_pin", power_cut)
    for _ in range(limits.PIN_TRIES_MAX):
        with pytest.raises(KeyboardInterrupt):
            Vault.open_officer(tmp_path, CLERK, PIN)
    with pytest.raises(SlotLockedError):
        Vault.open_officer(tmp_path, CLERK, PIN)


def test_restoring_everything_but_the_counts_resets_no_count(tmp_path: Path) -> None:
    home, backup = tmp_path / "home", tmp_path / "backup"
    _tablet(home)
    shutil.copytree(home, backup, ignore=shutil.ignore_patterns("pin-tries"))
    for _ in range(limits.PIN_TRIES_MAX):
        with pytest.raises(WrongKeyError):
            Vault.open_officer(home, CLERK, "000000")
    shutil.copytree(backup, home, dirs_exist_ok=True)
    with pytest.raises(SlotLockedError):
        Vault.open_officer(home, CLERK, PIN)


@pytest.mark.parametrize("content", [None, b"", b"\0" * 8, b"\xff" * 9])
def test_a_missing_or_damaged_count_is_locked(tmp_path: Path, content: bytes | None) -> None:
    _tablet(tmp_path)
    path = tmp_path / "pin-tries" / CLERK.hex()
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(SlotLockedError):
        Vault.open_officer(tmp_path, CLERK, PIN)


def test_attempts_at_the_same_time_gain_no_extra_try(tmp_path: Path) -> None:
    _tablet(tmp_path)
    outcomes: list[type[Exception]] = []

    def guess() -> None:
        try:
            Vault.open_officer(tmp_path, CLERK, "000000")
        except (WrongKeyError, SlotLockedError) as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(limits.PIN_TRIES_MAX + 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(WrongKeyError) == limits.PIN_TRIES_MAX
    assert outcomes.count(SlotLockedError) == 10


def test_a_new_pin_replaces_the_old_and_a_removed_officer_is_out(tmp_path: Path) -> None:
    vault = _tablet(tmp_path)
    vault.put_officer(CLERK, "999999")
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, CLERK, PIN)
    Vault.open_officer(tmp_path, CLERK, "999999")
    vault.remove_officer(CLERK)
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, CLERK, "999999")
    with pytest.raises(NotAllowedError):
        vault.unlock_officer(CLERK)


def test_the_last_door_is_not_walled_up(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    with pytest.raises(NotAllowedError):
        vault.remove_unattended()
    vault.put_officer(CLERK, PIN)
    vault.remove_unattended()
    assert not (tmp_path / "unattended.key").exists()
    with pytest.raises(WrongKeyError):
        Vault.open_unattended(tmp_path)
    assert Vault.open_officer(tmp_path, CLERK, PIN).protected_against_theft


def test_a_slot_opens_only_in_its_own_place(tmp_path: Path) -> None:
    """Who copies the clerk's slot over the supervisor's opens nothing with the clerk's PIN."""
    vault = _tablet(tmp_path)
    content = vaults._read(tmp_path)
    content.officers[SUPERVISOR.hex()] = content.officers[CLERK.hex()]
    content.generation += 1
    vaults._write(tmp_path, content)
    with pytest.raises(WrongKeyError):
        Vault.open_officer(tmp_path, SUPERVISOR, PIN)
    assert vault.officers()


def test_one_rotten_copy_costs_nothing_and_two_are_told(tmp_path: Path) -> None:
    key = Vault.create(tmp_path).key("log")
    whole = (tmp_path / "vault").read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        (tmp_path / "vault").write_bytes(damaged)
        assert Vault.open_unattended(tmp_path).key("log") == key
    (tmp_path / "vault.copy").write_bytes(whole[:-1])
    with pytest.raises(StoreCorruptError):
        Vault.open_unattended(tmp_path)
    (tmp_path / "vault").unlink()
    (tmp_path / "vault.copy").unlink()
    with pytest.raises(StoreCorruptError):
        Vault.open_unattended(tmp_path)


def test_the_newer_copy_counts(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    old = (tmp_path / "vault").read_bytes()
    vault.put_secret("signing", b"new")
    (tmp_path / "vault").write_bytes(old)
    assert vault.secret("signing") == b"new"


def test_a_newer_vault_is_refused(tmp_path: Path) -> None:
    Vault.create(tmp_path)
    content = vaults._read(tmp_path)
    content.format += 1
    content.generation += 1
    vaults._write(tmp_path, content)
    with pytest.raises(NewerStoreError):
        Vault.open_unattended(tmp_path)


def test_changes_from_two_open_vaults_both_stay(tmp_path: Path) -> None:
    one = Vault.create(tmp_path)
    other = Vault.open_unattended(tmp_path)
    threads = [
        threading.Thread(target=vault.put_secret, args=(f"{name}{n}", b"x"))
        for n in range(5)
        for name, vault in (("one", one), ("other", other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.secret_names()) == 10
