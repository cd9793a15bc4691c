"""The wards and communes of Hà Nội, by code (`hanoi_units.toml`, with its source and date).

An address may name any other unit, abolished ones included: old papers keep old names for decades.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

WARD = "Phường"
COMMUNE = "Xã"


@cache
def hanoi_units() -> Mapping[str, str]:
    """Return the full names, such as "Phường Hoàn Kiếm", by code."""
    text = resources.files("sync_protocol.dossier").joinpath("hanoi_units.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    kinds = ((WARD, tables["phuong"]), (COMMUNE, tables["xa"]))
    return MappingProxyType(
        {code: f"{kind} {name}" for kind, names in kinds for code, name in names.items()}
    )
