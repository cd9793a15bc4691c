"""What the vectors are about: changesets, statements, edits that meet, a ward with troubles."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from sync_protocol.clock import millis
from sync_protocol.crypto.key import DeviceKeys
from sync_protocol.dossier.record_type import DOSSIER, SCHEMA
from sync_protocol.dossier.status import Status
from sync_protocol.identity import Dot, OfficerId, RecordId
from sync_protocol.log.entry import CHANGESET, Entry, Header, Mark, read_header
from sync_protocol.membership import grant as g
from sync_protocol.merge.conflict import conflicts
from sync_protocol.merge.fold import Stamp, fold
from sync_protocol.merge.state import RecordState, encode_state
from sync_protocol.record.change import (
    CellWrite,
    Changeset,
    RecordChange,
    decode_changeset,
    new_record_ids,
)
from sync_protocol.record.diff import create
from sync_protocol.replica import Character, Offer, Replica, Rooms
from sync_protocol.storage.memory import MemoryChunks, MemoryJournal, MemoryLog, MemoryViews
from tests.vector import builder as v

NAME, PHONE, STATUS, PAPERS, NOTES, APPROVAL, CODE = 3, 6, 7, 12, 13, 16, 11


def first_dossier() -> Changeset:
    """A dossier as the desk takes it in."""
    values = {
        "procedure": "1.001193",
        "identity": ["citizen", "097090912345", None],
        "name": "Nguyễn Văn Thử",
        "birth": ["1990-05-01", "Hà Nội"],
        "phone": "0912000123",
        "status": Status.RECEIVED.value,
        "received_on": "2026-11-20",
    }
    paper = ["to-khai", "Tờ khai đăng ký khai sinh", None, None, "submitted", None]
    papers = {v.seed("paper", 16): paper}
    return Changeset((create(DOSSIER, values, {"papers": papers}),))


def tablet_feed() -> v.Feed:
    """A tablet's feed with its first dossier."""
    feed = v.Feed(v.TABLET, "tablet feed")
    feed.write(60, first_dossier(), context=[v.hub_feed().mark])
    return feed


def changesets() -> list[tuple[str, Changeset]]:
    record = RecordId(v.seed("record", 16))
    own, other = v.Feed(v.TABLET, "first feed").id, v.Feed(v.EDGE, "edge feed").id
    dots = (Dot(own, 3), Dot(other, 300), Dot(other, 70_000, v.seed("branch", 8)))
    element = v.seed("element", 16)
    return [
        ("a new dossier", first_dossier()),
        ("one field", _one(record, CellWrite(PHONE, None, "0912000999", (Dot(own, 3),)))),
        ("a resolution", _one(record, CellWrite(PHONE, None, "0912000999", dots))),
        ("no parents", _one(record, CellWrite(PHONE, None, None))),
        ("an element removed", _one(record, CellWrite(PAPERS, element, None, dots[:1]))),
        ("a newer op", _one(record, CellWrite(PHONE, None, [1, -1, True], dots[:1], 200))),
        ("a retraction", _one(record, CellWrite(0, None, ["twice", [[own, 3]]], dots[1:2]))),
        ("two records", Changeset((*first_dossier().records, *first_dossier().records))),
        ("a newer type", Changeset((RecordChange(None, 900, {1: {"a": b"b"}, 2: -(2**63)}),))),
    ]


def _one(record: RecordId, *writes: CellWrite) -> Changeset:
    return Changeset((RecordChange(record, DOSSIER.id, {}, writes),))


