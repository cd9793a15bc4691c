"""Answer one message. The same for edge and hub; a Flask face around it has thirty lines.

Deny by default: the sender must hold a grant in this ward, and every kind of request names who may
make it. A revoked device may still push, since what it wrote before its revocation is somebody's
dossier; it is told nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sync_protocol import limits
from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import (
    BadSignatureError,
    FeedGapError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    WrongWardError,
)
from sync_protocol.exchange import audit
from sync_protocol.exchange.offer import gather
from sync_protocol.exchange.scans import Chunks
from sync_protocol.exchange.shelf import Shelf
from sync_protocol.identity import DeviceId, DeviceKey, FeedId
from sync_protocol.log.entry import Mark
from sync_protocol.log.feed import mark
from sync_protocol.log.frontier import check_frontier
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.ingest import Offer
from sync_protocol.replica.receipts import BACKED_UP_NOTE, try_take
from sync_protocol.replica.replica import Replica
from sync_protocol.wire import message as m
from sync_protocol.wire.chunk import ChunksGet, ChunksPut, ChunksWanted
from sync_protocol.wire.health import Health, Thanks
from sync_protocol.wire.hello import Frontier, Hello, Same, receipts_name
from sync_protocol.wire.pull import Pull, Pulled, Want
from sync_protocol.wire.push import Push, Pushed, RangeItem
from sync_protocol.wire.snapshot import AuditAsk, SnapshotAsk

REVOKED_MAY = frozenset({m.Kind.HELLO, m.Kind.PUSH, m.Kind.CHUNKS_WANTED, m.Kind.CHUNKS_PUT})


@dataclass(slots=True)
class Nonces:
    """The newest nonce given to each device, for as many devices as the bound allows."""

    _newest: OrderedDict[tuple[bytes, DeviceId], bytes] = field(default_factory=OrderedDict)

    def fresh(self, ward: bytes, device: DeviceId) -> bytes:
        """Give a device its next nonce."""
        nonce = random_bytes(m.NONCE_BYTES)
        self._newest[ward, device] = nonce
        self._newest.move_to_end((ward, device))
        while len(self._newest) > limits.NONCES_KEPT_MAX:
            self._newest.popitem(last=False)
        return nonce

    def is_newest(self, ward: bytes, device: DeviceId, nonce: bytes) -> bool:
        """Whether this is the nonce that the device was given last."""
        return bool(nonce) and self._newest.get((ward, device)) == nonce


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply's envelope and its payloads. `news`: entries came in that views have not folded."""

    envelope: bytes
    payloads: list[bytes]
    news: bool = False


@dataclass(slots=True)
class Draft:
    """A reply before it is signed."""

    kind: m.Kind
    body: m.Body
    payloads: list[bytes] = field(default_factory=list)
    news: bool = False


