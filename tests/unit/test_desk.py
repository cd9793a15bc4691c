"""The desk without a server: routes without a rule, sessions that end, what was typed in forms."""

from __future__ import annotations

import io
from typing import cast

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from edge_node.desk.mount import ROUTES
from edge_node.desk.sessions import FAILURES_MAX, IDLE_S, SESSIONS_MAX, SHIFT_S, Sessions
from edge_node.desk.site import Allowed, Desk, Route, check_declared, make_desk
from edge_node.desk.values import EDITABLE, shown_value, typed_words
from sync_protocol.dossier.day import shown_day, typed_day
from sync_protocol.dossier.labels import VIETNAMESE
from sync_protocol.errors import InputError
from sync_protocol.identity import OfficerId
from sync_protocol.membership import grant as g

LAN = g.Officer(OfficerId(b"lan".ljust(16, b".")), "Lê Thị Lan", g.CLERK)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def page() -> str:
    return ""


def test_a_route_that_nobody_declared_stops_the_start() -> None:
    app = Flask("desk", static_folder=None)
    app.add_url_rule("/known", "known", page, methods=["GET"])
    known = {"known": Route("GET", "/known", "known", Allowed.OFFICER, page)}
    check_declared(app, known)
    app.add_url_rule("/added", "added", page, methods=["GET"])
    with pytest.raises(AssertionError, match="added"):
        check_declared(app, known)


def test_what_is_uploaded_stays_in_memory() -> None:
    page = {"file": (io.BytesIO(bytes(2_000_000)), "page.jpg")}
    builder = EnvironBuilder(method="POST", data=page)
    app = make_desk(cast("Desk", None), [])
    environ = builder.get_environ()
    with environ["wsgi.input"]:
        request = app.request_class(environ)
        assert isinstance(request.files["file"].stream, io.BytesIO)
    builder.close()


def test_a_declared_route_with_another_method_stops_the_start() -> None:
    app = Flask("desk", static_folder=None)
    app.add_url_rule("/known", "known", page, methods=["GET", "POST"])
    with pytest.raises(AssertionError, match="known"):
        check_declared(app, {"known": Route("GET", "/known", "known", Allowed.OFFICER, page)})


def test_every_page_but_the_entrance_needs_an_officer() -> None:
    open_to_all = {route.name for route in ROUTES if route.allowed is Allowed.ANYBODY}
    assert open_to_all == {"sign_in", "do_sign_in", "do_language"}
    by_code_only = {route.name for route in ROUTES if route.allowed is Allowed.CHOOSING}
    assert by_code_only == {"pin", "do_pin", "do_sign_out"}
    supervised = {route.name for route in ROUTES if route.allowed is Allowed.SUPERVISOR}
    devices = {"devices", "do_invite", "lock", "do_lock", "do_reopen"}
    supervised -= devices
    approving = {"approvals", "do_approve", "do_deputy", "do_end"}
    assert supervised == {"do_code", "do_held", "do_export", *approving}


def test_a_session_ends_when_nobody_is_there_and_after_a_shift() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    token = sessions.begin(LAN, chooses_pin=False)
    clock.now += IDLE_S
    assert sessions.find(token) is not None
    clock.now += IDLE_S + 1
    assert sessions.find(token) is None
    token = sessions.begin(LAN, chooses_pin=False)
    begun = clock.now
    while clock.now <= begun + SHIFT_S - IDLE_S:
        clock.now += IDLE_S
        assert sessions.find(token) is not None
    clock.now += IDLE_S
    assert sessions.find(token) is None


def test_sessions_end_by_hand_and_are_bounded() -> None:
    sessions = Sessions(Clock())
    first = sessions.begin(LAN, chooses_pin=False)
    second = sessions.begin(LAN, chooses_pin=False)
    sessions.end(first)
    assert sessions.find(first) is None
    sessions.end_of(LAN.officer)
    assert sessions.find(second) is None
    tokens = [sessions.begin(LAN, chooses_pin=False) for _ in range(SESSIONS_MAX + 1)]
    assert sessions.find(tokens[0]) is None
    assert sessions.find(tokens[-1]) is not None
    assert sessions.find("") is None


def test_an_address_that_fails_too_often_waits() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    for _ in range(FAILURES_MAX):
        assert sessions.may_try("10.0.0.1")
        sessions.failed("10.0.0.1")
    assert not sessions.may_try("10.0.0.1")
    assert sessions.may_try("10.0.0.2")
    clock.now += 601
    assert sessions.may_try("10.0.0.1")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("20/08/1990", "1990-08-20"),
        ("1/2/1990", "1990-02-01"),
        ("08/1990", "1990-08"),
        ("1990", "1990"),
        ("20081990", "1990-08-20"),
        ("20.8.1990", "1990-08-20"),
        ("1990-08-20", "1990-08-20"),
        ("", None),
    ],
)
def test_days_are_read_as_people_write_them(typed: str, kept: str | None) -> None:
    assert typed_day(typed, "birth") == kept
    if kept:
        assert typed_day(shown_day(kept), "birth") == kept


@pytest.mark.parametrize("typed", ["mai", "1/2", "20/08/90", "1990/08/20x"])
def test_what_is_no_day_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(InputError) as caught:
        typed_day(typed, "birth")
    assert typed not in caught.value.diagnosis


def test_only_what_was_changed_becomes_an_assignment() -> None:
    form = {"f.name": "An", "was.name": "An", "f.phone": "0912", "was.phone": "", "f.nonsense": "1"}
    assert typed_words(form) == ["phone=0912"]
    group = {"f.birth.date": "1/2/1990", "f.birth.place": "Huế", "was.birth.place": "Huế"}
    assert typed_words(group) == ['birth=["1990-02-01", "Huế"]']
    gone = {"f.identity.kind": "citizen", "f.identity.number": "", "was.identity.number": "097"}
    assert typed_words({**gone, "was.identity.kind": "citizen"}) == ["identity="]
    cleared = {"f.address.line": "", "was.address.line": "Số 5"}
    assert typed_words(cleared) == ["address="]
    assert typed_words({"f.fee.amount": "8 000"}) == ['fee=["8000", "VND"]']


def test_values_are_shown_as_people_write_them() -> None:
    assert shown_value("birth", ["1990-08-20", "Huế"], VIETNAMESE) == "20/08/1990, Huế"
    assert shown_value("due_on", "2026-11-23", VIETNAMESE) == "23/11/2026"
    assert shown_value("phone", None, VIETNAMESE) == "–"
    assert "birth" in EDITABLE
