"""Approvals: what is being worked on and no supervisor has approved yet.

What holds: an approval lists what it relied on (who the person is); where that changes without the
supervisor having seen it, the dossier shows two versions. A page approves what it showed: if
anything of the dossier has changed since, nothing is saved and the page is shown anew.
"""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.dossiers import Edits, save_edits
from device_home.shapes import Ticks, etag, row
from edge_node.desk.dossiers import open_dossier
from edge_node.desk.site import Allowed, Desk, Route, acting
from edge_node.desk.start import list_row
from edge_node.desk.waiting import to_approve, views_of

APPROVED = "approved"
ROWS_MAX = 50
"""A page of 25 KiB; the oldest first."""


def show_approvals(desk: Desk) -> ResponseReturnValue:
    """Show what waits for an approval."""
    found, ticks = to_approve(desk.replica), Ticks(desk.replica)
    shown = [
        {**list_row(desk, row(view, state, ticks)), "etag": etag(view)}
        for view, state in views_of(desk.replica, found[:ROWS_MAX])
    ]
    left, kept = max(0, len(found) - ROWS_MAX), request.args.get("kept", "")
    return render_template("approvals.html", rows=shown, left=left, kept=kept)


def do_approve(desk: Desk, record: str) -> ResponseReturnValue:
    """Approve a dossier as it was shown."""
    view, _ = open_dossier(desk, record)
    if view.retracted or view.held or view.conflicts:
        abort(403)
    if request.form.get("etag", "") != etag(view):
        return redirect(url_for("approvals", kept="0"))
    save_edits(desk.replica, acting(), view, Edits([f"approval={APPROVED}"]))
    desk.on_change()
    return redirect(url_for("approvals", kept="1"))


ROUTES = (
    Route("GET", "/approvals", "approvals", Allowed.SUPERVISOR, show_approvals),
    Route("POST", "/approvals/<record>", "do_approve", Allowed.SUPERVISOR, do_approve),
)
