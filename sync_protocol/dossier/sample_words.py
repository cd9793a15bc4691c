"""The words of synthetic dossiers, read from `sample_words.toml` and checked once."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate

import msgspec


class Service(msgspec.Struct, frozen=True):
    """What is usually handed in for some procedures; no codes means all the others."""

    codes: tuple[str, ...]
    share: int
    days: int
    fees: tuple[int, ...]
    papers: tuple[tuple[str, str], ...]


class Country(msgspec.Struct, frozen=True):
    """Where a foreigner comes from, and how people are called there."""

    issuer: str
    place: str
    family: tuple[str, ...]
    given: tuple[str, ...]


class Foreigner(msgspec.Struct, frozen=True):
    """What foreigners come for."""

    codes: tuple[str, ...]
    days: int
    fees: tuple[int, ...]
    papers: tuple[tuple[str, str], ...]
    countries: tuple[Country, ...]


class Notes(msgspec.Struct, frozen=True):
    """What officers write down."""

    everyday: tuple[str, ...]
    foreigner: tuple[str, ...]
    relatives: tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """Everything in the file."""

    phone_prefixes: tuple[str, ...]
    birth_places: tuple[str, ...]
    streets: tuple[str, ...]
    villages: tuple[str, ...]
    male_given: tuple[str, ...]
    female_given: tuple[str, ...]
    surnames: dict[str, int]
    male_middle: dict[str, int]
    female_middle: dict[str, int]
    status: dict[str, int]
    notes: Notes
    service: tuple[Service, ...]
    foreigner: Foreigner


@cache
def words() -> Words:
    """Return the words."""
    text = resources.files("sync_protocol.dossier").joinpath("sample_words.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Words)


@dataclass(frozen=True, slots=True)
class Urn:
    """Words to draw from, each by its share."""

    words: tuple[str, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, shares: Mapping[str, int]) -> Urn:
        """Fill an urn."""
        return cls(tuple(shares), tuple(accumulate(shares.values())))

    def draw(self, chance: random.Random) -> str:
        """Draw one word."""
        return chance.choices(self.words, cum_weights=self.ends)[0]
