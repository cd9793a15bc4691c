"""A schema that is not ours: the engine could sync a clinic. One field of every kind."""

from __future__ import annotations

from sync_protocol.record.schema import Field, FieldKind, Part, RecordType, Schema, ValueType

NAME, BIRTH, PAPERS, NOTES, STATE, APPROVAL, NUMBER, WEIGHT, CONSENT, DOSE = range(1, 11)
DOCTOR = "supervisor"

PATIENT = RecordType(
    1,
    "patient",
    facet="state",
    retractors=frozenset({DOCTOR}),
    fields=(
        Field(NAME, "name", required=True, searched=True),
        Field(
            BIRTH, "birth", FieldKind.GROUP, (Part("date", ValueType.DATE), Part("place")),
            searched=True,
        ),
        Field(
            PAPERS, "papers", FieldKind.COLLECTION,
            (Part("title"), Part("scan", ValueType.ATTACHMENT, 16_384)),
            searched=True,
        ),
        Field(NOTES, "notes", FieldKind.NOTE),
        Field(
            STATE, "state", FieldKind.STATUS, (Part("value", size_max=20),),
            settlers=frozenset({DOCTOR}),
            absorbs=frozenset({("waiting", "treated")}),
        ),
        Field(
            APPROVAL, "approval", FieldKind.APPROVAL, (Part("value", size_max=20),),
            writers=frozenset({DOCTOR}), basis=(NAME, BIRTH),
        ),
        Field(NUMBER, "number", FieldKind.NUMBER, (Part("value", size_max=40),)),
        Field(WEIGHT, "weight", parts=(Part("value", ValueType.DECIMAL, 20),)),
        Field(CONSENT, "consent", parts=(Part("value", ValueType.BOOLEAN),)),
        Field(DOSE, "dose", parts=(Part("value", ValueType.INTEGER),), writers=frozenset({DOCTOR})),
    ),
)  # fmt: skip
CLINIC = Schema(1, (PATIENT,))
