"""Writes the vectors: `python -m tests.vector.generate`. Old vectors are never edited.

What is deterministic is made anew each time, from fixed seeds; the tests check that this changes
nothing. What is random by nature (sealing, and zstd, whose output differs between versions) is made
once, into `sealed.json`; the tests open it. Blocks that stand elsewhere in the vectors hold their
raw form in a stored zstd frame, which is as good a frame as any, and the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from unittest.mock import patch

from sync_protocol import attachment
from sync_protocol.crypto import seal
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.encoding import compress, encode
from sync_protocol.identity import AttachmentId, FeedId, OfficerId, device_id, record_id
from sync_protocol.log import block, frontier
from sync_protocol.log.entry import CHANGESET, Entry, Header, Mark
from sync_protocol.log.feed import SignedDeclaration, follow
from sync_protocol.membership import grant as g
from sync_protocol.record.change import encode_changeset
from sync_protocol.record.schema import ValueType
from sync_protocol.wire import bundle, enrol, snapshot
from sync_protocol.wire import message as m
from sync_protocol.wire.chunk import ChunksAnswer, ChunksGet, ChunksPut, ChunksWanted
from sync_protocol.wire.health import Health, Thanks
from sync_protocol.wire.hello import Frontier, Hello, Same
from sync_protocol.wire.pull import Pull, Pulled, Want
from sync_protocol.wire.push import Push, Pushed
from sync_protocol.wire.receipt import Receipt, write_receipt
from sync_protocol.wire.snapshot import AuditAsk, Audited, SnapshotAnswer, SnapshotAsk
from tests.vector import cases, road
from tests.vector.builder import (
    CLERK,
    EDGE,
    HUB,
    MS,
    RECOVERY,
    ROOT,
    TABLET,
    WARD,
    WARD_KEY,
    Feed,
    Vector,
    hub_feed,
    plain,
    seed,
    stamp,
    stored_frame,
)

HERE = Path(__file__).parent
PROTOCOL = HERE.parents[1] / "docs" / "PROTOCOL.md"


# ------------------------------------------------------------------------------ the files


def names() -> Vector:
    feed = hub_feed()
    salt = seed("salt", 8)
    return {
        "device": {"public": HUB.public, "device_id": device_id(HUB.public)},
        "feed": {"declaration": feed.declared.raw, "feed_id": feed.id},
        "record": {
            "ms": MS, "feed": feed.id, "seq": 7, "salt": salt, "index": 2,
            "record_id": record_id(MS, feed.id, 7, salt, 2),
        },
        "key": {
            "public": WARD_KEY.public,
            "key_name": attachment.key_name(WARD_KEY.public),
        },
        "attachment": {
            "chunks": [seed("one"), seed("two")],
            "attachment_id": attachment.attachment_id([seed("one"), seed("two")]),
        },
    }  # fmt: skip


def declarations() -> list[Vector]:
    first = Feed(TABLET, "first feed")
    second = Feed(TABLET, "second feed", Mark(first.id, 9, seed("head", 16)))
    return [_declaration(first.declared), _declaration(second.declared)]


def _declaration(declared: SignedDeclaration) -> Vector:
    told = declared.declaration
    return {
        "device": told.device,
        "agreement": told.agreement,
        "ward": told.ward,
        "incarnation": told.incarnation,
        "supersedes": told.supersedes and _row(told.supersedes),
        "raw": declared.raw,
        "feed_id": declared.feed,
        "chain_hash": declared.start.hash,
    }


def _row(item: Mark) -> list[object]:
    return [item.feed, item.seq, item.hash]


def entries() -> list[Vector]:
    """Feeds of entries with their chain hashes and the seal of the head."""
    found = []
    for feed in (hub_feed(), cases.tablet_feed(), _forms_feed()):
        head, rows = feed.declared.start, []
        for entry, after in zip(feed.entries, follow(head, feed.entries), strict=True):
            rows.append(
                {
                    "header": entry.header,
                    "body": entry.body,
                    "body_hash": entry.body_hash,
                    "chain_hash": after,
                }
            )
        found.append(
            {
                "declaration": feed.declared.raw,
                "device": feed.keys.public,
                "entries": rows,
                "seal": feed.seal,
                "raw_range": block.raw_form(1, feed.entries),
                "packed": feed.packed(),
            }
        )
    return found


def _forms_feed() -> Feed:
    """Headers and bodies at the edges of their forms, one of them erased."""
    feed = Feed(EDGE, "forms")
    feed.put(Entry.of(Header(0, OfficerId(b""), 0, CHANGESET), feed.salt() + encode([[], []])))
    feed.put(Entry.of(Header(2**64 - 1, CLERK, 300, 7), feed.salt() + b"a newer kind"))
    feed.put(Entry(b"no header", b"no body", hashlib.sha256(b"no body").digest()).erased())
    feed.put(Entry.of(Header(stamp(5), CLERK, 1, CHANGESET), feed.salt() + encode([[], []])))
    return feed


def group() -> Vector:
    """A group's head, and a range packed against it: 256 short entries, then three more."""
    feed = Feed(EDGE, "group")
    for number in range(259):
        feed.put(
            Entry.of(
                Header(stamp(number), OfficerId(b""), 1, CHANGESET),
                feed.salt() + encode([[], [[None, 1, {3: f"Nguyễn Văn {number}"}]]]),
            )
        )
    head = block.raw_form(1, feed.entries[:256])
    return {
        "raw_head": head,
        "head_digest": block.head_digest(head),
        "raw_range": block.raw_form(257, feed.entries[256:]),
    }


