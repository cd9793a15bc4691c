"""The hub's sync face: four addresses over `Reception`."""

from __future__ import annotations

import logging
import traceback

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from central_hub.reception import Reception
from sync_protocol.errors import SyncError
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.carrier import Parcel

HEALTH_PATH = "/health"
_log = logging.getLogger("motcua")


def make_face(reception: Reception) -> Flask:
    """Return the WSGI app."""
    app = Flask("motcua-hub", static_folder=None)

    @app.post(contract.SYNC_PATH)
    def sync() -> Response:
        return _reply(reception.sync(_incoming()))

    @app.post(contract.ENROL_PATH)
    def enrol() -> Response:
        return _reply(reception.enrol(_incoming()))

    @app.get(contract.CA_PATH)
    def authority() -> Response:
        return Response(reception.ca_pem, content_type=contract.PEM_TYPE)

    @app.get(HEALTH_PATH)
    def health() -> Response:
        return jsonify(reception.health())

    app.register_error_handler(SyncError, _refusal)
    app.register_error_handler(Exception, _failure)
    return app


def _incoming() -> contract.Incoming:
    return contract.read_parcel(request.environ["wsgi.input"], request.content_length)


def _reply(parcel: Parcel) -> Response:
    response = Response(contract.write_parcel(parcel), content_type=contract.MEDIA_TYPE)
    response.content_length = contract.parcel_bytes(parcel)
    return response


def _refusal(error: SyncError) -> Response:
    response = Response(contract.error_body(error), contract.status_of(error))
    response.content_type = contract.ERROR_TYPE
    seconds = contract.retry_after_of(error)
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _failure(error: Exception) -> Response | HTTPException:
    """Answer a fault of ours. Its words stay out of the log: they may quote what a person wrote."""
    if isinstance(error, HTTPException):
        return error
    place = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s at %s:%s", type(error).__name__, place.filename, place.lineno)
    return _refusal(SyncError("The hub could not do this. Nothing is lost; try again later."))
