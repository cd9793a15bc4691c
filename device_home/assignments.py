"""What a person typed as `field=value`, made into values that the schema takes.

    phone=0912000123        a plain field; empty clears it
    status=processing       a status by its word, its number, or its name: “Đang xử lý”, dang xu ly
    identity=097090000001   a citizen's number; a passport as identity.kind, .number, .issuer
    address.line=Số 5       one part of a group; the other parts stay as they are displayed
    address=["Số 5","…",""] a whole group as JSON
    form.child_name=Lê Thử  an answer of the procedure's form; `forms` reads these

What holds: a slip is refused with a sentence that names the field and never what was in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from sync_protocol.dossier.catalogue import known
from sync_protocol.dossier.dossier_code import read_dossier_code
from sync_protocol.dossier.identity_document import check_citizen_number, check_passport
from sync_protocol.dossier.labels import status_called
from sync_protocol.dossier.phone import parse_phone
from sync_protocol.dossier.record_type import CITIZEN, DOSSIER, PASSPORT
from sync_protocol.dossier.text import clean, refused
from sync_protocol.record.schema import Field, ValueType

_NOT_TYPED = frozenset({"provisional_code", "slip", "edition", "waiver", "received_time"})
"""Made by a machine, once (`dossier slip` makes a new slip), or never without a reason."""


def read_assignments(words: Sequence[str], shown: Mapping[str, object]) -> dict[str, object]:
    """Return the values typed, by field; `shown` are the displayed ones. Raises `InputError`."""
    typed: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name, dot, part = name.strip().partition(".")
        field = DOSSIER.by_name.get(name)
        if not equals:
            raise refused("field=value", "is how a field is set, such as phone=0912000123", "form")
        if field is None or field.has_elements or name in _NOT_TYPED:
            raise refused(_shown(name), "is no field that can be set here", "unknown-field")
        if dot:
            typed[name] = _with_part(field, part, text, typed.get(name, shown.get(name)))
        else:
            typed[name] = read_value(field, text)
    for name in {"identity"} & typed.keys():
        typed[name] = _identity(typed[name])
    return typed


def read_value(field: Field, text: str) -> object:
    """Return one field's value from what was typed; empty text clears. Raises `InputError`."""
    if not text.strip():
        return None
    if field.is_tuple:
        return _group(field, text)
    value = clean(text, field.name)
    if field.name == "status":
        return read_status(value)
    if field.name == "phone":
        return parse_phone(value)
    if field.name == "official_code":
        return str(read_dossier_code(value))
    if field.name == "procedure" and not known(value):
        raise refused(field.name, "is no code of the catalogue", "procedure")
    if field.parts[0].type is ValueType.DATE and not _is_day(value):
        raise refused(field.name, "must be a day that there is, YYYY-MM-DD", "date")
    return field.admit(value)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def read_status(text: str) -> str:
    """Return the code of a status, as `labels.status_called` finds it. Raises `InputError`."""
    found = status_called(text)
    if found is None:
        what = "is none of the ten statuses, such as “processing” or “Đang xử lý”"
        raise refused("status", what, "status")
    return found


def _group(field: Field, text: str) -> object:
    if field.name == "identity" and not text.lstrip().startswith("["):
        return _identity([CITIZEN, text, None])
    if field.name == "fee" and not text.lstrip().startswith("["):
        return field.admit([clean(text, field.name), "VND"])
    try:
        value = json.loads(text)
    except ValueError:
        names = ", ".join(part.name for part in field.parts)
        raise refused(field.name, f"is a group: give a JSON list of {names}", "group") from None
    return field.admit(value)


def _with_part(field: Field, part: str, text: str, now: object) -> object:
    names = [item.name for item in field.parts]
    if not field.is_tuple or part not in names:
        raise refused(f"{field.name}.{_shown(part)}", "is no part of that field", "unknown-field")
    value = list(now) if isinstance(now, list) else [None] * len(names)
    value[names.index(part)] = clean(text, f"{field.name}.{part}") or None
    return field.admit(value) if any(item is not None for item in value) else None


def _identity(value: object) -> object:
    if not isinstance(value, list):
        return value
    kind, number, issuer = (value + [None] * 3)[:3]
    if kind == CITIZEN and not issuer:
        return [CITIZEN, check_citizen_number(str(number or ""))[0], None]
    if kind == PASSPORT:
        checked = check_passport(str(number or ""), str(issuer or ""))
        return [PASSPORT, checked[0], checked[1]]
    raise refused("identity", "is a citizen's number, or a passport with its issuer", "identity")


def _shown(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").isalnum() and len(name) <= 30  # noqa: PLR2004
    return name if plain else "?"  # it may be somebody's name
