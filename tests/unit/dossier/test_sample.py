"""Synthetic dossiers are repeatable, lawful, nobody's, and of the shape that was promised."""

import json
from itertools import islice
from pathlib import Path

import pytest

from sync_protocol.dossier import record_type
from sync_protocol.dossier.intake import Intake, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.scan_check import MediaType, check_scan

COUNT = 1500


def leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(leaves(inner) for inner in value.values())
    return sum(leaves(inner) for inner in value) if isinstance(value, list) else 1


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return [
        json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
        for row in sample(COUNT, 1)
    ]


@pytest.fixture(scope="module")
def intakes(lines: list[bytes]) -> list[Intake]:
    return [read_intake(line) for line in lines]


def test_the_same_seed_gives_the_same_dossiers_and_another_gives_others() -> None:
    assert list(sample(50, 1)) == list(islice(sample(80, 1), 50))
    assert list(sample(50, 1)) != list(sample(50, 2))


def identity(intake: Intake) -> tuple[str, str]:
    value = intake.values[record_type.IDENTITY]
    assert isinstance(value, list)
    return value[0], value[1]


def test_every_dossier_passes_intake_and_is_nobodys(intakes: list[Intake]) -> None:
    for intake in intakes:
        kind, number = identity(intake)
        codes = [remark.code for remark in intake.warnings]
        assert codes == (["citizen-number-for-tests"] if kind == "citizen" else [])
        assert kind == "passport" or number[:3] in ("097", "098", "099")
        assert str(intake.values[record_type.PHONE])[3:6] == "000"
        due, received = (intake.values[at] for at in (record_type.DUE_ON, record_type.RECEIVED_ON))
        assert str(due) > str(received)


def test_about_three_in_a_hundred_are_foreigners(intakes: list[Intake]) -> None:
    count = sum(identity(intake)[0] == "passport" for intake in intakes)
    assert 0.015 < count / COUNT < 0.05


def test_the_shape_is_that_of_a_real_dossier(lines: list[bytes]) -> None:
    mean = sum(map(len, lines)) / COUNT
    assert 600 <= mean <= 850
    counts = [leaves(json.loads(line)) for line in lines]
    assert min(counts) >= 20
    assert max(counts) <= 28


def test_many_procedures_names_and_statuses_occur(intakes: list[Intake]) -> None:
    def seen(field: int) -> int:
        return len({str(intake.values[field]) for intake in intakes})

    assert seen(record_type.PROCEDURE) > 50
    assert seen(record_type.NAME) > COUNT * 0.7
    assert seen(record_type.STATUS) == 6


def test_pages_are_repeatable_jpegs_of_lawful_weight(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    from sync_protocol.dossier.sample_scan import write_scans

    first = [path.read_bytes() for path in write_scans(tmp_path / "a", 3, 5)]
    again = [path.read_bytes() for path in write_scans(tmp_path / "b", 3, 5)]
    assert first == again
    assert len(set(first)) == 3
    for content in first:
        assert 60_000 <= len(content) <= 250_000
        assert check_scan("page.jpg", content) is MediaType.JPEG
