"""Write a bundle: what a recipient lacks, as files for a stick or a shared folder.

What holds:
* It starts from what the recipient acknowledged by its newest receipt that counts, else from the
  beginning; an overlap is harmless.
* Each piece is of use by itself: it brings declarations and seals of its feeds, and a feed of ours
  is sealed anew where a piece cuts it. The manifest comes last.
* Older bundles of ours to the same recipient are removed once the new one is complete: it starts
  where they did, or later at something that the recipient has receipted since.
* Other people's feeds, receipts and scans that wait here travel along: whoever carries, relays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync_protocol import limits
from sync_protocol.attachment import key_name
from sync_protocol.crypto.key import random_bytes
from sync_protocol.errors import InputError, PeerError
from sync_protocol.exchange.offer import Parts, ShortHashes, gather
from sync_protocol.identity import AttachmentId, DeviceKey, device_id
from sync_protocol.log import frontier as heads
from sync_protocol.log.entry import Mark
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.membership import grant as g
from sync_protocol.replica.holding import Chain
from sync_protocol.replica.receipts import Safety
from sync_protocol.replica.replica import Replica
from sync_protocol.transport.folder import (
    MANIFEST_SUFFIX,
    PIECE_SUFFIX,
    Folder,
    manifest_name,
    piece_name,
)
from sync_protocol.wire.bundle import (
    BUNDLE_ID_BYTES,
    TIME_MAX,
    Address,
    Content,
    file_digest,
    read_manifest,
    read_piece,
    write_manifest,
    write_piece,
)


class Recipient(NamedTuple):
    """For whom a bundle is: the device, and the agreement key to which it is sealed."""

    device: DeviceKey
    agreement: bytes


@dataclass(slots=True)
class Exported:
    """What was written."""

    bundle: bytes
    pieces: int = 0
    size: int = 0
    entries: int = 0
    chunks: int = 0
    removed: int = 0


def recipient_of(replica: Replica, device: DeviceKey) -> Recipient | None:
    """Return a device of this ward as a recipient, None where the roster does not know it."""
    roster = replica.holding.roster
    certificate = roster.hubs.get(device)
    if certificate is not None:
        return Recipient(device, certificate.agreement)
    granted = roster.grants.get(device)
    return None if granted is None else Recipient(device, granted.agreement)


def find_recipient(replica: Replica, name: str) -> Recipient:
    """Find a recipient by “hub”, by label, or by the beginning of its id.

    Raises `InputError`, also where this device itself is meant.
    """
    found = _named(replica, name)
    if found.device == replica.keys.public:
        raise InputError(
            "That is this device itself: it has all of it. Name the device that the stick goes to. "
            "Nothing was written."
        )
    return found


def _named(replica: Replica, name: str) -> Recipient:
    roster = replica.holding.roster
    text = name.strip().lower()
    if text == g.HUB:
        if roster.certificate is None:
            raise InputError("The hub is not known here yet. Let this device sync once.")
        return Recipient(roster.certificate.hub, roster.certificate.agreement)
    found = [
        item
        for item in roster.grants.values()
        if item.label.lower() == text or (text and device_id(item.device).hex().startswith(text))
    ]
    if len(found) != 1:
        raise InputError(
            "No device of this ward has that name. See the list of devices."
            if not found
            else "Several devices have that name. Give the beginning of the id instead."
        )
    return Recipient(found[0].device, found[0].agreement)


def export_bundle(
    replica: Replica, folder: Folder, to: Recipient, *, scans: bool = True
) -> Exported:
    """Write what `to` lacks into the folder. Raises `StorageError` kinds; then nothing is lost."""
    writer = _Writer(replica, folder, to)
    for content, entries in _text(replica, to):
        writer.write(content, entries)
    if scans:
        for content in _scans(replica, to):
            writer.write(content)
    exported = writer.finish()
    if scans:
        exported.removed = _remove_older(folder, writer.address)
    return exported


def export_receipts(
    replica: Replica, folder: Folder, to: Recipient, scans: Sequence[AttachmentId] = ()
) -> Exported:
    """Write only our word of what is held here, and others': the answer to a bundle."""
    writer = _Writer(replica, folder, to)
    writer.write(Content(receipts=receipts_for(replica, to.device, scans)))
    return writer.finish()


def receipts_for(
    replica: Replica, device: DeviceKey, scans: Sequence[AttachmentId] = ()
) -> list[bytes]:
    """Return our receipts, where ours count, and those that we relay."""
    found = []
    if replica.holding.roster.role_of(replica.keys.public) in (g.HUB, g.EDGE):
        found.append(replica.receipt())
        if scans:
            found.append(replica.receipt(scans))
    return [*found, *replica.receipts.relayed(device)]


class _Writer:
    """Writes the pieces of one bundle, then its manifest."""

    def __init__(self, replica: Replica, folder: Folder, to: Recipient) -> None:
        self._replica = replica
        self._folder = folder
        self._agreement = to.agreement
        self._files: list[tuple[int, bytes]] = []
        self.address = Address(
            replica.holding.ward,
            replica.keys.public,
            key_name(to.agreement),
            random_bytes(BUNDLE_ID_BYTES),
            min(max(replica.character.wall(), 0), TIME_MAX - 1),
        )
        self._exported = Exported(self.address.bundle)

    def write(self, content: Content, entries: int = 0) -> None:
        """Write one piece."""
        address = self.address
        index = len(self._files)
        key = self._replica.keys.signing
        raw = write_piece(key, address, self._agreement, index, content)
        self._folder.write(piece_name(address.time, address.bundle, index), raw)
        self._files.append((len(raw), file_digest(raw)))
        self._exported.size += len(raw)
        self._exported.entries += entries
        self._exported.chunks += len(content.chunks)

    def finish(self) -> Exported:
        """Write the manifest."""
        address = self.address
        raw = write_manifest(self._replica.keys.signing, address, self._files)
        self._folder.write(manifest_name(address.time, address.bundle), raw)
        self._exported.pieces = len(self._files)
        self._exported.size += len(raw)
        return self._exported


