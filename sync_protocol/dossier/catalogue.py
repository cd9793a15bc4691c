"""The catalogue of procedures: read from files, checked whole, looked up by code.

Some came with the program (`catalogue_data/`); the city publishes newer ones (`publication`).

Every file but four holds the procedures of one field; `papers.toml` has the kinds of papers and
the conditions under which they are asked for, `forms.toml` what is asked of whom, `essential.toml`
the 25 essential services, `edition.toml` what this edition is. It is data: codes, times and fees
change by decree, and come with the decision that set them. Codes come and go, so what is unknown
here may be known to a newer edition.

What holds: a catalogue that contradicts itself does not load. A code leads to one procedure, an
alias to one kind of paper; every kind and condition that is named is there.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TypeVar

import msgspec

from sync_protocol.dossier.deadline import TimeLimit
from sync_protocol.dossier.edition import Files, published
from sync_protocol.dossier.form import FormFile, Forms, form_faults, read_forms
from sync_protocol.dossier.procedure import (
    Case,
    Channel,
    Desk,
    EssentialService,
    Fee,
    PaperType,
    PersonRole,
    Procedure,
    Requirement,
    Text,
)
from sync_protocol.dossier.working_calendar import CALENDAR_FILE
from sync_protocol.errors import SchemaError

T = TypeVar("T")
FOLDER = "catalogue_data"

_CODE = re.compile(r"[1-9]\.[0-9]{6}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_CHARACTERS_MAX = 60
_ESSENTIAL_COUNT = 25


class Edition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a catalogue is: its number, when its facts were read, and where."""

    version: int
    read_on: date
    source: str


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A procedure as a file writes it: what it leaves out, its file says for all."""

    code: str
    vi: str
    en: str
    field: Text | None = None
    official: str = ""
    decision: str = ""
    desk: Desk | None = None
    channels: tuple[Channel, ...] = ()
    time: TimeLimit | None = None
    time_source: str = ""
    cases: tuple[Case, ...] = ()
    fees: tuple[Fee, ...] = ()
    papers: tuple[str | Requirement, ...] = ()
    persons: tuple[PersonRole, ...] = (PersonRole.OWNER,)
    other_codes: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The procedures of one field, and what most of them share."""

    field: Text
    decision: str
    desk: Desk
    channels: tuple[Channel, ...]
    procedure: tuple[_Row, ...]
    field_code: str = ""
    review_on: date | None = None


class _Papers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    paper: dict[str, PaperType]
    condition: dict[str, Text]