def changesets() -> list[Vector]:

    found = []
    own = Feed(TABLET, "first feed").id
    for name, changeset in cases.changesets():
        body = encode_changeset(changeset, seed(name, 8), own)
        found.append({"name": name, "own": own, "body": body, "says": plain(changeset.records)})
    return found


def statements() -> list[Vector]:

    return [
        {
            "name": type(item).__name__,
            "tag": g.TAG_BY_TYPE[type(item)],
            "body": g.encode_statements([item], seed(type(item).__name__, 8)),
            "says": plain(item),
        }
        for item in cases.statements()
    ]


def certificates() -> list[Vector]:
    cut = Mark(hub_feed().id, 4, seed("cut", 16))
    found = []
    for serial, cuts in ((1, []), (2, [cut])):
        told = g.Certificate(serial, HUB.public, HUB.agreement.public, RECOVERY.public, cuts)
        raw = g.certify(ROOT, told)
        found.append({"root": ROOT.public, "raw": raw, "says": plain(told)})
    return found


def frontiers() -> list[Vector]:
    marks = [Mark(FeedId(seed(n, 16)), s, seed(n + "h", 16)) for n, s in (("a", 5), ("b", 1))]
    forked = [*marks, Mark(marks[0].feed, 7, seed("other", 16)), Mark(marks[1].feed, 0, bytes(16))]
    return [
        {"frontier": [_row(item) for item in rows], "root": frontier.root(rows)}
        for rows in ([], marks, list(reversed(marks)), forked)
    ]


def receipts() -> list[Vector]:
    control = hub_feed()
    incarnation = control.declared.declaration.incarnation
    time, scan = stamp(99), AttachmentId(seed("scan", 16))
    first = Receipt(HUB.public, g.HUB, WARD, incarnation, time, [control.mark], [control.mark])
    second = Receipt(HUB.public, g.HUB, WARD, incarnation, time, [], [], [[control.id, 3]], [scan])
    return [
        {"raw": write_receipt(HUB.signing, item), "says": plain(item)} for item in (first, second)
    ]


