"""The record type of the simulated office: one field of every kind, few roles."""

from __future__ import annotations

from sync_protocol.identity import NO_OFFICER, OfficerId
from sync_protocol.record.schema import Field, FieldKind, Part, RecordType, Schema, ValueType

NAME, PHONE, BIRTH, STATUS, PAPERS, NOTES, APPROVAL, NUMBER = range(1, 9)
ABSORBS = frozenset({("1", "2"), ("2", "3")})
STATUSES = ("1", "2", "3", "9")
SUPERVISORS = frozenset({"supervisor"})

CASE = RecordType(
    1,
    "case",
    (
        Field(NAME, "name", required=True, searched=True),
        Field(PHONE, "phone"),
        Field(BIRTH, "birth", FieldKind.GROUP, (Part("date"), Part("place"))),
        Field(
            STATUS,
            "status",
            FieldKind.STATUS,
            (Part("target"), Part("move")),
            settlers=SUPERVISORS,
            absorbs=ABSORBS,
        ),
        Field(
            PAPERS,
            "papers",
            FieldKind.COLLECTION,
            (Part("label"), Part("manifest", ValueType.ATTACHMENT, 16_384)),
        ),
        Field(NOTES, "notes", FieldKind.NOTE),
        Field(
            APPROVAL,
            "approval",
            FieldKind.APPROVAL,
            (Part("decision"),),
            writers=SUPERVISORS,
            settlers=SUPERVISORS,
            basis=(NAME, BIRTH),
        ),
        Field(NUMBER, "number", FieldKind.NUMBER),
    ),
    facet="status",
    retractors=SUPERVISORS,
)
SCHEMA = Schema(1, (CASE,))

AN = OfficerId(b"an".ljust(16, b"."))
BINH = OfficerId(b"binh".ljust(16, b"."))
CHI = OfficerId(b"chi".ljust(16, b"."))
DUNG = OfficerId(b"dung".ljust(16, b"."))
NOBODY = NO_OFFICER
OFFICERS = (AN, BINH, CHI)
