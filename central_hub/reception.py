"""What becomes of a request at the hub: to its ward, within the bounds, with news passed on."""

from __future__ import annotations

from central_hub.admission import Admission
from central_hub.city import City
from central_hub.followers import Followers
from sync_protocol.crypto.certificate import fingerprint
from sync_protocol.errors import InvitationError, WrongWardError
from sync_protocol.identity import WardId
from sync_protocol.transport.carrier import Parcel
from sync_protocol.transport.http_contract import Incoming
from sync_protocol.wire import message as m
from sync_protocol.wire.enrol import read_application


class Reception:
    """Answers devices. Safe for threads."""

    def __init__(self, city: City, followers: Followers, ca_pem: bytes) -> None:
        """Attach to the city. `ca_pem` is the authority that devices pin."""
        self._city = city
        self._followers = followers
        self.admission = Admission()
        self.ca_pem = ca_pem
        self.ca_fingerprint = fingerprint(ca_pem)

    def sync(self, incoming: Incoming) -> Parcel:
        """Answer a sync request. Raises `PeerError` kinds and `BusyError`."""
        envelope = m.parse(incoming.envelope)
        with self.admission.place(envelope.ward):
            return self._answer(envelope, incoming)

    def _answer(self, envelope: m.Envelope, incoming: Incoming) -> Parcel:
        with self._city.visit(WardId(envelope.ward)) as office:
            before = office.contacts.entries_held()
            try:
                answer = office.responder.respond(incoming.envelope, incoming.payloads)
            finally:
                # A push that breaks off may have brought whole feeds before.
                if envelope.kind == m.Kind.PUSH:
                    self._followers.wake(office.ward.id)
            brought = office.contacts.entries_held() - before
            office.contacts.heard(envelope.sender, m.parse(answer.envelope).kind, brought)
            return Parcel(answer.envelope, answer.payloads, [len(p) for p in answer.payloads])

    def enrol(self, incoming: Incoming) -> Parcel:
        """Answer an application. Raises `PeerError` kinds and `BusyError`."""
        application = read_application(incoming.envelope, self._city.home.keys.public)
        with self.admission.place(application.ward):
            try:
                with self._city.visit(application.ward) as office:
                    return Parcel(office.registrar.admit(incoming.envelope))
            except WrongWardError as cause:
                raise InvitationError("This invitation is for a ward not known here.") from cause

    def health(self) -> dict[str, int | bool]:
        """Return figures about the hub as a whole, for a monitor: no names, no ids."""
        offices = self._city.offices_open()
        return {
            "ok": True,
            "wards": len(self._city.wards()),
            "wards_open": len(offices),
            "views_lag_entries": sum(office.replica.follower.lag() for office in offices),
            "refused_busy": self.admission.refused,
        }
