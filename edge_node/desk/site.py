"""The desk as one Flask app: who may use which route, what every answer carries, what went wrong.

What holds:
* Every route says who may use it (`Route.allowed`). One that was added past the table stops the
  station from starting.
* Every change carries the token of its session (of its browser, before there is a session) and
  comes from our own pages: token, `Origin` and `Sec-Fetch-Site` are looked at, in this order of
  weight. Cookies are Secure, HttpOnly, SameSite=Strict and of this host alone.
* Pages run our own script and style only, by a nonce; nothing inline, nothing from elsewhere. No
  page is kept by a browser or a proxy. No address holds a name or a number of a person.
* What goes wrong is told in words that repeat nothing; a log line has the error's type alone.
"""

from __future__ import annotations

import hmac
import io
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import resources
from typing import IO, NoReturn

import flask
from flask import Flask, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from device_home.device import Device
from device_home.picture.sandbox import Sandbox
from edge_node.desk.listeners import Listeners
from edge_node.desk.sessions import Session, Sessions, Typed
from edge_node.desk.words import error_words, pick, translator
from sync_protocol import limits
from sync_protocol.dossier.labels import ENGLISH, VIETNAMESE
from sync_protocol.dossier.payment import money
from sync_protocol.errors import SyncError
from sync_protocol.identity import OfficerId
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.transport import http_contract as contract

PREFIX = "/desk"
SESSION_COOKIE = "__Host-desk"
GUEST_COOKIE = "__Host-desk-guest"
LANGUAGE_COOKIE = "__Host-desk-language"
FORM_BYTES_MAX = 256 * limits.KIB
"""A page of edits is under 20 KiB; a route that takes pictures says how much it takes."""
FORM_PARTS_MAX = 300
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_STATIC = {"desk.css": "text/css"} | dict.fromkeys(
    ("desk.js", "copy.js", "live.js"), "text/javascript"
)
_log = logging.getLogger("motcua")


class Allowed(Enum):
    """Who may use a route."""

    ANYBODY = "anybody"
    """Before signing in: nothing of a dossier."""
    CHOOSING = "choosing"
    """Signed in, be it by a first-use code only."""
    OFFICER = "officer"
    """An officer of this ward with a PIN of their own."""
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Desk:
    """What pages work on."""

    device: Device
    sessions: Sessions
    on_change: Callable[[], None]
    pictures: Sandbox = field(default_factory=Sandbox)
    listeners: Listeners = field(default_factory=Listeners)

    @property
    def replica(self) -> Replica:
        """The ward."""
        return self.device.replica()


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its method and path, who may use it, and the page.

    `kept`: what somebody typed there is kept when the session has ended meanwhile.
    """

    method: str
    path: str
    name: str
    allowed: Allowed
    page: Callable[..., ResponseReturnValue]
    kept: bool = False
    body_bytes_max: int = FORM_BYTES_MAX


class _Request(flask.Request):
    """A request whose files stay in memory: nothing in clear touches a disk, however large."""

    def _get_file_stream(self, *_: object, **__: object) -> IO[bytes]:
        return io.BytesIO()


def make_desk(desk: Desk, routes: Sequence[Route]) -> Flask:
    """Return the WSGI app of the desk, to be mounted at `PREFIX`."""
    app = Flask("edge_node.desk", static_folder=None)
    app.request_class = _Request
    app.config.update(MAX_CONTENT_LENGTH=FORM_BYTES_MAX, MAX_FORM_PARTS=FORM_PARTS_MAX)
    app.config.update(MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["money"] = money
    static = Route("GET", "/static/<name>", "static", Allowed.ANYBODY, _static)
    declared = {route.name: route for route in (static, *routes)}
    for route in declared.values():
        app.add_url_rule(
            route.path,
            route.name,
            route.page,
            methods=[route.method],
            defaults=None if route is static else {"desk": desk},
        )
    check_declared(app, declared)
    app.before_request(lambda: _guard(desk, declared))
    app.after_request(_harden)
    app.context_processor(lambda: _for_pages(desk))
    app.register_error_handler(SyncError, _refused)
    app.register_error_handler(HTTPException, _missing)
    app.register_error_handler(Exception, _broke)
    return app


def check_declared(app: Flask, declared: dict[str, Route]) -> None:
    """Raise `AssertionError` for a route that nobody has said who may use."""
    for rule in app.url_map.iter_rules():
        route = declared.get(rule.endpoint)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if route is None or rule.rule != route.path or methods != {route.method}:
            raise AssertionError(f"{rule.endpoint}: nobody has said who may use this route")


# ------------------------------------------------------------------------------ before a page


def session() -> Session:
    """Return the session of this request; pages that ask for it need an officer."""
    found: Session | None = flask.g.session
    if found is None:
        raise AssertionError("this page needs an officer")
    return found


def acting() -> OfficerId:
    """Return the officer of this request."""
    return OfficerId(session().officer.officer)


def supervises() -> bool:
    """Whether the officer of this request is a supervisor or administrator."""
    return session().officer.role in g.SUPERVISING


def language() -> str:
    """Return the language of this request."""
    return str(flask.g.language)


def _guard(desk: Desk, declared: dict[str, Route]) -> ResponseReturnValue | None:
    flask.g.nonce = secrets.token_urlsafe(16)
    english = request.cookies.get(LANGUAGE_COOKIE) == ENGLISH
    flask.g.language = ENGLISH if english else VIETNAMESE
    flask.g.guest = request.cookies.get(GUEST_COOKIE) or secrets.token_urlsafe(32)
    found = desk.sessions.find(request.cookies.get(SESSION_COOKIE, ""), wakes=not _looks())
    if found is not None and not _stands(desk, found):
        desk.sessions.end_of(found.officer.officer)
        found = None
    flask.g.session = found
    route = declared.get(request.endpoint or "")
    if route is None:
        return None  # no such page: answered as such
    request.max_content_length = route.body_bytes_max
    if request.method not in _READING:
        _check_ours(needs_session=route.allowed is not Allowed.ANYBODY)
    if route.allowed is Allowed.ANYBODY:
        return None
    if found is None:
        kept = _keep_typed(desk, route)
        return redirect(url_for("sign_in", kept="1" if kept else None))
    if found.chooses_pin and route.allowed is not Allowed.CHOOSING:
        return redirect(url_for("pin"))
    if route.allowed is Allowed.SUPERVISOR and not supervises():
        abort(403)
    return None


def _looks() -> bool:
    """Whether an open page looks for news by itself: that keeps nobody's session awake."""
    listens = request.headers.get("Accept") == "text/event-stream"
    return request.method in _READING and (listens or request.headers.get("X-Quiet") == "1")


