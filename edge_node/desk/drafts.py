"""Receptions that are put aside: an officer's own open forms, kept on this machine.

What holds: a draft lies in the encrypted store of this station, durably, before the page says so;
a form that is being filled in is kept within two seconds. It is its officer's alone,
leaves this machine never, and is gone once its dossier is saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from edge_node.desk.site import Allowed, Desk, Route, acting, session
from sync_protocol.dossier.catalogue import procedure_name
from sync_protocol.dossier.local_time import local_time
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import PeerError
from sync_protocol.identity import OfficerId
from sync_protocol.replica import Replica

DRAFTS_MAX = 20
"""Of one officer: more people than a bench holds. The oldest makes room."""
VALUE_CHARS_MAX = 2_000
VALUES_MAX = 100
"""13 inputs, under 15 papers, and the answers of a form (`limits.FORM_QUESTIONS_MAX`).

A draft is under 200 KiB, and 50 officers' 20 are under 200 MB; in practice 1 KiB each."""
_PREFIX = "draft:"
_DAYS_MAX = 30
"""Who has not come back in a month is received anew; what was typed is not ours to keep."""
_DAY_MS = 86_400_000
_NAME = re.compile(r"[A-Za-z0-9_-]{8,20}")


class Draft(msgspec.Struct):
    """What stood in a form: of which procedure, kept when (milliseconds), and its inputs."""

    code: str
    kept_ms: int
    values: dict[str, str]


class Row(NamedTuple):
    """A draft in a list."""

    name: str
    code: str
    who: str
    procedure: str
    when: str


def keep_draft(
    replica: Replica, officer: OfficerId, name: str, code: str, form: Mapping[str, str]
) -> bool:
    """Keep a form under its name, durably; False for one that holds nothing, or no name."""
    values = {
        key: text[:VALUE_CHARS_MAX] for key, text in form.items() if text and key not in _NOT_KEPT
    }
    if not _NAME.fullmatch(name) or not values or len(values) > VALUES_MAX:
        return False
    draft = Draft(code, replica.character.wall(), values)
    store = replica.rooms.log
    with replica.lock, store.transaction(durable=True):
        store.put_note(_key(officer, name), encode(msgspec.to_builtins(draft)))
        for old in _drafts(replica, officer)[DRAFTS_MAX:]:
            store.put_note(_key(officer, old[0]), None)
        for key, raw in store.notes(_PREFIX).items():
            found = _read(raw)
            if found is None or draft.kept_ms - found.kept_ms > _DAYS_MAX * _DAY_MS:
                store.put_note(key, None)
    return True


_NOT_KEPT = frozenset({"csrf", "once", "do", "looked"})


def drop_draft(replica: Replica, officer: OfficerId, name: str) -> None:
    """Forget a draft, if there is one."""
    store = replica.rooms.log
    if _NAME.fullmatch(name) and store.note(_key(officer, name)) is not None:
        with replica.lock, store.transaction(durable=True):
            store.put_note(_key(officer, name), None)


def find_draft(replica: Replica, officer: OfficerId, name: str) -> Draft | None:
    """Return an officer's draft, None where there is none of that name."""
    raw = replica.rooms.log.note(_key(officer, name)) if _NAME.fullmatch(name) else None
    return None if raw is None else _read(raw)


def draft_rows(replica: Replica, officer: OfficerId) -> list[Row]:
    """Return an officer's drafts, the newest first."""
    return [
        Row(
            name,
            draft.code,
            draft.values.get("name", ""),
            procedure_name(draft.code),
            f"{local_time(draft.kept_ms):%H:%M %d/%m}",
        )
        for name, draft in _drafts(replica, officer)
    ]


def _drafts(replica: Replica, officer: OfficerId) -> list[tuple[str, Draft]]:
    found = []
    for key, raw in replica.rooms.log.notes(f"{_PREFIX}{officer.hex()}:").items():
        draft = _read(raw)
        if draft is not None:
            found.append((key.rpartition(":")[2], draft))
    return sorted(found, key=lambda item: -item[1].kept_ms)


def _read(raw: bytes) -> Draft | None:
    try:
        return msgspec.convert(decode(raw, dict), Draft)
    except (PeerError, msgspec.ValidationError):
        return None  # of another version: nothing that the person would know again


def _key(officer: OfficerId, name: str) -> str:
    return f"{_PREFIX}{officer.hex()}:{name}"


def do_keep(desk: Desk, code: str) -> ResponseReturnValue:
    """Keep what stands in a form that is still being filled in; the page stays as it is."""
    name = request.form.get("once", "")
    with session().saving:  # a dossier that was saved meanwhile is no draft any more
        if name not in session().saved:
            keep_draft(desk.replica, acting(), name, code, request.form)
    return "", 204


def do_drop(desk: Desk, name: str) -> ResponseReturnValue:
    """Forget a reception that was put aside."""
    drop_draft(desk.replica, acting(), name)
    return redirect(url_for("home"))


ROUTES = (
    Route("POST", "/intake/<code>/keep", "do_keep", Allowed.OFFICER, do_keep),
    Route("POST", "/aside/<name>/drop", "do_drop", Allowed.OFFICER, do_drop),
)
