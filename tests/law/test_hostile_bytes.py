"""Whatever comes from outside is taken, or refused as a `PeerError`: nothing else, and no harm.

Three kinds of hostility, for every decoder: bytes at random, valid bytes with damage, and valid
messages of which one item was replaced and which were signed again by somebody who may sign.
"""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_protocol import limits
from sync_protocol.attachment import read_manifest as read_scan
from sync_protocol.attachment import seal_scan
from sync_protocol.crypto import seal, signature
from sync_protocol.encoding import compress, decode, encode
from sync_protocol.errors import InputError, PeerError
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import NO_OFFICER, Dot, FeedId
from sync_protocol.log import block
from sync_protocol.log.entry import CHANGESET, CONTROL, Entry, Header, Mark, digest, read_header
from sync_protocol.log.feed import declare, follow, read_declaration
from sync_protocol.log.journal import PURPOSE, open_frame, seal_frame
from sync_protocol.log.seal import check_seal, decode_seal, encode_seal, make_seal
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import decode_state
from sync_protocol.record.change import (
    CellWrite,
    Changeset,
    RecordChange,
    decode_changeset,
    encode_changeset,
)
from sync_protocol.record.diff import create
from sync_protocol.replica import Character, Offer, Replica, Rooms
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal
from sync_protocol.storage.sqlite_log import SqliteLog
from sync_protocol.storage.sqlite_views import SqliteViews
from sync_protocol.wire import message as m
from sync_protocol.wire import snapshot
from sync_protocol.wire.chunk import ChunksGet, ChunksPut, ChunksWanted
from sync_protocol.wire.enrol import (
    Invitation,
    Welcome,
    read_application,
    read_invitation,
    read_welcome,
    write_application,
    write_invitation,
    write_welcome,
)
from sync_protocol.wire.health import Health
from sync_protocol.wire.hello import Hello
from sync_protocol.wire.pull import Pull, Want
from sync_protocol.wire.push import Push, RangeItem
from sync_protocol.wire.receipt import Receipt, read_receipt, write_receipt
from tests.clinic import CLINIC, PATIENT
from tests.unit.wire.test_message import BODIES
from tests.ward import WARD, Device, Ward, keys_of, offers

KEYS, HUB = keys_of("edge"), keys_of("hub")
FEED = FeedId(b"f" * 16)
MARK = Mark(FEED, 3, b"h" * 16)
NONCE = b"n" * 16
SALT = b"saltsalt"
JOURNAL_KEY = b"j" * 32

Read = Callable[[bytes], object]
Wrap = Callable[[bytes], bytes]


def _signed(domain: bytes, *before: bytes) -> Wrap:
    """Sign MessagePack as the edge would."""
    return lambda wire: signature.sign(KEYS.signing, domain, *before, wire) + wire


@dataclass(frozen=True)
class Decoder:
    """One way in. `wire` is valid MessagePack, `wrap` makes of it what `read` reads."""

    name: str
    read: Read
    wire: bytes
    wrap: Wrap = lambda wire: wire

    @property
    def valid(self) -> bytes:
        return self.wrap(self.wire)


ENTRY = Entry.of(Header(5 << 16, NO_OFFICER, 1, CHANGESET, [MARK]), SALT + b"body")
CHANGES = Changeset(
    (
        RecordChange(None, 1, {1: "An", 5: "waiting"}, (CellWrite(3, b"e" * 16, ["a", None]),)),
        RecordChange(
            b"r" * 16,  # type: ignore[arg-type]
            1,
            {},
            (CellWrite(1, None, "x", (Dot(FEED, 3), Dot(FeedId(b"g" * 16), 9, b"branch__")), 0),),
        ),
    )
)
STATEMENTS: list[g.Statement] = [
    g.Grant(KEYS.public, b"a" * 32, g.EDGE, "label", 3),
    g.Revoke(KEYS.public, g.LOST, [MARK], 2),
    g.Adopt([[FEED, 1], [FEED, 2, b"branch__"]]),
    g.Erase([[FEED, 1]], [b"c" * 32], [], "law"),
    g.Profile("1", "Phường A", [b"w" * 16], 2),
]
INVITATION = Invitation(
    "https://hub:8443", b"s" * 16, b"f" * 32, HUB.public, KEYS.public, WARD, "edge"
)
APPLICATION = write_application(KEYS, INVITATION, "label")
RECEIPT = Receipt(KEYS.public, g.EDGE, WARD, b"incarnat", 5, [MARK], [MARK], [[FEED, 2]], [])
REQUEST = m.write_request(KEYS.signing, HUB.public, m.Kind.HELLO, WARD, NONCE, Hello(b"", 5))
STATE = encode([1, [[FEED, 1], 5, b"", {1: "x"}, []], [[2, None, [[[FEED, 2], 1, b"", 5]]]], []])
PREFACE = snapshot.Preface(
    [snapshot.Start(b"declaration", 3, b"h" * 32, b"seal", True, [(0, 3)], [(1, b"h", b"b")])],
    [snapshot.Quarantined(0, 1, "rejected", [b"r" * 16])],
)
SNAPSHOT = snapshot.Manifest(KEYS.public, WARD, 1, 1, 5, b"p" * 32, [b"c" * 32], 10)
ROWS = [snapshot.Row(b"r" * 16, b"state", b"pending")]  # type: ignore[arg-type]


