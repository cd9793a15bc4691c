"""Enrolment, both mouths: invitations are made, spent once, and become grants.

What holds: an invitation's secret is stored as its hash only, expires, and is spent in the same
durable write as the grant's; a replay is told so and changes nothing. An edge may invite tablets
only; its grant is a delegated one until the hub countersigns.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.crypto.key import DeviceKeys, random_bytes
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import InputError, InvitationError, WrongWardError
from sync_protocol.identity import NO_OFFICER, DeviceKey, OfficerId, device_id
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Roster
from sync_protocol.replica.replica import Replica
from sync_protocol.wire.enrol import (
    SECRET_BYTES,
    Invitation,
    Welcome,
    read_application,
    read_welcome,
    write_application,
    write_welcome,
)

_NOTE = "invitation:"
_HOUR_MS = 3_600_000


class Kept(NamedTuple):
    """An invitation as its maker keeps it: the hash is the note's key."""

    role: str
    label: str
    expires_ms: int
    spent_by: bytes


def _note(secret: bytes) -> str:
    return _NOTE + hashlib.sha256(b"motcua/invitation/1" + secret).hexdigest()


def check_terms(url: str, hours: int) -> None:
    """Check what a person asks of an invitation. Raises `InputError`."""
    if not 0 < hours <= limits.INVITATION_HOURS_MAX:
        most = limits.INVITATION_HOURS_MAX
        raise InputError(f"An invitation holds between 1 and {most} hours.")
    plain = url.isprintable() and " " not in url
    if not plain or not url.startswith("https://") or len(url) == len("https://"):
        raise InputError("The address in an invitation begins with https:// and has no spaces.")


class Registrar:
    """Makes and takes invitations for one ward."""

    def __init__(self, replica: Replica) -> None:
        """Attach to the replica whose feed will hold the grants."""
        self._replica = replica

    def invite(
        self,
        role: str,
        label: str,
        url: str,
        ca_fingerprint: bytes,
        hours: int = limits.INVITATION_HOURS,
    ) -> Invitation:
        """Make an invitation that can be spent once. Raises `InputError`."""
        allowed = (g.EDGE, g.TABLET) if self._replica.is_hub() else (g.TABLET,)
        if role not in allowed:
            raise InputError(f"Only these can be invited here: {', '.join(allowed)}.")
        secret = random_bytes(SECRET_BYTES)
        expires = self._replica.character.wall() + hours * _HOUR_MS
        self._keep(secret, Kept(role, label, expires, b""))
        holding = self._replica.holding
        return Invitation(
            url, secret, ca_fingerprint, self._replica.keys.public, holding.root, holding.ward, role
        )

    def _keep(self, secret: bytes, kept: Kept) -> None:
        store = self._replica.rooms.log
        with self._replica.lock, store.transaction(durable=True):
            store.put_note(_note(secret), encode(list(kept)))

    def waiting(self) -> list[Kept]:
        """Return the invitations that can still be spent, the next to expire first."""
        log, now = self._replica.rooms.log, self._replica.character.wall()
        raw = [log.note(key) for key in log.notes(_NOTE)]
        found = [Kept(*decode(item, tuple[str, str, int, bytes])) for item in raw if item]
        return sorted(
            (item for item in found if not item.spent_by and item.expires_ms >= now),
            key=lambda item: item.expires_ms,
        )

    def admit(self, raw: bytes) -> bytes:
        """Take an application: spend the invitation, write the grant, return the welcome.

        The same device asking again with the same invitation (its answer was lost) is welcomed
        again. Raises `InvitationError` and other `PeerError` kinds.
        """
        application = read_application(raw, self._replica.keys.public)
        if application.ward != self._replica.holding.ward:
            raise WrongWardError("This application is for another ward. Nothing was changed.")
        with self._replica.lock:
            kept = self._check(application.secret, application.device)
            if not kept.spent_by:
                self._keep(application.secret, kept._replace(spent_by=application.device))
        if self._replica.holding.roster.role_of(application.device) is None:
            label = kept.label or application.label
            self.grant(application.device, application.agreement, kept.role, label)
        return write_welcome(self._replica.keys, raw, self._welcome(kept.role))

    def _check(self, secret: bytes, device: DeviceKey) -> Kept:
        note = self._replica.rooms.log.note(_note(secret))
        if note is None:
            raise InvitationError("This invitation is not known here. Ask for a new one.")
        kept = Kept(*decode(note, tuple[str, str, int, bytes]))
        if kept.spent_by and kept.spent_by != device:
            raise InvitationError("This invitation was used already. Ask for a new one.")
        if not kept.spent_by and self._replica.character.wall() > kept.expires_ms:
            raise InvitationError("This invitation has expired. Ask for a new one.")
        return kept

    def grant(
        self,
        device: DeviceKey,
        agreement: bytes,
        role: str,
        label: str,
        officer: OfficerId = NO_OFFICER,
    ) -> None:
        """Write a grant into our feed."""
        known = self._replica.holding.roster.grants.get(device)
        version = 1 if known is None else known.version + 1
        self._replica.say([g.Grant(device, agreement, role, label, version)], officer)

    def countersign(self) -> int:
        """The hub makes an edge's grants its own, but for revoked ones; returns how many.

        Those that had lapsed meanwhile count again by this.
        """
        roster = self._replica.holding.roster
        waiting = [
            item
            for item in roster.grants.values()
            if item.delegated and _is_confirmable(roster, item.device)
        ]
        for item in waiting:
            self.grant(item.device, item.agreement, item.role, item.label)
        return len(waiting)

    def forget_unspent(self) -> int:
        """Forget invitations that were not spent; returns how many.

        After a restore nobody knows whether they were spent since the backup.
        """
        store = self._replica.rooms.log
        unspent = [
            key
            for key, raw in store.notes(_NOTE).items()
            if not Kept(*decode(raw, tuple[str, str, int, bytes])).spent_by
        ]
        with self._replica.lock, store.transaction(durable=True):
            for key in unspent:
                store.put_note(key, None)
        return len(unspent)

    def _welcome(self, role: str) -> Welcome:
        roster = self._replica.holding.roster
        code = roster.profile.code if roster.profile else ""
        name = roster.profile.name if roster.profile else ""
        certificate = self._replica.rooms.log.note("certificate") or b""
        return Welcome(self._replica.holding.ward, code, name, role, certificate)


def _is_confirmable(roster: Roster, device: DeviceKey) -> bool:
    revoke = roster.revoked(device)
    return revoke is None or revoke.reason == g.LAPSED


def apply(keys: DeviceKeys, invitation: Invitation, label: str) -> bytes:
    """Return the application that a new device sends."""
    return write_application(keys, invitation, label)


def accept(raw: bytes, application: bytes, invitation: Invitation) -> Welcome:
    """Check the welcome against the invitation. Raises `PeerError` kinds."""
    welcome = read_welcome(raw, application, invitation.responder)
    if welcome.ward != invitation.ward or welcome.role != invitation.role:
        raise InvitationError(
            "The answer is not what the invitation promised. Nothing was changed."
        )
    return welcome


def short_name(device: DeviceKey) -> str:
    """Return the name of a device in lists: 32 hexadecimal digits."""
    return device_id(device).hex()
