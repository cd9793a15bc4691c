"""The shapes that commands answer in: plain values for JSON (docs/COMMANDS.md has them all).

Times are milliseconds since 1970 by the writer's clock, ids and dots hexadecimal. A dot is
"FEED:SEQ", or "FEED:SEQ:BRANCH" in a feed that forked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from device_home.forms import answer_cells
from device_home.officers import officer_name
from sync_protocol.attachment import Manifest, read_manifest
from sync_protocol.clock import millis
from sync_protocol.dossier import record_type
from sync_protocol.dossier.form import key_of
from sync_protocol.dossier.form_reading import place_of
from sync_protocol.dossier.record_type import DOSSIER, NOTE_REMARK
from sync_protocol.dossier.summary import summarise
from sync_protocol.dossier.workflow import next_statuses
from sync_protocol.errors import InputError, PeerError
from sync_protocol.exchange.enrol import short_name
from sync_protocol.identity import BRANCH_BYTES, ID_BYTES, DeviceKey, Dot, FeedId
from sync_protocol.membership import grant as g
from sync_protocol.merge.register import Cell
from sync_protocol.merge.state import RecordState
from sync_protocol.replica import Replica
from sync_protocol.replica.receipts import Safety
from sync_protocol.view import FieldView, RecordView, ValueView

Shape = dict[str, Any]
ACTIVE = "active"
"""The state of a device that was granted and not revoked."""
SCAN_READ = "scan-read"
"""The kind of the note that says who opened a scan."""


# ------------------------------------------------------------------------------------ dots


def dot_text(dot: Dot) -> str:
    """Return a dot as commands print and take it."""
    text = f"{dot.feed.hex()}:{dot.seq}"
    return f"{text}:{dot.branch.hex()}" if dot.branch else text


def read_dot(text: str) -> Dot:
    """Read a dot. Raises `InputError`."""
    feed, _, rest = text.strip().partition(":")
    seq, _, branch = rest.partition(":")
    try:
        dot = Dot(FeedId(bytes.fromhex(feed)), int(seq), bytes.fromhex(branch))
    except ValueError:
        dot = Dot(FeedId(b""), 0)
    if len(dot.feed) != ID_BYTES or dot.seq < 1 or len(dot.branch) not in (0, BRANCH_BYTES):
        raise InputError("That names no entry: copy it again, FEED:NUMBER. Nothing was changed.")
    return dot


def etag(view: RecordView) -> str:
    """Return 32 digits that change whenever anything that a record displays does."""
    total = hashlib.sha256()
    for item in view.fields:
        total.update(repr((item.field, item.element, item.dots)).encode())
    return total.hexdigest()[:32]


# ----------------------------------------------------------------------------------- ticks


class Ticks:
    """Where dossiers and scans are safe: on this device, at the ward's edge, at the city.

    Made anew for each command: it remembers what it found.
    """

    def __init__(self, replica: Replica) -> None:
        """Read from a replica's receipts."""
        self._replica = replica
        role = replica.holding.roster.role_of(replica.keys.public)
        self._is_hub, self._is_edge = role == g.HUB, role == g.EDGE
        self._known: dict[Dot, Safety] = {}

    def record(self, state: RecordState) -> Shape:
        """Return the three ticks of a whole dossier: every entry of it must be there."""
        found = [self._entry(dot) for dot in state.dots()]
        return {
            "device": True,
            "edge": self._is_edge or all(item.edges for item in found),
            "hub": self._is_hub or all(item.hub for item in found),
            "backed_up": all(item.backed_up for item in found),
        }

    def scan(self, manifest: Manifest) -> Shape:
        """Return the three ticks of a scan: every chunk of it must be there."""
        whole = self._replica.scans.holds(manifest.chunks)
        found = self._replica.receipts.scan_safety(manifest.id)
        return {
            "device": whole,
            "edge": bool(found.edges) or (self._is_edge and whole),
            "hub": found.hub or (self._is_hub and whole),
        }

    def _entry(self, dot: Dot) -> Safety:
        safety = self._known.get(dot)
        if safety is None:
            chain = self._replica.holding.locate(dot)
            receipts = self._replica.receipts
            safety = Safety() if chain is None else receipts.safety(chain, dot.seq)
            self._known[dot] = safety
        return safety


