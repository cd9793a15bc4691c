"""SNAPSHOT → SNAPSHOT_ANSWER: a new or long absent tablet starts from state, not from history.

A snapshot is a signed manifest and content-addressed chunks of records, each with its siblings,
dots and dead dots. With it come the frontier with hashes, from which entries go on, and the whole
control feeds (which are pulled as entries and never start from a snapshot). It carries no trust
beyond its signer's.

AUDIT → AUDITED: the 256 bucket sums of record states at a frontier, compared now and then. A
mismatch is an alarm and a rebuild from the log; the other's sums are never adopted.
"""

from __future__ import annotations

from sync_protocol.crypto import signature
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import decode
from sync_protocol.identity import DeviceKey, WardId
from sync_protocol.log.entry import Mark
from sync_protocol.log.frontier import check_frontier
from sync_protocol.wire.message import Body, encode_body


class SnapshotAsk(Body, frozen=True):
    """Ask for the newest manifest (no chunks), or for chunks of it by address."""

    chunks: list[bytes] = []


class Start(Body, frozen=True):
    """Where one feed goes on after the snapshot.

    Its declaration, its full 32-byte head hash, and the control heads its writer had seen so far.
    """

    declaration: bytes
    seq: int
    hash: bytes
    seal: bytes
    seen: list[Mark] = []


class Manifest(Body, frozen=True):
    """What a snapshot holds: chunk addresses (SHA-256), and where each feed goes on."""

    signer: DeviceKey
    ward: WardId
    schema: int
    merge_version: int
    time: int
    starts: list[Start]
    chunks: list[bytes]
    records: int


class SnapshotAnswer(Body, frozen=True):
    """The manifest, or the sizes of the chunks that follow as payloads."""

    manifest: bytes = b""
    sizes: list[int] = []


class AuditAsk(Body, frozen=True):
    """The sender's bucket sums (256 x 16 bytes) at `frontier` root under `merge_version`."""

    root: bytes
    merge_version: int
    sums: bytes


class Audited(Body, frozen=True):
    """Buckets that differ; empty where all agree. `comparable` is False at unequal frontiers."""

    comparable: bool
    differing: list[int]


def write_manifest(key: SigningKey, manifest: Manifest) -> bytes:
    """Sign a manifest."""
    body = encode_body(manifest)
    return signature.sign(key, signature.SNAPSHOT, body) + body


def read_manifest(raw: bytes) -> Manifest:
    """Read a manifest and check its signature. Raises `PeerError` kinds only."""
    body = raw[signature.SIGNATURE_BYTES :]
    manifest = decode(body, Manifest)
    signature.check(manifest.signer, raw[: signature.SIGNATURE_BYTES], signature.SNAPSHOT, body)
    for start in manifest.starts:
        check_frontier(start.seen)
    return manifest
