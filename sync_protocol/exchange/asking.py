"""Ask a peer one thing: sign, send, check the answer; one challenge is met by signing again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sync_protocol.errors import (
    BadSignatureError,
    MalformedMessageError,
    PeerError,
    StaleNonceError,
    SyncError,
    WrongPeerError,
)
from sync_protocol.identity import DeviceKey
from sync_protocol.replica.replica import Replica
from sync_protocol.transport.carrier import Carrier, Parcel
from sync_protocol.wire import message as m

B = TypeVar("B", bound=m.Body)
_NONCE = "nonce:"


class Asker:
    """The initiator's mouth: one peer over one carrier, with the nonce that it gave last."""

    def __init__(self, replica: Replica, carrier: Carrier, peer: DeviceKey) -> None:
        """`peer` is the key that must answer."""
        self._replica = replica
        self._carrier = carrier
        self._peer = peer
        self._nonce = replica.rooms.log.note(_NONCE + peer.hex()) or b""

    def ask(
        self, kind: m.Kind, body: m.Body, payloads: Sequence[bytes], answer: type[B]
    ) -> tuple[B, Iterator[bytes]]:
        """Send one request; return the answer's body and its payloads as they arrive."""
        envelope, rest = self.request(kind, body, payloads)
        expected = _ANSWERS[kind]
        if envelope.kind not in expected:
            raise MalformedMessageError("An answer is of the wrong kind.", kind=envelope.kind)
        return m.decode_body(envelope, answer), rest

    def request(
        self, kind: m.Kind, body: m.Body, payloads: Sequence[bytes]
    ) -> tuple[m.Envelope, Iterator[bytes]]:
        """Send one request; return the answer as it is, of whatever kind. Raises what refuses."""
        for _ in range(3):  # a challenge is answered once; a second one means somebody else spoke
            envelope, rest = self._send(kind, body, payloads)
            if envelope.kind == m.Kind.CHALLENGE:
                continue
            if envelope.kind == m.Kind.REFUSED:
                refusal = m.decode_body(envelope, m.Refused)
                raise peer_error(refusal.code, refusal.diagnosis)
            return envelope, rest
        raise StaleNonceError("The other side keeps asking for a new nonce; try again later.")

    def _send(
        self, kind: m.Kind, body: m.Body, payloads: Sequence[bytes]
    ) -> tuple[m.Envelope, Iterator[bytes]]:
        replica = self._replica
        raw = m.write_request(
            replica.keys.signing, self._peer, kind, replica.holding.ward, self._nonce, body
        )
        # The server checks the nonce before it reads payloads; without one none are sent.
        sizes = [len(item) for item in payloads]
        reply = self._carrier.ask(
            Parcel(raw, payloads if self._nonce else [], sizes if self._nonce else [])
        )
        try:
            envelope = m.read_reply(reply.envelope, raw, self._peer)
        except BadSignatureError as cause:
            reply.close()
            raise WrongPeerError(
                "Somebody else answers at this address than the one this device was enrolled with. "
                "Nothing was sent on; ask the administrator."
            ) from cause
        except SyncError:
            reply.close()
            raise
        self._nonce = envelope.nonce
        return envelope, reply.payloads

    def save_nonce(self) -> None:
        """Keep the newest nonce, so that the next exchange needs no challenge."""
        key = _NONCE + self._peer.hex()
        store = self._replica.rooms.log
        with self._replica.lock:
            if store.note(key) != self._nonce:
                with store.transaction(durable=False):
                    store.put_note(key, self._nonce)


def peer_error(code: str, sentence: str) -> PeerError:
    """Return the error that a peer named by its code."""
    kinds = {kind.code: kind for kind in _all_kinds(PeerError)}
    return kinds.get(code, PeerError)(sentence)


def _all_kinds(kind: type[PeerError]) -> Iterator[type[PeerError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _all_kinds(child)


_ANSWERS: dict[m.Kind, tuple[m.Kind, ...]] = {
    m.Kind.PUSH: (m.Kind.PUSHED,),
    m.Kind.PULL: (m.Kind.PULLED,),
    m.Kind.CHUNKS_WANTED: (m.Kind.CHUNKS_ANSWER,),
    m.Kind.CHUNKS_PUT: (m.Kind.CHUNKS_ANSWER,),
    m.Kind.CHUNKS_GET: (m.Kind.CHUNKS_ANSWER,),
    m.Kind.SNAPSHOT: (m.Kind.SNAPSHOT_ANSWER,),
    m.Kind.AUDIT: (m.Kind.AUDITED,),
    m.Kind.HEALTH: (m.Kind.THANKS,),
}