def ticks_text(ticks: Shape) -> str:
    """Return the three ticks in words."""
    words = ["✓ Đã lưu trên máy" if ticks["device"] else "– Chưa có trên máy"]
    words += ["✓✓ Đã về phường"] if ticks["edge"] else []
    words += ["✓✓✓ Đã về thành phố"] if ticks["hub"] else []
    return " · ".join(words)


# -------------------------------------------------------------------------------- dossiers


def values_by_id(view: RecordView) -> dict[int, object]:
    """Return the displayed plain values by field id."""
    return {item.field: item.value for item in view.fields if item.element is None}


def row(view: RecordView, state: RecordState, ticks: Ticks) -> Shape:
    """Return one dossier as a list shows it."""
    values = values_by_id(view)
    summary = summarise(values)
    return {
        "id": view.id.hex(),
        "code": summary.code,
        "name": summary.name,
        "procedure": str(values.get(record_type.PROCEDURE) or ""),
        "procedure_name": summary.procedure,
        "status": str(view.value("status") or ""),
        "status_name": summary.status,
        "received_on": summary.received_on,
        "due_on": summary.due_on,
        "captured": millis(view.created),
        "conflicts": len(view.conflicts),
        "held": view.held,
        "retracted": view.retracted,
        "saved": ticks.record(state),
    }


def whole(replica: Replica, view: RecordView, state: RecordState) -> Shape:
    """Return one dossier with everything that is known of it."""
    ticks = Ticks(replica)
    notes = view.elements("notes")
    return {
        **row(view, state, ticks),
        "etag": etag(view),
        "read_only": view.read_only,
        "purged": view.purged,
        "next": [status.value for status in next_statuses(standing(view), note_kinds(view))],
        "fields": {
            item.name: cell_shape(replica, item)
            for item in view.fields
            if item.element is None and item.field != record_type.SLIP  # it is for the paper alone
        },
        "form": {key: cell_shape(replica, item) for key, item in answer_cells(view).items()},
        "papers": [
            {"n": n, **paper_shape(replica, item, ticks)}
            for n, item in enumerate(view.elements("papers"), start=1)
        ],
        "notes": [note_shape(replica, item) for item in notes if note_kind(item) != SCAN_READ],
        "disputed": [
            {"field": field_name(item.field, item.element), "kind": item.kind}
            for item in view.conflicts
        ],
        "scans_read": [note_shape(replica, item) for item in notes if note_kind(item) == SCAN_READ],
        "history": history(replica, state),
    }


def cell_shape(replica: Replica, item: FieldView) -> Shape:
    """Return one plain field: what is displayed, its dots, and the values beside it if disputed."""
    shape: Shape = {"value": item.value, "dots": [dot_text(dot) for dot in item.dots]}
    if item.conflict:
        shape["conflict"] = item.conflict
        shape["siblings"] = [value_shape(replica, value) for value in item.siblings]
    return shape


def value_shape(replica: Replica, value: ValueView) -> Shape:
    """Return one of several values of a field."""
    return {
        "value": readable(value.value),
        "officer": value.officer.hex(),
        "officer_name": officer_name(replica, value.officer),
        "time": millis(value.timestamp),
        "dot": dot_text(value.dot),
    }


def paper_shape(replica: Replica, item: FieldView, ticks: Ticks) -> Shape:
    """Return one paper, and where its scan is safe."""
    shape = {**cell_shape(replica, item), "element": (item.element or b"").hex()}
    parts = dict(zip(_names("papers"), _list(item.value), strict=False))
    shape["value"] = readable(item.value)
    shape.update({name: parts.get(name) for name in ("type", "name", "state", "note")})
    manifest = manifest_of(item.value)
    shape["scan"] = None
    if manifest is not None:
        shape["scan"] = {
            "id": manifest.id.hex(),
            "media_type": manifest.media_type,
            "bytes": manifest.size,
            "saved": ticks.scan(manifest),
        }
    return shape


def note_shape(replica: Replica, item: FieldView) -> Shape:
    """Return one note."""
    first = item.siblings[0]
    text = (_list(item.value) or [""])[0] or ""
    return {"text": text, "kind": note_kind(item), **_by(replica, first)}


