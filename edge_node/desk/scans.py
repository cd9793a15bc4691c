"""The scans of a dossier: photographed or chosen, kept at once, and taken away when wrong.

What holds: what is sent is read by the child process, and only what it made of a picture is kept.
Under which name a file came is never looked at. One form keeps one scan, however often it is sent.
"""

from __future__ import annotations

import hashlib
import secrets

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.dossiers import load
from device_home.intake import check_room
from device_home.paper_scans import ScannedPaper, add_scan, take_scan_away
from device_home.picture.scan import make_scan
from device_home.shapes import Shape, whole
from edge_node.desk.dossiers import open_dossier, shown_paper
from edge_node.desk.site import Allowed, Desk, Route, acting, language, session
from edge_node.desk.start import list_row
from edge_node.desk.words import error_words, pick
from sync_protocol import limits
from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.paper_check import at_the_counter
from sync_protocol.errors import SyncError
from sync_protocol.view import RecordView

OTHER = "ban-chup"
"""The type of a scan of which nobody says what paper it is, as in bulk intake."""
SCAN_FORM_BYTES_MAX = limits.PICTURE_BYTES_MAX + 64 * limits.KIB
"""A picture with its form: the form has under 2 KiB, its parts' heads as much."""
_INPUTS = ("photo", "file")


def sent_picture() -> bytes:
    """Return the file that was sent, empty where none was; its name is left where it came."""
    for name in _INPUTS:
        if found := request.files.get(name):
            return found.stream.read(limits.PICTURE_BYTES_MAX + 1)
    return b""


def show(desk: Desk, record: str) -> ResponseReturnValue:
    """Show the papers of a dossier, with their scans."""
    view, _ = open_dossier(desk, record)
    return _page(desk, view)


def _page(desk: Desk, view: RecordView, problem: str = "") -> ResponseReturnValue:
    shape = whole(desk.replica, *load(desk.replica, view.id))
    papers = [shown_paper(desk, item) for item in shape["papers"]]
    there = {item["type"] for item in papers}
    page = render_template(
        "scans.html",
        row=list_row(desk, shape),
        shape=shape,
        papers=papers,
        wanted=[item for item in _kinds(view) if item["type"] not in there],
        kinds=_kinds(view),
        once=secrets.token_urlsafe(9),
        bytes_max=limits.PICTURE_BYTES_MAX,
        saved=request.args.get("saved", ""),
        problem=problem,
    )
    return (page, 400) if problem else page


def _kinds(view: RecordView) -> list[Shape]:
    """Return the papers that the procedure asks for, and under which condition."""
    procedure = catalogue().find(str(view.value("procedure") or ""))
    kinds = {item.type: item.when for item in at_the_counter(procedure)} if procedure else {}
    known = catalogue()
    rows = []
    for kind, when in kinds.items():
        name, condition = known.papers[kind], known.conditions.get(when)
        words = "" if condition is None else pick((condition.vi, condition.en), language())
        row = {"type": kind, "name": pick((name.vi, name.en), language()), "when": words}
        rows.append(row)
    return rows


def do_add(desk: Desk, record: str) -> ResponseReturnValue:
    """Keep a scan."""
    view, _ = open_dossier(desk, record)
    content, which = sent_picture(), _which()
    # The same picture for the same paper is a second tap; another one, after "back", is not.
    mark = hashlib.sha256(content).hexdigest()[:16]
    once = ":".join([request.form.get("once", "")[:20], mark, *which])
    with session().saving:
        before = session().saved.get(once)
        if before:
            return _back(view, before)
        try:
            check_room(desk.device.home)
            scan = make_scan(desk.pictures, content)
            add_scan(desk.replica, acting(), load(desk.replica, view.id)[0], which, scan)
        except SyncError as problem:
            return _page(desk, view, error_words(problem, language()))
        saved = "1" if scan.fits_portal else "large"
        session().keep_saved(once, saved)
    desk.on_change()
    return _back(view, saved)


def _which() -> ScannedPaper:
    """Return the paper that was chosen; a new one is called as in the catalogue, or as typed."""
    element, kind = request.form.get("element", "")[:32], request.form.get("type", "")
    name = request.form.get("name", "").strip()
    known = catalogue().papers.get(kind)
    if known is not None:
        return ScannedPaper(element, kind, name or known.vi)
    return ScannedPaper(element, OTHER, name)


def do_take_away(desk: Desk, record: str) -> ResponseReturnValue:
    """Take a wrong scan away from its paper."""
    view, _ = open_dossier(desk, record)
    element, scan = request.form.get("element", ""), request.form.get("scan", "")
    try:
        take_scan_away(desk.replica, acting(), view, element, scan)
    except SyncError as problem:
        return _page(desk, view, error_words(problem, language()))
    desk.on_change()
    return _back(view, "away")


def _back(view: RecordView, saved: str) -> ResponseReturnValue:
    return redirect(url_for("scans", record=view.id.hex(), saved=saved))


ROUTES = (
    Route("GET", "/dossier/<record>/scans", "scans", Allowed.OFFICER, show),
    Route(
        "POST",
        "/dossier/<record>/scans",
        "do_add_scan",
        Allowed.OFFICER,
        do_add,
        body_bytes_max=SCAN_FORM_BYTES_MAX,
    ),
    Route("POST", "/dossier/<record>/scans/away", "do_away", Allowed.OFFICER, do_take_away),
)
