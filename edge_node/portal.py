"""Which dossiers the national portal does not know yet, whose they are, and what was exported.

What holds: the portal stays official. A dossier waits until the portal's code is bound to it;
nothing here makes a code up. What was exported, and what the portal took, is noted on this station
only: after a restore it is exported again, and the portal knows a dossier by its code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from device_home.moves import MISSING
from device_home.officers import officer_name
from device_home.shapes import etag, manifest_of, note_kind, text_parts
from edge_node.statistics_commands import Move, status_moves
from sync_protocol import limits
from sync_protocol.clock import millis
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.national import Paper, Step, ho_so, is_foreigner, missing, tien_do
from sync_protocol.dossier.paper_check import KNOWN_STATE
from sync_protocol.dossier.record_type import DOSSIER, IDENTITY, OFFICIAL_CODE
from sync_protocol.dossier.status import Status
from sync_protocol.dossier.workflow import read_move_kind
from sync_protocol.dossier.working_calendar import WorkingCalendar
from sync_protocol.encoding import decode, encode
from sync_protocol.identity import Dot, RecordId
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.record.schema import RETRACTION
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

_NOTE = "portal:"
_LISTS = ("HoSo", "TienDo", "before", "missing", "no_passport_slot")
_ONE_DAY = timedelta(days=1)


# ---------------------------------------------------------------------------- the portal's code


def lacks_code(state: RecordState) -> bool:
    """Whether no official code is bound to a dossier."""
    return not any(item.value for item in state.living((OFFICIAL_CODE, None)).values())


def is_stalled(since: date, today: date, calendar: WorkingCalendar) -> bool:
    """Whether a working day has begun since the day on which a dossier was captured."""
    days = min((today - since).days, 31)  # no row of days off is longer than a month
    return any(calendar.is_working(since + _ONE_DAY * count) for count in range(1, days + 1))


# ---------------------------------------------------------------------------------- the export


class Export(NamedTuple):
    """What goes into one file, and what was noted of each dossier in it: its id and its etag."""

    answer: dict[str, Any]
    noted: dict[RecordId, str]


def make_export(replica: Replica, ward: str, *, everything: bool = False) -> Export:
    """Return the dossiers that were not exported as they stand now; all, with `everything`."""
    before, moves = _notes(replica), status_moves(replica)
    lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
    count: Counter[str] = Counter()
    noted: dict[RecordId, str] = {}

    def add(name: str, row: dict[str, Any]) -> None:
        count[name] += 1
        if len(lists[name]) < limits.PORTAL_EXPORT_DOSSIERS_MAX:
            lists[name].append(row)

    for record, state in replica.states():
        if lacks_code(state):  # no view is made of what can't go out: that would take minutes
            _add_uncoded(add, record, state)
            continue
        view = replica.follower.projection.view(record, state)
        if not _goes_out(view):
            continue
        steps = list(_steps(replica, moves.get(record, []), state.dots()))
        values = _values(view)
        row = ho_so(values, ward, steps, list(_papers(view)), list(_supplements(replica, view)))
        named: dict[str, Any] = {"id": record.hex(), "MaHoSo": row.get("MaHoSo")}
        lacks = _lacking(row, foreign := is_foreigner(values))
        if foreign:
            add("no_passport_slot", named)
        if lacks:
            add("missing", {**named, "fields": lacks})
        sent, known = etag(view), before.get(record)
        if known is not None:
            exported = {"exported": known[1], "acknowledged": known[2] or None}
            add("before", {**named, **exported, "changed": known[0] != sent})
        if "MaHoSo" in row and (everything or known is None or known[0] != sent):
            add("HoSo", row)
            if count["HoSo"] <= limits.PORTAL_EXPORT_DOSSIERS_MAX:
                lists["TienDo"] += tien_do(values, ward, steps)
                noted[record] = sent
    counts = {name: count[name] for name in _LISTS if name != "TienDo"}
    return Export({"ward": ward, **lists, "count": counts}, noted)


def _lacking(row: dict[str, Any], foreign: bool) -> list[str]:
    """Return what is missing; a passport has no slot, which is told apart and no fault."""
    return [name for name in missing(row) if not (foreign and name == "DinhDanhCHS")]


def _add_uncoded(
    add: Callable[[str, dict[str, Any]], None], record: RecordId, state: RecordState
) -> None:
    """Tell of a dossier that can't go out, as it has no code."""
    if state.type != DOSSIER.id or state.made is None or state.living((RETRACTION, None)):
        return
    named: dict[str, Any] = {"id": record.hex(), "MaHoSo": None}
    identities = state.plain_values((IDENTITY,))
    if is_foreigner({"identity": identities[0] if identities else None}):
        add("no_passport_slot", named)
    add("missing", {**named, "fields": ["MaHoSo", *([] if identities else ["DinhDanhCHS"])]})


def _goes_out(view: RecordView) -> bool:
    return view.type == DOSSIER.id and not (view.retracted or view.held or view.purged)


def _values(view: RecordView) -> dict[str, Any]:
    """Return what is displayed, without what is disputed."""
    return {f.name: f.value for f in view.fields if f.element is None and not f.conflict}


def _steps(replica: Replica, moves: Iterable[Move], dots: set[Dot]) -> Iterator[Step]:
    for timestamp, dot, status, officer in sorted(moves):
        if dot in dots:
            known = replica.holding.roster.officer_now(officer)
            who, role = (known.name, known.role) if known else ("", "")
            yield Step(status, local_time(millis(timestamp)), who, role)


def _papers(view: RecordView) -> Iterator[Paper]:
    for item in view.elements("papers"):
        kind, name, _, _, state, *_ = text_parts(item)
        if state != MISSING:
            yield Paper(kind, name, manifest_of(item.value) is not None, state == KNOWN_STATE)


def _supplements(replica: Replica, view: RecordView) -> Iterator[tuple[str, Any, str]]:
    for item in view.elements("notes"):
        move = read_move_kind(note_kind(item))
        if move is not None and move[1] is Status.SUPPLEMENT:
            first = item.siblings[0]
            at = local_time(millis(first.timestamp))
            yield text_parts(item)[0], at, officer_name(replica, first.officer)


# ------------------------------------------------------------------------ what was exported


def keep_export(replica: Replica, noted: dict[RecordId, str]) -> None:
    """Note that these dossiers were exported now, as they stood."""
    now = replica.character.wall()
    _put(replica, {record: (sent, now, 0) for record, sent in noted.items()})


def keep_acknowledged(replica: Replica, codes: set[str]) -> int:
    """Note that the portal took the dossiers with these codes; return how many were exported."""
    now, found = replica.character.wall(), {}
    for record, known in _notes(replica).items():
        stored = replica.rooms.views.load([record]).get(record)
        cell = decode_state(stored.state, stored.pending) if stored else None
        bound = cell.living((OFFICIAL_CODE, None)).values() if cell else ()
        if codes & {str(item.value) for item in bound}:
            found[record] = (known[0], known[1], now)
    _put(replica, found)
    return len(found)


def _notes(replica: Replica) -> dict[RecordId, tuple[str, int, int]]:
    raw = replica.rooms.log.notes(_NOTE)
    return {
        RecordId(bytes.fromhex(key.removeprefix(_NOTE))): decode(value, tuple[str, int, int])
        for key, value in raw.items()
    }


def _put(replica: Replica, notes: dict[RecordId, tuple[str, int, int]]) -> None:
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=False):
        for record, note in notes.items():
            store.put_note(_NOTE + record.hex(), encode(note))
