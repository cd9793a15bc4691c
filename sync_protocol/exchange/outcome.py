"""What came of one exchange."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync_protocol.errors import PeerError
from sync_protocol.identity import FeedId


@dataclass(slots=True)
class Outcome:
    """What one exchange did. Bytes are of message bodies, both envelopes and payloads.

    `snapshot` is the number of records that this device started from, if it did. `differing` are
    the buckets in which an audit found that the two sides differ. `standing` is
    empty, or why the peer took what we had and tells us nothing ("revoked-lost").
    """

    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    entries_sent: int = 0
    entries_received: int = 0
    chunks_sent: int = 0
    chunks_received: int = 0
    refused: dict[FeedId, PeerError] = field(default_factory=dict)
    snapshot: int = 0
    snapshot_refused: PeerError | None = None
    audited: bool = False
    differing: list[int] = field(default_factory=list)
    peer_time_ms: int = 0
    standing: str = ""
