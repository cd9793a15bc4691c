"""Invitations survive copying; applications prove possession; welcomes answer one application."""

from __future__ import annotations

import base64

import pytest

from sync_protocol.crypto import signature
from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, InputError, MalformedMessageError
from sync_protocol.wire.enrol import (
    LABEL_CHARACTERS_MAX,
    PREFIX,
    Invitation,
    Welcome,
    read_application,
    read_invitation,
    read_welcome,
    write_application,
    write_invitation,
    write_welcome,
)
from tests.ward import WARD, keys_of

HUB, DEVICE = keys_of("hub"), keys_of("device")
INVITATION = Invitation(
    "https://hub.example:8443", b"s" * 16, b"f" * 32, HUB.public, b"r" * 32, WARD, "edge"
)
WELCOME = Welcome(WARD, "00001", "Phường A", "edge", b"certificate")


def _string(row: object) -> str:
    return PREFIX + base64.urlsafe_b64encode(encode(row)).decode().rstrip("=")


def test_an_invitation_reads_back_however_it_was_wrapped() -> None:
    text = write_invitation(INVITATION)
    assert read_invitation(text) == INVITATION
    assert read_invitation(f"  {text[:20]}\n {text[20:50]}\t{text[50:]}\r\n") == INVITATION


def _row(**change: object) -> list[object]:
    names = ("url", "secret", "ca_fingerprint", "responder", "root", "ward", "role")
    return [change.get(name, getattr(INVITATION, name)) for name in names]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "MC2.abc",
        PREFIX,
        PREFIX + "*",
        PREFIX + "ữ",
        write_invitation(INVITATION)[:-3],
        _string({}),
        _string(_row(secret=b"s")),
        _string(_row(ca_fingerprint=b"")),
        _string(_row(responder=b"k")),
        _string(_row(root=b"k" * 33)),
        _string(_row(ward=b"w")),
        _string(_row(url=5)),
        _string(_row()[:3]),
    ],
)
def test_what_is_no_invitation_is_told_to_the_person_who_typed_it(text: str) -> None:
    with pytest.raises(InputError):
        read_invitation(text)


def test_an_application_proves_possession_to_one_responder() -> None:
    raw = write_application(DEVICE, INVITATION, "Máy 1")
    application = read_application(raw, HUB.public)
    assert application.device == DEVICE.public
    assert application.agreement == DEVICE.agreement.public
    assert (application.secret, application.ward) == (INVITATION.secret, WARD)
    assert application.label == "Máy 1"
    with pytest.raises(BadSignatureError):
        read_application(raw, keys_of("other hub").public)


@pytest.mark.parametrize(
    "row",
    [
        [b"s", WARD, b"k", DEVICE.agreement.public, ""],
        [b"s", WARD, DEVICE.public, b"k", ""],
        [b"s", b"w", DEVICE.public, DEVICE.agreement.public, ""],
        [b"s", WARD, DEVICE.public, DEVICE.agreement.public, "x" * (LABEL_CHARACTERS_MAX + 1)],
        [b"s", WARD, DEVICE.public],
        [],
    ],
)
def test_an_application_out_of_shape_is_refused(row: list[object]) -> None:
    body = encode(row)
    proof = signature.sign(DEVICE.signing, signature.ENROLMENT, HUB.public, body)
    with pytest.raises(MalformedMessageError):
        read_application(proof + body, HUB.public)


def test_somebody_elses_key_can_not_be_applied_with() -> None:
    body = encode([b"s" * 16, WARD, DEVICE.public, DEVICE.agreement.public, ""])
    proof = signature.sign(keys_of("thief").signing, signature.ENROLMENT, HUB.public, body)
    with pytest.raises(BadSignatureError):
        read_application(proof + body, HUB.public)


def test_a_welcome_answers_one_application_by_one_responder() -> None:
    raw = write_application(DEVICE, INVITATION, "")
    welcome = write_welcome(HUB, raw, WELCOME)
    assert read_welcome(welcome, raw, HUB.public) == WELCOME
    with pytest.raises(BadSignatureError):
        read_welcome(welcome, write_application(DEVICE, INVITATION, "x"), HUB.public)
    with pytest.raises(BadSignatureError):
        read_welcome(welcome, raw, DEVICE.public)
