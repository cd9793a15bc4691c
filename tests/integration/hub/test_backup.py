"""A backup is whole or refused, says nothing in clear, and opens with one key only."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from central_hub.sealed_file import MAGIC
from tests.integration.hub.city_fixture import Town, found, sample_lines
from tests.integration.hub.test_commands import diagnosis
from tests.integration.process_fixture import Program, write_lines

pytestmark = pytest.mark.process
CANARY = "Chim Hoàng Yến"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Path]:
    """A hub with one dossier of a canary and scans, and its backup, taken while it serves."""
    town = found(tmp_path_factory.mktemp("town"))
    backup = town.folder / "city.backup"
    with town.hub.serving():
        station = town.station("một")
        lines = sample_lines(1, 9)
        lines[0]["applicant"]["name"] = CANARY
        lines[0]["notes"] = [CANARY]
        station.ok("intake", str(write_lines(town.folder / "c.jsonl", lines)))
        station.ok("intake", str(town.dossiers(30, 5, scans=5)))
        station.ok("sync")
        town.hub.ok("officer", "add", CANARY, "--ward", "00070", "--role", "clerk")
        told = town.hub.ask("backup", str(backup))
        assert told["wards"] == 1
        assert told["chunks"] >= 5
        assert town.hub.ask("health")["wards"][0]["backup_age_s"] >= 0
    return town, backup


def _restore(town: Town, file: Path, name: str, key: str = "") -> tuple[Program, tuple[str, ...]]:
    program = Program("central_hub", town.folder / name, {})
    shutil.rmtree(program.home, ignore_errors=True)
    return program, ("restore", str(file), "--recovery-key", key or town.recovery_key)


def test_a_restored_hub_is_the_old_one(saved: tuple[Town, Path]) -> None:
    town, backup = saved
    program, words = _restore(town, backup, "again")
    told = program.ask(*words)
    assert told["wards"] == 1
    assert program.ask("digest")[0]["sha256"] == town.hub.ask("digest")[0]["sha256"]
    assert program.ask("ward", "list") == town.hub.ask("ward", "list")
    assert program.ask("verify")["sound"]
    assert diagnosis(program, *words) == "not-allowed", "never into a home that is in use"


def test_nothing_is_in_clear_in_the_home_or_the_backup(saved: tuple[Town, Path]) -> None:
    town, backup = saved
    assert CANARY in json.dumps(town.hub.ask("dossier", "list"), ensure_ascii=False)
    needles = [CANARY.encode(), CANARY.encode("utf-16-le"), "Hoàn Kiếm".encode()]
    files = [backup, *(path for path in town.hub.home.rglob("*") if path.is_file())]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        assert not any(needle in content for needle in needles), path


def test_a_truncated_backup_is_refused_at_any_length(saved: tuple[Town, Path]) -> None:
    town, backup = saved
    whole = backup.read_bytes()
    size = len(whole)
    for length in (0, 1, 7, 9, 12, 40, 150, 4096, size // 3, size // 2, size - 20, size - 1):
        cut = town.folder / "cut.backup"
        cut.write_bytes(whole[:length])
        program, words = _restore(town, cut, "cut")
        assert diagnosis(program, *words) == "store-corrupt", length
        assert not program.home.exists()
        assert not program.home.with_name("cut.part").exists()


def test_a_damaged_doubled_or_foreign_file_is_refused(saved: tuple[Town, Path]) -> None:
    town, backup = saved
    whole = backup.read_bytes()
    for at in (8 + 2 + 4 + 20, 200, len(whole) // 2, len(whole) - 3):
        flipped = bytearray(whole)
        flipped[at] ^= 0x10
        bad = town.folder / "bad.backup"
        bad.write_bytes(flipped)
        program, words = _restore(town, bad, "bad")
        assert diagnosis(program, *words) in ("store-corrupt", "wrong-key"), at
        assert not program.home.exists()
    bad = town.folder / "bad.backup"
    bad.write_bytes(whole + whole)
    program, words = _restore(town, bad, "bad")
    assert diagnosis(program, *words) == "store-corrupt"
    bad.write_bytes(b"PK\x03\x04" + whole)
    assert diagnosis(program, *words) == "bad-input"
    bad.write_bytes(MAGIC + struct.pack(">H", 2) + whole[10:])
    assert diagnosis(program, *words) == "newer-store"
    missing = town.folder / "none.backup"
    assert diagnosis(program, *_restore(town, missing, "bad")[1]) == "bad-input"


def test_only_the_recovery_key_opens_it(saved: tuple[Town, Path]) -> None:
    town, backup = saved
    elsewhere = town.folder / "elsewhere"
    elsewhere.mkdir()
    other = found(elsewhere)
    program, words = _restore(town, backup, "wrong", other.recovery_key)
    assert diagnosis(program, *words) == "wrong-key"
    root = str(town.folder / "hub-takeaway" / "city-root.key")
    program, words = _restore(town, backup, "wrong", root)
    assert diagnosis(program, *words) == "wrong-key"
    mistyped = town.folder / "mistyped.key"
    text = Path(town.recovery_key).read_text()
    mistyped.write_text(text[:-3] + ("0" if text[-3] != "0" else "1") + text[-2:])
    program, words = _restore(town, backup, "wrong", str(mistyped))
    assert diagnosis(program, *words) == "bad-input"


def test_a_backup_never_replaces_a_file_and_never_lies_in_the_home(
    saved: tuple[Town, Path],
) -> None:
    town, backup = saved
    before = backup.read_bytes()
    assert diagnosis(town.hub, "backup", str(backup)) == "not-allowed"
    assert diagnosis(town.hub, "backup", str(town.hub.home / "b")) == "bad-input"
    assert diagnosis(town.hub, "backup", str(town.folder / "no" / "b")) == "bad-input"
    assert backup.read_bytes() == before
