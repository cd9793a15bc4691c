"""A tablet's first push: what is sent and answered, byte for byte, by our own responder."""

from __future__ import annotations

import itertools
from unittest.mock import patch

from sync_protocol.encoding import decode
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import DeviceId
from sync_protocol.log import block
from sync_protocol.log.entry import Mark
from sync_protocol.replica import Offer
from sync_protocol.transport.carrier import Parcel
from sync_protocol.transport.http_contract import write_parcel
from sync_protocol.wire import message as m
from sync_protocol.wire.hello import Frontier, Hello
from sync_protocol.wire.pull import Pull, Want
from sync_protocol.wire.push import Push
from sync_protocol.wire.receipt import read_receipt
from tests.vector import builder as v
from tests.vector import cases


class FixedNonces(Nonces):
    """Nonces that can be foretold; for vectors only."""

    def __init__(self) -> None:
        super().__init__()
        self._count = itertools.count()

    def fresh(self, ward: bytes, device: DeviceId) -> bytes:
        nonce = v.seed(f"road nonce {next(self._count)}", 16)
        self._newest[ward, device] = nonce
        return nonce


class Walk:
    """The tablet's side by hand, the hub's by our responder."""

    def __init__(self) -> None:
        self.hub = cases.a_replica(v.HUB)
        feed = v.hub_feed()
        offer = Offer(feed.id, 1, feed.declared.start.hash[:16], feed.packed())
        self.hub.ingest([feed.declared.raw], [feed.seal], [offer])
        self.responder = Responder(self.hub, FixedNonces())
        self.nonce = b""
        self.steps: list[v.Vector] = []

    def ask(self, name: str, kind: m.Kind, body: m.Body, payloads: list[bytes]) -> m.Envelope:
        request = m.write_request(v.TABLET.signing, v.HUB.public, kind, v.WARD, self.nonce, body)
        with patch.object(block, "compress", v.stored_frame):
            answer = self.responder.respond(request, payloads)
        reply = m.read_reply(answer.envelope, request, v.HUB.public)
        self.nonce = reply.nonce
        self.steps.append(
            {
                "name": name,
                "request": _parcel(request, payloads),
                "reply": _parcel(answer.envelope, answer.payloads),
                "reply_kind": reply.kind,
            }
        )
        return reply


def _parcel(envelope: bytes, payloads: list[bytes]) -> bytes:
    return b"".join(write_parcel(Parcel(envelope, payloads, [len(item) for item in payloads])))


def road() -> list[v.Vector]:
    """Return the steps; those with "shown" stand in PROTOCOL.md."""
    walk = Walk()
    walk.ask("A greeting without a nonce", m.Kind.HELLO, Hello(b"", v.MS), [])
    reply = walk.ask("The greeting", m.Kind.HELLO, Hello(b"", v.MS), [])
    theirs = read_receipt(decode(reply.body, Frontier).receipt).frontier
    wants = [Want(item) for item in theirs if item.seq]
    walk.ask("A pull", m.Kind.PULL, Pull(wants, 8 << 20), [])
    feed = cases.tablet_feed()
    packed = feed.packed()
    push = Push([feed.declared.raw], [feed.seal], [feed.item(packed)])
    walk.ask("The push", m.Kind.PUSH, push, [packed])
    return [*_parts(feed, packed), *walk.steps, _envelope(walk.steps[-1])]


def _parts(feed: v.Feed, packed: bytes) -> list[v.Vector]:
    entry = feed.entries[0]
    control: Mark = v.hub_feed().mark
    return [
        {
            "name": "The feed is declared",
            "shown": "Signature, then `[device, agreement, ward, incarnation, nil]` (3.1).",
            "hex": {"declaration": feed.declared.raw, "feed id": feed.id},
        },
        {
            "name": "The entry",
            "shown": "Its header is `[timestamp, officer, schema, kind, context]` (3.5), the "
            f"context names the control feed at {control.seq}; its body is the salt and "
            "`[feeds, records]` (5.1).",
            "hex": {
                "header": entry.header,
                "body": entry.body,
                "body hash": entry.body_hash,
                "chain hash C(0)": feed.declared.start.hash,
                "chain hash C(1)": feed.head.hash,
            },
        },
        {
            "name": "The seal",
            "shown": "It signs feed, seq and C(1) (3.11).",
            "hex": {"seal": feed.seal},
        },
        {
            "name": "The payload",
            "shown": "`01` and a zstd frame; here a stored one, so that the raw form "
            "`[1, [header], salts, [body], []]` can be read in it (4.2).",
            "hex": {"packed": packed},
        },
    ]


def _envelope(step: v.Vector) -> v.Vector:
    return {
        "name": "The parcels",
        "shown": "PUSH as it is posted: length, envelope, length, payload (14.4). And the answer, "
        "PUSHED, with the hub's receipt in it.",
        "hex": {"request": step["request"], "reply": step["reply"]},
    }
