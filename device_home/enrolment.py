"""How a device joins a ward: an invitation, its maker's authority, an application, a grant.

What holds: nothing is sent before the authority's fingerprint is the invitation's. The place is
remembered once the welcome is proved, so a lost answer costs nothing: the same device may apply
again with the same invitation, and is welcomed again. An enrolled device stays in its ward. There
an invitation of another station, or to another address, takes it along; one that leads where it is
already is not spent, as it may be meant for another device.
"""

from __future__ import annotations

import hashlib

from device_home.home import Enrolment, Home
from sync_protocol.errors import (
    BadSignatureError,
    InputError,
    NotAllowedError,
    TransportError,
    WrongPeerError,
)
from sync_protocol.exchange import enrol
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.replica import Replica
from sync_protocol.transport.carrier import Carrier, Parcel
from sync_protocol.transport.http_contract import ENROL_PATH
from sync_protocol.wire.enrol import Invitation, read_invitation

# `transport.http` is imported where the line is used: a fifth of a command's start, for nothing in
# most of them.

AGAIN = "Nothing is lost; try again with the same invitation once there is a line."
LABEL_CHARS_MAX = 80


def join(home: Home, text: str, label: str) -> Enrolment:
    """Enrol this device with an invitation's string and return its place.

    Raises `InputError` for a mistyped invitation, `InvitationError` for a spent or expired one,
    `WrongPeerError` where another machine answers, `TransportError` where nobody does, and
    `NotAllowedError` for a device that belongs to another ward, or to that very office, already.
    """
    invitation = read_invitation(text)
    if len(label) > LABEL_CHARS_MAX:
        raise InputError(f"The device's name has more than {LABEL_CHARS_MAX} characters.")
    digest = hashlib.sha256(invitation.secret).digest()
    known = home.enrolment()
    if known is not None and not home.enrolled_by(digest):
        _check_leads_elsewhere(known, invitation)
    from sync_protocol.transport.http import fetch_ca

    try:
        ca_pem = fetch_ca(invitation.url, invitation.ca_fingerprint)
        place = _apply(home, invitation, ca_pem, label)
    except TransportError as cause:
        raise type(cause)(
            f"The office that made the invitation can't be reached. {AGAIN}", **cause.evidence
        ) from cause
    home.enrol(place, digest)
    return place


def _check_leads_elsewhere(known: Enrolment, invitation: Invitation) -> None:
    """Check that an enrolled device has a reason to follow this invitation."""
    from sync_protocol.crypto.certificate import fingerprint

    where = f"This device is enrolled in {known.name} ({known.code}) as {known.role} already"
    if (known.ward, known.root) != (invitation.ward, invitation.root):
        raise NotAllowedError(f"{where}, and this is for another ward. Nothing was changed.")
    peer = (known.responder, known.url, fingerprint(known.ca_pem))
    if peer == (invitation.responder, invitation.url, invitation.ca_fingerprint):
        raise NotAllowedError(
            f"{where}, with the office that made this invitation. Nothing was changed, and the "
            "invitation was not used."
        )


def _apply(home: Home, invitation: Invitation, ca_pem: bytes, label: str) -> Enrolment:
    from sync_protocol.transport.http import HttpCarrier

    application = enrol.apply(home.keys, invitation, label)
    carrier = HttpCarrier(invitation.url, ca_pem, ENROL_PATH)
    try:
        reply = carrier.ask(Parcel(application))
        reply.close()
        welcome = enrol.accept(reply.envelope, application, invitation)
    except BadSignatureError as cause:
        raise WrongPeerError(
            "Another machine than the one of the invitation answers at this address. "
            "Nothing was changed; check the address, or ask for a new invitation."
        ) from cause
    finally:
        carrier.close()
    return Enrolment(
        invitation.ward,
        welcome.code,
        welcome.name,
        welcome.role,
        invitation.root,
        invitation.responder,
        invitation.url,
        ca_pem,
    )


def peer(home: Home, replica: Replica) -> tuple[Carrier, Initiator]:
    """Return the way to the enrolled responder and a conversation over it; close the carrier.

    The setting `peer_url` gives another address of the same responder. Raises `NotEnrolledError`.
    """
    from sync_protocol.transport.http import HttpCarrier

    place = home.place()
    carrier = HttpCarrier(home.settings.text("peer_url", place.url), place.ca_pem)
    return carrier, Initiator(replica, carrier, place.responder)
