"""A replica written from docs/PROTOCOL.md alone. It imports nothing of ours.

It enrols, pulls what the ward holds, verifies it, writes dossiers, pushes them and checks the
receipts. It keeps everything in memory, reads MessagePack and writes it with forty lines of its
own, and knows nothing of merge. The numbers in the comments are rules of the document.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
import struct
import sys
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HELLO, PUSH, PULL, CHUNKS_WANTED, CHUNKS_PUT, CHUNKS_GET = 1, 2, 3, 4, 5, 6
CHUNKS_ANSWER = 105
CHUNK = 256 * 1024
SAME, FRONTIER, PUSHED, PULLED, CHALLENGE, REFUSED = 101, 102, 103, 104, 120, 121
BLOCK, GROUP = 256, 4096
PARCEL = "application/vnd.motcua.parcel"
ERROR = "application/vnd.motcua.error"


class RefusedError(Exception):
    """What the other side, or a check of ours, refused; the first argument is the code (§18)."""


# ---------------------------------------------------------------------------------- §1 bytes


def pack(value: Any) -> bytes:
    """1.2: canonical MessagePack."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return _pack_int(value)
        case str():
            raw = value.encode()
            if len(raw) < 32:
                return bytes([0xA0 | len(raw)]) + raw
            return _sized(len(raw), 0xD9, 0xDA, 0xDB) + raw
        case bytes():
            return _sized(len(value), 0xC4, 0xC5, 0xC6) + value
        case list() | tuple():
            return _counted(len(value), 0x90, 0xDC) + b"".join(map(pack, value))
        case dict():
            items = (pack(key) + pack(item) for key, item in sorted(value.items()))
            return _counted(len(value), 0x80, 0xDE) + b"".join(items)
    raise TypeError(type(value).__name__)


def _pack_int(value: int) -> bytes:
    if value >= 0:
        if value < 128:
            return bytes([value])
        for code, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
            if value < 1 << 8 * size:
                return bytes([code]) + value.to_bytes(size, "big")
    if value >= -32:
        return value.to_bytes(1, "big", signed=True)
    for code, size in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
        if value >= -(1 << 8 * size - 1):
            return bytes([code]) + value.to_bytes(size, "big", signed=True)
    raise OverflowError(value)


def _sized(size: int, *codes: int) -> bytes:
    for code, width in zip(codes, (1, 2, 4), strict=True):
        if size < 1 << 8 * width:
            return bytes([code]) + size.to_bytes(width, "big")
    raise OverflowError(size)


def _counted(count: int, short: int, long: int) -> bytes:
    if count < 16:
        return bytes([short | count])
    if count < 1 << 16:
        return bytes([long]) + count.to_bytes(2, "big")
    return bytes([long + 1]) + count.to_bytes(4, "big")


def unpack(raw: bytes) -> Any:
    """Read one value that fills `raw`."""
    value, end = _unpack(raw, 0)
    if end != len(raw):
        raise RefusedError("malformed", "a tail")
    return value


def _unpack(raw: bytes, at: int) -> tuple[Any, int]:
    code = raw[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _items(raw, at, code & 15, is_map=True)
    if code < 0xA0:
        return _items(raw, at, code & 15, is_map=False)
    if code < 0xC0:
        return raw[at : at + (code & 31)].decode(), at + (code & 31)
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    if 0xCC <= code <= 0xD3:
        size = 1 << (code & 3)
        return int.from_bytes(raw[at : at + size], "big", signed=code >= 0xD0), at + size
    widths = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2}
    width = {**widths, 0xDF: 4}.get(code)
    if width is None:
        raise RefusedError("malformed", f"code {code}")
    size = int.from_bytes(raw[at : at + width], "big")
    at += width
    if code >= 0xDC:
        return _items(raw, at, size, is_map=code >= 0xDE)
    part = raw[at : at + size]
    if len(part) != size:
        raise RefusedError("malformed", "cut off")
    return (part if code <= 0xC6 else part.decode()), at + size


