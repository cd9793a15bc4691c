"""Would another implementation agree? Our code against the vectors, and back."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from sync_protocol import attachment
from sync_protocol.crypto import seal
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.encoding import decode
from sync_protocol.errors import SyncError
from sync_protocol.exchange.respond import Responder
from sync_protocol.identity import DeviceKey, FeedId
from sync_protocol.log import block
from sync_protocol.log.entry import Entry, Mark, digest
from sync_protocol.log.feed import follow, read_declaration
from sync_protocol.log.frontier import root
from sync_protocol.log.seal import check_seal, decode_seal
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import decode_state, encode_state
from sync_protocol.record.change import decode_changeset, encode_changeset
from sync_protocol.wire import bundle, enrol, message, snapshot
from sync_protocol.wire.receipt import read_receipt
from tests.vector import builder, cases, generate, road

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def marks(rows: list[list[Any]]) -> list[Mark]:
    return [Mark(FeedId(raw(feed)), seq, raw(value)) for feed, seq, value in rows]


@pytest.mark.parametrize("name", generate.FILES)
def test_making_the_vectors_again_changes_nothing(name: str) -> None:
    assert generate.text(generate.FILES[name]()) == (FOLDER / f"{name}.json").read_text("utf-8")


def test_the_document_shows_what_the_code_does() -> None:
    assert generate.protocol() == generate.PROTOCOL.read_text("utf-8")


def test_every_vector_file_is_made_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*generate.FILES, "sealed"}


def test_declarations_are_read() -> None:
    for vector in load("declaration"):
        declared = read_declaration(raw(vector["raw"]))
        assert declared.feed == raw(vector["feed_id"])
        assert declared.start.hash == raw(vector["chain_hash"])
        assert declared.declaration.device == raw(vector["device"])


def test_entries_chain_up_to_their_seal() -> None:
    for vector in load("entry"):
        entries = [
            Entry(raw(row["header"]), row["body"] and raw(row["body"]), raw(row["body_hash"]))
            for row in vector["entries"]
        ]
        assert all(item.body is None or digest(item.body) == item.body_hash for item in entries)
        declared = read_declaration(raw(vector["declaration"]))
        hashes = follow(declared.start, entries)
        assert hashes == [raw(row["chain_hash"]) for row in vector["entries"]]
        sealed = decode_seal(raw(vector["seal"]))
        check_seal(sealed, DeviceKey(raw(vector["device"])))
        assert (sealed.seq, sealed.hash) == (len(entries), hashes[-1])
        assert block.unpack(raw(vector["packed"])).entries == entries
        assert block.raw_form(1, entries) == raw(vector["raw_range"])


def test_packed_ranges_are_read_alone_and_against_the_head() -> None:
    vector, told = load("sealed")["range"], load("group")
    head = raw(told["raw_head"])
    assert hashlib.sha256(head).hexdigest() == vector["raw_head"]
    assert block.head_digest(head) == raw(told["head_digest"])
    alone = block.unpack(raw(vector["alone"]))
    against = block.unpack(raw(vector["against_head"]), head)
    assert alone == against
    assert block.raw_form(alone.first, alone.entries) == raw(vector["raw_range"])
    with pytest.raises(SyncError):
        block.unpack(raw(vector["against_head"]), head[:-1])


def test_changesets_are_read_and_written_the_same() -> None:
    for vector in load("changeset"):
        own, body = FeedId(raw(vector["own"])), raw(vector["body"])
        changeset = decode_changeset(body, own)
        assert encode_changeset(changeset, body[:8], own) == body, vector["name"]
        assert builder.plain(changeset.records) == vector["says"], vector["name"]


def test_statements_are_read_and_every_tag_is_there() -> None:
    vectors = load("control")
    for vector in vectors:
        (statement,) = g.decode_statements(raw(vector["body"]))
        assert builder.plain(statement) == vector["says"]
    assert {vector["tag"] for vector in vectors} == set(g.TAG_BY_TYPE.values())


def test_certificates_frontiers_and_receipts_are_read() -> None:
    for vector in load("certificate"):
        found = g.read_certificate(raw(vector["raw"]), raw(vector["root"]))
        assert builder.plain(found) == vector["says"]
    for vector in load("frontier"):
        assert root(marks(vector["frontier"])) == raw(vector["root"])
    for vector in load("receipt"):
        assert builder.plain(read_receipt(raw(vector["raw"]))) == vector["says"]


def test_messages_are_signed_as_they_should_be() -> None:
    for vector in load("message"):
        request, reply = raw(vector["request"]), raw(vector["reply"])
        sender, responder = DeviceKey(raw(vector["sender"])), DeviceKey(raw(vector["responder"]))
        message.check_request(request, sender, responder)
        envelope = message.read_reply(reply, request, responder)
        assert (message.parse(request).kind, envelope.kind) == (
            vector["request_kind"],
            vector["reply_kind"],
        )


def test_every_kind_of_message_has_a_vector() -> None:
    kinds = {v[key] for v in load("message") for key in ("request_kind", "reply_kind")}
    assert kinds == set(message.Kind)


def test_the_snapshot_is_read() -> None:
    told = load("snapshot")
    manifest = snapshot.read_manifest(raw(told["manifest"]))
    preface, records = raw(told["preface"]), raw(told["records"])
    assert [manifest.preface, *manifest.chunks] == [
        snapshot.address_of(preface),
        snapshot.address_of(records),
    ]
    assert builder.plain(snapshot.read_preface(preface)) == told["preface_says"]
    rows = snapshot.read_rows(records)
    assert [row.state.hex() for row in rows] == [row["state"] for row in told["rows"]]
    assert all(decode_state(row.state, row.pending) for row in rows)


def test_the_invitation_is_accepted() -> None:
    vector = load("enrolment")
    invitation = enrol.read_invitation(vector["invitation"])
    application = raw(vector["application"])
    assert enrol.read_application(application, invitation.responder).secret == invitation.secret
    welcome = enrol.read_welcome(raw(vector["welcome"]), application, invitation.responder)
    assert builder.plain(welcome) == vector["welcome_says"]


def test_the_scan_and_the_sealed_key_open() -> None:
    vector = load("sealed")
    told = vector["scan"]
    manifest = attachment.read_manifest(raw(told["manifest"]))
    key = attachment.scan_key(manifest, AgreementKey(raw(told["reader_seed"])))
    assert key == raw(told["key"])
    assert manifest.id == raw(told["attachment_id"])
    last = raw(told["last_chunk"])
    assert hashlib.sha256(last).digest() == manifest.chunks[1]
    place = b"motcua/scan/1" + (1).to_bytes(4, "big") + (2).to_bytes(4, "big")
    assert seal.decrypt(key, last, place) == raw(told["plain_of_last"])
    told = vector["sealed"]
    reader, purpose = AgreementKey(raw(told["reader_seed"])), raw(told["purpose"])
    assert seal.open_sealed(reader, raw(told["sealed"]), purpose) == raw(told["plain"])


def test_the_bundle_opens() -> None:
    told = load("sealed")["bundle"]
    piece, reader = raw(told["piece"]), AgreementKey(raw(told["reader_seed"]))
    content = bundle.open_piece(bundle.read_piece(piece), [reader])
    assert builder.plain(content) == told["content"]
    rows = bundle.read_manifest(raw(told["manifest"])).pieces
    assert rows == [(len(piece), bundle.file_digest(piece))]


def test_edits_meet_alike_in_every_order() -> None:
    for vector in load("merge"):
        state = raw(vector["state"])
        assert encode_state(decode_state(state)) == state
        assert len(vector["entries"]) <= 6, "all orders are tried"
    assert len(list(itertools.permutations(range(5)))) < 720
    assert [case["name"] for case in cases.merges()] == [case["name"] for case in load("merge")]


def test_the_ward_shows_every_verdict() -> None:
    reasons = {row["reason"] for row in load("ward")["entries"]}
    assert {
        "erased", "rejected", "officer-unknown", "officer-disabled", "not-allowed", "newer-kind",
        "unreadable-malformed", "revoked-lost", "no-grant-yet", "control-not-here-yet",
    } <= reasons  # fmt: skip


def test_the_road_ends_with_a_receipt_for_the_push() -> None:
    walk = road.Walk()
    assert isinstance(walk.responder, Responder)
    steps = [step for step in load("road") if "reply_kind" in step]
    assert [step["reply_kind"] for step in steps] == [120, 102, 104, 103]
    reply = raw(steps[-1]["reply"])[4:]
    body = decode(message.parse(reply).body, list[Any])
    pushed = read_receipt(body[0])
    assert len(pushed.frontier) == 2
