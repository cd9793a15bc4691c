"""Take in what a folder holds for us: bundles whole, halved, doubled, shuffled, damaged, mixed.

What holds:
* Every piece that can be read is used, in whatever order it lies there. Entries go the same way as
  those of a push, receipts too; nothing is believed that does not prove itself.
* A piece that came too early for its feed waits until the others have been tried.
* What is missing or damaged is said in one sentence, and the rest is taken in. Nothing on the stick
  is changed but for our answer, a receipt for each sender, which makes its ticks move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from sync_protocol import limits
from sync_protocol.attachment import attachment_id, key_name
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.errors import (
    FeedForkError,
    FeedGapError,
    InputError,
    LimitExceededError,
    NotAdmittedError,
    PeerError,
    StorageError,
    WrongKeyError,
    WrongWardError,
)
from sync_protocol.exchange.bundle import export_receipts, recipient_of
from sync_protocol.exchange.respond import take_in
from sync_protocol.exchange.scans import settle
from sync_protocol.identity import AttachmentId, DeviceKey, FeedId, WardId, device_id
from sync_protocol.log.feed import read_declaration
from sync_protocol.log.seal import decode_seal
from sync_protocol.replica.lodging import promise
from sync_protocol.replica.receipts import try_take
from sync_protocol.replica.replica import Replica
from sync_protocol.transport.folder import MANIFEST_SUFFIX, PIECE_SUFFIX, Folder
from sync_protocol.wire.bundle import (
    Address,
    Content,
    Manifest,
    Piece,
    file_digest,
    open_piece,
    read_manifest,
    read_piece,
)
from sync_protocol.wire.push import Push

T = TypeVar("T")


class Trouble(NamedTuple):
    """A file that could not be used, or not wholly: its name, the error's code and its sentence."""

    file: str
    code: str
    diagnosis: str


class Lacking(NamedTuple):
    """A bundle of which pieces are missing or damaged; `of` is 0 where its manifest is."""

    bundle: bytes
    sender: DeviceKey
    pieces: tuple[int, ...]
    of: int

    @property
    def diagnosis(self) -> str:
        """The sentence for people."""
        who = device_id(self.sender).hex()[:8]
        if not self.of:
            return (
                f"The bundle of {who} was not finished when the stick was taken out. What is there "
                "was taken in; write it again for the rest."
            )
        named = ", ".join(str(index + 1) for index in self.pieces[:10])
        more = ", …" if len(self.pieces) > 10 else ""  # noqa: PLR2004 - as many as were named
        return (
            f"Of the bundle of {who}, {len(self.pieces)} of {self.of} pieces are missing or "
            f"damaged ({named}{more}). The rest was taken in; write it again."
        )


@dataclass(slots=True)
class Imported:
    """What became of a folder."""

    pieces: int = 0
    doubled: int = 0
    entries: int = 0
    chunks: int = 0
    receipts: int = 0
    elsewhere: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    refused: dict[FeedId, PeerError] = field(default_factory=dict)
    senders: list[DeviceKey] = field(default_factory=list)
    answered: int = 0

    def sentences(self) -> list[str]:
        """Return what a person must know, within a bound."""
        found = [item.diagnosis for item in self.lacking]
        found += [f"{item.file}: {item.diagnosis}" for item in self.troubles]
        found += [
            f"Feed {feed.hex()[:8]}: {problem.diagnosis}" for feed, problem in self.refused.items()
        ]
        bound = limits.BUNDLE_SENTENCES_MAX
        rest = len(found) - bound
        return found if rest <= 0 else [*found[:bound], f"… and {rest} more."]


def wards_in(folder: Folder) -> set[WardId]:
    """Return the wards of which the folder holds readable pieces. Raises `InputError`."""
    found = set()
    for name in _pieces(folder):
        try:
            found.add(read_piece(folder.read(name)).address.ward)
        except PeerError:
            continue  # said where it is imported
    return found


def import_bundle(
    replica: Replica, folder: Folder, keys: Sequence[AgreementKey], *, answer: bool = True
) -> Imported:
    """Take in every piece for us, and leave our receipts. `keys` are ours, old ones too.

    Raises `InputError` where there is no bundle; `WrongWardError` or `WrongKeyError` where none of
    them is for us; `StorageError` kinds. What could be read is kept.
    """
    reader = _Reader(replica, folder, keys)
    reader.run()
    if answer:
        reader.answer()
    return reader.imported


