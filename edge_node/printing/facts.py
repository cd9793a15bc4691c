"""What a form says of a dossier, gathered once from the replica.

What holds: of values that are in dispute a form shows the displayed one; whoever prints sees the
dispute on the dossier's page. What is absent is an empty text, which a form shows as a dotted line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from device_home.dossiers import load
from device_home.forms import names_of
from device_home.moves import MISSING, read_day
from device_home.officers import officer_name
from device_home.reading import value_text
from device_home.shapes import note_kind, note_kinds, text_parts
from device_home.slips import slip_of
from sync_protocol.clock import millis
from sync_protocol.dossier.apology import promised_first
from sync_protocol.dossier.catalogue import catalogue, procedure_name
from sync_protocol.dossier.deadline import limit_text
from sync_protocol.dossier.labels import PAPER_STATES, VIETNAMESE, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import PASSPORT, STATUS
from sync_protocol.dossier.slip import Slip
from sync_protocol.identity import OfficerId, RecordId
from sync_protocol.merge.state import RecordState
from sync_protocol.replica import Replica
from sync_protocol.view import RecordView

Pair = tuple[str, str]


class Paper(NamedTuple):
    """One paper: its name, how it stands, the remark on it, and whether it is asked for."""

    name: str
    state: str
    note: str
    missing: bool


class Said(NamedTuple):
    """A note: its kind, its text, when and by whom."""

    kind: str
    text: str
    when: datetime
    officer: str


class Move(NamedTuple):
    """A status that was written: which, when and by whom."""

    status: str
    when: datetime
    officer: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One dossier as forms show it. Days are DD/MM/YYYY; `received` has the time where known."""

    ward: str
    today: datetime
    officer: str
    code: str
    provisional: bool
    slip: Slip | None
    status: str
    procedure: Pair
    limit: Pair
    name: str
    about: str
    identity: str
    foreign: bool
    address: str
    phone: str
    fee: str
    received: datetime | None
    received_day: str
    due: str
    promised: str
    papers: tuple[Paper, ...]
    notes: tuple[Said, ...]
    moves: tuple[Move, ...]

    def last_note(self, *endings: str) -> Said | None:
        """Return the newest note whose kind begins or ends so."""
        fits = [n for n in self.notes if n.kind.endswith(endings) or n.kind.startswith(endings)]
        return fits[-1] if fits else None


def gather(replica: Replica, ward: str, record: RecordId, officer: OfficerId) -> Facts:
    """Return the facts of one dossier, as `officer` prints them. Raises `InputError`."""
    view, state = load(replica, record)
    code = str(view.value("procedure") or "")
    known = catalogue().find(code)
    official = str(view.value("official_code") or "")
    identity, birth = view.value("identity"), local_time(millis(view.created))
    received_on, due_on = read_day(view.value("received_on")), read_day(view.value("due_on"))
    promised = promised_first(note_kinds(view))
    return Facts(
        ward=ward,
        today=local_time(replica.character.wall()),
        officer=officer_name(replica, officer),
        code=official or str(view.value("provisional_code") or ""),
        provisional=not official,
        slip=slip_of(view),
        status=str(view.value("status") or ""),
        procedure=(procedure_name(code), known.english if known else procedure_name(code)),
        limit=limit_text(known.time) if known and known.time else ("", ""),
        name=str(view.value("name") or ""),
        about=", ".join(names_of(view)),
        identity=_shown("identity", identity),
        foreign=isinstance(identity, list) and identity[:1] == [PASSPORT],
        address=", ".join(part for part in _texts(view.value("address"))[:2] if part),
        phone=str(view.value("phone") or ""),
        fee=_money(_texts(view.value("fee"))),
        received=birth if birth.date() == received_on else None,
        received_day=f"{received_on:%d/%m/%Y}" if received_on else "",
        due=f"{due_on:%d/%m/%Y}" if due_on else "",
        promised=f"{promised:%d/%m/%Y}" if promised else "",
        papers=tuple(_papers(view)),
        notes=tuple(_notes(replica, view)),
        moves=tuple(moves_of(replica, record, state)),
    )


def _shown(field: str, value: object) -> str:
    return value_text(field, value, VIETNAMESE) if value else ""


def _texts(value: object) -> list[str]:
    found = value if isinstance(value, list) else []
    return [item if isinstance(item, str) else "" for item in found]


def _money(fee: list[str]) -> str:
    """Return an amount as people here write it: 8.000 đồng."""
    amount, currency = (*fee, "", "")[:2]
    if currency != "VND" or not amount.isdigit():
        return f"{amount} {currency}".strip()
    return f"{int(amount):,} đồng".replace(",", ".")


def _papers(view: RecordView) -> list[Paper]:
    rows = [text_parts(item) for item in view.elements("papers")]
    return [
        Paper(row[1] or row[0], label(PAPER_STATES, row[4]), row[5], row[4] == MISSING)
        for row in rows
    ]


def _notes(replica: Replica, view: RecordView) -> list[Said]:
    found = []
    for item in view.elements("notes"):
        first = item.siblings[0]
        when = local_time(millis(first.timestamp))
        who = officer_name(replica, first.officer)
        found.append(Said(note_kind(item), text_parts(item)[0], when, who))
    return sorted(found, key=lambda said: said.when)


def moves_of(replica: Replica, record: RecordId, state: RecordState) -> list[Move]:
    """Return every status that was written of a dossier, oldest first."""
    found = []
    for dot in state.dots():
        entry, chain = replica.holding.entry(dot), replica.holding.locate(dot)
        read = replica.follower.read(chain, dot.seq, entry, {}) if entry and chain else None
        if read is None:
            continue
        header, changeset, records = read
        for name, change in zip(records, changeset.records, strict=True):
            values = [change.values.get(STATUS)]
            values += [write.value for write in change.writes if write.field == STATUS]
            who = officer_name(replica, header.officer)
            when = local_time(millis(header.timestamp))
            if name == record:
                found += [Move(value, when, who) for value in values if isinstance(value, str)]
    return sorted(found, key=lambda move: move.when)