def _check_seal(raw: bytes) -> None:
    check_seal(decode_seal(raw), KEYS.public)


def _reply(wire: bytes) -> bytes:
    parts = (m.request_digest(REQUEST), wire)
    return signature.sign(KEYS.signing, signature.REPLY, *parts) + wire


def _bodies() -> Iterator[Decoder]:
    for body in BODIES:
        kind = type(body)

        def read(raw: bytes, kind: type[m.Body] = kind) -> object:
            return m.decode_body(m.Envelope(1, 1, WARD, KEYS.id, NONCE, raw), kind)

        yield Decoder(kind.__name__, read, m.encode_body(body))


DECODERS = [
    Decoder(
        "block",
        block.unpack,
        block.raw_form(1, [ENTRY, ENTRY.erased(), ENTRY]),
        lambda wire: b"\x01" + compress(wire),
    ),
    Decoder(
        "block against a head",
        lambda raw: block.unpack(raw, b"head" * 9),
        block.raw_form(257, [ENTRY]),
        lambda wire: b"\x02" + block.head_digest(b"head" * 9) + compress(wire, 3, b"head" * 9),
    ),
    Decoder("header", read_header, ENTRY.header),
    Decoder(
        "changeset",
        lambda raw: decode_changeset(raw, FEED),
        encode_changeset(CHANGES, b"", FEED),
        lambda wire: SALT + wire,
    ),
    Decoder(
        "statements",
        g.decode_statements,
        g.encode_statements(STATEMENTS, b""),
        lambda wire: SALT + wire,
    ),
    Decoder(
        "declaration",
        read_declaration,
        declare(KEYS, WARD, b"incarnat", MARK).raw[64:],
        _signed(signature.DECLARATION),
    ),
    Decoder("seal", _check_seal, encode_seal(make_seal(KEYS.signing, FEED, 7, b"h" * 32))),
    Decoder(
        "certificate",
        lambda raw: g.read_certificate(raw, KEYS.public),
        g.certify(KEYS.signing, g.Certificate(1, HUB.public, b"a" * 32, b"y" * 32, [MARK]))[64:],
        _signed(signature.CERTIFICATE),
    ),
    Decoder("envelope", m.parse, REQUEST[64:], lambda wire: bytes(64) + wire),
    Decoder(
        "reply",
        lambda raw: m.read_reply(raw, REQUEST, KEYS.public),
        m.write_reply(KEYS.signing, REQUEST, m.Kind.THANKS, NONCE, m.Challenge(5))[64:],
        _reply,
    ),
    Decoder(
        "receipt",
        read_receipt,
        write_receipt(KEYS.signing, RECEIPT)[64:],
        _signed(signature.RECEIPT),
    ),
    Decoder("scan", read_scan, seal_scan(b"plain", "image/png", [b"k" * 32]).manifest),
    Decoder(
        "snapshot",
        snapshot.read_manifest,
        snapshot.write_manifest(KEYS.signing, SNAPSHOT)[64:],
        _signed(signature.SNAPSHOT),
    ),
    Decoder("preface", snapshot.read_preface, m.encode_body(PREFACE), compress),
    Decoder(
        "rows",
        snapshot.read_rows,
        encode([b"r" * 6, b"r" * 10, [b"state"], [[0, b"pending"]]]),
        compress,
    ),
    Decoder("state", decode_state, STATE),
    Decoder("pending", lambda raw: decode_state(STATE, raw), encode([[1, None, [[FEED, 9]]]])),
    Decoder(
        "application",
        lambda raw: read_application(raw, HUB.public),
        APPLICATION[64:],
        _signed(signature.ENROLMENT, HUB.public),
    ),
    Decoder(
        "welcome",
        lambda raw: read_welcome(raw, APPLICATION, KEYS.public),
        write_welcome(KEYS, APPLICATION, Welcome(WARD, "1", "A", "edge", b"certificate"))[64:],
        _signed(signature.ENROLMENT, encode(APPLICATION)),
    ),
    Decoder(
        "journal frame",
        lambda raw: open_frame(JOURNAL_KEY, raw),
        seal.decrypt(JOURNAL_KEY, seal_frame(JOURNAL_KEY, FEED, 7, ENTRY, b"h" * 32), PURPOSE),
        lambda wire: seal.encrypt(JOURNAL_KEY, wire, PURPOSE),
    ),
    *_bodies(),
]
IDS = [decoder.name for decoder in DECODERS]