def messages() -> list[Vector]:
    """One request and reply for every kind of body; nonces are fixed."""
    feed = cases.tablet_feed()
    packed = feed.packed()
    receipt = write_receipt(
        HUB.signing, Receipt(HUB.public, g.HUB, WARD, seed("i", 8), stamp(1), [feed.mark])
    )
    parts = ([feed.declared.raw], [feed.seal], [feed.item(packed)])
    address, scan = seed("chunk"), (seed("scan", 16), [seed("chunk")])
    kind = m.Kind
    pairs: list[tuple[m.Kind, m.Body, m.Kind, m.Body]] = [
        (kind.HELLO, Hello(b"", MS), kind.CHALLENGE, m.Challenge(MS + 1)),
        (
            kind.HELLO,
            Hello(seed("root"), MS),
            kind.SAME,
            Same(seed("i", 8), MS + 1, seed("relayed", 8), [scan]),
        ),
        (
            kind.HELLO,
            Hello(b"", MS),
            kind.FRONTIER,
            Frontier(receipt, [feed.mark], [], [], MS, "revoked-lost"),
        ),
        (
            kind.PUSH,
            Push(*parts, [receipt]),
            kind.PUSHED,
            Pushed(receipt, [], [(feed.id, "feed-gap", "Entries are missing.")]),
        ),
        (
            kind.PULL,
            Pull([Want(feed.mark, [Mark(feed.id, 0, bytes(16))])], 1 << 20, alone=True),
            kind.PULLED,
            Pulled(*parts, more=True),
        ),
        (
            kind.CHUNKS_WANTED,
            ChunksWanted([address], [scan]),
            kind.CHUNKS_ANSWER,
            ChunksAnswer([address], [], receipt),
        ),
        (
            kind.CHUNKS_PUT,
            ChunksPut([address], [3], [scan]),
            kind.CHUNKS_ANSWER,
            ChunksAnswer([], [], receipt, [receipt]),
        ),
        (
            kind.CHUNKS_GET,
            ChunksGet([address], 1 << 20),
            kind.CHUNKS_ANSWER,
            ChunksAnswer([address], [3]),
        ),
        (kind.HEALTH, Health({"queued": 3, "version": "1"}), kind.THANKS, Thanks(MS)),
        (
            kind.SNAPSHOT,
            SnapshotAsk([address], [seed("record", 16)], seed("root")),
            kind.SNAPSHOT_ANSWER,
            SnapshotAnswer(b"manifest", [address]),
        ),
        (
            kind.AUDIT,
            AuditAsk(seed("root"), 1, bytes(4096)),
            kind.AUDITED,
            Audited(True, [0, 255]),
        ),
        (kind.HELLO, Hello(b"", MS), kind.REFUSED, m.Refused("not-admitted", "No.", 5)),
    ]
    found = []
    for number, (asked, question, answered, answer) in enumerate(pairs):
        nonces = seed(f"nonce {number}", 16), seed(f"nonce {number + 1}", 16)
        request = m.write_request(TABLET.signing, HUB.public, asked, WARD, nonces[0], question)
        reply = m.write_reply(HUB.signing, request, answered, nonces[1], answer)
        found.append(
            {
                "sender": TABLET.public,
                "responder": HUB.public,
                "request": request,
                "request_kind": int(asked),
                "request_says": plain(question),
                "reply": reply,
                "reply_kind": int(answered),
                "reply_says": plain(answer),
            }
        )
    return found


def snapshots() -> Vector:
    """A manifest, its preface, one chunk of records, and what an audit makes of these."""
    feed, control = cases.tablet_feed(), hub_feed()
    told = sorted((case["record"], case["state"]) for case in cases.merges())
    rows = [snapshot.Row(record, state, b"") for record, state in told]
    pending = encode([[6, None, [[feed.id, 9]]]])
    rows[0] = rows[0]._replace(pending=pending)
    starts = [
        snapshot.Start(control.declared.raw, *control.head, control.seal, whole=True),
        snapshot.Start(feed.declared.raw, *feed.head, feed.seal, whole=False, seen=[(0, 4)]),
    ]
    preface = snapshot.Preface(
        starts, [snapshot.Quarantined(1, 1, "not-allowed", [seed("record", 16)])]
    )
    with patch.object(snapshot, "compress", stored_frame):
        chunks = [snapshot.write_preface(preface), snapshot.write_rows(rows)]
    names = [snapshot.address_of(chunk) for chunk in chunks]
    manifest = snapshot.Manifest(HUB.public, WARD, 1, 1, MS, names[0], names[1:], len(rows))
    sums = [0] * snapshot.BUCKETS
    for row in rows:
        digest = hashlib.sha256(row.state).digest()
        sums[snapshot.bucket_of(row.id)] ^= snapshot.state_hash(row.id, digest)
    return {
        "manifest": snapshot.write_manifest(HUB.signing, manifest),
        "preface": chunks[0],
        "preface_says": plain(preface),
        "records": chunks[1],
        "rows": [{"record": row.id, "state": row.state, "pending": row.pending} for row in rows],
        "audit_sums": b"".join(total.to_bytes(16, "big") for total in sums),
    }


def enrolment() -> Vector:
    invitation = enrol.Invitation(
        "https://10.0.0.5:8443",
        seed("secret", 16),
        seed("authority"),
        HUB.public,
        ROOT.public,
        WARD,
        g.TABLET,
    )
    application = enrol.write_application(TABLET, invitation, "Máy quầy 1")
    welcome = enrol.Welcome(WARD, "00070", "Phường Hoàn Kiếm", g.TABLET, b"")
    return {
        "invitation": enrol.write_invitation(invitation),
        "invitation_says": plain(invitation),
        "signing_seed": TABLET.signing.secret,
        "agreement_seed": TABLET.agreement.secret,
        "application": application,
        "welcome": enrol.write_welcome(HUB, application, welcome),
        "welcome_says": plain(welcome),
    }


