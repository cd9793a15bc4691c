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
                if self._replica.has_scan(chunks):
                    promise(self._replica, name, chunks)
                    whole.append(name)
        receipts = self._replica.receipts
        if self._replica.is_hub():
            for scan in whole:
                self._replica.scan_done(scan)
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
        waiting = list(self._replica.scans_waiting().items())
        step = 64
        for start in range(0, len(waiting), step):
            group = waiting[start : start + step]
            lacking = self._state(group, [])
            self._bring(group, lacking)
            if fetch:
                self._fetch([address for _, chunks in group for address in chunks])
            self._settle(group)

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

    def _settle(self, group: Scans) -> None:
        for scan, chunks in group:
            if self._replica.has_scan(chunks) and self._replica.receipts.scan_safety(scan).hub:
                self._replica.scan_done(scan)


def _named(group: Scans) -> list[tuple[bytes, list[bytes]]]:
    return [(bytes(scan), chunks) for scan, chunks in group]