def _stands(desk: Desk, found: Session) -> bool:
    """Whether the officer is still what the session was begun for."""
    roster = desk.replica.holding.roster
    return roster.officer_now(OfficerId(found.officer.officer)) == found.officer


def _keep_typed(desk: Desk, route: Route) -> bool:
    """Keep what stood in a form of ours that was sent after its session had ended."""
    asleep = desk.sessions.asleep(request.cookies.get(SESSION_COOKIE, ""))
    if asleep is None or asleep.chooses_pin or not route.kept or not _stands(desk, asleep):
        return False
    form = request.form.to_dict()
    if not hmac.compare_digest(asleep.csrf.encode(), form.pop("csrf", "").encode()):
        return False
    typed = Typed(f"{request.script_root}{request.path}", form)
    desk.sessions.keep_typed(asleep.officer.officer, typed)
    return True


def _check_ours(*, needs_session: bool) -> None:
    """Refuse a change that does not come from a page of ours."""
    found: Session | None = flask.g.session
    if found is None and needs_session:
        return  # it is sent to the entrance, and changes nothing
    wanted = found.csrf if found is not None else request.cookies.get(GUEST_COOKIE, "")
    given = request.form.get("csrf", "")
    origin = request.headers.get("Origin")
    ours = (
        bool(wanted)
        and hmac.compare_digest(wanted.encode(), given.encode())
        and (origin is None or origin == request.host_url.rstrip("/"))
        and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    )
    if not ours:
        abort(403)


# ------------------------------------------------------------------------------- after a page


def _for_pages(desk: Desk) -> dict[str, object]:
    found: Session | None = flask.g.get("session")
    place = desk.device.home.place()
    return {
        "t": translator(language()),
        "language": language(),
        "nonce": flask.g.nonce,
        "csrf": found.csrf if found is not None else flask.g.guest,
        "officer": found.officer if found is not None and not found.chooses_pin else None,
        "supervises": found is not None and found.officer.role in g.SUPERVISING,
        "ward_name": place.name,
    }


def _harden(response: Response) -> Response:
    nonce = flask.g.nonce
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.update(
        {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
            "Strict-Transport-Security": "max-age=31536000",
        }
    )
    if flask.g.session is None and request.cookies.get(GUEST_COOKIE) != flask.g.guest:
        keep_cookie(response, GUEST_COOKIE, flask.g.guest)
    return response


def keep_cookie(response: Response, name: str, value: str) -> None:
    """Let the browser keep something for as long as it is open."""
    response.set_cookie(name, value, secure=True, httponly=True, samesite="Strict", path="/")


def drop_cookie(response: Response, name: str) -> None:
    """Let the browser forget something."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="Strict", path="/")


def _static(name: str) -> ResponseReturnValue:
    """Answer with the style or the script; nobody's data, so the browser may keep it a while."""
    if name not in _STATIC:
        abort(404)
    content = resources.files("edge_node.desk").joinpath("static", name).read_bytes()
    headers = {"Cache-Control": "max-age=300"}
    return Response(content, mimetype=_STATIC[name], headers=headers)


# --------------------------------------------------------------------------- what went wrong


def message_page(sentence: str, status: int) -> ResponseReturnValue:
    """Answer with one sentence."""
    return flask.render_template("message.html", sentence=sentence), status


def _refused(error: SyncError) -> ResponseReturnValue:
    return message_page(error_words(error, language()), contract.status_of(error))


def _missing(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:  # noqa: PLR2004 - a redirect
        return error
    words = {
        403: (
            (
                "Trang này không dành cho anh/chị, hoặc biểu mẫu đã cũ. Chưa có gì thay đổi: hãy "
                "tải lại trang rồi làm lại."
            ),
            (
                "This page is not for you, or the form is an old one. Nothing was changed: load "
                "the page anew and try again."
            ),
        ),
        413: (
            "Nội dung gửi lên quá lớn. Chưa có gì được lưu.",
            "That is too much at once. Nothing was saved.",
        ),
    }
    missing = ("Không có trang này.", "There is no such page.")
    return message_page(pick(words.get(error.code or 404, missing), language()), error.code or 404)


def _broke(error: Exception) -> ResponseReturnValue:
    _log.error("a page broke: %s", type(error).__name__)
    words = (
        "Trang này gặp lỗi. Những gì đã báo “Đã lưu” vẫn an toàn. Hãy thử lại.",
        "This page broke. What was called “saved” is safe. Try again.",
    )
    return message_page(pick(words, language()), 500)


def no_such_dossier() -> NoReturn:
    """Answer that a page is not there."""
    abort(404)
