"""The face for devices: thirty lines around the responder and the registrar.

What holds: a body is read as it comes, straight from the line, and never beyond its bound; an
answer leaves the same way. What goes wrong is answered by `http_contract`, with a code and a
sentence. Nothing of a message is ever logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, request

from sync_protocol.errors import SyncError, TransportError
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.exchange.respond import Responder
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.carrier import Parcel

_log = logging.getLogger("motcua")


def make_face(
    responder: Responder, registrar: Registrar, ca_pem: bytes, on_news: Callable[[], None]
) -> Flask:
    """Return the WSGI app of an edge; `on_news` is called when entries came in."""
    app = Flask(__name__, static_folder=None)

    @app.post(contract.SYNC_PATH)
    def sync() -> Response:
        incoming = _incoming()
        answer = responder.respond(incoming.envelope, incoming.payloads)
        if answer.news:
            on_news()
        sizes = [len(payload) for payload in answer.payloads]
        return _parcel(Parcel(answer.envelope, answer.payloads, sizes))

    @app.post(contract.ENROL_PATH)
    def enrol() -> Response:
        return _parcel(Parcel(registrar.admit(_incoming().envelope)))

    @app.get(contract.CA_PATH)
    def ca() -> Response:
        return Response(ca_pem, mimetype=contract.PEM_TYPE)

    @app.get("/health")
    def health() -> Response:
        return Response('{"status":"ok"}\n', mimetype="application/json")

    app.register_error_handler(SyncError, _refused)
    app.register_error_handler(Exception, _broke)
    return app


def _incoming() -> contract.Incoming:
    return contract.read_parcel(request.environ["wsgi.input"], request.content_length)


def _parcel(parcel: Parcel) -> Response:
    length = {"Content-Length": str(contract.parcel_bytes(parcel))}
    return Response(contract.write_parcel(parcel), mimetype=contract.MEDIA_TYPE, headers=length)


def _refused(error: SyncError) -> Response:
    headers = {}
    patience = contract.retry_after_of(error)
    if patience is not None:
        headers["Retry-After"] = str(patience)
    status = contract.status_of(error)
    return Response(contract.error_body(error), status, headers, mimetype=contract.ERROR_TYPE)


def _broke(error: Exception) -> Response:
    """Answer what nobody foresaw: by its type only, for its words may quote somebody."""
    status = getattr(error, "code", None)
    if isinstance(status, int):  # a wrong path or method
        return Response(status=status)
    _log.error("a request broke: %s", type(error).__name__)
    return _refused(TransportError("The station could not answer. Nothing is lost; try later."))
