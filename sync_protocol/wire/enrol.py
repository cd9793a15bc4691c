"""Enrolment: a one-time invitation becomes a grant.

The **invitation** is one string, also shown as a QR code: `MC1.` and base64url of MessagePack [url,
secret, CA fingerprint, responder's key, city root, ward, role]. Over the pinned TLS line the new
device sends its public keys and the secret, signed by its own key (proof of possession); the
responder checks the secret once, writes the grant into its feed, and answers with what the device
needs to judge by itself: the certificate and the ward.
"""

from __future__ import annotations

import base64
import binascii

from sync_protocol.crypto import signature
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, MalformedMessageError
from sync_protocol.identity import ID_BYTES, KEY_BYTES, DeviceKey, WardId
from sync_protocol.wire.message import Body, encode_body

PREFIX = "MC1."
SECRET_BYTES = 16
LABEL_CHARACTERS_MAX = 200


class Invitation(Body, frozen=True):
    """What a device needs to reach its responder and to know it."""

    url: str
    secret: bytes
    ca_fingerprint: bytes
    responder: DeviceKey
    root: bytes
    ward: WardId
    role: str


class Application(Body, frozen=True):
    """A new device's keys, the ward it wants to write in, and the invitation's secret."""

    secret: bytes
    ward: WardId
    device: DeviceKey
    agreement: bytes
    label: str


class Welcome(Body, frozen=True):
    """The grant is written. `certificate` is the city root's for the hub."""

    ward: WardId
    code: str
    name: str
    role: str
    certificate: bytes


def write_invitation(invitation: Invitation) -> str:
    """Return the string that a person copies or scans."""
    raw = base64.urlsafe_b64encode(encode_body(invitation)).decode().rstrip("=")
    return PREFIX + raw


def read_invitation(text: str) -> Invitation:
    """Read an invitation. Raises `InputError`."""
    text = "".join(text.split())
    if not text.startswith(PREFIX):
        raise InputError(f"This is no invitation: one begins with {PREFIX} Copy it whole.")
    raw = text[len(PREFIX) :]
    try:
        invitation = decode(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)), Invitation)
    except (MalformedMessageError, binascii.Error, ValueError) as cause:
        raise InputError("The invitation is cut off or mistyped. Copy it whole.") from cause
    sizes = (
        (invitation.secret, SECRET_BYTES),
        (invitation.ca_fingerprint, KEY_BYTES),
        (invitation.responder, KEY_BYTES),
        (invitation.root, KEY_BYTES),
        (invitation.ward, ID_BYTES),
    )
    if any(len(value) != size for value, size in sizes):
        raise InputError("The invitation is cut off or mistyped. Copy it whole.")
    return invitation


def write_application(keys: DeviceKeys, invitation: Invitation, label: str) -> bytes:
    """Return a signed application to the responder that an invitation names."""
    who = (keys.public, keys.agreement.public)
    body = encode([invitation.secret, invitation.ward, *who, label])
    proof = signature.sign(keys.signing, signature.ENROLMENT, invitation.responder, body)
    return proof + body


def read_application(raw: bytes, responder: DeviceKey) -> Application:
    """Read an application and check the proof of possession. Raises `PeerError` kinds only."""
    body = raw[signature.SIGNATURE_BYTES :]
    application = decode(body, Application)
    sizes = (
        (application.device, KEY_BYTES),
        (application.agreement, KEY_BYTES),
        (application.ward, ID_BYTES),
    )
    shaped = all(len(value) == size for value, size in sizes)
    if not shaped or len(application.label) > LABEL_CHARACTERS_MAX:
        raise MalformedMessageError("An application for enrolment is out of shape.")
    proof = raw[: signature.SIGNATURE_BYTES]
    signature.check(application.device, proof, signature.ENROLMENT, responder, body)
    return application


def write_welcome(keys: DeviceKeys, application: bytes, welcome: Welcome) -> bytes:
    """Return the signed answer to an application."""
    body = encode_body(welcome)
    return signature.sign(keys.signing, signature.ENROLMENT, encode(application), body) + body


def read_welcome(raw: bytes, application: bytes, responder: DeviceKey) -> Welcome:
    """Read and check the answer to `application`. Raises `PeerError` kinds only."""
    body = raw[signature.SIGNATURE_BYTES :]
    proof = raw[: signature.SIGNATURE_BYTES]
    signature.check(responder, proof, signature.ENROLMENT, encode(application), body)
    return decode(body, Welcome)