class Responder:
    """Answers for one replica. `on_health` takes what devices say of themselves."""

    def __init__(
        self,
        replica: Replica,
        nonces: Nonces,
        on_health: Callable[[DeviceKey, dict[str, int | str]], None] = lambda _key, _figures: None,
    ) -> None:
        """Attach to a replica; `nonces` may be shared by many."""
        self.replica = replica
        self._nonces = nonces
        self._on_health = on_health
        self._chunks = Chunks(replica)
        self._told: dict[DeviceKey, bytes] = {}
        self._shelf = Shelf()

    def respond(self, raw: bytes, payloads: Iterable[bytes]) -> Answer:
        """Answer one request.

        Raises `PeerError` kinds where not even a signed answer is due; what goes wrong behind the
        door is answered as REFUSED.
        """
        envelope = m.parse(raw)
        sender = self._admit(envelope, raw)
        if not self._nonces.is_newest(envelope.ward, envelope.sender, envelope.nonce):
            draft = Draft(m.Kind.CHALLENGE, m.Challenge(self.replica.character.wall()))
        else:
            try:
                draft = self._dispatch(envelope, sender, iter(payloads))
            except PeerError as problem:
                draft = Draft(m.Kind.REFUSED, m.Refused(problem.code, problem.diagnosis))
        nonce = self._nonces.fresh(envelope.ward, envelope.sender)
        key = self.replica.keys.signing
        reply = m.write_reply(key, raw, draft.kind, nonce, draft.body)
        return Answer(reply, draft.payloads, draft.news)

    def _admit(self, envelope: m.Envelope, raw: bytes) -> DeviceKey:
        if envelope.ward != self.replica.holding.ward:
            raise WrongWardError("This message is for another ward.")
        sender = self.replica.holding.roster.by_id.get(envelope.sender)
        if sender is None:
            raise NotAdmittedError(
                "This device is not enrolled here. Nothing was taken in; "
                "what it holds is safe on it."
            )
        m.check_request(raw, sender, self.replica.keys.public)
        return sender

    def _dispatch(
        self, envelope: m.Envelope, sender: DeviceKey, payloads: Iterator[bytes]
    ) -> Draft:
        roster = self.replica.holding.roster
        if roster.revoked(sender) is not None and envelope.kind not in REVOKED_MAY:
            raise NotAdmittedError(
                "This device was revoked. What it held unsent is kept for review; "
                "it reads nothing.",
                reason="revoked",
            )
        match envelope.kind:
            case m.Kind.HELLO:
                return self._hello(m.decode_body(envelope, Hello), sender)
            case m.Kind.PUSH:
                return self._push(m.decode_body(envelope, Push), sender, payloads)
            case m.Kind.PULL:
                return self._pull(m.decode_body(envelope, Pull))
            case m.Kind.CHUNKS_WANTED:
                return Draft(*self._chunks.wanted(m.decode_body(envelope, ChunksWanted), sender))
            case m.Kind.CHUNKS_PUT:
                body = m.decode_body(envelope, ChunksPut)
                return Draft(*self._chunks.put(body, payloads, sender))
            case m.Kind.CHUNKS_GET:
                return Draft(*self._chunks.get(m.decode_body(envelope, ChunksGet)))
            case m.Kind.SNAPSHOT:
                ask = m.decode_body(envelope, SnapshotAsk)
                answer, chunks = self._shelf.answer(self.replica, ask, sender)
                return Draft(m.Kind.SNAPSHOT_ANSWER, answer, chunks)
            case m.Kind.AUDIT:
                compared = audit.answer(self.replica, m.decode_body(envelope, AuditAsk))
                return Draft(m.Kind.AUDITED, compared)
            case m.Kind.HEALTH:
                self._on_health(sender, m.decode_body(envelope, Health).figures)
                return Draft(m.Kind.THANKS, Thanks(self.replica.character.wall()))
        raise MalformedMessageError("A request of a kind that is not known here.")

    # --- hello ------------------------------------------------------------------------------------

    def _hello(self, hello: Hello, sender: DeviceKey) -> Draft:
        holding = self.replica.holding
        now = self.replica.character.wall()
        revoke = holding.roster.revoked(sender)
        backed_up = self.replica.rooms.log.note(BACKED_UP_NOTE) or b""
        is_told = self._told.get(sender, b"") == backed_up
        same = bool(hello.root) and hello.root == holding.frontier_root()
        if revoke is None and same and is_told:
            incarnation = self.replica.own.declared.declaration.incarnation
            name = receipts_name(self.replica.receipts.relayed(sender))
            return Draft(m.Kind.SAME, Same(incarnation, now, name, self._chunks.lacking()))
        relayed = self.replica.receipts.relayed(sender)
        purged = [
            mark(chain.feed, chain.row.floor)
            for chain in holding.chains.values()
            if chain.row.floor.seq > chain.row.base_seq
        ]
        self._told[sender] = backed_up
        standing = f"revoked-{revoke.reason}" if revoke is not None else ""
        body = Frontier(
            self.replica.receipt(),
            staged(self.replica),
            relayed,
            purged,
            now,
            standing,
            self._chunks.lacking() if revoke is None else [],
        )
        return Draft(m.Kind.FRONTIER, body)

    # --- push -------------------------------------------------------------------------------------

    def _push(self, push: Push, sender: DeviceKey, payloads: Iterator[bytes]) -> Draft:
        refused = take_in(self.replica, push, payloads, sender)
        for raw in push.receipts:
            with self.replica.lock:
                try_take(self.replica.receipts, raw)
        named = list(refused.items())[: limits.PAYLOADS_PER_MESSAGE_MAX]
        rows = [(bytes(feed), error.code, error.diagnosis) for feed, error in named]
        body = Pushed(
            self.replica.receipt(),
            staged(self.replica),
            rows,
            self.replica.receipts.relayed(sender),
        )
        return Draft(m.Kind.PUSHED, body, news=True)

    # --- pull -------------------------------------------------------------------------------------

    def _pull(self, pull: Pull) -> Draft:
        if len(pull.wants) > limits.FEEDS_PER_WARD_MAX:
            raise LimitExceededError("More heads are wanted than the bound allows.")
        jobs = []
        for want in pull.wants:
            check_frontier([want.target, *want.locator])
            chain = self.replica.holding.find(want.target)
            if chain is not None:
                jobs.append((chain, self._start(chain, want)))
        bytes_max = min(max(pull.bytes_max, 1), limits.EXCHANGE_PAYLOAD_BYTES_MAX)
        alone = {chain.feed for chain, _ in jobs} if pull.alone else ()
        parts = gather(self.replica.holding, jobs, bytes_max, alone)
        body = Pulled(parts.declarations, parts.seals, parts.ranges, parts.more)
        return Draft(m.Kind.PULLED, body, parts.payloads)

    def _start(self, chain: Chain, want: Want) -> int:
        """Return the newest seq on the wanted chain that the asker holds, too."""
        for known in want.locator:
            on_chain = known.seq <= chain.row.head.seq
            if on_chain and self.replica.holding.short_hash_at(chain, known.seq) == known.hash:
                return known.seq
        if self.replica.holding.purged_through(chain):
            raise FeedGapError("Those entries are not held here any more: take a snapshot.")
        return 0