FILES: dict[str, Callable[[], object]] = {
    "names": names,
    "declaration": declarations,
    "entry": entries,
    "group": group,
    "changeset": changesets,
    "control": statements,
    "certificate": certificates,
    "frontier": frontiers,
    "receipt": receipts,
    "message": messages,
    "snapshot": snapshots,
    "enrolment": enrolment,
    "merge": cases.merges,
    "ward": cases.ward,
    "road": road.road,
}


# ------------------------------------------------------------------------ what is random


def sealed() -> Vector:
    """What can't be made twice: scans, sealing, zstd. Made once; opened by the tests."""
    scan = seed("a page", 262_144 + 100)
    made = attachment.seal_scan(scan, "image/jpeg", [WARD_KEY.public, RECOVERY.public])
    told = group()
    head = told["raw_head"]
    against = compress(told["raw_range"], prefix=head)
    return {
        "scan": {
            "plain_of_last": scan[262_144:],
            "reader_seed": WARD_KEY.secret,
            "key": made.key,
            "manifest": made.manifest,
            "attachment_id": attachment.read_manifest(made.manifest).id,
            "last_chunk": list(made.chunks.values())[1],
        },
        "sealed": {
            "reader_seed": RECOVERY.secret,
            "purpose": b"motcua/ward-key/1",
            "plain": WARD_KEY.secret,
            "sealed": seal.seal_to(RECOVERY.public, WARD_KEY.secret, b"motcua/ward-key/1"),
        },
        "bundle": _bundle(),
        "range": {
            "raw_head": hashlib.sha256(head).digest(),
            "raw_range": told["raw_range"],
            "alone": b"\x01" + compress(told["raw_range"]),
            "against_head": b"\x02" + told["head_digest"] + against,
        },
    }


def _bundle() -> Vector:
    feed = cases.tablet_feed()
    packed = feed.packed()
    reader = attachment.key_name(HUB.agreement.public)
    address = bundle.Address(WARD, TABLET.public, reader, seed("bundle", 16), MS)
    content = bundle.Content(
        [feed.declared.raw], [feed.seal], [feed.item(packed)], [packed], [], [], [b"a chunk"]
    )
    piece = bundle.write_piece(TABLET.signing, address, HUB.agreement.public, 0, content)
    rows = [(len(piece), bundle.file_digest(piece))]
    return {
        "reader_seed": HUB.agreement.secret,
        "piece": piece,
        "content": plain(content),
        "manifest": bundle.write_manifest(TABLET.signing, address, rows),
    }


# ------------------------------------------------------------------------------- writing


def text(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n"


def example() -> str:
    """The worked push of PROTOCOL.md."""
    parts = []
    for step in json.loads(text(road.road())):
        if "shown" in step:
            parts.append(f"**{step['name']}.** {step['shown']}")
            parts.extend(_hex(label, value) for label, value in step["hex"].items())
    return "\n\n".join(parts)


def _hex(label: str, value: str) -> str:
    lines = "\n".join(re.findall(".{1,112}", value))
    return f"`{label}`, {len(value) // 2} bytes:\n\n```text\n{lines}\n```"


def fields() -> str:
    """The table of the dossier's fields."""
    rows = [
        "| Field | Name | Kind | Parts | Written by | Settled by | Required |",
        "|---|---|---|---|---|---|---|",
    ]
    for item in DOSSIER.fields:
        parts = ", ".join(
            f"{p.name} {p.type.value}" + ("" if p.type is ValueType.INTEGER else f" ≤ {p.size_max}")
            for p in item.parts
        )
        who = (_roles(item.writers), _roles(item.settlers), "yes" if item.required else "")
        rows.append(
            f"| {item.id} | {item.name} | {item.kind.value} | {parts} | {' | '.join(who)} |"
        )
    return "\n".join(rows)


def _roles(roles: Iterable[str]) -> str:
    return ", ".join(sorted(roles)) or "all"


def protocol() -> str:
    """Return PROTOCOL.md with its generated parts made anew."""
    found = PROTOCOL.read_text("utf-8")
    for name, part in (("fields", fields()), ("example", example())):
        begin = f"<!-- {name}:begin (written by tests/vector/generate.py) -->"
        end = f"<!-- {name}:end -->"
        head, _, rest = found.partition(begin)
        _, _, tail = rest.partition(end)
        found = f"{head}{begin}\n\n{part}\n\n{end}{tail}"
    return found


def main() -> None:
    for name, make in FILES.items():
        (HERE / f"{name}.json").write_text(text(make()), "utf-8")
    frozen = HERE / "sealed.json"
    if not frozen.exists() or "--sealed" in sys.argv:
        frozen.write_text(text(sealed()), "utf-8")
    PROTOCOL.write_text(protocol(), "utf-8")


if __name__ == "__main__":
    main()
