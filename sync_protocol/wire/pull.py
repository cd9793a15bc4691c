"""PULL → PULLED: the initiator names heads that it lacks, and where it stands on those feeds.

`locator` lists marks of the initiator's own chain of that feed, newest first and ever further
apart; the responder sends from the newest of them that lies on the wanted chain. So a fork costs
one round, not a search. `more` says that the answer was cut at `bytes_max`: ask again.
"""

from __future__ import annotations

from sync_protocol.log.entry import Mark
from sync_protocol.wire.message import Body
from sync_protocol.wire.push import RangeItem


class Want(Body, frozen=True):
    """A head of the responder's frontier that is lacking."""

    target: Mark
    locator: list[Mark] = []


class Pull(Body, frozen=True):
    """What is lacking, in the order in which it is wanted.

    `alone`: send no range packed against a group head; the asker may not hold it (a tablet after a
    snapshot), or not as it was (after an erasure).
    """

    wants: list[Want]
    bytes_max: int
    alone: bool = False


class Pulled(Body, frozen=True):
    """Like a push, in the other direction."""

    declarations: list[bytes]
    seals: list[bytes]
    ranges: list[RangeItem]
    more: bool = False
