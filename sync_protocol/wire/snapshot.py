"""SNAPSHOT → SNAPSHOT_ANSWER: a new or long absent tablet starts from state, not from history.

A snapshot is a signed manifest, and chunks named by the SHA-256 of their bytes: a **preface**
(where each feed goes on), and records with their siblings, dots and dead dots, sorted by id, so
that chunks of old records stay the same from one snapshot to the next. It carries no trust beyond
its signer's; control feeds, and feeds that forked, are pulled whole: as entries, which prove
themselves. Single records are given to a tablet that let go of them, at equal frontiers only.
A chunk is zstd over MessagePack:

    preface    [starts, held]
    records    [first 6 bytes of each id, the other 10, [state, …], [[index, pending], …]]

AUDIT → AUDITED: the 256 bucket sums of record states at a frontier, compared now and then. A
mismatch is an alarm and a rebuild from the log on both sides; the other's sums are never adopted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.crypto import signature
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import compress, decode, decompress, encode
from sync_protocol.errors import BadSignatureError, LimitExceededError, MalformedMessageError
from sync_protocol.identity import ID_BYTES, DeviceKey, RecordId, WardId
from sync_protocol.log.entry import HASH_BYTES
from sync_protocol.wire.message import Body, encode_body

ADDRESS_BYTES = 32
BUCKETS = 256
SUM_BYTES = 16
LEVEL = 9
_TIME_BYTES = 6


class SnapshotAsk(Body, frozen=True):
    """Ask for the newest manifest (no chunks), for chunks of it by address, or for `records`.

    Records are given at equal frontiers only: `root` is that of the asker's.
    """

    chunks: list[bytes] = []
    records: list[bytes] = []
    root: bytes = b""


class Start(Body, frozen=True):
    """Where one chain goes on: its declaration, its last folded seq and the 32-byte hash there.

    `seal` is there where that is the sealed head. `whole`: pull it as entries; only the position of
    the fold is taken from here. `seen` are [index of another start, seq] that its writer had
    folded. `control` are its control entries so far, as [seq, header, body] (nothing, if erased).
    """

    declaration: bytes
    seq: int
    hash: bytes
    seal: bytes
    whole: bool
    seen: list[tuple[int, int]] = []
    control: list[tuple[int, bytes, bytes]] = []


class Quarantined(Body, frozen=True):
    """An entry held back: index of its start, seq, reason, and the records it speaks of."""

    start: int
    seq: int
    reason: str
    records: list[bytes]


class Preface(Body, frozen=True):
    """What a snapshot says before its records."""

    starts: list[Start]
    held: list[Quarantined]


class Manifest(Body, frozen=True):
    """What a snapshot holds: the addresses of its preface and of its chunks of records."""

    signer: DeviceKey
    ward: WardId
    schema: int
    merge_version: int
    time: int
    preface: bytes
    chunks: list[bytes]
    records: int


class SnapshotAnswer(Body, frozen=True):
    """The manifest (empty: take the entries instead), or which chunks follow as payloads."""

    manifest: bytes = b""
    chunks: list[bytes] = []


class AuditAsk(Body, frozen=True):
    """The sender's bucket sums (256 x 16 bytes) at `root`, its frontier, under `merge_version`."""

    root: bytes
    merge_version: int
    sums: bytes


class Audited(Body, frozen=True):
    """Buckets that differ; empty where all agree. `comparable` is False at unequal frontiers."""

    comparable: bool
    differing: list[int]


class Row(NamedTuple):
    """One record as a chunk carries it: its canonical state, and what waits to be dropped."""

    id: RecordId
    state: bytes
    pending: bytes


def address_of(chunk: bytes) -> bytes:
    """Return the name of a chunk."""
    return hashlib.sha256(chunk).digest()


def check_chunk(address: bytes, chunk: bytes) -> None:
    """Check that a chunk is the one asked for. Raises `BadSignatureError`."""
    if address_of(chunk) != address:
        raise BadSignatureError("A chunk of a snapshot is not what its name says.")