def statements() -> list[g.Statement]:
    feed = v.Feed(v.TABLET, "first feed").id
    dots = [g.wire_dot(Dot(feed, 3)), g.wire_dot(Dot(feed, 4, v.seed("branch", 8)))]
    public, sealed = v.WARD_KEY.public, v.seed("sealed", 80)
    tablet = v.TABLET.public
    return [
        g.Grant(tablet, v.TABLET.agreement.public, g.TABLET, "Máy quầy 1"),
        g.Revoke(tablet, g.LOST, [Mark(feed, 9, v.seed("head", 16))], 2),
        g.Officer(v.CLERK, "Lê Thị Mai", g.CLERK),
        g.WardKey(public, v.RECOVERY.public, sealed),
        g.KeyShare(public, v.EDGE.public, sealed),
        g.Adopt(dots),
        g.Reject(dots),
        g.Erase(dots, [v.seed("chunk")], [v.CLERK, v.SUPERVISOR], "theo yêu cầu"),
        g.Suspect(feed, 3, 9),
        g.Profile("00070", "Phường Hoàn Kiếm", [v.seed("successor", 16)]),
        g.Lapse(tablet, lapsed=True),
        g.Activate(1),
        g.Certified(b"certificate"),
        g.Lease(feed, "H26.1", 1, 200, "2026-11-01", "2027-10-31"),
    ]


# ------------------------------------------------------------------------------- merges


