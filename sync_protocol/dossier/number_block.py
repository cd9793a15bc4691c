"""Blocks of sequence numbers that are leased: city to ward, ward to tablet.

An official code ends in a number that counts the dossiers of a day at a unit. Two machines that
can't hear each other must not count with one counter; so the city, where it grants this, leases
each ward a range of every day's numbers, and a ward hands parts of its range on.

A lease belongs to one incarnation of a device: after a restore nobody knows which numbers were
taken meanwhile, so the new incarnation asks for a lease of its own.

What holds: a number is taken once; two blocks that were split share none; nothing here is ever
given back, because whether a lost tablet used its numbers can't be known. Numbers that nobody took
are gaps, named so that the register (Mẫu 07) can explain them. Values, not state: `take` and
`split` return what is left, and the caller saves that in one transaction with the code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sync_protocol.dossier.dossier_code import DossierCode
from sync_protocol.errors import InputError, SchemaError


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """The numbers from `first` to `last`, both included; those before `next` are taken."""

    first: int
    last: int
    next: int

    def __post_init__(self) -> None:
        """Refuse what is no range. Raises `SchemaError`."""
        if not 1 <= self.first <= self.next <= self.last + 1:
            raise SchemaError("A block of numbers must run from its first to its last, from 1 on.")

    @classmethod
    def fresh(cls, first: int, last: int) -> NumberBlock:
        """Return a block of which no number is taken."""
        return cls(first, last, first)

    @property
    def left(self) -> int:
        """How many numbers are not taken yet."""
        return self.last - self.next + 1

    @property
    def exhausted(self) -> bool:
        """Whether every number is taken: what comes now gets a provisional code."""
        return self.left == 0

    @property
    def untaken(self) -> range:
        """The numbers not taken: the gap to explain when the day is over."""
        return range(self.next, self.last + 1)

    def take(self) -> tuple[int, NumberBlock] | None:
        """Return the next number and what is left, or None where there is none."""
        if self.exhausted:
            return None
        return self.next, replace(self, next=self.next + 1)

    def split(self, count: int) -> tuple[NumberBlock, NumberBlock]:
        """Return the last `count` numbers as a block to hand on, and the block that stays.

        Raises `InputError` where fewer are left.
        """
        if not 1 <= count <= self.left:
            raise InputError(f"{count} numbers can't be handed on: {self.left} are left.")
        edge = self.last - count
        return NumberBlock.fresh(edge + 1, self.last), replace(self, last=edge)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one incarnation of a device to a range of every day's numbers at an agency.

    From `valid_from` to `valid_until`, both included.
    """

    agency: str
    incarnation: bytes
    first: int
    last: int
    valid_from: date
    valid_until: date

    def block(self, day: date) -> NumberBlock | None:
        """Return the fresh block of a day, or None where the lease does not cover it."""
        if not self.valid_from <= day <= self.valid_until:
            return None
        return NumberBlock.fresh(self.first, self.last)

    def code(self, day: date, number: int) -> DossierCode:
        """Return the official code of a number of this lease. Raises `InputError`."""
        if self.block(day) is None or not self.first <= number <= self.last:
            raise InputError("This number of that day was not leased to this device.")
        return DossierCode(self.agency, day, number)
