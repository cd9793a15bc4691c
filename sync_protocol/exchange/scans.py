"""Scans travel after the text: chunk by chunk, resumable, each attachment receipted when whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from sync_protocol import limits
from sync_protocol.attachment import ADDRESS_BYTES, attachment_id
from sync_protocol.errors import BadSignatureError, LimitExceededError, MalformedMessageError
from sync_protocol.identity import AttachmentId, DeviceKey
from sync_protocol.replica.lodging import Lodging, promise
from sync_protocol.replica.receipts import try_take
from sync_protocol.replica.replica import Replica
from sync_protocol.wire.chunk import ChunksAnswer, ChunksGet, ChunksPut, ChunksWanted
from sync_protocol.wire.message import Body, Kind

B = TypeVar("B", bound=Body)

Scans = Sequence[tuple[AttachmentId, list[bytes]]]
Named = Sequence[tuple[bytes, list[bytes]]]
"""Scans as they go over the wire: the id that is stated, and the addresses of the chunks."""


class Ask(Protocol):
    """Send one request with payloads; return the answer's body and its payloads."""

    def __call__(
        self, kind: Kind, body: Body, payloads: Sequence[bytes], answer: type[B]
    ) -> tuple[B, Iterator[bytes]]:
        """Ask once."""


class Chunks:
    """The responder's half."""

    def __init__(self, replica: Replica) -> None:
        """Attach to a replica."""
        self._replica = replica
        self._lodging = Lodging(replica)
        self._turn = 0

    def lacking(self) -> list[tuple[bytes, list[bytes]]]:
        """Return some scans that we know of and do not hold whole, others at each call.

        A restored copy of this replica may have lost what its receipts spoke of; nobody else can
        know. So whoever comes and holds one of these brings it again.
        """
        waiting = sorted(self._replica.scans.waiting().items())
        first = self._turn * limits.SCANS_LACKING_SHOWN_MAX % max(len(waiting), 1)
        self._turn += 1
        shown = waiting[first : first + limits.SCANS_LACKING_SHOWN_MAX]
        return [(scan, chunks) for scan, chunks in shown if not self._replica.scans.holds(chunks)]

    def wanted(
        self, body: ChunksWanted, sender: DeviceKey
    ) -> tuple[Kind, ChunksAnswer, list[bytes]]:
        """Say which chunks are lacking, and which attachments are whole."""
        check_addresses(body.chunks)
        store = self._replica.rooms.chunks
        lacking = [address for address in body.chunks if not store.has(address)]
        return self._answer(lacking, body.attachments, sender)

    def put(
        self, body: ChunksPut, payloads: Iterator[bytes], sender: DeviceKey
    ) -> tuple[Kind, ChunksAnswer, list[bytes]]:
        """Store chunks as they arrive."""
        check_addresses(body.chunks)
        erased = self._replica.holding.roster.erased_chunks
        scan_of = {chunk: scan for scan, chunks in _true(body.attachments) for chunk in chunks}
        too_much: LimitExceededError | None = None
        for address in body.chunks:
            chunk = next(payloads, None)
            if chunk is None:
                raise MalformedMessageError("A chunk is missing.")
            if hashlib.sha256(chunk).digest() != address:
                raise BadSignatureError("A chunk is not the one that its message names.")
            if address in erased:
                continue
            try:
                scan = scan_of.get(address, AttachmentId(b""))
                self._lodging.take(address, chunk, sender, scan)
            except LimitExceededError as problem:
                too_much = problem  # those of named scans are taken in all the same
        if too_much is not None:
            raise too_much
        return self._answer([], body.attachments, sender)

    def get(self, body: ChunksGet) -> tuple[Kind, ChunksAnswer, list[bytes]]:
        """Send chunks, up to the asker's bound; at least one, if it is here."""
        check_addresses(body.chunks)
        found: list[bytes] = []
        payloads: list[bytes] = []
        size = 0
        bound = min(body.bytes_max, limits.EXCHANGE_PAYLOAD_BYTES_MAX)
        for address in body.chunks:
            chunk = self._replica.rooms.chunks.get(address)
            if chunk is not None and (not payloads or size + len(chunk) <= bound):
                found.append(address)
                payloads.append(chunk)
                size += len(chunk)
        answer = ChunksAnswer(found, [len(chunk) for chunk in payloads])
        return Kind.CHUNKS_ANSWER, answer, payloads

    def _answer(
        self,
        lacking: list[bytes],
        attachments: Sequence[tuple[bytes, list[bytes]]],
        sender: DeviceKey,
    ) -> tuple[Kind, ChunksAnswer, list[bytes]]:
        whole = []
        with self._replica.lock:  # what is promised does not go meanwhile
            for name, chunks in _true(attachments):
                if self._replica.scans.holds(chunks):
                    promise(self._replica, name, chunks)
                    whole.append(name)
        receipts = self._replica.receipts
        if self._replica.is_hub():
            self._replica.scans.done(whole)
        receipt = self._replica.receipt(whole) if whole else b""
        relayed = receipts.relayed_scans([AttachmentId(name) for name, _ in attachments], sender)
        return Kind.CHUNKS_ANSWER, ChunksAnswer(lacking, [], receipt, relayed), []