def _pieces(folder: Folder) -> list[str]:
    names = folder.names(PIECE_SUFFIX)
    if not names:
        raise InputError(
            "No bundle lies in this folder. Choose the folder into which it was written."
        )
    return names


class _Reader:
    """One import."""

    def __init__(self, replica: Replica, folder: Folder, keys: Sequence[AgreementKey]) -> None:
        self._replica = replica
        self._folder = folder
        self._keys = keys
        self._used: set[bytes] = set()
        self._bundles: dict[bytes, Address] = {}
        self._receipts: dict[bytes, None] = {}
        self._scans: dict[DeviceKey, dict[AttachmentId, list[bytes]]] = {}
        self._not_ours: WrongWardError | WrongKeyError | None = None
        self._strangers: list[Trouble] = []
        self.imported = Imported()

    def run(self) -> None:
        """Read every piece; then again those that came too early, as long as that helps."""
        waiting = self._pass(_pieces(self._folder))
        before = -1
        while waiting and self.imported.entries != before:
            before = self.imported.entries
            waiting = self._pass(waiting)
        self.imported.troubles.extend(self._strangers)
        self._lacking()
        self._take_receipts()
        nothing = not self.imported.pieces and not self.imported.troubles
        if nothing and self._not_ours is not None:
            raise self._not_ours

    def _pass(self, names: Sequence[str]) -> list[str]:
        """Take in these pieces; return those whose feeds lack something before them."""
        early = []
        strangers = []
        for name in names:
            try:
                if self._take_file(name):
                    early.append(name)
            except (WrongWardError, WrongKeyError) as problem:
                self.imported.elsewhere += 1
                self._not_ours = problem
            except NotAdmittedError as problem:  # its sender may be introduced by a later piece
                early.append(name)
                strangers.append(Trouble(name, problem.code, problem.diagnosis))
            except PeerError as problem:
                self.imported.troubles.append(Trouble(name, problem.code, problem.diagnosis))
        self._strangers = strangers
        return early

    def _take_file(self, name: str) -> bool:
        """Take in one piece; return whether it must be tried again."""
        raw = self._folder.read(name)
        digest = file_digest(raw)
        if digest in self._used:
            self.imported.doubled += 1
            return False
        piece = read_piece(raw)
        if piece.address.ward != self._replica.holding.ward:
            raise WrongWardError("This bundle is for another ward. Nothing was taken in.")
        content = open_piece(piece, self._keys)
        self._bundles[piece.address.bundle] = piece.address
        refused = self._take(piece, content)
        early = any(isinstance(item, FeedGapError | FeedForkError) for item in refused.values())
        for feed in [f for f in self.imported.refused if f not in refused and _names(content, f)]:
            del self.imported.refused[feed]
        self.imported.refused.update(refused)
        if not early:
            self._used.add(digest)
            self.imported.pieces += 1
        return early

    def _take(self, piece: Piece, content: Content) -> dict[FeedId, PeerError]:
        sender = piece.address.sender
        if not self._knows(sender):
            self._take_entries(self._of_hubs(content), None)
            if not self._knows(sender):
                raise NotAdmittedError(
                    "This bundle comes from a device that is not enrolled here. Nothing of it was "
                    "taken in; let this device sync, then try again."
                )
        roster = self._replica.holding.roster
        refused = self._take_entries(content, sender if roster.hubs else None)
        self._take_chunks(content)
        self._receipts.update(dict.fromkeys(content.receipts))
        brings = bool(content.ranges or content.chunks)  # an answer is not answered again
        if brings and sender not in self.imported.senders:
            self.imported.senders.append(sender)
        named = self._scans.setdefault(sender, {})
        for scan, chunks in content.scans[: limits.BUNDLE_SCANS_MAX]:
            if attachment_id(chunks) == scan:
                named[AttachmentId(scan)] = chunks
        return refused

    def _knows(self, sender: DeviceKey) -> bool:
        """Whether the roster knows the sender; before there is one, anybody may bring it."""
        roster = self._replica.holding.roster
        return not roster.hubs or roster.role_of(sender) is not None

    def _of_hubs(self, content: Content) -> Content:
        """Leave only what hubs say: it may introduce the sender."""
        declared = dict(_read(content.declarations, read_declaration))
        hubs = self._replica.holding.roster.hubs
        feeds = {item.feed for item in declared.values() if item.declaration.device in hubs}
        kept = [
            (item, packed)
            for item, packed in zip(content.ranges, content.payloads, strict=True)
            if item.feed in feeds
        ]
        return Content(
            [raw for raw, item in declared.items() if item.feed in feeds],
            [raw for raw, seal in _read(content.seals, decode_seal) if seal.feed in feeds],
            [item for item, _ in kept],
            [packed for _, packed in kept],
        )

    def _take_entries(self, content: Content, by: DeviceKey | None) -> dict[FeedId, PeerError]:
        holding = self._replica.holding
        before = sum(chain.row.staged.seq - chain.row.base_seq for chain in holding.chains.values())
        push = Push(content.declarations, content.seals, content.ranges)
        try:
            return take_in(self._replica, push, iter(content.payloads), by)
        finally:
            chains = holding.chains.values()
            after = sum(chain.row.staged.seq - chain.row.base_seq for chain in chains)
            self.imported.entries += max(0, after - before)

    def _take_chunks(self, content: Content) -> None:
        store = self._replica.rooms.chunks
        erased = self._replica.holding.roster.erased_chunks
        for chunk in content.chunks:
            address = hashlib.sha256(chunk).digest()
            if address not in erased and not store.has(address):
                store.put(address, chunk)
                self.imported.chunks += 1

    # --- what is left to say --------------------------------------------------------------------

    def _take_receipts(self) -> None:
        """Take receipts last: whose word counts may have come with the entries."""
        with self._replica.lock:
            for raw in self._receipts:
                if try_take(self._replica.receipts, raw) is None:
                    self.imported.receipts += 1
        if self.imported.receipts:
            settle(self._replica, list(self._replica.scans.waiting().items()))
        self._replica.tidy_journal()

    def _lacking(self) -> None:
        whole = self._manifests()
        for manifest in whole.values():
            address = manifest.address
            gone = [i for i, (_, digest) in enumerate(manifest.pieces) if digest not in self._used]
            if gone:
                lacking = Lacking(address.bundle, address.sender, tuple(gone), len(manifest.pieces))
                self.imported.lacking.append(lacking)
        for bundle, address in self._bundles.items():
            if bundle not in whole:
                self.imported.lacking.append(Lacking(bundle, address.sender, (), 0))

    def _manifests(self) -> dict[bytes, Manifest]:
        """Return the manifests of bundles for us; only their own sender can name their pieces."""
        ours = {key_name(key.public) for key in self._keys}
        found: dict[bytes, Manifest] = {}
        for name in self._folder.names(MANIFEST_SUFFIX):
            try:
                manifest = read_manifest(self._folder.read(name))
            except PeerError as problem:
                self.imported.troubles.append(Trouble(name, problem.code, problem.diagnosis))
                continue
            address = manifest.address
            known = self._bundles.get(address.bundle, address)
            for_us = address.ward == self._replica.holding.ward and address.recipient in ours
            if for_us and known == address:
                found[address.bundle] = manifest
        return found

    def answer(self) -> None:
        """Leave our receipts for every sender whom we can address, if the folder takes them."""
        for sender in self.imported.senders:
            to = recipient_of(self._replica, sender)
            named = self._scans.get(sender, {})
            queue = self._replica.scans
            with self._replica.lock:  # what is promised does not go meanwhile
                scans = [scan for scan, chunks in named.items() if queue.holds(chunks)]
                for scan in scans:
                    promise(self._replica, scan, named[scan])
            if self._replica.is_hub():
                queue.done(scans)
            if to is None or sender == self._replica.keys.public:
                continue
            try:
                export_receipts(self._replica, self._folder, to, scans)
            except (StorageError, LimitExceededError) as problem:
                text = f"No receipt could be left: {problem.diagnosis}"
                self.imported.troubles.append(Trouble("", problem.code, text))
                return
            self.imported.answered += 1


def _read(raws: Iterable[bytes], read: Callable[[bytes], T]) -> Iterator[tuple[bytes, T]]:
    """Read each; what can't be read is passed over."""
    for raw in raws:
        try:
            yield raw, read(raw)
        except PeerError:
            continue


def _names(content: Content, feed: FeedId) -> bool:
    return any(item.feed == feed for item in content.ranges)
