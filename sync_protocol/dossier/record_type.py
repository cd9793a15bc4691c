"""What a dossier is made of, version 1.

What holds: ids and names of fields, types and parts are never reused and never change their
meaning; a field that is given up keeps its line here. Adding one takes the next free id.

What the tables do not say:
* `identity`, `birth`, `address` and `fee` are groups: their halves never mix when two people write.
* `identity` is [kind, number, issuer]: kind is `CITIZEN` (the 12-digit number, no issuer) or
  `PASSPORT` (issuer as in the passport's machine-readable line: "USA", "D").
* `status` holds a code of `status.Status`. `papers` hold `PAPER_STATES`, and a scan's attachment id
  and sealed manifest once there is one. Dates may be YYYY or YYYY-MM where old papers know no more.
* A dossier has two codes: the provisional one printed offline, and the official one bound later;
  both stay, and both are searched for ever.
* `slip` is the secret of the slip that the citizen took home (module `slip`): for checking and
  printing it, never for a list, a log or a search.
* `result` is the paper that the office issues: its number there, who signed it, and the day.
  `handed_over` is who took it, and as whom ("chính chủ", "người được ủy quyền"). When, and by which
  officer, stands with the values themselves; the result's scan is a paper of type `RESULT_PAPER`.
* `form` holds what was answered in the procedure's form (`form`): an element is the key of its
  question in ASCII, filled up with zeros, so whoever answers other questions disturbs nobody.
  `edition` is the catalogue's number under which the dossier was received.
* `fee` is what the law asks. `waiver` is what of it is not asked of this person, with the ground.
  `payments` are lines that stay (module `payment`): one that `corrects` another says its right
  amount. Amounts are whole đồng.
* `received_time` is the local HH:MM of reception, where somebody had to say it.
* An approval relies on who the person is; whatever changes there concurrently puts it in question.
"""

from __future__ import annotations

from sync_protocol import limits
from sync_protocol.dossier.status import ABSORBED
from sync_protocol.record.schema import Field, FieldKind, Part, RecordType, Schema, ValueType

CLERK = "clerk"
SUPERVISOR = "supervisor"
ADMINISTRATOR = "administrator"

CITIZEN = "citizen"
PASSPORT = "passport"

PAPER_STATES = ("submitted", "compared", "known", "missing")
"""Handed in; compared with the original, which was returned; known from a register; missing."""
NOTE_REMARK = "remark"
"""The kind of a note that a person wrote freely."""

PROCEDURE = 1
IDENTITY = 2
NAME = 3
BIRTH = 4
ADDRESS = 5
PHONE = 6
STATUS = 7
RECEIVED_ON = 8
DUE_ON = 9
PROVISIONAL_CODE = 10
OFFICIAL_CODE = 11
PAPERS = 12
NOTES = 13
FEE = 14
ASSIGNEE = 15
APPROVAL = 16
SLIP = 17
RESULT = 18
HANDED_OVER = 19
FORM = 20
EDITION = 21
WAIVER = 22
PAYMENTS = 23
RECEIVED_TIME = 24

RESULT_PAPER = "ket-qua"
"""The type of the paper whose scan is the result."""

_DAY = (Part("value", ValueType.DATE, 10),)
_CODE = (Part("value", size_max=40),)