def _by(replica: Replica, value: ValueView) -> Shape:
    shape = value_shape(replica, value)
    return {key: shape[key] for key in ("officer", "officer_name", "time", "dot")}


def history(replica: Replica, state: RecordState) -> list[Shape]:
    """Return the entries that made a dossier what it is, oldest first."""
    rows = []
    for dot in state.dots():
        entry = replica.holding.entry(dot)
        chain = replica.holding.locate(dot)
        if entry is None or chain is None:
            continue
        found = replica.follower.read(chain, dot.seq, entry, {})
        if found is not None:
            header, changeset, records = found
            changed = {
                DOSSIER.by_id[number].name
                for change in changeset.records
                for number in [*change.values, *(item.field for item in change.writes)]
                if number in DOSSIER.by_id
            }
            rows.append(
                {
                    "dot": dot_text(dot),
                    "time": millis(header.timestamp),
                    "officer": header.officer.hex(),
                    "officer_name": officer_name(replica, header.officer),
                    "device": short_name(chain.device),
                    "device_label": device_label(replica, chain.device),
                    "fields": sorted(changed),
                    "records": len(records),
                }
            )
    return sorted(rows, key=lambda item: (item["time"], item["dot"]))


def device_label(replica: Replica, device: bytes) -> str:
    """Return what a device is called."""
    roster = replica.holding.roster
    granted = next((item for key, item in roster.grants.items() if key == device), None)
    return "" if granted is None else granted.label


def device_state(replica: Replica, device: DeviceKey) -> str:
    """Return "active", or why a device was revoked."""
    revoke = replica.holding.roster.revoked(device)
    return ACTIVE if revoke is None else revoke.reason


# ------------------------------------------------------------------------------- small ones


def field_name(field: int, element: bytes | None) -> str:
    """Return how commands name a cell: "phone", "form.KEY", "papers:HEX", or "retraction"."""
    known = DOSSIER.by_id.get(field)
    name = "retraction" if not field else str(field) if known is None else known.name
    if field == record_type.FORM and element is not None:
        return place_of(key_of(element))
    return name if element is None else f"{name}:{element.hex()}"


def readable(value: object) -> object:
    """Return a value for people: a paper's manifest is left out, it is only bytes."""
    if isinstance(value, list) and len(value) == len(_names("papers")):
        return [None if isinstance(item, bytes) else item for item in value]
    return value


def manifest_of(value: object) -> Manifest | None:
    """Return the manifest in a paper, None where it has no scan or one of a newer form."""
    raw = dict(zip(_names("papers"), _list(value), strict=False)).get("manifest")
    if not isinstance(raw, bytes) or not raw:
        return None
    try:
        return read_manifest(raw)
    except PeerError:
        return None


def cell_values(replica: Replica, field: int, cell: Cell, order: Iterable[Dot]) -> list[Shape]:
    """Return the living values of a cell in an order; of a slip, what tells two of them apart."""
    rows = [
        value_shape(
            replica, ValueView(cell[dot].value, cell[dot].officer, cell[dot].timestamp, dot)
        )
        for dot in order
    ]
    if field == record_type.SLIP:
        return [{**item, "value": f"…{str(item['value'])[-4:]}"} for item in rows]
    return rows


def _names(field: str) -> list[str]:
    return [part.name for part in DOSSIER.by_name[field].parts]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def note_kind(item: FieldView) -> str:
    """Return the kind of a note: `NOTE_REMARK` for one that says none."""
    return str([*_list(item.value), NOTE_REMARK, NOTE_REMARK][1])


def note_kinds(view: RecordView) -> list[str]:
    """Return the kinds of a dossier's notes, oldest first."""
    return [note_kind(item) for item in view.elements("notes")]


def standing(view: RecordView) -> list[str]:
    """Return the status that is displayed, or all that stand side by side."""
    field = view.field("status")
    if field is None:
        return []
    values = [item.value for item in field.siblings] if field.conflict else [field.value]
    return list(dict.fromkeys(str(value) for value in values))


def text_parts(item: FieldView) -> list[str]:
    """Return the parts of a paper or note as text, "" for what is absent or of a newer form."""
    parts = [part if isinstance(part, str) else "" for part in _list(item.value)]
    return [*parts, *[""] * len(_names("papers"))]