def write_manifest(key: SigningKey, manifest: Manifest) -> bytes:
    """Sign a manifest."""
    body = encode_body(manifest)
    return signature.sign(key, signature.SNAPSHOT, body) + body


def read_manifest(raw: bytes) -> Manifest:
    """Read a manifest and check its signature. Raises `PeerError` kinds only."""
    body = raw[signature.SIGNATURE_BYTES :]
    manifest = decode(body, Manifest)
    signature.check(manifest.signer, raw[: signature.SIGNATURE_BYTES], signature.SNAPSHOT, body)
    if len(manifest.chunks) > limits.SNAPSHOT_CHUNKS_MAX:
        raise LimitExceededError("A snapshot has more chunks than its bound.")
    if any(len(item) != ADDRESS_BYTES for item in (manifest.preface, *manifest.chunks)):
        raise MalformedMessageError("A snapshot's manifest is out of shape.")
    return manifest


def write_preface(preface: Preface) -> bytes:
    """Return the chunk of a preface."""
    return compress(encode_body(preface), LEVEL)


def read_preface(chunk: bytes) -> Preface:
    """Read a preface. Raises `PeerError` kinds only."""
    preface = decode(decompress(chunk, limits.SNAPSHOT_CHUNK_BYTES_MAX), Preface)
    count = len(preface.starts)
    shaped = all(
        start.seq > 0
        and len(start.hash) == HASH_BYTES
        and all(0 <= other < count and seq > 0 for other, seq in start.seen)
        for start in preface.starts
    )
    if count > limits.FEEDS_PER_WARD_MAX:
        raise LimitExceededError("A snapshot names more feeds than its bound.")
    if not shaped or any(not 0 <= item.start < count for item in preface.held):
        raise MalformedMessageError("A snapshot's preface is out of shape.")
    return preface


def write_rows(rows: Sequence[Row]) -> bytes:
    """Return the chunk of some records, which come sorted by id."""
    times = b"".join(row.id[:_TIME_BYTES] for row in rows)
    rest = b"".join(row.id[_TIME_BYTES:] for row in rows)
    pending = [[index, row.pending] for index, row in enumerate(rows) if row.pending]
    return compress(encode([times, rest, [row.state for row in rows], pending]), LEVEL)


def read_rows(chunk: bytes) -> list[Row]:
    """Read the records of a chunk. Raises `PeerError` kinds only."""
    raw = decompress(chunk, limits.SNAPSHOT_CHUNK_BYTES_MAX)
    times, rest, states, waiting = decode(
        raw, tuple[bytes, bytes, list[bytes], list[tuple[int, bytes]]]
    )
    tail = ID_BYTES - _TIME_BYTES
    if (len(times), len(rest)) != (_TIME_BYTES * len(states), tail * len(states)):
        raise MalformedMessageError("A chunk of a snapshot is out of shape.")
    pending = dict(waiting)
    return [
        Row(
            RecordId(
                times[_TIME_BYTES * index : _TIME_BYTES * (index + 1)]
                + rest[tail * index : tail * (index + 1)]
            ),
            state,
            pending.get(index, b""),
        )
        for index, state in enumerate(states)
    ]


def bucket_of(record: RecordId) -> int:
    """Return the bucket in which a record is audited."""
    return hashlib.sha256(b"motcua/bucket/1" + record).digest()[0]


def state_hash(record: RecordId, digest: bytes) -> int:
    """Return what a record adds to its bucket's sum, given the SHA-256 of its state."""
    total = hashlib.sha256(b"motcua/audit/1" + record + digest).digest()
    return int.from_bytes(total[:SUM_BYTES], "big")


def differing(ours: bytes, theirs: bytes) -> list[int]:
    """Return the buckets in which two sums differ. Raises `MalformedMessageError`."""
    if len(theirs) != BUCKETS * SUM_BYTES:
        raise MalformedMessageError("Audit sums are out of shape.")
    parts = range(0, BUCKETS * SUM_BYTES, SUM_BYTES)
    return [
        at // SUM_BYTES for at in parts if ours[at : at + SUM_BYTES] != theirs[at : at + SUM_BYTES]
    ]
