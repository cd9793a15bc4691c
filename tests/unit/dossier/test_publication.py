"""The city's edition as a record: read whole, published by what changed, in force once it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from sync_protocol import limits
from sync_protocol.dossier.catalogue import catalogue, known, shipped_files, unreadable
from sync_protocol.dossier.edition import go_by
from sync_protocol.dossier.publication import files_of, publish, read_publication
from sync_protocol.dossier.record_type import PUBLICATION, SCHEMA
from sync_protocol.dossier.working_calendar import CALENDAR_FILE, calendar_with
from sync_protocol.errors import SchemaError
from sync_protocol.identity import NO_OFFICER, Dot, FeedId, OfficerId, RecordId
from sync_protocol.merge.fold import Stamp, fold
from sync_protocol.merge.state import RecordState
from sync_protocol.view import RecordView, view

HOLIDAY = """
[[table]]
issued_on = 2026-12-10
source = "a decision"
valid_from = 2027-01-01
valid_until = 2027-12-31
off = [{ day = 2027-03-03, vi = "Ngày hội", en = "Fair" }]
"""


def files(version: int, **more: str) -> dict[str, str]:
    found = shipped_files()
    found["edition.toml"] = f'version = {version}\nread_on = 2026-12-01\nsource = "test"\n'
    return {**found, **{name.replace("__", "."): text for name, text in more.items()}}


@pytest.fixture(autouse=True)
def by_the_program() -> Iterator[None]:
    yield
    go_by(dict)


class _Ward:
    """One record, folded as a replica folds it."""

    def __init__(self) -> None:
        self.state: RecordState | None = None
        self.seq = 0

    def take(self, change: object) -> None:
        self.seq += 1
        self.state = self.state or RecordState(PUBLICATION.id)
        dot = Dot(FeedId(bytes(16)), self.seq)
        fold(self.state, Stamp(dot, self.seq, OfficerId(NO_OFFICER)), change, lambda _: True)  # type: ignore[arg-type]

    def view(self) -> RecordView:
        assert self.state is not None
        return view(RecordId(bytes(16)), SCHEMA.by_id[PUBLICATION.id], self.state, lambda _: False)


def test_what_is_published_is_what_is_read_and_only_what_changed_is_written() -> None:
    ward = _Ward()
    first = read_publication(files(100))
    change = publish(first, None)
    assert change is not None
    ward.take(change)
    assert files_of(ward.view()) == dict(first.files)
    assert publish(first, ward.view()) is None

    second = read_publication(files(101, **{CALENDAR_FILE.replace(".", "__"): HOLIDAY}))
    change = publish(second, ward.view())
    assert change is not None
    assert len(change.writes) == 3, "the number, edition.toml and the new file of days off"
    ward.take(change)
    assert files_of(ward.view()) == dict(second.files)

    third = read_publication(files(102))
    change = publish(third, ward.view())
    assert change is not None
    ward.take(change)
    assert files_of(ward.view()) == dict(third.files), "a file that was taken out is gone"
    assert not ward.view().conflicts


def test_a_newer_edition_is_in_force_and_an_older_one_is_not() -> None:
    shipped = catalogue().edition.version
    go_by(lambda: files(shipped))
    assert catalogue().edition.source != "test"
    group = files(shipped + 1)["civil_status.toml"].replace("1.001193", "9.999999", 1)
    essential = shipped_files()["essential.toml"].replace("1.001193", "9.999999")
    forms = shipped_files()["forms.toml"].replace("1.001193", "9.999999")
    changed = {"civil_status__toml": group, "essential__toml": essential, "forms__toml": forms}
    go_by(lambda: files(shipped + 1, **changed))
    assert known("9.999999")
    assert not known("1.001193")
    go_by(dict)
    assert known("1.001193")


def test_published_days_off_are_laid_over_those_that_came_with_the_program() -> None:
    assert calendar_with().is_working(date(2027, 3, 3))
    go_by(lambda: {CALENDAR_FILE: HOLIDAY})
    assert not calendar_with().is_working(date(2027, 3, 3))


@pytest.mark.parametrize(
    "text", ["no = toml = at all", "version = 'x'", "version = 999\nread_on = 2026-01-01\nnew = 1"]
)
def test_an_edition_that_cannot_be_read_changes_nothing_and_is_told(text: str) -> None:
    before = catalogue()
    go_by(lambda: {**shipped_files(), "edition.toml": text})
    assert catalogue() is before
    assert "edition.toml" in unreadable()


def test_too_much_is_refused() -> None:
    with pytest.raises(SchemaError, match="too many files"):
        read_publication({f"{number}.toml": "" for number in range(65)})
    with pytest.raises(SchemaError, match="too large"):
        read_publication({"a.toml": "#" * limits.PUBLICATION_BYTES_MAX})


def test_only_a_hub_writes_one() -> None:
    assert [kind.name for kind in SCHEMA.types if kind.hub_only] == [PUBLICATION.name]
