"""What is known of a person's identity document: from where, and where two sources differ.

A card's QR code, a machine-readable zone and an officer's hand say the same things in different
ways. Each becomes a `Reading`; `compare` lays readings side by side, field by field.

What holds: nothing is merged. Every value stays beside its source, and the source that is proposed
is only where a form may start: an officer decides. A zone confirms a name and never replaces one,
because it has no marks; a zone with a wrong check digit is weaker than what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from sync_protocol.dossier.card_qr import CardQr
from sync_protocol.dossier.folding import fold, name_key
from sync_protocol.dossier.mrz import VIETNAM, Layout, Zone


class Source(StrEnum):
    """Where a value comes from."""

    CARD_QR = "card-qr"
    MRZ = "mrz"
    TYPED = "typed"


class Agreement(StrEnum):
    """What several sources say of one field; the later, the worse."""

    ALONE = "alone"
    SAME = "same"
    MARKS = "marks"
    DIFFERENT = "different"


FIELDS = (
    *("citizen_number", "former_number", "passport_number", "issuer", "nationality"),
    *("name", "birth_date", "sex", "address", "issued_on", "expires_on"),
)
"""The fields that can be compared, in the order in which people look at them."""
_TEXTS = frozenset({"name", "address"})
_DATES = frozenset({"birth_date", "issued_on", "expires_on"})
_WORST = tuple(Agreement)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source says: values by field of `FIELDS`, absent ones left out.

    `sound`: nothing in it contradicts its own check digits. `name_cut`: the name goes on.
    """

    source: Source
    values: Mapping[str, str]
    sound: bool = True
    name_cut: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field: what each source says, how they agree, and whose value a form may start with."""

    field: str
    agreement: Agreement
    values: tuple[tuple[Source, str], ...]
    proposed: Source


def reading_of_card(card: CardQr) -> Reading:
    """Return what a card's QR code says."""
    return _reading(
        Source.CARD_QR,
        citizen_number=card.number,
        former_number=card.former_number,
        name=card.name,
        birth_date=card.birth_date,
        sex=card.sex,
        address=card.address,
        issued_on=card.issued_on,
    )


def reading_of_zone(zone: Zone) -> Reading:
    """Return what a machine-readable zone says."""
    # A citizen's card has no other number than the twelve digits; a passport has its own.
    on_card = zone.layout is Layout.TD1 and zone.citizen_number is not None
    found = _reading(
        Source.MRZ,
        citizen_number=zone.citizen_number,
        passport_number=None if on_card else zone.number,
        issuer=zone.issuer,
        nationality=zone.nationality,
        name=f"{zone.surname} {zone.given_names}".strip(),
        birth_date=zone.birth_date,
        sex=zone.sex,
        expires_on=zone.expires_on,
    )
    return Reading(found.source, found.values, zone.sound, zone.name_cut)


def typed_reading(values: Mapping[str, str]) -> Reading:
    """Return what an officer typed, by field of `FIELDS`; other fields are left out."""
    return _reading(Source.TYPED, **{key: values[key] for key in FIELDS if key in values})


def _reading(source: Source, **values: str | None) -> Reading:
    return Reading(source, {field: value for field, value in values.items() if value})


def compare(readings: Sequence[Reading]) -> list[Comparison]:
    """Lay readings side by side: one row for each field that any of them has."""
    rows = []
    for field in FIELDS:
        found = [reading for reading in readings if field in reading.values]
        if not found:
            continue
        pairs = [_agreement(field, one, other) for one, other in combinations(found, 2)]
        rows.append(
            Comparison(
                field=field,
                agreement=max(pairs, key=_WORST.index, default=Agreement.ALONE),
                values=tuple((reading.source, reading.values[field]) for reading in found),
                proposed=max(found, key=lambda reading: _strength(field, reading)).source,
            )
        )
    return rows


def differences(readings: Sequence[Reading]) -> list[Comparison]:
    """Return the rows of `compare` that a person has to look at."""
    seen = (Agreement.MARKS, Agreement.DIFFERENT)
    return [row for row in compare(readings) if row.agreement in seen]


def _strength(field: str, reading: Reading) -> int:
    if reading.source is Source.TYPED:
        return 2
    if reading.source is Source.MRZ:
        return 3 if reading.sound and field not in _TEXTS else 1
    return 4


# ------------------------------------------------------------------------------- agreement


def _agreement(field: str, one: Reading, other: Reading) -> Agreement:
    a, b = one.values[field], other.values[field]
    if field == "name" and Source.MRZ in (one.source, other.source):
        return Agreement.SAME if _same_in_zone(one, other) else Agreement.DIFFERENT
    if field in _TEXTS:
        return _text_agreement(a, b)
    # "1990" and "1990-03-15" don't contradict each other: one just knows less.
    same = a == b or (field in _DATES and (a.startswith(b) or b.startswith(a)))
    return Agreement.SAME if same else Agreement.DIFFERENT


def _text_agreement(a: str, b: str) -> Agreement:
    """Compare two texts with marks; where in a word its tone is written makes no difference."""
    if name_key(a) == name_key(b):
        return Agreement.SAME
    return Agreement.MARKS if fold(a) == fold(b) else Agreement.DIFFERENT


def _same_in_zone(one: Reading, other: Reading) -> bool:
    """Whether two names can be one, where at least one went through the letters of a zone."""
    cut = one.name_cut or other.name_cut
    # Foreigners' names are typed in either order; a Vietnamese one has one order only.
    ordered = VIETNAM in (one.values.get("issuer"), other.values.get("issuer"))
    return any(
        _same_words(spelling_one, spelling_other, ordered=ordered, cut=cut)
        for spelling_one in zone_spellings(one.values["name"])
        for spelling_other in zone_spellings(other.values["name"])
    )


def _same_words(one: str, other: str, *, ordered: bool, cut: bool) -> bool:
    if cut:
        short, long = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len)
        return long.startswith(short)
    if ordered:
        return one == other
    return sorted(one.split()) == sorted(other.split())


_BARE = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "'": ""})
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "ñ": "nxx"})
"""Doc 9303-3, section 6: letters that some issuers write as two."""


def zone_spellings(name: str) -> frozenset[str]:
    """Return how a name may stand in a zone, in small letters: "muller" and "mueller"."""
    small = " ".join(name.lower().replace("’", "'").replace("-", " ").replace(",", " ").split())
    return frozenset(fold(text.translate(_BARE)) for text in (small, small.translate(_TWO_LETTERS)))