def _items(raw: bytes, at: int, count: int, *, is_map: bool) -> tuple[Any, int]:
    found = []
    for _ in range(count * (1 + is_map)):
        item, at = _unpack(raw, at)
        found.append(item)
    return (dict(zip(found[::2], found[1::2], strict=True)) if is_map else found), at


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def unfold(packed: bytes, prefix: bytes | None = None) -> bytes:
    """1.6 … 1.8."""
    if prefix is None:
        reader = zstd.ZstdDecompressor()
    else:
        reader = zstd.ZstdDecompressor(zstd_dict=zstd.ZstdDict(prefix, is_raw=True).as_prefix)
    raw: bytes = reader.decompress(packed, 64 << 20)
    if not reader.eof or reader.unused_data:
        raise RefusedError("malformed", "zstd")
    return raw


def check(public: bytes, signature: bytes, domain: str, *parts: bytes) -> None:
    """1.9."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, domain.encode() + b"\0" + b"".join(parts))
    except (InvalidSignature, ValueError) as cause:
        raise RefusedError("bad-signature", domain) from cause


def signed_body(raw: bytes, public: bytes | None, domain: str) -> list[Any]:
    """1.10; the signer is `public`, or else named by the first item."""
    told: list[Any] = unpack(raw[64:])
    check(public or told[0], raw[:64], domain, raw[64:])
    return told


# ----------------------------------------------------------------------------------- §3, §4


@dataclass
class Feed:
    """One chain as we hold it. Forks are beyond this replica."""

    declaration: bytes
    entries: list[tuple[bytes, bytes | None, bytes]] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    sealed: int = 0

    def __post_init__(self) -> None:
        told = signed_body(self.declaration, None, "motcua/declaration/1")  # 3.1
        self.device, self.agreement, self.ward, self.incarnation = told[:4]
        self.id = digest(b"motcua/feed/1", self.declaration)[:16]  # 2.3
        self.hashes = [digest(b"motcua/chain/1", self.declaration)]  # 3.9

    def put(self, header: bytes, body: bytes | None, body_hash: bytes) -> None:
        self.entries.append((header, body, body_hash))
        self.hashes.append(digest(self.hashes[-1], body_hash, header))  # 3.9

    @property
    def mark(self) -> list[Any]:
        return [self.id, self.sealed, self.hashes[self.sealed][:16]]  # 2.9

    def raw(self, first: int, last: int) -> bytes:
        """4.2."""
        rows = self.entries[first - 1 : last]
        return pack(
            [
                first,
                [header for header, _, _ in rows],
                b"".join(body[:8] for _, body, _ in rows if body is not None),
                [None if body is None else body[8:] for _, body, _ in rows],
                [known for _, body, known in rows if body is None],
            ]
        )

    def head_of_group(self, seq: int) -> bytes | None:
        """4.5."""
        first = (seq - 1) // GROUP * GROUP + 1
        held = len(self.entries) >= first + BLOCK - 1
        return self.raw(first, first + BLOCK - 1) if held and seq >= first + BLOCK else None

    def take(self, packed: bytes, first: int) -> None:
        """4.3, 4.4, 4.6; entries that are held already are passed over."""
        if packed[0] == 1:
            raw = unfold(packed[1:])
        elif packed[0] == 2:
            head = self.head_of_group(first)
            if head is None or digest(b"motcua/head/1", head)[:8] != packed[1:9]:
                raise RefusedError("feed-gap", "group head")
            raw = unfold(packed[9:], head)
        else:
            raise RefusedError("unsupported-version", "packed form")
        stated, headers, salts, bodies, erased = unpack(raw)[:5]
        if stated != first or first > len(self.entries) + 1:
            raise RefusedError("feed-gap", first)
        gone = iter(erased)
        for number, (header, rest) in enumerate(zip(headers, bodies, strict=True)):
            body = None
            if rest is not None:
                body, salts = salts[:8] + rest, salts[8:]
            body_hash = next(gone) if body is None else digest(body)
            if first + number == len(self.entries) + 1:
                self.put(header, body, body_hash)

    def seal(self, raw: bytes) -> None:
        """3.11, 3.13."""
        feed, seq, head, signature = unpack(raw)[:4]
        check(self.device, signature, "motcua/seal/1", feed, u64(seq), head)
        if self.sealed < seq <= len(self.entries):
            if self.hashes[seq] != head:
                raise RefusedError("bad-signature", "seal")
            self.sealed = seq


# ------------------------------------------------------------------------------- the replica


class Replica:
    """A tablet with its keys and what it holds."""

    def __init__(self, invitation: str) -> None:
        """13.1, 13.2."""
        text = "".join(invitation.split())
        if not text.startswith("MC1."):
            raise RefusedError("bad-input", "no invitation")
        raw = base64.urlsafe_b64decode(text[4:] + "=" * (-len(text[4:]) % 4))
        (
            self.url,
            self.secret,
            self.fingerprint,
            self.responder,
            self.root,
            self.ward,
            self.role,
        ) = unpack(raw)[:7]
        self.signing, self.agreement = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.public = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        agreement = self.agreement.public_key()
        self.agreement_public = agreement.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.nonce = b""
        self.feeds: dict[bytes, Feed] = {}
        self.seals: dict[bytes, bytes] = {}
        self.receipts: dict[bytes, list[Any]] = {}
        self.own: Feed | None = None
        self.stated: dict[bytes, int] = {}
        self.last_time = 0
        self.requests: list[int] = []
        self.refused: list[list[Any]] = []

    def sign(self, domain: str, *parts: bytes) -> bytes:
        return self.signing.sign(domain.encode() + b"\0" + b"".join(parts))

    # --- §13 -----------------------------------------------------------------------------------

    def enrol(self, label: str) -> list[Any]:
        """Return the welcome."""
        self.ca = self._fetch_ca()
        body = pack([self.secret, self.ward, self.public, self.agreement_public, label])  # 13.5
        application = self.sign("motcua/enrolment/1", self.responder, body) + body  # 13.6
        (raw,) = self.post("/enrol/v1", [application])
        signature, welcome = raw[:64], raw[64:]
        check(  # 13.8
            self.responder, signature, "motcua/enrolment/1", pack(application), welcome
        )
        told: list[Any] = unpack(welcome)
        if told[0] != self.ward or told[3] != self.role:  # 13.9
            raise RefusedError("invitation", "not what was promised")
        incarnation = os.urandom(8)
        feed = pack([self.public, self.agreement_public, self.ward, incarnation, None])
        self.own = Feed(self.sign("motcua/declaration/1", feed) + feed)  # 13.10
        self.feeds[self.own.id] = self.own
        return told

    def _fetch_ca(self) -> str:
        """13.3."""
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        line = self._line(anybody)
        line.request("GET", "/ca")
        pem = line.getresponse().read()
        line.close()
        if x509.load_pem_x509_certificate(pem).fingerprint(SHA256()) != self.fingerprint:
            raise RefusedError("wrong-peer", "fingerprint")
        return pem.decode()

    # --- §14 -----------------------------------------------------------------------------------

    def _line(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(urlsplit(self.url).netloc, timeout=30, context=context)

    def _pinned(self) -> ssl.SSLContext:
        """14.2."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME
        context.load_verify_locations(cadata=self.ca)
        return context

    def post(self, path: str, frames: list[bytes]) -> list[bytes]:
        """14.3, 14.4, 14.7."""
        body = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
        line = self._line(self._pinned())
        line.request("POST", path, body, {"Content-Type": PARCEL})
        answer = line.getresponse()
        raw = answer.read()
        line.close()
        if answer.headers["Content-Type"] == ERROR:
            raise RefusedError(*unpack(raw)[:2])
        if answer.status != 200 or answer.headers["Content-Type"] != PARCEL:
            raise RefusedError("transport", answer.status)
        found, at = [], 0
        while at < len(raw):
            size = struct.unpack_from(">I", raw, at)[0]
            found.append(raw[at + 4 : at + 4 + size])
            at += 4 + size
        return found

    # --- §10 -----------------------------------------------------------------------------------

    def ask(
        self, kind: int, body: list[Any], payloads: Iterable[bytes] = ()
    ) -> tuple[int, Any, list[bytes]]:
        """Send a request; return the reply's kind, body and payloads."""
        sent = list(payloads)
        for _ in range(3):  # 10.4
            sender = digest(b"motcua/device/1", self.public)[:16]  # 2.2
            wire = pack([1, kind, self.ward, sender, self.nonce, pack(body)])  # 10.1
            request = self.sign("motcua/message/1", self.responder, wire) + wire  # 10.2
            self.requests.append(kind)
            reply, *rest = self.post("/sync/v1", [request, *(sent if self.nonce else [])])
            check(self.responder, reply[:64], "motcua/reply/1", digest(request), reply[64:])
            version, answered, _, _, self.nonce, told = unpack(reply[64:])[:6]
            if version != 1:
                raise RefusedError("unsupported-version", version)
            if answered == REFUSED:
                raise RefusedError(*unpack(told)[:2])
            if answered != CHALLENGE:
                return answered, unpack(told), rest
        raise RefusedError("stale-nonce", "given up")

    # --- §9, §11 -------------------------------------------------------------------------------

    def frontier(self) -> list[list[Any]]:
        return [feed.mark for feed in self.feeds.values() if feed.sealed]

    def take_receipt(self, raw: bytes) -> list[Any]:
        """9.3, 9.5."""
        told = signed_body(raw, None, "motcua/receipt/1")
        known = self.receipts.get(told[0])
        if told[2] == self.ward and (known is None or known[4] <= told[4]):
            self.receipts[told[0]] = told
        return told

    def exchange(self) -> bool:
        """11.1 … 11.8. Return whether anything was new."""
        newest = self.receipts.get(self.responder)
        mine = root(self.frontier())
        if newest is not None and root(newest[5]) == mine:
            kind, told, _ = self.ask(HELLO, [mine, now_ms()])
            if kind == SAME and told[0] == newest[3]:
                return False
        for _ in range(8):
            kind, told, _ = self.ask(HELLO, [b"", now_ms()])
            if kind != FRONTIER:
                raise RefusedError("malformed", kind)
            theirs = self.take_receipt(told[0])[5]
            staged = told[1] if len(told) > 1 else []
            theirs = self.push([*theirs, *staged])
            self.pull(theirs)
            if root(self.receipts[self.responder][5]) == root(self.frontier()):
                return True
        raise RefusedError("peer", "no end")

    def push(self, marks: list[list[Any]]) -> list[list[Any]]:
        """11.2 … 11.4: what follows the greatest mark on our chain. Return the newest frontier."""
        while True:
            declarations, seals, ranges = [], [], []
            payloads: list[bytes] = []
            for feed in self.feeds.values():
                held = [
                    seq
                    for name, seq, short in marks
                    if name == feed.id and seq <= feed.sealed and feed.hashes[seq][:16] == short
                ]
                after = max(held, default=0)
                if after >= feed.sealed:
                    continue
                declarations.append(feed.declaration)
                seals.append(self.seal_of(feed))
                while after < feed.sealed and len(payloads) < 1024:
                    last = min(feed.sealed, after // BLOCK * BLOCK + BLOCK)  # 4.1
                    packed = b"\1" + zstd.compress(feed.raw(after + 1, last))  # 4.8
                    before = feed.hashes[after][:16]
                    ranges.append(
                        [feed.id, after + 1, last - after, before, len(packed), digest(packed)[:16]]
                    )
                    payloads.append(packed)
                    after = last
            if not ranges:
                return marks
            kind, told, _ = self.ask(PUSH, [declarations, seals, ranges, []], payloads)
            if kind != PUSHED:
                raise RefusedError("malformed", kind)
            frontier = self.take_receipt(told[0])[5]
            self.refused = told[2]
            if sorted([*frontier, *told[1]]) == sorted(marks):
                return frontier
            marks = [*frontier, *told[1]]

    def seal_of(self, feed: Feed) -> bytes:
        """3.11 for our own feed; of others we hand on what we hold."""
        if feed is not self.own:
            return self.seals[feed.id]
        head = feed.hashes[feed.sealed]
        signature = self.sign("motcua/seal/1", feed.id, u64(feed.sealed), head)
        return pack([feed.id, feed.sealed, head, signature])

    def pull(self, frontier: list[list[Any]]) -> None:
        """11.5, 11.6, 10.17."""
        while True:
            wants = []
            for name, seq, short in frontier:
                feed = self.feeds.get(name)
                if feed is None or seq > feed.sealed or feed.hashes[seq][:16] != short:
                    at = 0 if feed is None else len(feed.entries)
                    locator = [[name, at, feed.hashes[at][:16]]] if feed is not None and at else []
                    wants.append([[name, seq, short], locator])
            if not wants:
                return
            before = root(self.frontier())
            kind, told, payloads = self.ask(PULL, [wants, 8 << 20, False])
            if kind != PULLED:
                raise RefusedError("malformed", kind)
            self.take(told, payloads)
            if root(self.frontier()) == before and not told[3]:
                raise RefusedError("peer", "nothing moved")

    def take(self, told: list[Any], payloads: list[bytes]) -> None:
        """What a PULLED brings: every signature and hash is checked before anything counts."""
        for raw in told[0]:
            feed = Feed(raw)
            if feed.ward != self.ward:  # 3.3
                raise RefusedError("wrong-ward", feed.id)
            self.feeds.setdefault(feed.id, feed)
        for item, packed in zip(told[2], payloads, strict=True):
            name, first, _, _, size, known = item[:6]
            if len(packed) != size or digest(packed)[:16] != known:  # 14.5
                raise RefusedError("bad-signature", "payload")
            self.feeds[name].take(packed, first)
        for raw in told[1]:
            name = unpack(raw)[0]
            self.feeds[name].seal(raw)
            self.seals[name] = raw

    # --- §5, §6 --------------------------------------------------------------------------------

    def statements(self) -> list[tuple[bytes, list[Any]]]:
        """Every control statement held, with the device that said it."""
        found = []
        for feed in self.feeds.values():
            for header, body, _ in feed.entries[: feed.sealed]:
                if body is not None and unpack(header)[3] == 1:
                    found += [(feed.device, row) for row in unpack(body[8:])]
        return found

    def certificates(self) -> list[list[Any]]:
        """6.6."""
        raws = [row[1] for _, row in self.statements() if row[0] == 13]
        return [signed_body(raw, self.root, "motcua/certificate/1") for raw in raws]

    def hub(self) -> bytes:
        """6.6: the device that the root's certificate names."""
        newest: bytes = max(self.certificates())[1]
        return newest

    def is_granted(self) -> bool:
        """13.10: whether the hub's word for us has come."""
        hub = self.hub()
        rows = [row for speaker, row in self.statements() if speaker == hub and row[0] == 1]
        return any(row[1] == self.public for row in rows)

    def write(
        self,
        values: dict[int, Any],
        officer: bytes = b"",
        papers: dict[bytes, list[Any]] | None = None,
    ) -> bytes:
        """5.4: a new dossier; return its id (2.8)."""
        own = self.own
        if own is None:
            raise RefusedError("not-enrolled", "no feed")
        self.last_time = max(now_ms() << 16, self.last_time + 1)  # 2.7
        context = []
        for name, seq, short in self.frontier():  # 3.6
            if name != own.id and seq > self.stated.get(name, 0):
                context.append([name, seq, short])
                self.stated[name] = seq
        header = pack([self.last_time, officer, 1, 0, context])  # 3.5
        normal = {key: _nfc(value) for key, value in values.items()}
        salt = os.urandom(8)
        writes = [[12, element, value] for element, value in (papers or {}).items()]  # 5.3, §20
        body = salt + pack([[], [[None, 1, normal, writes]]])  # 5.1, 5.2
        seq = len(own.entries) + 1
        own.put(header, body, digest(body))
        own.sealed = seq
        tail = digest(b"motcua/record/1", own.id, u64(seq), salt, bytes(4))[:10]
        return (self.last_time >> 16).to_bytes(6, "big") + tail

    # --- §12 -----------------------------------------------------------------------------------

    def attach(self, plain: bytes, media_type: str) -> tuple[bytes, bytes, list[bytes]]:
        """12.1 … 12.3: return the manifest, the attachment id and the chunks."""
        key, count = os.urandom(32), -(-len(plain) // CHUNK)
        chunks = []
        for index in range(count):
            place = b"motcua/scan/1" + struct.pack(">II", index, count)
            nonce = os.urandom(12)
            part = plain[index * CHUNK : (index + 1) * CHUNK]
            chunks.append(nonce + AESGCM(key).encrypt(nonce, part, place))  # 1.11
        addresses = [digest(chunk) for chunk in chunks]
        recovery = max(self.certificates())[3]
        reader = X25519PublicKey.from_public_bytes(recovery)
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # 1.12
        name = digest(b"motcua/key/1", recovery)[:8]  # 2.10
        keys = [[name, suite.encrypt(key, reader, b"motcua/scan/1")]]
        manifest = pack([media_type, len(plain), addresses, keys])
        return manifest, digest(b"motcua/attachment/1", *addresses)[:16], chunks

    def bring(self, scan: bytes, chunks: list[bytes]) -> bool:
        """12.4, 12.6: return whether a receipt names the scan."""
        addresses = [digest(chunk) for chunk in chunks]
        named = [[scan, addresses]]
        kind, told, _ = self.ask(CHUNKS_WANTED, [addresses, named])
        by_address = dict(zip(addresses, chunks, strict=True))
        lacking = [by_address[address] for address in told[0]]
        if lacking:
            sizes = [len(chunk) for chunk in lacking]
            kind, told, _ = self.ask(CHUNKS_PUT, [told[0], sizes, named], lacking)
        if kind != CHUNKS_ANSWER:
            raise RefusedError("malformed", kind)
        return bool(told[2]) and scan in signed_body(told[2], None, "motcua/receipt/1")[8]

    def fetch(self, addresses: list[bytes]) -> list[bytes]:
        """10.19, 10.20."""
        found: dict[bytes, bytes] = {}
        while len(found) < len(addresses):
            wanted = [address for address in addresses if address not in found]
            kind, told, payloads = self.ask(CHUNKS_GET, [wanted, 1])
            if kind != CHUNKS_ANSWER or not told[0]:
                raise RefusedError("malformed", kind)
            for address, chunk in zip(told[0], payloads, strict=True):
                if digest(chunk) != address:
                    raise RefusedError("bad-signature", "chunk")
                found[address] = chunk
        return [found[address] for address in addresses]

    def dossiers(self) -> dict[bytes, dict[int, Any]]:
        """Every dossier as the entry that made it wrote it, by id."""
        found = {}
        for feed in self.feeds.values():
            for seq, (header, body, _) in enumerate(feed.entries[: feed.sealed], 1):
                timestamp, _, _, kind = unpack(header)[:4]
                if body is None or kind != 0:
                    continue
                for index, change in enumerate(unpack(body[8:])[1]):
                    if change[0] is None:
                        salt, place = body[:8], index.to_bytes(4, "big")
                        tail = digest(b"motcua/record/1", feed.id, u64(seq), salt, place)
                        found[(timestamp >> 16).to_bytes(6, "big") + tail[:10]] = change[2]
        return found

    def is_receipted(self) -> bool:
        """9.6: whether the responder holds our whole feed, by its own signed word."""
        told = self.receipts.get(self.responder)
        return told is not None and self.own is not None and self.own.mark in told[5]


def root(frontier: list[list[Any]]) -> bytes:
    """9.2."""
    rows = sorted((name, seq, short) for name, seq, short in frontier if seq)
    return digest(b"motcua/root/1", *(name + u64(seq) + short for name, seq, short in rows))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _nfc(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return [_nfc(item) for item in value] if isinstance(value, list) else value
