"""The catalogue of procedures that a ward office meets: code, short name, field.

The names are ours: short enough for a list. The catalogue is data (`procedures.toml`, with its
source and date); codes come and go, so what is unknown here may be known to a newer version.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Procedure:
    """One administrative procedure, by its national code."""

    code: str
    name: str
    field: str


@cache
def catalogue() -> Mapping[str, Procedure]:
    """Return all procedures by code."""
    text = resources.files("sync_protocol.dossier").joinpath("procedures.toml").read_text("utf-8")
    rows = (
        Procedure(code, name, group["field"])
        for group in tomllib.loads(text)["group"]
        for code, name in group["procedure"].items()
    )
    return MappingProxyType({row.code: row for row in rows})


def known(code: str) -> bool:
    """Whether the catalogue has a procedure with this code."""
    return code in catalogue()


def procedure_name(code: str) -> str:
    """Return the short name, or the code itself where the catalogue has none."""
    found = catalogue().get(code)
    return found.name if found else code