class Meeting:
    """Feeds whose entries meet in one record."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.feeds = {keys: v.Feed(v.device(keys), f"{name} {keys}") for keys in ("An", "Bình")}
        made = self.feeds["An"].write(0, first_dossier())
        self.made = self._dot("An")
        changed = decode_changeset(made.body or b"", self.made.feed)
        stamped = millis(read_header(made.header).timestamp)
        salt = (made.body or b"")[:8]
        (self.record,) = new_record_ids(changed, stamped, self.made.feed, 1, salt)

    def _dot(self, who: str) -> Dot:
        return Dot(self.feeds[who].id, len(self.feeds[who].entries))

    def put(
        self,
        who: str,
        field: int,
        value: object,
        parents: Iterable[Dot] = (),
        element: bytes | None = None,
    ) -> Dot:
        """Somebody writes a cell."""
        write = CellWrite(field, element, value, tuple(parents))
        self.feeds[who].write(60 * len(self.feeds[who].entries), _one(self.record, write))
        return self._dot(who)

    def vector(self) -> v.Vector:
        """Return the entries, and the state that they give in every order."""
        entries = [
            (feed, seq, entry)
            for feed in self.feeds.values()
            for seq, entry in enumerate(feed.entries, 1)
        ]
        states = {encode_state(fold_all(order, self.record)) for order in _orders(entries)}
        (state,) = states
        found = conflicts(DOSSIER, fold_all(entries, self.record))
        return {
            "name": self.name,
            "record": self.record,
            "entries": [
                {"feed": feed.id, "seq": seq, "header": entry.header, "body": entry.body}
                for feed, seq, entry in entries
            ],
            "state": state,
            "conflicts": [[item.field, item.element, item.kind] for item in found],
        }


def _orders(entries: list[Any]) -> Iterable[Any]:
    return itertools.islice(itertools.permutations(entries), 720)


def fold_all(entries: Iterable[tuple[v.Feed, int, Entry]], record: RecordId) -> RecordState:
    """Fold the entries in this order."""
    state = RecordState(DOSSIER.id)
    done: set[Dot] = set()
    for feed, seq, entry in entries:
        header, body = read_header(entry.header), entry.body or b""
        dot = Dot(feed.id, seq)
        done.add(dot)
        changeset = decode_changeset(body, feed.id)
        ids = new_record_ids(changeset, millis(header.timestamp), feed.id, seq, body[:8])
        for known, change in zip(ids, changeset.records, strict=True):
            if known == record:
                fold(state, Stamp(dot, header.timestamp, header.officer), change, done.__contains__)
    return state


def merges() -> list[v.Vector]:
    met: list[Meeting] = []

    def meeting(name: str) -> Meeting:
        met.append(Meeting(name))
        return met[-1]

    meeting("nobody edits")
    case = meeting("one edits")
    case.put("Bình", PHONE, "1", [case.made])
    case = meeting("two edit the same field")
    case.put("An", PHONE, "1", [case.made])
    case.put("Bình", PHONE, "2", [case.made])
    case = meeting("two edit different fields")
    case.put("An", PHONE, "1", [case.made])
    case.put("Bình", NAME, "Nguyễn Văn Thực", [case.made])
    case = meeting("two write the same value")
    case.put("An", PHONE, "1", [case.made])
    case.put("Bình", PHONE, "1", [case.made])
    case = meeting("a conflict is settled")
    one = case.put("An", PHONE, "1", [case.made])
    two = case.put("Bình", PHONE, "2", [case.made])
    case.put("An", PHONE, "3", [one, two])
    case = meeting("a value that the settler had not seen survives")
    one = case.put("An", PHONE, "1", [case.made])
    two = case.put("Bình", PHONE, "2", [case.made])
    case.put("Bình", PHONE, "4", [two])
    case.put("An", PHONE, "3", [one, two])
    case = meeting("written back as it was")
    one = case.put("Bình", PHONE, "1", [case.made])
    case.put("An", PHONE, "0912000123", [one])
    case = meeting("cleared")
    case.put("Bình", PHONE, None, [case.made])
    paper = v.seed("paper", 16)
    case = meeting("a paper removed while it is edited")
    case.put("An", PAPERS, None, [case.made], paper)
    case.put(
        "Bình", PAPERS, ["to-khai", "Tờ khai", None, None, "compared", None], [case.made], paper
    )
    case = meeting("two papers added")
    case.put("An", PAPERS, ["a", "A", None, None, None, None], (), v.seed("paper a", 16))
    case.put("Bình", PAPERS, ["b", "B", None, None, None, None], (), v.seed("paper b", 16))
    case = meeting("a status absorbs another")
    case.put("An", STATUS, Status.PROCESSING.value, [case.made])
    case.put("Bình", STATUS, Status.RECEIVED.value, [case.made])
    case = meeting("a status is disputed")
    case.put("An", STATUS, Status.READY.value, [case.made])
    case.put("Bình", STATUS, Status.REFUSED.value, [case.made])
    case = meeting("an approval's basis changes")
    relied = [[field, [g.wire_dot(case.made)]] for field in (2, 3, 4)]
    case.put("An", APPROVAL, ["yes", relied])
    case.put("Bình", NAME, "Nguyễn Văn Thực", [case.made])
    case = meeting("two numbers")
    case.put("An", CODE, "H26.1-1")
    case.put("Bình", CODE, "H26.1-2")
    case = meeting("retracted while somebody edits")
    case.put("An", 0, ["nhập hai lần", [g.wire_dot(case.made)]])
    case.put("Bình", PHONE, "2", [case.made])
    case = meeting("retracted")
    case.put("An", 0, ["nhập hai lần", [g.wire_dot(case.made)]])
    return [case.vector() for case in met]


# -------------------------------------------------------------------------------- a ward


def ward() -> v.Vector:
    """Feeds of one ward, with the verdict on each entry: every reason there is."""
    hub, tablet, stranger, lost = (
        v.hub_feed(),
        v.Feed(v.TABLET, "tablet feed"),
        v.Feed(v.device("stranger"), "stranger"),
        v.Feed(v.device("lost"), "lost"),
    )
    hub.say(4, g.Grant(lost.keys.public, lost.keys.agreement.public, g.TABLET, "Máy quầy 2"))
    known = hub.mark
    made = first_dossier()
    tablet.write(10, made, OfficerId(v.seed("nobody", 16)), [known])
    tablet.write(11, made)
    record = RecordId(v.seed("record", 16))
    tablet.write(12, _one(record, CellWrite(APPROVAL, None, ["yes", []])))
    tablet.write(13, _one(record, CellWrite(APPROVAL, None, ["yes", []])), v.SUPERVISOR)
    tablet.put(Entry.of(Header(v.stamp(14), v.CLERK, 1, 7), tablet.salt() + b"newer"))
    tablet.put(Entry.of(Header(v.stamp(15), v.CLERK, 1, CHANGESET), tablet.salt() + b"\xc1"))
    adopted = tablet.write(16, made, OfficerId(v.seed("nobody", 16)))
    tablet.write(17, made, OfficerId(v.seed("nobody", 16)))
    erased = tablet.write(18, made)
    stranger.write(20, made, OfficerId(b""), [known])
    lost.write(21, made, v.CLERK, [known])
    cut = lost.mark
    lost.write(22, made)
    at = [g.wire_dot(Dot(tablet.id, tablet.entries.index(item) + 1)) for item in (adopted, erased)]
    hub.say(30, g.Adopt([at[0]]), g.Reject([g.wire_dot(Dot(tablet.id, 8))]))
    hub.say(31, g.Revoke(lost.keys.public, g.LOST, [cut]))
    chief = OfficerId(v.seed("chief", 16))
    hub.say(32, g.Officer(chief, "Phạm Thị Lan", g.ADMINISTRATOR))
    hub.say(32, g.Erase([at[1]], [], [chief, v.SUPERVISOR], "theo yêu cầu"))
    hub.say(33, g.Officer(v.CLERK, "Lê Thị Mai", g.DISABLED, 2))
    tablet.write(40, made, v.CLERK)
    tablet.write(41, made, v.CLERK, [hub.mark])
    tablet.write(42, made, OfficerId(b""), [Mark(hub.id, 99, v.seed("unseen", 16))])
    return judged([hub, tablet, stranger, lost])


def judged(feeds: list[v.Feed]) -> v.Vector:
    """Take the feeds into a replica of ours and ask for its verdicts."""
    replica = a_replica(v.device("reader"))
    admission = replica.ingest(
        [feed.declared.raw for feed in feeds],
        [feed.seal for feed in feeds],
        [Offer(feed.id, 1, feed.declared.start.hash[:16], feed.packed()) for feed in feeds],
    )
    if admission.refused:
        raise AssertionError(admission.refused)
    replica.follow()
    reasons = {(row.chain, row.seq): row.reason for row in replica.rooms.views.held()}
    rows = []
    for feed in feeds:
        (chain,) = replica.holding.by_feed[feed.id]
        for seq, entry in enumerate(feed.entries, 1):
            folded = seq <= replica.follower.cursor(chain)
            waits = replica.follower.waiting.get(chain.number, "")
            gone = replica.holding.entry(Dot(feed.id, seq))
            reason = (
                "erased" if gone and gone.body is None else reasons.get((chain.number, seq), "")
            )
            verdict = ("held" if reason else "admitted") if folded else "pending"
            rows.append(
                {
                    "feed": feed.id,
                    "seq": seq,
                    "header": entry.header,
                    "body": entry.body,
                    "verdict": verdict,
                    "reason": reason or ("" if folded else waits),
                }
            )
    told = replica.digest()
    return {
        "root": v.ROOT.public,
        "ward": v.WARD,
        "declarations": [feed.declared.raw for feed in feeds],
        "seals": [feed.seal for feed in feeds],
        "entries": rows,
        "states": [{"record": row.id, "state": row.state} for row in replica.rooms.views.scan()],
        "digest": {"frontier": told.frontier, "records": told.records, "sha256": told.sha256},
    }


def a_replica(keys: DeviceKeys) -> Replica:
    """Return a replica in memory, for the vectors' ward."""
    chance = itertools.count()
    rooms = Rooms(
        MemoryLog(), MemoryViews(), MemoryJournal(), MemoryChunks(), v.seed("journal key")
    )
    return Replica(
        rooms,
        Character(
            keys,
            v.WARD,
            v.ROOT.public,
            SCHEMA,
            lambda: v.MS + 100_000,
            random=lambda count: v.seed(f"chance {next(chance)}", count),
        ),
    )
