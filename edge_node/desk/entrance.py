"""Coming and going: signing in with name and PIN, the first PIN, signing out, the language.

What holds: a wrong name and a wrong PIN are answered alike, except that who is nearly locked out is
told; a session is begun anew at each signing-in, and with each new PIN.
"""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.pins import choose_pin, sign_in
from edge_node.desk.site import (
    GUEST_COOKIE,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Allowed,
    Desk,
    Route,
    acting,
    drop_cookie,
    keep_cookie,
    language,
    session,
)
from edge_node.desk.words import error_words, pick
from sync_protocol.dossier.labels import ENGLISH, VIETNAMESE
from sync_protocol.errors import InputError, SlotLockedError, WrongKeyError
from sync_protocol.membership import grant as g

_TRIES_TOLD = 5
"""From here on an officer is told how many tries are left."""


_KNOCK_S = 5.0
"""Wait for others' PINs to be tried, each a quarter of a second."""
_BUSY = (
    "Nhiều người đang đăng nhập cùng lúc. Hãy thử lại sau ít giây.",
    "Many are signing in at once. Try again in some seconds.",
)
_WAIT = (
    "Máy này đã thử sai nhiều lần. Hãy đợi 10 phút rồi thử lại.",
    "This machine has tried in vain too often. Wait ten minutes, then try again.",
)
_LOCKED = (
    "Mã PIN này đã khóa vì nhập sai quá nhiều lần. Nhờ lãnh đạo cấp mã mới. Không mất gì.",
    "This PIN is locked after too many wrong tries. Ask a supervisor for a new code.",
)
_DIFFER = (
    "Hai lần gõ không giống nhau. Hãy gõ lại.",
    "The two differ: type them again.",
)


def show_sign_in(desk: Desk) -> ResponseReturnValue:
    """Show the entrance."""
    nobody = not desk.replica.is_enrolled()
    return render_template(
        "sign_in.html", name="", problem="", nobody=nobody, kept=request.args.get("kept")
    )


def do_sign_in(desk: Desk) -> ResponseReturnValue:
    """Let an officer in."""
    name, address = request.form.get("name", "")[:200], request.remote_addr or ""
    if not desk.sessions.knocking.acquire(timeout=_KNOCK_S):
        return _again(name, _BUSY, 503)
    try:
        return _try_pin(desk, name, address)
    finally:
        desk.sessions.knocking.release()


def _try_pin(desk: Desk, name: str, address: str) -> ResponseReturnValue:
    if not desk.sessions.may_try(address):
        return _again(name, _WAIT, 429)
    try:
        found = sign_in(desk.device.home, desk.replica, name, request.form.get("pin", ""))
    except SlotLockedError:
        desk.sessions.failed(address)
        return _again(name, _LOCKED, 403)
    except WrongKeyError as problem:
        desk.sessions.failed(address)
        return _again(name, _wrong(problem), 403)
    return _let_in(desk, found.officer, chooses_pin=found.chooses_pin)


def _wrong(problem: WrongKeyError) -> tuple[str, str]:
    left = problem.evidence.get("tries_left")
    vietnamese = "Họ tên hoặc mã PIN không đúng. Hãy gõ đủ họ và tên."
    english = "Wrong name or PIN. Type the full name."
    if isinstance(left, int) and left <= _TRIES_TOLD:
        vietnamese += f" Còn {left} lần thử trước khi mã bị khóa."
        english += f" {left} tries are left before the PIN is locked."
    return vietnamese, english


def _again(name: str, problem: tuple[str, str], status: int) -> ResponseReturnValue:
    words = pick(problem, language())
    return render_template("sign_in.html", name=name, problem=words, nobody=False), status


def _let_in(desk: Desk, officer: g.Officer, *, chooses_pin: bool) -> Response:
    desk.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    token = desk.sessions.begin(officer, chooses_pin=chooses_pin)
    begun = desk.sessions.find(token)
    goes_on = begun is not None and begun.typed is not None
    page = "pin" if chooses_pin else "resume" if goes_on else "home"
    response = make_response(redirect(url_for(page)))
    keep_cookie(response, SESSION_COOKIE, token)
    drop_cookie(response, GUEST_COOKIE)
    return response


def show_resume(desk: Desk) -> ResponseReturnValue:  # noqa: ARG001 - every page takes the desk
    """Show that a form which was sent too late is still there, to be sent again."""
    typed = session().typed
    if typed is None:
        return redirect(url_for("home"))
    return render_template("resume.html", typed=typed)


def do_sign_out(desk: Desk) -> ResponseReturnValue:
    """Let an officer go."""
    desk.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    response = make_response(redirect(url_for("sign_in")))
    drop_cookie(response, SESSION_COOKIE)
    return response


def show_pin(desk: Desk) -> ResponseReturnValue:  # noqa: ARG001 - every page takes the desk
    """Show where a PIN is chosen."""
    return render_template("pin.html", problem="", first=session().chooses_pin)


def do_pin(desk: Desk) -> ResponseReturnValue:
    """Take a PIN; whoever sat at another browser under the old one has to sign in anew."""
    pin, again = request.form.get("pin", ""), request.form.get("again", "")
    problem = _refused(desk, pin) if pin == again else pick(_DIFFER, language())
    if problem:
        return render_template("pin.html", problem=problem, first=session().chooses_pin), 400
    officer = session().officer
    desk.sessions.end_of(officer.officer)
    return _let_in(desk, officer, chooses_pin=False)


def _refused(desk: Desk, pin: str) -> str:
    """Set the PIN; return why that was refused, empty where it was not."""
    try:
        choose_pin(desk.device.home, acting(), pin)
    except InputError as problem:
        return error_words(problem, language())
    return ""


def do_language(desk: Desk) -> ResponseReturnValue:  # noqa: ARG001 - as above
    """Switch the language, and go home."""
    response = make_response(redirect(url_for("home")))
    chosen = ENGLISH if request.form.get("language") == ENGLISH else VIETNAMESE
    keep_cookie(response, LANGUAGE_COOKIE, chosen)
    return response


ROUTES = (
    Route("GET", "/sign-in", "sign_in", Allowed.ANYBODY, show_sign_in),
    Route("POST", "/sign-in", "do_sign_in", Allowed.ANYBODY, do_sign_in),
    Route("POST", "/sign-out", "do_sign_out", Allowed.CHOOSING, do_sign_out),
    Route("GET", "/resume", "resume", Allowed.OFFICER, show_resume),
    Route("GET", "/pin", "pin", Allowed.CHOOSING, show_pin),
    Route("POST", "/pin", "do_pin", Allowed.CHOOSING, do_pin),
    Route("POST", "/language", "do_language", Allowed.ANYBODY, do_language),
)