def refused_or_read(read: Read, raw: bytes) -> None:
    with suppress(PeerError):
        read(raw)


# --- what hostility is made of --------------------------------------------------------------------

DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.5,
    float("nan"), b"", b"x", b"x" * 16, b"x" * 32, b"x" * 64, bytes(5000), "", "x", "ữ" * 500,
    [], [[]], [None], [0], [b""], [""], [[b"x" * 16, 1]], [[b"x" * 16, 2**64 - 1]],
    [[10**9, 1]], {}, {1: 2}, {"a": []}, {b"x": None}, {(1, 2): 3}, DEEP, [b"x" * 32] * 300,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every item inside a message."""
    found = [path]
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], with_: Any) -> Any:
    """Return a message in which one item is another."""
    if not path:
        return with_
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], with_)
    return copy


def every_replacement(wire: bytes) -> Iterator[bytes]:
    """Each item of a message, replaced by each hostile value, left out, or doubled."""
    value: Any = decode(wire, object)
    for path in places(value):
        for other in HOSTILE:
            yield encode(replaced(value, path, other))
        if path and isinstance(path[-1], int):
            outer: Any = value
            for step in path[:-1]:
                outer = outer[step]
            if isinstance(outer, list):
                at = path[-1]
                for rows in (
                    outer[:at],
                    outer[: at + 1] + outer[at:],
                    outer[:at] + outer[at + 1 :],
                ):
                    yield encode(replaced(value, path[:-1], rows))


def damaged(valid: bytes, seed: int) -> bytes:
    """Return valid bytes that were flipped, cut, doubled, or overwritten."""
    random = Random(seed)
    raw = bytearray(valid)
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, max(0, len(raw) - 1))
        match random.choice(["flip", "cut", "double", "insert", "write"]):
            case "flip" if raw:
                raw[at] ^= 1 << random.randint(0, 7)
            case "cut":
                del raw[at:]
            case "double":
                raw += raw[at:]
            case "insert":
                raw[at:at] = random.randbytes(random.randint(0, 8))
            case _:
                raw[at : at + 5] = random.choice(LENGTHS)
    return bytes(raw)


SEEDS = st.integers(0, 2**64)
LENGTHS = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 5]


# --- every decoder --------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS, ids=IDS)
def test_valid_bytes_are_read(decoder: Decoder) -> None:
    decoder.read(decoder.valid)


@pytest.mark.parametrize("decoder", DECODERS, ids=IDS)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_read(decoder: Decoder, raw: bytes) -> None:
    refused_or_read(decoder.read, raw)
    refused_or_read(decoder.read, decoder.wrap(raw))


@pytest.mark.parametrize("decoder", DECODERS, ids=IDS)
@given(SEEDS)
def test_damaged_bytes_are_refused_or_read(decoder: Decoder, seed: int) -> None:
    refused_or_read(decoder.read, damaged(decoder.valid, seed))
    refused_or_read(decoder.read, decoder.wrap(damaged(decoder.wire, seed)))


@pytest.mark.parametrize("decoder", DECODERS, ids=IDS)
def test_every_item_replaced_is_refused_or_read(decoder: Decoder) -> None:
    for wire in every_replacement(decoder.wire):
        refused_or_read(decoder.read, decoder.wrap(wire))


@pytest.mark.parametrize("decoder", DECODERS, ids=IDS)
def test_every_length_is_bounded_by_the_bytes_that_are_there(decoder: Decoder) -> None:
    """A few bytes that claim four thousand million items cost no memory."""
    tracemalloc.start()
    try:
        for claim in LENGTHS:
            for at in range(0, len(decoder.wire), max(1, len(decoder.wire) // 40)):
                raw = decoder.wire[:at] + claim + decoder.wire[at:]
                refused_or_read(decoder.read, decoder.wrap(raw))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [10_000_000, 60_000_000])
@pytest.mark.parametrize("item", [b"\xc0", b"\xc4\x00", b"\x90"])
def test_a_bomb_in_a_block_costs_no_more_than_it_may_unfold_to(count: int, item: bytes) -> None:
    many = b"\xdd" + count.to_bytes(4, "big") + item * (limits.RANGE_BYTES_MAX // len(item) - 64)
    for raw in (b"\x95\x01" + many, b"\x95\x01\x90\xc4\x00" + many + b"\x90"):
        tracemalloc.start()
        refused_or_read(block.unpack, b"\x01" + compress(raw[: limits.RANGE_BYTES_MAX]))
        assert tracemalloc.get_traced_memory()[1] < 4 * limits.RANGE_BYTES_MAX
        tracemalloc.stop()


# --- invitations are typed by people --------------------------------------------------------------


@given(st.text(max_size=200) | st.text(max_size=200).map("MC1.".__add__))
def test_any_text_is_an_invitation_or_told_to_be_none(text: str) -> None:
    with suppress(InputError):
        read_invitation(text)


def test_an_invitation_with_any_item_replaced_is_read_or_told_to_be_none() -> None:
    for wire in every_replacement(m.encode_body(INVITATION)):
        text = "MC1." + base64.urlsafe_b64encode(wire).decode().rstrip("=")
        with suppress(InputError):
            read_invitation(text)


@given(SEEDS)
def test_a_mistyped_invitation_is_read_or_told_to_be_none(seed: int) -> None:
    raw = damaged(write_invitation(INVITATION).encode(), seed)
    with suppress(InputError):
        read_invitation(raw.decode(errors="replace"))


# --- the whole door -------------------------------------------------------------------------------


class Door:
    """A hub on real stores, and an edge that may knock."""

    def __init__(self, folder: Path) -> None:
        self.ward = Ward()
        self.edge = self.ward.device("edge")
        for number in range(3):
            self.edge.admit(f"Người {number}")
        rooms = Rooms(
            SqliteLog(str(folder / "log"), b"k" * 32),
            SqliteViews(str(folder / "views"), b"k" * 32),
            MemoryJournal(),
            MemoryChunks(),
            JOURNAL_KEY,
        )
        self.character = Character(
            keys_of("second hub"), WARD, self.ward.root.public, CLINIC, lambda: self.ward.now_ms
        )
        self.replica = Replica(rooms, self.character)
        self._copy_from(self.ward.hub)
        self.responder = Responder(self.replica, Nonces())
        self.nonce = b""

    def _copy_from(self, hub: Device) -> None:
        """Stand at the door as an edge of the same ward, which is the same as a hub there."""
        self.ward.grant("second hub")
        own = hub.replica.own
        self.replica.ingest([own.declared.raw], [own.row.seal], offers(hub))
        self.replica.follow()

    def state(self) -> tuple[object, ...]:
        self.replica.follow()
        found = self.replica.digest()
        held = [(row.chain, row.seq) for row in self.replica.rooms.views.held()]
        return found.frontier, found.records, found.sha256, tuple(held)

    def knock(self, kind: int, body: bytes, payloads: list[bytes]) -> m.Envelope | None:
        """Send a body that the edge has signed; None where the door did not answer."""
        keys = self.edge.keys
        wire = encode([m.VERSION, kind, WARD, keys.id, self.nonce, body])
        to = self.replica.keys.public
        raw = signature.sign(keys.signing, signature.MESSAGE, to, wire) + wire
        try:
            answer = self.responder.respond(raw, payloads)
        except PeerError:
            return None
        envelope = m.read_reply(answer.envelope, raw, to)
        self.nonce = envelope.nonce
        return envelope

    def ask(self, kind: int, body: bytes, payloads: list[bytes]) -> m.Envelope | None:
        answer = self.knock(kind, body, payloads)
        if answer is not None and answer.kind == m.Kind.CHALLENGE:
            answer = self.knock(kind, body, payloads)
        return answer


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Door:
    return Door(tmp_path_factory.mktemp("door"))


def _push(door: Door) -> tuple[Push, list[bytes]]:
    [offer] = offers(door.edge)
    item = RangeItem(
        offer.feed, 1, 3, offer.before, len(offer.packed), m.payload_digest(offer.packed)
    )
    own = door.edge.replica.own
    receipt = door.edge.replica.receipt()
    return Push([own.declared.raw], [own.row.seal], [item], [receipt]), [offer.packed]


def _requests(door: Door) -> list[tuple[m.Kind, bytes, list[bytes]]]:
    """One valid request of every kind; the push comes last."""
    mark = door.replica.holding.frontier()[0]
    push, payloads = _push(door)
    chunk = b"chunk"
    address = digest(chunk)
    bodies: list[tuple[m.Kind, m.Body, list[bytes]]] = [
        (m.Kind.HELLO, Hello(door.replica.holding.frontier_root(), 5), []),
        (m.Kind.PULL, Pull([Want(mark, [mark])], 1000, True), []),
        (m.Kind.CHUNKS_WANTED, ChunksWanted([address], [(b"a" * 16, [address])]), []),
        (m.Kind.CHUNKS_PUT, ChunksPut([address], [5], [(b"a" * 16, [address])]), [chunk]),
        (m.Kind.CHUNKS_GET, ChunksGet([address], 100), []),
        (m.Kind.SNAPSHOT, snapshot.SnapshotAsk([address], [b"r" * 16], b"r" * 32), []),
        (m.Kind.AUDIT, snapshot.AuditAsk(b"r" * 32, 1, bytes(4096)), []),
        (m.Kind.HEALTH, Health({"free": 5, "version": "1"}), []),
        (m.Kind.PUSH, push, payloads),
    ]
    return [(kind, m.encode_body(body), carried) for kind, body, carried in bodies]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.lists(st.binary(max_size=50), max_size=3))
def test_random_bytes_at_the_door_change_nothing(
    door: Door, raw: bytes, payloads: list[bytes]
) -> None:
    before = door.state()
    for sent in (raw, bytes(64) + raw):
        with suppress(PeerError):
            door.responder.respond(sent, payloads)
    assert door.state() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 7), st.integers(-1, 130), SEEDS)
def test_damaged_requests_change_nothing(door: Door, which: int, other: int, seed: int) -> None:
    before = door.state()
    kind, body, payloads = _requests(door)[which]
    wire = encode([m.VERSION, int(kind), WARD, door.edge.keys.id, door.nonce, body])
    to = door.replica.keys.public
    proof = signature.sign(door.edge.keys.signing, signature.MESSAGE, to, wire)
    with suppress(PeerError):
        door.responder.respond(damaged(proof + wire, seed), payloads)
    door.ask(kind, damaged(body, seed), payloads)
    door.ask(other, body, payloads)
    assert door.state() == before


def test_signed_requests_with_any_item_replaced_are_answered_and_change_nothing(
    door: Door,
) -> None:
    before = door.state()
    for kind, body, payloads in _requests(door)[:-1]:
        for wire in every_replacement(body):
            assert door.ask(kind, wire, payloads) is not None
        assert door.state() == before


def test_signed_pushes_with_any_item_replaced_bring_in_nothing_that_is_not_sealed(
    door: Door,
) -> None:
    """Some are still lawful: they may bring in what the edge had sealed, and nothing else."""
    kind, body, payloads = _requests(door)[-1]
    lawful = {*door.replica.holding.frontier(), door.edge.replica.own.mark}
    for wire in every_replacement(body):
        assert door.ask(kind, wire, payloads) is not None
        assert set(door.replica.holding.frontier()) <= lawful
        feeds = {door.replica.own.feed, *(mark.feed for mark in lawful)}
        assert set(door.replica.holding.by_feed) <= feeds
    answer = door.ask(kind, body, payloads)
    assert answer is not None
    assert answer.kind == m.Kind.PUSHED
    assert door.edge.replica.own.mark in door.replica.holding.frontier()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS)
def test_payloads_that_are_not_those_named_are_refused(door: Door, seed: int) -> None:
    kind, body, payloads = _requests(door)[-1]
    before = door.state()
    for bad in ([], [b""], [damaged(payloads[0], seed)]):
        answer = door.ask(kind, body, bad)
        assert answer is not None
        if bad != payloads:
            assert answer.kind == m.Kind.REFUSED
            assert door.state() == before


# --- entries that are sealed and hostile all the same ---------------------------------------------


def _sealed_entries(device: Device, rows: list[tuple[int, bytes]]) -> tuple[list[bytes], bytes]:
    """Entries of (kind, body) in the device's own feed, packed and sealed by its own key."""
    own = device.replica.own
    entries = [Entry.of(Header(1 << 30, NO_OFFICER, 1, kind), body) for kind, body in rows]
    hashes = follow(own.row.head, entries)
    last = own.row.head.seq + len(entries)
    seal_ = make_seal(device.keys.signing, own.feed, last, hashes[-1])
    packed = []
    at = own.row.head.seq + 1
    for first, end in block.spans(at, last):
        packed.append(block.pack(first, entries[first - at : end - at + 1]))
    return packed, encode_seal(seal_)


