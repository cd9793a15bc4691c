"""What stands in a form, as people read it; and what was typed there, as commands take it.

What holds: only what differs from what the form showed becomes an assignment (`field=value`, as
`dossier set` takes it), and a group goes whole, so its halves never mix with what came meanwhile.
Days are read and written as people do here: 20/08/1990, 08/1990, 1990.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from device_home.reading import value_text
from device_home.shapes import Shape
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.labels import FIELDS, label
from sync_protocol.dossier.record_type import CITIZEN, DOSSIER
from sync_protocol.dossier.text import clean

EDITABLE = (
    *("name", "identity", "birth", "phone", "address", "status", "received_on", "due_on"),
    *("official_code", "fee"),
)
"""The fields of the form, in its order."""
_DAYS = frozenset({"birth.date", "received_on", "due_on"})
_HIDDEN = frozenset({"fee.currency"})


class FormField(NamedTuple):
    """One input: its name ("phone", "address.line"), its words, its text, and how it is typed."""

    name: str
    label: str
    text: str
    kind: str = "text"


class FormGroup(NamedTuple):
    """The inputs of one field. A disputed one is settled elsewhere, not typed over."""

    name: str
    label: str
    fields: tuple[FormField, ...]
    disputed: bool


def shown_value(field: str, value: object, language: str) -> str:
    """Return a value as a page shows it."""
    name = field.partition(":")[0]
    if name == "birth" and isinstance(value, list) and value:
        value = [shown_day(value[0]), *value[1:]]
    elif name == "result" and isinstance(value, list):
        value = [*value[:2], *map(shown_day, value[2:])]
    elif name in _DAYS and value:
        value = shown_day(value)
    elif name == "slip" and value:
        value = f"…{str(value)[-4:]}"  # enough to tell two of them apart
    return value_text(field, value, language)


def form_groups(fields: Mapping[str, Shape], language: str) -> list[FormGroup]:
    """Return the form of a dossier, filled with what is displayed."""
    return [_group(name, fields.get(name, {}), language) for name in EDITABLE]


def _group(name: str, shape: Shape, language: str) -> FormGroup:
    field = DOSSIER.by_name[name]
    value = shape.get("value")
    words = label(FIELDS, name, language)
    if not field.is_tuple:
        texts = [(name, value)]
    else:
        values = value if isinstance(value, list) else [None] * len(field.parts)
        names = [f"{name}.{part.name}" for part in field.parts]
        texts = [pair for pair in zip(names, values, strict=False) if pair[0] not in _HIDDEN]
    inputs = tuple(_input(full, text, language) for full, text in texts)
    return FormGroup(name, words, inputs, bool(shape.get("conflict")))


def _input(name: str, value: object, language: str) -> FormField:
    text = shown_day(value) if name in _DAYS else str(value or "")
    kinds = {"status": "status", "identity.kind": "identity-kind", "phone": "tel"}
    kind = kinds.get(name, "day" if name in _DAYS else "text")
    if kind == "identity-kind":
        text = text or CITIZEN
    return FormField(name, label(FIELDS, name, language), text, kind)


def typed_words(form: Mapping[str, str]) -> list[str]:
    """Return what was changed in a form, as assignments. Raises `InputError`."""
    return list(_changed(form))


def _changed(form: Mapping[str, str]) -> Iterator[str]:
    for name in EDITABLE:
        field = DOSSIER.by_name[name]
        names = [f"{name}.{part.name}" for part in field.parts] if field.is_tuple else [name]
        names = [full for full in names if f"f.{full}" in form]
        texts = {full: form[f"f.{full}"].strip() for full in names}
        if all(text == form.get(f"was.{full}", "").strip() for full, text in texts.items()):
            continue
        if not field.is_tuple:
            text = texts[name]
            yield f"{name}={(typed_day(text, name) or '') if name in _DAYS else text}"
        elif name == "identity" and not texts["identity.number"]:
            yield "identity="
        elif name == "fee":
            amount = texts["fee.amount"].replace(" ", "")
            yield f"fee={json.dumps([amount, 'VND'])}" if amount else "fee="
        else:
            parts = _parts(name, texts)
            yield f"{name}={json.dumps(parts, ensure_ascii=False) if any(parts) else ''}"


def _parts(name: str, texts: Mapping[str, str]) -> list[str | None]:
    found: list[str | None] = []
    for part in DOSSIER.by_name[name].parts:
        full = f"{name}.{part.name}"
        text = clean(texts.get(full, ""), full)
        found.append(typed_day(text, full) if full in _DAYS else text or None)
    if name == "identity" and found[0] == CITIZEN:
        found[2] = None
    return found
