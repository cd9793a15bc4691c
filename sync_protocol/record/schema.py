"""What a record is made of. The engine knows no ward office: it is given a `Schema`.

What holds:
* Field and type ids are small integers, never reused, never renamed on the wire. Id 0 is the
  retraction of the whole record.
* Adding a field writes no entries; a missing value is read as absent.
* A value that does not fit is refused where it is written (`SchemaError`); one that comes from a
  newer version is kept and forwarded, and never shown as if it were understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sync_protocol.errors import SchemaError

RETRACTION = 0
"""The field id of a record's retraction; its value is [reason, the dots it saw]."""

DEVICE_ROLE = "device"
"""The role of an entry that names no officer."""


class FieldKind(Enum):
    """How concurrent values of a field meet (docs/PROTOCOL.md, merge)."""

    REGISTER = "register"
    GROUP = "group"
    COLLECTION = "collection"
    NOTE = "note"
    STATUS = "status"
    APPROVAL = "approval"
    NUMBER = "number"


class ValueType(Enum):
    """What a value may be on the wire."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    DATE = "date"
    DECIMAL = "decimal"
    ATTACHMENT = "attachment"
    ANY = "any"


_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
_PYTHON: dict[ValueType, type | tuple[type, ...]] = {
    ValueType.TEXT: str,
    ValueType.INTEGER: int,
    ValueType.BOOLEAN: bool,
    ValueType.BYTES: bytes,
    ValueType.ATTACHMENT: bytes,
    ValueType.DATE: str,
    ValueType.DECIMAL: str,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One member of a group or of an element: its name, type and bound (characters or bytes)."""

    name: str
    type: ValueType = ValueType.TEXT
    size_max: int = 500


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record type.

    `parts` has one member for plain values; several make every value a list of that shape.
    `writers` and `settlers` are the roles that may write it, and settle what is disputed (empty:
    all). `absorbs` lists the pairs (a, b) of a status where b swallows a concurrent a. `basis`
    names the fields on which an approval relies. `searched` fields are found by text search.
    """

    id: int
    name: str
    kind: FieldKind = FieldKind.REGISTER
    parts: tuple[Part, ...] = (Part("value"),)
    writers: frozenset[str] = frozenset()
    settlers: frozenset[str] = frozenset()
    absorbs: frozenset[tuple[str, str]] = frozenset()
    basis: tuple[int, ...] = ()
    required: bool = False
    searched: bool = False

    @property
    def has_elements(self) -> bool:
        """Whether values live in elements that are added one by one."""
        return self.kind in (FieldKind.COLLECTION, FieldKind.NOTE)

    @property
    def is_tuple(self) -> bool:
        """Whether a value is a list with one item per part."""
        return len(self.parts) > 1

    def admit(self, value: object) -> object:
        """Return `value` as it is stored (text in NFC). Raises `SchemaError`. None clears."""
        if value is None:
            return None
        parts = self.parts
        if len(parts) == 1:
            return self._admit_part(parts[0], value)
        if not isinstance(value, list | tuple) or len(value) != len(parts):
            names = ", ".join(part.name for part in parts)
            raise SchemaError(f"“{self.name}” is a group of {names}.", field=self.name)
        admit = self._admit_part
        pairs = zip(parts, value, strict=True)
        return [item if item is None else admit(part, item) for part, item in pairs]

    def _admit_part(self, part: Part, value: object) -> object:
        if part.type is ValueType.TEXT and type(value) is str:  # nearly every value there is
            if not value.isascii():
                value = unicodedata.normalize("NFC", value)
            if len(value) <= part.size_max:
                return value
        where = self.name if not self.is_tuple else f"{self.name}.{part.name}"
        if part.type is ValueType.ANY:
            return value
        wrong_bool = isinstance(value, bool) and part.type is not ValueType.BOOLEAN
        if not isinstance(value, _PYTHON[part.type]) or wrong_bool:
            raise SchemaError(f"“{where}” must be a {part.type.value}.", field=where)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise SchemaError(f"“{where}” is too large a number.", field=where)
        if isinstance(value, str):
            value = unicodedata.normalize("NFC", value)
        if isinstance(value, str | bytes) and len(value) > part.size_max:
            raise SchemaError(f"“{where}” is longer than {part.size_max}.", field=where)
        if part.type is ValueType.DATE and not _DATE.fullmatch(str(value)):
            raise SchemaError(f"“{where}” is a date: YYYY-MM-DD.", field=where)
        if part.type is ValueType.DECIMAL and not _DECIMAL.fullmatch(str(value)):
            raise SchemaError(f"“{where}” is an amount such as 12000 or 12.50.", field=where)
        return value


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of record. `facet` names the field by which lists are filtered (its status).

    What is `hub_only` counts from hubs alone; no adoption by a person lifts that.
    """

    id: int
    name: str
    fields: tuple[Field, ...]
    facet: str = ""
    retractors: frozenset[str] = frozenset()
    hub_only: bool = False
    by_id: Mapping[int, Field] = field(init=False, repr=False, compare=False)
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)
    restricted: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the fields, and those that not everybody may write.

        Raises `SchemaError` for a repeated id or name.
        """
        by_id = {item.id: item for item in self.fields}
        by_name = {item.name: item for item in self.fields}
        if len(by_id) != len(self.fields) or len(by_name) != len(self.fields) or 0 in by_id:
            raise SchemaError(f"Record type “{self.name}” repeats a field id or name.")
        object.__setattr__(self, "by_id", by_id)
        object.__setattr__(self, "by_name", by_name)
        restricted = frozenset(item.id for item in self.fields if item.writers)
        object.__setattr__(self, "restricted", restricted)


@dataclass(frozen=True, slots=True)
class Schema:
    """All record types of an application, at one version."""

    version: int
    types: tuple[RecordType, ...]
    by_id: Mapping[int, RecordType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the types. Raises `SchemaError` for a repeated id."""
        by_id = {item.id: item for item in self.types}
        if len(by_id) != len(self.types):
            raise SchemaError("The schema repeats a record type id.")
        object.__setattr__(self, "by_id", by_id)

    def type(self, name: str) -> RecordType:
        """Return the record type called `name`. Raises `SchemaError`."""
        for item in self.types:
            if item.name == name:
                return item
        raise SchemaError(f"There is no record type “{name}”.")