class _Essential(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    service: tuple[EssentialService, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything, checked: procedures by code, kinds of papers and conditions by name, forms."""

    edition: Edition
    procedures: Mapping[str, Procedure]
    papers: Mapping[str, PaperType]
    conditions: Mapping[str, Text]
    essential: tuple[EssentialService, ...]
    forms: Forms

    def find(self, code: str) -> Procedure | None:
        """Return the procedure with this code, or with this other code, or None."""
        found = self.procedures.get(code)
        if found is not None:
            return found
        return next((row for row in self.procedures.values() if code in row.other_codes), None)

    def paper_by_alias(self, alias: str) -> str | None:
        """Return the name of the kind of paper that the national catalogue calls `alias`."""
        return next((name for name, row in self.papers.items() if alias in row.aliases), None)


# ------------------------------------------------------------------------------------ reading


def read_catalogue(files: Mapping[str, str]) -> Catalogue:
    """Read a catalogue from the texts of its files, by file name. Raises `SchemaError`."""
    left = dict(files)
    edition = _read(left, "edition.toml", Edition)
    papers = _read(left, "papers.toml", _Papers)
    essential = _read(left, "essential.toml", _Essential)
    form_file = _read(left, "forms.toml", FormFile)
    rows: list[Procedure] = []
    for name in sorted(left):
        group = _read(dict(files), name, _File)
        rows += (_procedure(row, group) for row in group.procedure)
    doubled = _doubled(code for row in rows for code in (row.code, *row.other_codes))
    if doubled:
        raise SchemaError(f"The catalogue has these codes twice: {', '.join(doubled[:5])}.")
    found = Catalogue(
        edition,
        MappingProxyType({row.code: row for row in rows}),
        MappingProxyType(papers.paper),
        MappingProxyType(papers.condition),
        essential.service,
        read_forms(form_file),
    )
    faults = [*_faults(found), *form_faults(form_file, found.forms)]
    if faults:
        raise SchemaError(f"The catalogue contradicts itself: {'; '.join(faults[:5])}.")
    return found


def _read(files: dict[str, str], name: str, kind: type[T]) -> T:
    """Take a file out of `files` and read it."""
    text = files.pop(name, None)
    if text is None:
        raise SchemaError(f"The catalogue has no file {name}.")
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (ValueError, RecursionError, msgspec.ValidationError, SchemaError) as cause:
        raise SchemaError(f"The catalogue's file {name} can't be read: {cause}.") from cause


def _procedure(row: _Row, group: _File) -> Procedure:
    papers = (Requirement(item) if isinstance(item, str) else item for item in row.papers)
    return Procedure(
        code=row.code,
        name=row.vi,
        english=row.en,
        official=row.official or row.vi,
        field=(row.field or group.field).vi,
        field_english=(row.field or group.field).en,
        field_code=group.field_code,
        desk=row.desk or group.desk,
        decision=row.decision or group.decision,
        channels=row.channels or group.channels,
        time=row.time,
        time_source=row.time_source or row.decision or group.decision,
        cases=row.cases,
        fees=row.fees,
        papers=tuple(papers),
        persons=row.persons,
        other_codes=row.other_codes,
        review_on=group.review_on,
    )


# ----------------------------------------------------------------------------------- checking


def _faults(catalogue: Catalogue) -> Iterator[str]:
    """Say what does not fit together."""
    procedures = catalogue.procedures.values()
    codes = [code for row in procedures for code in (row.code, *row.other_codes)]
    yield from (f"{code} is no code" for code in codes if not _CODE.fullmatch(code))
    yield from (f"“{name}” is there twice" for name in _doubled(row.name for row in procedures))
    aliases = (alias for paper in catalogue.papers.values() for alias in paper.aliases)
    yield from (f"{alias} is the alias of two papers" for alias in _doubled(aliases))
    yield from (f"{name} is no name for a paper" for name in catalogue.papers if not _slug(name))
    for row in procedures:
        if len(row.name) > _NAME_CHARACTERS_MAX:
            yield f"the name of {row.code} is too long for a list"
        yield from (f"{row.code}: {fault}" for fault in _unknown_names(row, catalogue))
    known = {row.code for row in procedures}
    yield from (
        f"form {code}: no procedure" for code in catalogue.forms.by_code if code not in known
    )
    yield from _essential_faults(catalogue)


def _slug(name: str) -> bool:
    return _SLUG.fullmatch(name) is not None


def _unknown_names(row: Procedure, catalogue: Catalogue) -> Iterator[str]:
    wanted = [name for paper in row.papers for name in (paper.type, *paper.instead)]
    yield from (f"no paper {name}" for name in wanted if name not in catalogue.papers)
    conditions = {paper.when for paper in row.papers} | {fee.when for fee in row.fees}
    unknown = conditions - {"", *catalogue.conditions}
    yield from (f"no condition {name}" for name in sorted(unknown))
    yield from (f"case {name} is there twice" for name in _doubled(case.id for case in row.cases))


def _essential_faults(catalogue: Catalogue) -> Iterator[str]:
    services = catalogue.essential
    if [service.number for service in services] != list(range(1, _ESSENTIAL_COUNT + 1)):
        yield "the essential services are not 1 to 25"
    for service in services:
        for code in service.codes:
            if catalogue.find(code) is None:
                yield f"essential service {service.number}: no procedure {code}"


def _doubled(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


# ------------------------------------------------------------------------------- what is in force


def shipped_files() -> dict[str, str]:
    """Return the texts of the files that came with the program, by name."""
    folder = resources.files("sync_protocol.dossier").joinpath(FOLDER)
    files = [item for item in folder.iterdir() if item.name.endswith(".toml")]
    return {item.name: item.read_text("utf-8") for item in files}


def catalogue() -> Catalogue:
    """Return the catalogue in force: the city's, where it is newer than what came with the program.

    One that this program cannot read changes nothing: `unreadable` tells of it.
    """
    found, shipped = _of_the_city(published())[0], _shipped()
    if found is not None and found.edition.version > shipped.edition.version:
        return found
    return shipped


def unreadable() -> str:
    """Return why the city's catalogue cannot be read by this program; empty where it can."""
    return _of_the_city(published())[1]


@cache
def _shipped() -> Catalogue:
    return read_catalogue(shipped_files())


@lru_cache(maxsize=2)
def _of_the_city(files: Files) -> tuple[Catalogue | None, str]:
    left = {name: text for name, text in files if name != CALENDAR_FILE}
    if not left:
        return None, ""
    try:
        return read_catalogue(left), ""
    except SchemaError as fault:
        return None, fault.diagnosis


def known(code: str) -> bool:
    """Whether the catalogue has a procedure with this code."""
    return catalogue().find(code) is not None


def procedure_name(code: str) -> str:
    """Return the short name, or the code itself where the catalogue has none."""
    found = catalogue().find(code)
    return found.name if found else code
