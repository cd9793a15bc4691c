"""The officers of the ward: who has a PIN here, and a code for the first use from a supervisor."""

from __future__ import annotations

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from device_home.officers import officers_of
from device_home.pins import CODE_HOURS, has_pin, issue_code
from edge_node.desk.site import Allowed, Desk, Route, language, session
from edge_node.desk.words import ROLES, pick
from sync_protocol.membership import grant as g


def show_officers(desk: Desk) -> ResponseReturnValue:
    """List the officers."""
    return _page(desk)


def _page(desk: Desk, code: str = "", for_whom: str = "") -> ResponseReturnValue:
    home = desk.device.home
    known = officers_of(desk.replica.holding.roster)
    return render_template(
        "officers.html",
        officers=[
            {
                "id": item.officer.hex(),
                "name": item.name,
                "role": pick(ROLES.get(item.role, (item.role, item.role)), language()),
                "active": item.role != g.DISABLED,
                "has_pin": has_pin(home, item.officer),
                "may": _may_give(item),
            }
            for item in known
        ],
        code=code,
        for_whom=for_whom,
        hours=CODE_HOURS,
    )


def _may_give(item: g.Officer) -> bool:
    """Whether this officer may replace the other's PIN: never that of somebody above."""
    own = session().officer
    below = item.role != g.ADMINISTRATOR or own.role == g.ADMINISTRATOR
    return own.role in g.SUPERVISING and item.role != g.DISABLED and below


def do_code(desk: Desk) -> ResponseReturnValue:
    """Give an officer a code for the first use, and show it this once."""
    wanted = request.form.get("officer", "")
    known = officers_of(desk.replica.holding.roster)
    found = next((item for item in known if item.officer.hex() == wanted), None)
    if found is None or not _may_give(found):
        abort(403)
    code = issue_code(desk.device.home, found)
    if found.officer != session().officer.officer:
        desk.sessions.end_of(found.officer)
    return _page(desk, code, found.name)


ROUTES = (
    Route("GET", "/officers", "officers", Allowed.OFFICER, show_officers),
    Route("POST", "/officers/code", "do_code", Allowed.SUPERVISOR, do_code),
)
