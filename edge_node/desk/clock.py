"""The time on the desk: what the machine says, and under a suspect clock what the officer says.

What holds: while the machine's clock is suspect, each officer confirms date and time once a shift;
what they said is kept on the disk, and receptions are dated by it and say so. Nothing is refused
for a wrong clock.
"""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.notes import clock_offset_ms
from edge_node.desk.sessions import SHIFT_S
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.words import error_words
from sync_protocol import limits
from sync_protocol.dossier.day import typed_day
from sync_protocol.dossier.local_time import HANOI, local_time
from sync_protocol.dossier.text import refused
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError

_SAID = "clock-said:"
_MINUTE_MS = 60_000
_YEARS = range(2026, 2100)
"""No program of this kind ran before, and no clock of today shows a later year."""


def is_suspect(desk: Desk) -> bool:
    """Whether the machine's clock differs from the city's, or shows a year that can't be."""
    replica = desk.replica
    offset = clock_offset_ms(replica) or 0
    now = local_time(replica.character.wall())
    return abs(offset) > limits.CLOCK_SUSPECT_MS or now.year not in _YEARS


def _said_ms(desk: Desk) -> int | None:
    """Return how far the officer's time is ahead of the machine's, as said in this shift."""
    raw = desk.replica.rooms.log.note(_SAID + acting().hex())
    if raw is None:
        return None
    machine, said = decode(raw, tuple[int, int])
    age = desk.replica.character.wall() - machine
    return said - machine if 0 <= age < SHIFT_S * 1000 else None


def must_confirm(desk: Desk) -> bool:
    """Whether this officer is to be asked for date and time."""
    return is_suspect(desk) and _said_ms(desk) is None


def desk_time(desk: Desk) -> datetime:
    """Return local time: the machine's, or under a suspect clock what the officer made of it."""
    now = desk.replica.character.wall()
    return local_time(now + ((_said_ms(desk) or 0) if is_suspect(desk) else 0))


def clock_notes(desk: Desk) -> list[str]:
    """Return what a dossier says that is received while the clock is suspect."""
    if not is_suspect(desk):
        return []
    machine = local_time(desk.replica.character.wall())
    confirmed = "cán bộ chưa xác nhận" if must_confirm(desk) else "theo cán bộ xác nhận"
    said = f"{desk_time(desk):%d/%m/%Y %H:%M}"
    return [f"Đồng hồ máy có thể sai ({machine:%d/%m/%Y %H:%M}); tiếp nhận {said}, {confirmed}."]


def show_clock(desk: Desk) -> ResponseReturnValue:
    """Ask for date and time."""
    return _page(desk, {})


def _page(desk: Desk, form: dict[str, str], problem: str = "") -> ResponseReturnValue:
    now = desk_time(desk)
    page = render_template(
        "clock.html",
        suspect=is_suspect(desk),
        day=form.get("day", f"{now:%d/%m/%Y}"),
        hour=form.get("hour", f"{now:%H:%M}"),
        problem=problem,
    )
    return (page, 400) if problem else page


def typed_moment(form: dict[str, str], field: str) -> datetime:
    """Return the local moment that was typed. Raises `InputError`."""
    day = typed_day(form.get("day", ""), field) or ""
    hour = form.get("hour", "").strip().replace("h", ":").replace("g", ":").replace(".", ":")
    try:
        moment = datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local
    except ValueError:
        raise refused(field, "is no day and time, such as 23/11/2026 15:20", "moment") from None
    if moment.year not in _YEARS:
        raise refused(field, "is in no year that can be", "moment")
    return moment


def do_clock(desk: Desk) -> ResponseReturnValue:
    """Keep what the officer says of date and time."""
    form = request.form.to_dict()
    try:
        moment = typed_moment(form, "clock")
    except InputError as problem:
        return _page(desk, form, error_words(problem, language()))
    now, store = desk.replica.character.wall(), desk.replica.rooms.log
    said = int(moment.replace(tzinfo=HANOI).timestamp() * 1000)
    if abs(said - now) < _MINUTE_MS:  # the form has minutes, so what it showed is no news
        said = now
    with desk.replica.lock, store.transaction(durable=True):
        store.put_note(_SAID + acting().hex(), encode([now, said]))
    return redirect(url_for("home"))


ROUTES = (
    Route("GET", "/clock", "clock", Allowed.OFFICER, show_clock),
    Route("POST", "/clock", "do_clock", Allowed.OFFICER, do_clock),
)