@pytest.fixture(params=["memory", "sqlite"])
def readers(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Device, Replica]:
    """An edge, and a replica that reads what it writes."""
    ward = Ward()
    edge = ward.device("edge")
    edge.admit()
    if request.param == "memory":
        ward.hub.replica.ingest(
            [edge.replica.own.declared.raw], [edge.replica.own.row.seal], offers(edge)
        )
        ward.hub.replica.follow()
        return edge, ward.hub.replica
    door = Door(tmp_path)
    kind, body, payloads = _requests(door)[-1]
    door.ask(kind, body, payloads)
    door.replica.follow()
    return door.edge, door.replica


def _take_in(edge: Device, replica: Replica, rows: list[tuple[int, bytes]]) -> None:
    packed, seal_ = _sealed_entries(edge, rows)
    own = edge.replica.own
    head = own.row.head
    before = head.hash[:16]
    with replica.lock:
        intake = replica.intake([own.declared.raw], [seal_])
        for raw in packed:
            found = block.unpack(raw)
            intake.take(Offer(own.feed, found.first, before, raw))
            before = follow(head, found.entries)[-1][:16]
            head = head._replace(hash=follow(head, found.entries)[-1])
        admission = replica.after(intake.finish())
    assert admission.refused == {}
    assert admission.entries == len(rows)