DOSSIER = RecordType(
    id=1,
    name="dossier",
    facet="status",
    retractors=frozenset({SUPERVISOR}),
    fields=(
        Field(PROCEDURE, "procedure", parts=_CODE, required=True),
        Field(
            IDENTITY,
            "identity",
            FieldKind.GROUP,
            (Part("kind", size_max=20), Part("number", size_max=20), Part("issuer", size_max=3)),
            searched=True,
        ),
        Field(NAME, "name", parts=(Part("value", size_max=200),), required=True, searched=True),
        Field(
            BIRTH,
            "birth",
            FieldKind.GROUP,
            (Part("date", ValueType.DATE, 10), Part("place", size_max=300)),
        ),
        Field(
            ADDRESS,
            "address",
            FieldKind.GROUP,
            (
                Part("line", size_max=300),
                Part("unit", size_max=100),
                Part("unit_code", size_max=10),
            ),
        ),
        Field(PHONE, "phone", parts=(Part("value", size_max=20),), searched=True),
        Field(
            STATUS,
            "status",
            FieldKind.STATUS,
            (Part("value", size_max=4),),
            settlers=frozenset({SUPERVISOR}),
            absorbs=frozenset((a.value, b.value) for a, b in ABSORBED),
            required=True,
        ),
        Field(RECEIVED_ON, "received_on", parts=_DAY, required=True),
        Field(DUE_ON, "due_on", parts=_DAY),
        Field(PROVISIONAL_CODE, "provisional_code", FieldKind.NUMBER, _CODE, searched=True),
        Field(OFFICIAL_CODE, "official_code", FieldKind.NUMBER, _CODE, searched=True),
        Field(
            PAPERS,
            "papers",
            FieldKind.COLLECTION,
            (
                Part("type", size_max=60),
                Part("name", size_max=300),
                Part("attachment", ValueType.BYTES, 16),
                Part("manifest", ValueType.ATTACHMENT, 16_384),
                Part("state", size_max=20),
                Part("note", size_max=500),
            ),
        ),
        Field(
            NOTES,
            "notes",
            FieldKind.NOTE,
            (Part("text", size_max=4000), Part("kind", size_max=20)),
        ),
        Field(
            FEE,
            "fee",
            FieldKind.GROUP,
            (Part("amount", ValueType.DECIMAL, 30), Part("currency", size_max=3)),
        ),
        Field(ASSIGNEE, "assignee", parts=(Part("value", size_max=64),)),
        Field(
            APPROVAL,
            "approval",
            FieldKind.APPROVAL,
            (Part("value", size_max=20),),
            writers=frozenset({SUPERVISOR}),
            settlers=frozenset({SUPERVISOR}),
            basis=(IDENTITY, NAME, BIRTH),
        ),
        Field(SLIP, "slip", parts=(Part("value", size_max=20),)),
        Field(
            RESULT,
            "result",
            FieldKind.GROUP,
            (
                Part("reference", size_max=60),
                Part("signer", size_max=200),
                Part("signed_on", ValueType.DATE, 10),
            ),
        ),
        Field(
            HANDED_OVER,
            "handed_over",
            FieldKind.GROUP,
            (Part("to", size_max=200), Part("as", size_max=100)),
        ),
        Field(
            FORM,
            "form",
            FieldKind.COLLECTION,
            (Part("answer", size_max=limits.FORM_ANSWER_CHARACTERS_MAX),),
            searched=True,
        ),
        Field(EDITION, "edition", parts=(Part("value", ValueType.INTEGER),)),
        Field(
            WAIVER,
            "waiver",
            FieldKind.GROUP,
            (
                Part("amount", ValueType.DECIMAL, 30),
                Part("currency", size_max=3),
                Part("ground", size_max=300),
            ),
        ),
        Field(
            PAYMENTS,
            "payments",
            FieldKind.NOTE,
            (
                Part("amount", ValueType.DECIMAL, 30),
                Part("currency", size_max=3),
                Part("receipt", size_max=40),
                Part("reason", size_max=300),
                Part("corrects", ValueType.BYTES, 16),
            ),
        ),
        Field(RECEIVED_TIME, "received_time", parts=(Part("value", size_max=5),)),
    ),
)
"""The record type of a dossier."""

PUBLICATION = RecordType(
    id=2,
    name="publication",
    hub_only=True,
    fields=(
        Field(
            1,
            "edition",
            parts=(Part("value", ValueType.INTEGER),),
            required=True,
        ),
        Field(
            2,
            "files",
            FieldKind.COLLECTION,
            (Part("name", size_max=60), Part("text", size_max=100_000)),
        ),
    ),
)
"""The catalogue and the days off as the city has published them; `publication` reads it."""

DEPUTY = RecordType(
    id=3,
    name="deputy",
    retractors=frozenset({SUPERVISOR, ADMINISTRATOR}),
    fields=(
        Field(
            1,
            "stands_in",
            FieldKind.GROUP,
            (
                Part("absent", size_max=32),
                Part("deputy", size_max=32),
                Part("first", ValueType.DATE, 10),
                Part("last", ValueType.DATE, 10),
                Part("reason", size_max=200),
            ),
            writers=frozenset({SUPERVISOR, ADMINISTRATOR}),
            required=True,
        ),
        Field(
            2,
            "ended",
            FieldKind.NOTE,
            (Part("value", ValueType.DATE, 10),),
            writers=frozenset({SUPERVISOR, ADMINISTRATOR}),
        ),
    ),
)
"""Who stands in for a supervisor who is away. Written once; `ended` names an earlier last day."""

SCHEMA = Schema(version=1, types=(DOSSIER, PUBLICATION, DEPUTY))
"""Everything that a ward office keeps, at version 1."""
