"""What the vectors are made of: seeds for randomness, keys, and feeds that are written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from sync_protocol.crypto.key import AgreementKey, DeviceKeys, SigningKey
from sync_protocol.identity import FeedId, OfficerId, WardId
from sync_protocol.log import block
from sync_protocol.log.entry import CHANGESET, CONTROL, Entry, Header, Mark
from sync_protocol.log.feed import Head, declare, follow, mark
from sync_protocol.log.seal import encode_seal, make_seal
from sync_protocol.membership import grant as g
from sync_protocol.record.change import Changeset, encode_changeset
from sync_protocol.wire import message as m
from sync_protocol.wire.push import RangeItem

MS = 1_795_300_000_000
"""The time in the vectors, 2026-11-22."""
Vector = dict[str, Any]


def seed(name: str, count: int = 32) -> bytes:
    """Return the bytes that stand for randomness: SHA-256 of a name, as often as needed."""
    found = b""
    while len(found) < count:
        found += hashlib.sha256(f"motcua vector {name} {len(found)}".encode()).digest()
    return found[:count]


def device(name: str) -> DeviceKeys:
    return DeviceKeys(SigningKey(seed(name + " signing")), AgreementKey(seed(name + " agreement")))


ROOT = SigningKey(seed("city root"))
RECOVERY = AgreementKey(seed("recovery"))
WARD_KEY = AgreementKey(seed("ward key"))
HUB, EDGE, TABLET = device("hub"), device("edge"), device("tablet")
WARD = WardId(seed("ward", 16))
CLERK = OfficerId(seed("clerk", 16))
SUPERVISOR = OfficerId(seed("supervisor", 16))


def stamp(seconds: int, counter: int = 0) -> int:
    return (MS + seconds * 1000) << 16 | counter


def stored_frame(raw: bytes, _level: int = 0, _prefix: bytes | None = None) -> bytes:
    """Return a zstd frame that holds `raw` as it is: RFC 8878, raw blocks in a single segment."""
    blocks = [raw[at : at + 65536] for at in range(0, len(raw), 65536)]
    frame = b"\x28\xb5\x2f\xfd\xa0" + len(raw).to_bytes(4, "little")
    for index, part in enumerate(blocks):
        last = index == len(blocks) - 1
        frame += (len(part) << 3 | last).to_bytes(3, "little") + part
    return frame


class Feed:
    """A feed that is written by hand."""

    def __init__(self, keys: DeviceKeys, name: str, supersedes: Mark | None = None) -> None:
        self.keys = keys
        self.name = name
        self.declared = declare(keys, WARD, seed(name + " incarnation", 8), supersedes)
        self.head: Head = self.declared.start
        self.entries: list[Entry] = []

    @property
    def id(self) -> FeedId:
        return self.declared.feed

    def salt(self) -> bytes:
        return seed(f"{self.name} salt {len(self.entries)}", 8)

    def put(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        self.head = Head(self.head.seq + 1, follow(self.head, [entry])[0])
        return entry

    def say(self, seconds: int, *statements: g.Statement, context: Sequence[Mark] = ()) -> Entry:
        header = Header(stamp(seconds), OfficerId(b""), 1, CONTROL, list(context))
        return self.put(Entry.of(header, g.encode_statements(list(statements), self.salt())))

    def write(
        self,
        seconds: int,
        changeset: Changeset,
        officer: OfficerId = CLERK,
        context: Sequence[Mark] = (),
    ) -> Entry:
        body = encode_changeset(changeset, self.salt(), self.id)
        header = Header(stamp(seconds), officer, 1, CHANGESET, list(context))
        return self.put(Entry.of(header, body))

    @property
    def mark(self) -> Mark:
        return mark(self.id, self.head)

    @property
    def seal(self) -> bytes:
        return encode_seal(make_seal(self.keys.signing, self.id, *self.head))

    def packed(self) -> bytes:
        with patch.object(block, "compress", stored_frame):
            return block.pack(1, self.entries)

    def item(self, packed: bytes) -> RangeItem:
        before = self.declared.start.hash[:16]
        digest = m.payload_digest(packed)
        return RangeItem(self.id, 1, len(self.entries), before, len(packed), digest)


def hub_feed() -> Feed:
    """The hub's control feed: certificate, ward, grants, officers, ward key."""
    feed = Feed(HUB, "hub feed")
    certificate = g.Certificate(1, HUB.public, HUB.agreement.public, RECOVERY.public)
    feed.say(0, g.Certified(g.certify(ROOT, certificate)), g.Profile("00070", "Phường Hoàn Kiếm"))
    feed.say(
        1,
        g.Officer(CLERK, "Lê Thị Mai", g.CLERK),
        g.Officer(SUPERVISOR, "Trần Văn Bình", g.SUPERVISOR),
        g.WardKey(WARD_KEY.public, RECOVERY.public, b""),
    )
    feed.say(2, g.Grant(EDGE.public, EDGE.agreement.public, g.EDGE, "Trạm phường"))
    feed.say(3, g.Grant(TABLET.public, TABLET.agreement.public, g.TABLET, "Máy quầy 1"))
    return feed


def plain(value: Any) -> Any:
    """Return what JSON can hold: bytes as hexadecimal, arrays for structures."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value
