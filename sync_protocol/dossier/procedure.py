"""What the catalogue says of one procedure, and of the papers that are handed in for it.

These are shapes only; `catalogue` fills and checks them. Texts are pairs of Vietnamese and English.

What holds: a note is no paper. A paper is asked for under a condition, may be replaced by others,
is either kept or shown and given back ("đã đối chiếu, trả lại"), and is not asked for where a
database of the state already knows what it proves.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from sync_protocol.dossier.deadline import TimeLimit


class Channel(StrEnum):
    """How a dossier can be filed."""

    DIRECT = "direct"
    ONLINE = "online"
    POST = "post"


class Desk(StrEnum):
    """Who receives a procedure."""

    WARD = "ward"
    WARD_POLICE = "ward-police"
    PROVINCE = "province"
    PROVINCE_POLICE = "province-police"
    TAX = "tax"
    SOCIAL_INSURANCE = "social-insurance"
    SCHOOL = "school"
    POWER_COMPANY = "power-company"
    PORTAL = "portal"


AT_THE_WARD = frozenset({Desk.WARD, Desk.WARD_POLICE})
"""The civil counter of the ward, and the police counter beside it."""


class PersonRole(StrEnum):
    """What a person is to a dossier."""

    OWNER = "owner"
    SUBMITTER = "submitter"
    AUTHORISED = "authorised"
    CHILD = "child"
    FATHER = "father"
    MOTHER = "mother"
    SPOUSE = "spouse"
    WARD_OF_GUARDIAN = "ward-of-guardian"
    GUARDIAN = "guardian"
    DECEASED = "deceased"


class StateDatabase(StrEnum):
    """A database of the state that may already know what a paper proves."""

    POPULATION = "population"
    CIVIL_STATUS = "civil-status"
    HEALTH = "health"
    LAND = "land"


class FeeUnit(StrEnum):
    """What a fee is paid for."""

    DOSSIER = "dossier"
    COPY = "copy"
    PAGE = "page"
    CASE = "case"
    PERSON = "person"


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for people."""

    vi: str
    en: str


class PaperType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of paper, under the one name that this project gives it.

    The national catalogue knows most papers by many codes; those that were met are `aliases`.
    `form` is the official form's name, `old_forms` those that are no longer taken. `reusable`: it
    proves something that stays true, so one that the ward holds need not be asked for again.
    """

    vi: str
    en: str
    aliases: tuple[str, ...] = ()
    form: str = ""
    form_source: str = ""
    old_forms: tuple[str, ...] = ()
    reusable: bool = False


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper that a procedure asks for.

    `when` is a condition of the catalogue ("" is always), `instead` are types that do as well,
    `known_from` is the database that makes the paper unnecessary. `channels`: only where the
    dossier is filed so; none named is all. `present`: shown, compared, and given back.
    """

    type: str
    when: str = ""
    instead: tuple[str, ...] = ()
    known_from: StateDatabase | None = None
    channels: tuple[Channel, ...] = ()
    present: bool = False

    def belongs_to(self, channel: Channel) -> bool:
        """Whether it is asked for at all where a dossier is filed so."""
        return not self.channels or channel in self.channels


class Fee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be paid: an amount in đồng, or a rate that the province sets.

    `at_most` is the most for one copy, `when` a condition of the catalogue.
    """

    amount: int | None = None
    set_by_province: bool = False
    channel: Channel | None = None
    per: FeeUnit = FeeUnit.DOSSIER
    at_most: int | None = None
    when: str = ""

    def __post_init__(self) -> None:
        """Refuse a fee that says nothing, or two things."""
        if (self.amount is None) != self.set_by_province:
            raise ValueError("a fee has an amount, or is set by the province")


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case of a procedure that has a time of its own."""

    id: str
    vi: str
    en: str
    time: TimeLimit


class Procedure(msgspec.Struct, frozen=True):
    """One administrative procedure, by its national code.

    `name` is ours and short enough for a list; `official` is the database's wording, which receipts
    print. `time` is None where the law gives no fixed one. `other_codes` mean the same procedure.
    `review_on`: when the law behind it is known to change.
    """

    code: str
    name: str
    english: str
    official: str
    field: str
    field_english: str
    field_code: str
    desk: Desk
    decision: str
    channels: tuple[Channel, ...]
    time: TimeLimit | None
    time_source: str
    cases: tuple[Case, ...]
    fees: tuple[Fee, ...]
    papers: tuple[Requirement, ...]
    persons: tuple[PersonRole, ...]
    other_codes: tuple[str, ...]
    review_on: date | None

    @property
    def at_the_ward(self) -> bool:
        """Whether a ward's centre receives it."""
        return self.desk in AT_THE_WARD

    def limit(self, case: str = "") -> TimeLimit | None:
        """Return the time limit of a case, or of the procedure itself. Raises `KeyError`."""
        if not case:
            return self.time
        return {item.id: item.time for item in self.cases}[case]


class EssentialService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the 25 services of decision 06/QĐ-TTg, by its number there.

    `desk` receives it. `codes` are its procedures, none where the portal has no dossier for it.
    """

    number: int
    vi: str
    en: str
    desk: Desk
    codes: tuple[str, ...] = ()
