"""What a list row and the search index need of a dossier.

Both take the displayed values by field id, as the fold gives them. They come from other replicas,
perhaps newer ones, so a value of an unexpected shape is left out and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync_protocol.dossier import record_type
from sync_protocol.dossier.catalogue import procedure_name
from sync_protocol.dossier.folding import fold, name_key
from sync_protocol.dossier.labels import STATUSES, VIETNAMESE, label


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of a list. Absent values are empty; `sort_key` orders rows by name."""

    title: str
    name: str
    procedure: str
    status: str
    code: str
    received_on: str
    due_on: str
    sort_key: str


def _text(values: Mapping[int, object], field: int, part: int | None = None) -> str:
    value = values.get(field)
    if part is not None:
        value = value[part] if isinstance(value, list | tuple) and len(value) > part else None
    return value if isinstance(value, str) else ""


def search_text(values: Mapping[int, object]) -> str:
    """Return the folded text by which a dossier is found: name, number, phone, both codes."""
    found = (
        _text(values, record_type.NAME),
        _text(values, record_type.IDENTITY, 1),
        _text(values, record_type.PHONE),
        _text(values, record_type.OFFICIAL_CODE),
        _text(values, record_type.PROVISIONAL_CODE),
    )
    return fold(" ".join(found))


def title(values: Mapping[int, object]) -> str:
    """Return the line by which people call a dossier: whose, and which procedure."""
    procedure = procedure_name(_text(values, record_type.PROCEDURE))
    return " – ".join(part for part in (_text(values, record_type.NAME), procedure) if part)


def summarise(values: Mapping[int, object], language: str = VIETNAMESE) -> Summary:
    """Return the row that a list shows; the official code stands before the provisional one."""
    name = _text(values, record_type.NAME)
    official = _text(values, record_type.OFFICIAL_CODE)
    return Summary(
        title=title(values),
        name=name,
        procedure=procedure_name(_text(values, record_type.PROCEDURE)),
        status=label(STATUSES, _text(values, record_type.STATUS), language),
        code=official or _text(values, record_type.PROVISIONAL_CODE),
        received_on=_text(values, record_type.RECEIVED_ON),
        due_on=_text(values, record_type.DUE_ON),
        sort_key=name_key(name),
    )