def staged(replica: Replica) -> list[Mark]:
    """Return how far feeds came whose seal has not: where an interrupted push goes on."""
    chains = replica.holding.chains.values()
    return [mark(c.feed, c.row.staged) for c in chains if c.row.staged.seq > c.row.head.seq]


def take_in(
    replica: Replica,
    push: Push | Pulled,
    payloads: Iterator[bytes],
    by: DeviceKey | None = None,
) -> dict[FeedId, PeerError]:
    """Take in what a push `by` somebody, or an answer we asked for, brings, payload by payload.

    The lock is held for each payload, not while waiting for the next: a slow line stops nobody.
    """
    if len(push.ranges) > limits.PAYLOADS_PER_MESSAGE_MAX:
        raise LimitExceededError("A message brings more payloads than its bound.")
    with replica.lock:
        intake = replica.intake(push.declarations, push.seals, by)
    try:
        for item in push.ranges:
            packed = read_payload(payloads, item)
            with replica.lock:
                intake.take(Offer(FeedId(item.feed), item.first, item.before, packed))
    finally:
        with replica.lock:
            admission = replica.after(intake.finish())
    return admission.refused


def read_payload(payloads: Iterator[bytes], item: RangeItem) -> bytes:
    """Return the next payload if it is the one that the envelope names."""
    packed = next(payloads, None)
    if packed is None:
        raise MalformedMessageError("A payload is missing.")
    if len(packed) != item.size or m.payload_digest(packed) != item.digest:
        raise BadSignatureError("A payload is not the one that its message names.")
    return packed
