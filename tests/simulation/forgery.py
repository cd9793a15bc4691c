"""An enrolled device that lies: it relays feeds of others that it has changed."""

from __future__ import annotations

from random import Random

from sync_protocol.errors import PeerError, StorageError, TransportError
from sync_protocol.exchange.initiate import Initiator
from sync_protocol.identity import NO_OFFICER, FeedId
from sync_protocol.log.block import pack
from sync_protocol.log.entry import CHANGESET, Entry, Header
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.record.change import Changeset, encode_changeset
from sync_protocol.record.diff import create
from sync_protocol.replica import Replica
from sync_protocol.replica.holding import Chain
from sync_protocol.wire import message as m
from sync_protocol.wire.push import Push, Pushed, RangeItem
from tests.simulation.device import Device
from tests.simulation.network import Line
from tests.simulation.office import CASE


def forge(liar: Device, target: Device, line: Line, random: Random) -> str:
    """Push an entry that its feed's owner never wrote; return what the target made of it."""
    replica = liar.up
    victims = [
        chain
        for chain in replica.holding.chains.values()
        if chain.device != liar.keys.public and chain.row.head.seq and not chain.row.base_chain
    ]
    if not victims:
        return "nobody to imitate"
    chain = random.choice(victims)
    push, payload = _signed_by_the_liar(replica, chain, random)
    if random.random() < 0.5 and chain.row.head.seq > 1:
        push, payload = _altered(replica, chain, random)
    try:
        initiator = Initiator(replica, line, target.keys.public)
        answer, _ = initiator.ask(m.Kind.PUSH, push, [payload], Pushed)
    except (TransportError, PeerError, StorageError) as problem:
        return problem.code
    return ", ".join(code for _, code, _ in answer.refused) or "taken"


def _lie(random: Random) -> bytes:
    change = create(CASE, {"name": f"lie{random.randrange(10**6)}"})
    return random.randbytes(8) + encode_changeset(Changeset((change,)), b"", FeedId(b""))


def _range(chain: Chain, seq: int, before: bytes, entry: Entry) -> tuple[RangeItem, bytes]:
    packed = pack(seq, [entry])
    item = RangeItem(chain.feed, seq, 1, before[:16], len(packed), m.payload_digest(packed))
    return item, packed


def _signed_by_the_liar(replica: Replica, chain: Chain, random: Random) -> tuple[Push, bytes]:
    """One entry more, under a seal that the feed's device did not make."""
    head = chain.row.head
    entry = Entry.of(Header(1 << 60, NO_OFFICER, 1, CHANGESET), _lie(random))
    item, packed = _range(chain, head.seq + 1, head.hash, entry)
    after = entry.follow(head.hash)
    seal = encode_seal(make_seal(replica.keys.signing, chain.feed, head.seq + 1, after))
    return Push([chain.declared.raw], [seal], [item]), packed


def _altered(replica: Replica, chain: Chain, random: Random) -> tuple[Push, bytes]:
    """The newest entry with another body, under the feed's true seal."""
    head = chain.row.head
    before = replica.holding.hash_at(chain, head.seq - 1) or b""
    entry = next(e for _, e in replica.holding.entries(chain, head.seq, head.seq))
    body = _lie(random)
    item, packed = _range(chain, head.seq, before, Entry(entry.header, body, b""))
    return Push([chain.declared.raw], [chain.row.seal], [item]), packed