def _text(replica: Replica, to: Recipient) -> Iterator[tuple[Content, int]]:
    """Yield pieces of entries, control feeds first. The first one also carries the receipts."""
    receipts: list[bytes] | None = receipts_for(replica, to.device)
    parts = Parts()
    for chain, start in _jobs(replica, to.device):
        after = start
        alone = {chain.feed} if start else ()  # the heads of its first group lie behind
        while after < chain.row.head.seq:
            room = limits.BUNDLE_PIECE_BYTES - parts.size
            got = gather(replica.holding, [(chain, after)], room, alone)
            after = got.ranges[-1].first + got.ranges[-1].count - 1
            if chain.device == replica.keys.public and after < chain.row.head.seq:
                got.seals = [_seal_at(replica, chain, after)]
            _join(parts, got)
            full = len(parts.ranges) >= limits.PAYLOADS_PER_MESSAGE_MAX
            if full or parts.size >= limits.BUNDLE_PIECE_BYTES:
                yield _content(parts, receipts), parts.entries
                parts, receipts = Parts(), None
    if parts.ranges or receipts is not None:  # a bundle has one piece at least
        yield _content(parts, receipts), parts.entries


def _jobs(replica: Replica, device: DeviceKey) -> list[tuple[Chain, int]]:
    """Return our chains with the last seq of each that the recipient has acknowledged."""
    known = replica.receipts.newest(device)
    marks: list[Mark] = known.frontier if known is not None else []
    holding = replica.holding
    control = holding.roster.control_feeds
    chains = sorted(holding.chains.values(), key=lambda c: (c.feed not in control, c.number))
    jobs = []
    for chain in chains:
        after = heads.after(
            heads.Chain(chain.feed, chain.row.head.seq, ShortHashes(holding, chain)), marks
        )
        purged = chain.row.floor.seq > chain.row.base_seq
        jobs.append((chain, max(after, chain.row.floor.seq) if purged else after))
    return jobs


def _seal_at(replica: Replica, chain: Chain, seq: int) -> bytes:
    """Seal our own feed where a piece cuts it, so that the piece proves itself."""
    known = replica.holding.hash_at(chain, seq)
    if known is None:
        raise PeerError("Entries before the floor can't be served.", seq=seq)
    return encode_seal(make_seal(replica.keys.signing, chain.feed, seq, known))


def _join(parts: Parts, more: Parts) -> None:
    for raw in more.declarations:
        if raw not in parts.declarations:
            parts.declarations.append(raw)
    parts.seals.extend(more.seals)
    parts.ranges.extend(more.ranges)
    parts.payloads.extend(more.payloads)
    parts.entries += more.entries
    parts.size += more.size


def _content(parts: Parts, receipts: list[bytes] | None) -> Content:
    ranges, payloads = parts.ranges, parts.payloads
    return Content(parts.declarations, parts.seals, ranges, payloads, receipts or [])


def _scans(replica: Replica, to: Recipient) -> Iterator[Content]:
    """Yield pieces of chunks: of scans that wait here, as far as the recipient has not them all."""
    batch = _Batch()
    for scan, addresses in replica.scans.waiting().items():
        if _has(replica.receipts.scan_safety(scan), to.device, replica):
            continue
        for address in addresses:
            chunk = replica.rooms.chunks.get(address)
            if chunk is not None:
                batch.add(scan, addresses, chunk)
            if batch.size >= limits.BUNDLE_PIECE_BYTES or batch.is_full():
                yield batch.content()
                batch = _Batch()
    if batch.chunks:
        yield batch.content()


def _has(safety: Safety, device: DeviceKey, replica: Replica) -> bool:
    return device in safety.edges or (device in replica.holding.roster.hubs and safety.hub)


@dataclass(slots=True)
class _Batch:
    """Chunks for one piece."""

    scans: dict[AttachmentId, list[bytes]] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, scan: AttachmentId, addresses: list[bytes], chunk: bytes) -> None:
        self.scans[scan] = addresses
        self.chunks.append(chunk)
        self.size += len(chunk)

    def is_full(self) -> bool:
        return len(self.scans) >= limits.BUNDLE_SCANS_MAX

    def content(self) -> Content:
        return Content(scans=[(bytes(s), a) for s, a in self.scans.items()], chunks=self.chunks)


def _remove_older(folder: Folder, new: Address) -> int:
    """Remove what we wrote before for the same recipient, manifests first."""
    removed = 0
    for suffix in (MANIFEST_SUFFIX, PIECE_SUFFIX):
        for name in folder.names(suffix):
            raw = folder.read(name)
            try:
                address = (
                    read_manifest(raw).address
                    if suffix == MANIFEST_SUFFIX
                    else read_piece(raw).address
                )
            except PeerError:
                continue  # damaged, or not ours to judge
            ours = (address.ward, address.sender, address.recipient) == (
                new.ward,
                new.sender,
                new.recipient,
            )
            if ours and address.bundle != new.bundle and address.time <= new.time:
                folder.remove(name)
                removed += 1
    return removed
