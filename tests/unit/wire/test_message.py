"""Every message is signed, bound to the other side, and refused where it is out of shape."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.encoding import encode
from sync_protocol.errors import (
    BadSignatureError,
    LimitExceededError,
    MalformedMessageError,
    UnsupportedVersionError,
)
from sync_protocol.identity import FeedId
from sync_protocol.log.entry import Mark
from sync_protocol.wire import message as m
from sync_protocol.wire.chunk import ChunksAnswer, ChunksGet, ChunksPut, ChunksWanted
from sync_protocol.wire.health import Health, Thanks
from sync_protocol.wire.hello import Frontier, Hello, Same
from sync_protocol.wire.pull import Pull, Pulled, Want
from sync_protocol.wire.push import Push, Pushed, RangeItem
from sync_protocol.wire.snapshot import AuditAsk, Audited, SnapshotAnswer, SnapshotAsk
from tests.ward import WARD, keys_of

EDGE, HUB, OTHER = keys_of("edge"), keys_of("hub"), keys_of("other")
NONCE = b"n" * 16
MARK = Mark(FeedId(b"f" * 16), 3, b"h" * 16)
ITEM = RangeItem(MARK.feed, 1, 256, b"h" * 16, 1000, b"d" * 16)

BODIES: list[m.Body] = [
    Hello(b"r" * 32, 5),
    Same(b"incarnat", 5),
    Frontier(b"receipt", [MARK], [b"relayed"], [MARK], 5, "revoked-lost"),
    Push([b"declaration"], [b"seal"], [ITEM], [b"receipt"]),
    Pushed(b"receipt", [MARK], [(MARK.feed, "feed-gap", "Entries are missing.")], [b"relayed"]),
    Pull([Want(MARK, [MARK])], 8 << 20, True),
    Pulled([b"declaration"], [b"seal"], [ITEM], True),
    ChunksWanted([b"c" * 32], [(b"a" * 16, [b"c" * 32])]),
    ChunksPut([b"c" * 32], [5], [(b"a" * 16, [b"c" * 32])]),
    ChunksGet([b"c" * 32], 100),
    ChunksAnswer([b"c" * 32], [5], b"receipt", [b"relayed"]),
    SnapshotAsk([b"c" * 32], [b"r" * 16], b"f" * 32),
    SnapshotAnswer(b"manifest", [b"c" * 32]),
    AuditAsk(b"r" * 32, 1, bytes(4096)),
    Audited(True, [3]),
    Health({"free_bytes": 5, "version": "1.0"}),
    Thanks(5),
    m.Challenge(5),
    m.Refused("busy", "Later.", 30),
]


def _request(body: m.Body | None = None) -> bytes:
    body = body or Hello(b"", 5)
    return m.write_request(EDGE.signing, HUB.public, m.Kind.HELLO, WARD, NONCE, body)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_body_reads_back_as_it_was_written(body: m.Body) -> None:
    envelope = m.parse(_request(body))
    assert m.decode_body(envelope, type(body)) == body


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_newer_body_with_more_items_is_read_as_far_as_it_is_known(body: m.Body) -> None:
    raw = m.encode_body(body)
    longer = bytes([raw[0] + 1]) + raw[1:] + encode({"more": [1, b"2"]})
    envelope = m.Envelope(1, 1, WARD, EDGE.id, NONCE, longer)
    assert m.decode_body(envelope, type(body)) == body


def test_a_request_names_its_sender_and_carries_the_nonce() -> None:
    envelope = m.parse(_request())
    assert (envelope.version, envelope.kind) == (m.VERSION, m.Kind.HELLO)
    assert (envelope.ward, envelope.sender, envelope.nonce) == (WARD, EDGE.id, NONCE)


def test_a_request_is_worth_nothing_to_anybody_else_nor_from_anybody_else() -> None:
    raw = _request()
    m.check_request(raw, EDGE.public, HUB.public)
    for sender, to in ((EDGE, OTHER), (OTHER, HUB)):
        with pytest.raises(BadSignatureError):
            m.check_request(raw, sender.public, to.public)


def test_a_reply_answers_one_request_by_one_peer() -> None:
    raw = _request()
    reply = m.write_reply(HUB.signing, raw, m.Kind.SAME, NONCE, Same(b"incarnat", 5))
    envelope = m.read_reply(reply, raw, HUB.public)
    assert m.decode_body(envelope, Same) == Same(b"incarnat", 5)
    assert envelope.nonce == NONCE
    with pytest.raises(BadSignatureError):
        m.read_reply(reply, _request(Hello(b"r" * 32, 6)), HUB.public)
    with pytest.raises(BadSignatureError):
        m.read_reply(reply, raw, OTHER.public)


def test_a_reply_never_passes_for_a_request_nor_a_request_for_a_reply() -> None:
    raw = _request()
    reply = m.write_reply(HUB.signing, raw, m.Kind.SAME, NONCE, Same(b"incarnat", 5))
    with pytest.raises(BadSignatureError):
        m.check_request(reply, HUB.public, EDGE.public)
    with pytest.raises(BadSignatureError):
        m.read_reply(raw, raw, EDGE.public)


def test_another_version_is_told_so() -> None:
    for version in (0, m.VERSION + 1):
        wire = encode([version, 1, WARD, EDGE.id, NONCE, b""])
        with pytest.raises(UnsupportedVersionError):
            m.parse(bytes(64) + wire)


@pytest.mark.parametrize(
    "row",
    [
        [1, 1, b"w", EDGE.id, NONCE, b""],
        [1, 1, WARD, b"s", NONCE, b""],
        [1, 1, WARD, EDGE.id, NONCE + b"x", b""],
        [1, 1, WARD, EDGE.id, "nonce", b""],
        [1, "1", WARD, EDGE.id, NONCE, b""],
        [1, 1, WARD],
        {},
        5,
    ],
    ids=repr,
)
def test_an_envelope_out_of_shape_is_refused(row: object) -> None:
    with pytest.raises(MalformedMessageError):
        m.parse(bytes(64) + encode(row))


def test_an_envelope_cut_off_or_too_large_is_refused() -> None:
    for cut in (0, 10, 63, 64, 65):
        with pytest.raises(MalformedMessageError):
            m.parse(_request()[:cut])
    with pytest.raises(LimitExceededError):
        m.parse(bytes(limits.MESSAGE_BYTES_MAX + 1))


def test_payloads_are_named_by_sixteen_bytes_of_their_hash() -> None:
    assert len(m.payload_digest(b"payload")) == m.DIGEST_BYTES
    assert m.payload_digest(b"payload") != m.payload_digest(b"payloae")