def _true(attachments: Scans | Sequence[tuple[bytes, list[bytes]]]) -> Scans:
    """Return those, within the bound, that are what their ids say."""
    bounded = attachments[: limits.PAYLOADS_PER_MESSAGE_MAX]
    return [(AttachmentId(name), parts) for name, parts in bounded if attachment_id(parts) == name]


def check_addresses(chunks: Sequence[bytes]) -> None:
    """Check a list of chunk addresses. Raises `PeerError` kinds."""
    if len(chunks) > limits.PAYLOADS_PER_MESSAGE_MAX:
        raise LimitExceededError("More chunks are named than the bound allows.")
    if any(len(address) != ADDRESS_BYTES for address in chunks):
        raise MalformedMessageError("A chunk's address has 32 bytes.")


class ScanCourier:
    """The initiator's half: brings what the peer lacks, fetches what we lack, keeps receipts."""

    def __init__(self, replica: Replica, ask: Ask) -> None:
        """Attach to a replica; `ask` sends one signed request and returns the checked answer."""
        self._replica = replica
        self._ask = ask
        self.chunks_sent = 0
        self.chunks_received = 0

    def run(self, *, fetch: bool) -> None:
        """Move every waiting scan as far as this peer allows."""
        waiting = list(self._replica.scans.waiting().items())
        step = 64
        for start in range(0, len(waiting), step):
            group = waiting[start : start + step]
            lacking = self._state(group, [])
            self._bring(group, lacking)
            if fetch:
                self._fetch([address for _, chunks in group for address in chunks])
            settle(self._replica, group)

    def offer_again(self, lacking: Named, peer: DeviceKey) -> None:
        """Queue what the peer says it lacks and we hold whole; its receipt for it is void."""
        if len(lacking) > limits.SCANS_LACKING_SHOWN_MAX:
            raise LimitExceededError("More scans are named than the bound allows.")
        for name, chunks in lacking:
            scan = AttachmentId(name)
            if attachment_id(chunks) == scan and self._replica.scans.holds(chunks):
                self._replica.scans.again(scan, chunks, peer)

    def _state(self, group: Scans, chunks: list[bytes]) -> list[bytes]:
        mine = [a for _, items in group for a in items if self._replica.rooms.chunks.has(a)]
        wanted = chunks or mine
        found: list[bytes] = []
        step = limits.PAYLOADS_PER_MESSAGE_MAX
        for start in range(0, max(len(wanted), 1), step):
            body = ChunksWanted(wanted[start : start + step], _named(group) if not start else [])
            answer = self._answer(Kind.CHUNKS_WANTED, body, [])
            found.extend(answer.chunks)
        return found

    def _bring(self, group: Scans, lacking: list[bytes]) -> None:
        batch: list[bytes] = []
        size = 0
        for address in lacking:
            chunk = self._replica.rooms.chunks.get(address)
            if chunk is None:
                continue
            batch.append(chunk)
            size += len(chunk)
            if size >= limits.EXCHANGE_PAYLOAD_BYTES_MAX // 2:
                self._put(group, batch)
                batch, size = [], 0
        if batch:
            self._put(group, batch)

    def _put(self, group: Scans, batch: list[bytes]) -> None:
        addresses = [hashlib.sha256(chunk).digest() for chunk in batch]
        body = ChunksPut(addresses, [len(chunk) for chunk in batch], _named(group))
        self._answer(Kind.CHUNKS_PUT, body, batch)
        self.chunks_sent += len(batch)

    def _answer(
        self, kind: Kind, body: ChunksWanted | ChunksPut, batch: list[bytes]
    ) -> ChunksAnswer:
        answer, rest = self._ask(kind, body, batch, ChunksAnswer)
        for _ in rest:
            raise MalformedMessageError("An answer brings payloads that nobody asked for.")
        for raw in [answer.receipt, *answer.relayed]:
            if raw:
                with self._replica.lock:
                    try_take(self._replica.receipts, raw)
        return answer

    def _fetch(self, wanted: list[bytes]) -> None:
        store = self._replica.rooms.chunks
        wanted = [address for address in wanted if not store.has(address)]
        while wanted:
            part = wanted[: limits.PAYLOADS_PER_MESSAGE_MAX]
            body = ChunksGet(part, limits.EXCHANGE_PAYLOAD_BYTES_MAX // 2)
            answer, payloads = self._ask(Kind.CHUNKS_GET, body, [], ChunksAnswer)
            for address, chunk in zip(answer.chunks, payloads, strict=True):
                if address not in part:
                    raise MalformedMessageError("A chunk came that nobody asked for.")
                store.put(address, chunk)
                self.chunks_received += 1
            if not answer.chunks:
                return  # the peer lacks them as well: another time
            wanted = [address for address in wanted if not store.has(address)]


def settle(replica: Replica, group: Scans) -> None:
    """Let those scans wait no more that are whole here and, by a receipt, at the hub."""
    replica.scans.done(
        [
            scan
            for scan, chunks in group
            if replica.scans.holds(chunks) and replica.receipts.scan_safety(scan).hub
        ]
    )


def _named(group: Scans) -> list[tuple[bytes, list[bytes]]]:
    return [(bytes(scan), chunks) for scan, chunks in group]
