"""The desk beside the face for devices: one address, one certificate, two apps that share nothing.

See docs/adr/0011-the-desk-shares-the-stations-port.md for why it is no second port.
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from edge_node.desk import (
    approvals,
    bulk,
    calls,
    card_picture,
    clock,
    decisions,
    devices,
    dossiers,
    drafts,
    entrance,
    fees,
    figures,
    moves,
    news,
    people,
    portal,
    printing,
    reception,
    reception_time,
    scans,
    start,
    work,
)
from edge_node.desk.site import PREFIX, Desk, make_desk

ROUTES = (
    *entrance.ROUTES,
    *start.ROUTES,
    *dossiers.ROUTES,
    *decisions.ROUTES,
    *reception.ROUTES,
    *drafts.ROUTES,
    *printing.ROUTES,
    *people.ROUTES,
    *scans.ROUTES,
    *card_picture.ROUTES,
    *moves.ROUTES,
    *figures.ROUTES,
    *portal.ROUTES,
    *bulk.ROUTES,
    *approvals.ROUTES,
    *calls.ROUTES,
    *devices.ROUTES,
    *news.ROUTES,
    *fees.ROUTES,
    *clock.ROUTES,
    *reception_time.ROUTES,
    *work.ROUTES,
)


def beside(face: WSGIApplication, desk: Desk) -> WSGIApplication:
    """Return one app: pages below `PREFIX`, everything else as it was; `/` leads to the desk."""
    both = DispatcherMiddleware(face, {PREFIX: make_desk(desk, ROUTES)})

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in ("/", PREFIX):
            start_response("302 Found", [("Location", f"{PREFIX}/"), ("Content-Length", "0")])
            return []
        return both(environ, start_response)

    return serve
