"""A dossier as a person reads it in a terminal: in Vietnamese, with readable values.

What holds: a field is shown with the name by which `dossier set` takes it, and a value as it can be
typed there, but for codes, which are shown in words. What a newer version wrote is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from device_home.command import json_line
from device_home.forms import PREFIX, answer_text, cell_label
from device_home.shapes import Shape, ticks_text
from sync_protocol.dossier.apology import promised_first
from sync_protocol.dossier.catalogue import procedure_name
from sync_protocol.dossier.labels import (
    APPROVALS,
    FIELDS,
    IDENTITY_KINDS,
    PAPER_STATES,
    STATUSES,
    VIETNAMESE,
    label,
)
from sync_protocol.dossier.workflow import read_move_kind

NOBODY = "không ghi tên cán bộ"
"""Whose name stands beside a value that was written without `--officer`."""
_NOTHING = "–"


def field_text(name: str) -> str:
    """Return a field's words and the name that commands take: "Số điện thoại [phone]"."""
    words = cell_label(name)
    return words if words == name else f"{words} [{name}]"


def value_text(field: str, value: object, language: str = VIETNAMESE) -> str:
    """Return a value of a field, named as in shapes."""
    if value is None:
        return _NOTHING
    parts = value if isinstance(value, list) else [value]
    if field == "retraction":
        parts = parts[:1]  # the reason; the rest are dots
    if not all(part is None or isinstance(part, str) for part in parts):
        return json_line(value)
    texts = [str(part or "") for part in parts]
    if field.startswith(PREFIX):
        return answer_text(field, value, language) or _NOTHING
    match field.partition(":")[0], texts:
        case "status", [code]:
            return label(STATUSES, code, language)
        case "approval", [code]:
            return label(APPROVALS, code, language)
        case "procedure", [code]:
            name = procedure_name(code)
            return code if name == code else f"{name} ({code})"
        case "identity", [kind, number, issuer]:
            return _joined(" ", [label(IDENTITY_KINDS, kind, language), number, issuer])
        case "fee" | "waiver", _:
            return _joined(" ", texts)
        case "papers", [kind, name, _, _, state, note]:
            return _joined(": ", [f"{name or kind} ({label(PAPER_STATES, state, language)})", note])
        case "notes", [text, *_]:
            return text
    return _joined(", ", texts)


def _joined(between: str, texts: list[str]) -> str:
    return between.join(text for text in texts if text) or _NOTHING


def values_text(field: str, values: list[Shape]) -> Iterator[str]:
    """Yield the values that stand side by side, numbered as `--take` counts, with their authors."""
    for number, value in enumerate(values, start=1):
        who = value["officer_name"] or NOBODY
        yield f"    [{number}] {value_text(field, value['value'])}  ({who})"


def dossier_lines(shape: Shape) -> Iterator[str]:
    """Yield the lines of one whole dossier."""
    code = f"  {shape['code']}" if shape["code"] else ""
    yield f"{shape['id']}{code}  {shape['status_name']}  {ticks_text(shape['saved'])}"
    if shape["held"]:
        yield "⏸ Chờ kiểm tra: hồ sơ này chưa được tính, hoặc chưa về đến máy này."
    if shape["purged"]:
        yield "Hồ sơ đã xong nên máy này không giữ nữa. Lấy lại bằng “dossier fetch”."
    if shape["retracted"]:
        yield "⚠ Hồ sơ đã được rút."
    for name, item in shape["fields"].items():
        yield f"  {field_text(name)}: {value_text(name, item['value'])}"
        yield from values_text(name, item.get("siblings", []))
    for key, item in shape["form"].items():
        name = f"{PREFIX}{key}"
        yield f"  {field_text(name)}: {value_text(name, item['value'])}"
        yield from values_text(name, item.get("siblings", []))
    for item in shape["papers"]:
        scan = f"  {ticks_text(item['scan']['saved'])}" if item["scan"] else ""
        text = value_text("papers", item["value"])
        yield f"  {label(FIELDS, 'papers')} {item['n']}: {text}{scan}"
        yield from values_text("papers", item.get("siblings", []))
    for item in shape["notes"]:
        yield f"  {label(FIELDS, 'notes')}{_kind_text(item['kind'])}: {item['text'] or _NOTHING}"
    if shape["next"]:
        names = ", ".join(label(STATUSES, code) for code in shape["next"])
        yield f"  Có thể chuyển sang: {names}"


def _kind_text(kind: str) -> str:
    """Return what a note that a move has left is about."""
    move, promised = read_move_kind(kind), promised_first([kind])
    if move is not None:
        return f" ({' → '.join(label(STATUSES, code) for code in move)})"
    return "" if promised is None else f" (xin lỗi, hẹn lại; hạn cũ {promised:%d/%m/%Y})"