def test_hostile_changesets_are_folded_or_held_and_the_feed_goes_on(
    readers: tuple[Device, Replica],
) -> None:
    edge, replica = readers
    change = create(
        PATIENT, {"name": "An", "state": "waiting"}, {"papers": {b"e" * 16: ["a", None]}}
    )
    made = encode_changeset(Changeset((change,)), b"", edge.replica.own.feed)
    record = next(iter(replica.states()))[0]
    dot = Dot(edge.replica.own.feed, 1)
    rows = []
    for field in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 77):
        element = b"e" * 16 if field in (3, 4) else None
        for value in HOSTILE:
            write = CellWrite(field, element, value, (dot,))
            blind = CellWrite(field, element, value)
            both = Changeset(
                (RecordChange(record, 1, {}, (write,)), RecordChange(record, 1, {}, (blind,)))
            )
            with suppress(TypeError):
                rows.append((CHANGESET, encode_changeset(both, SALT, edge.replica.own.feed)))
    rows += [(CHANGESET, SALT + wire) for wire in every_replacement(made)]
    _take_in(edge, replica, rows)
    replica.follow()
    assert replica.follower.lag() == 0
    for view in (replica.read(found) for found, _ in replica.states()):
        assert view is not None
    digest_ = replica.digest()
    replica.rebuild()
    assert replica.digest() == digest_


def test_hostile_statements_are_heard_or_held_and_everybody_still_opens(
    readers: tuple[Device, Replica],
) -> None:
    edge, replica = readers
    rows = []
    for statement in STATEMENTS:
        wire = g.encode_statements([statement], b"")
        rows += [(CONTROL, SALT + other) for other in every_replacement(wire)]
    _take_in(edge, replica, rows)
    replica.follow()
    assert replica.follower.lag() == 0
    again = Replica(replica.rooms, replica.character)
    assert again.digest() == replica.digest()


# --- enrolment ------------------------------------------------------------------------------------


def test_hostile_applications_give_nobody_else_a_grant() -> None:
    ward = Ward()
    registrar = Registrar(ward.hub.replica)
    invitation = registrar.invite(g.EDGE, "", "https://hub", b"f" * 32)
    device = keys_of("new device")
    wire = write_application(device, invitation, "label")[64:]
    for other in every_replacement(wire):
        proof = signature.sign(device.signing, signature.ENROLMENT, ward.hub.keys.public, other)
        with suppress(PeerError):
            registrar.admit(proof + other)
    assert set(ward.hub.replica.holding.roster.grants) <= {device.public}
