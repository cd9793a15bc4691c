"""The port: how a message reaches a peer and its answer comes back.

A **parcel** is one signed envelope, opaque here, and the payloads that it names by their hashes
(blocks, chunks of scans). What holds for every carrier:
* `ask` returns once the reply's envelope is there; its payloads come as the bytes arrive, so
  nobody holds a whole exchange in memory, and what arrived before a cut can be kept.
* A cut line is a `TransportError`, in `ask` or from the payload iterator: never a short answer.
* Nothing is retried here. The caller retries: messages are idempotent.
* The counters count bodies (envelopes, payloads and their framing), not headers nor TLS.

Verifying the envelope's signature and the payloads' hashes is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope followed by payloads, whose sizes are known before they are read."""

    envelope: bytes
    payloads: Iterable[bytes] = ()
    payload_sizes: Sequence[int] = ()


class Reply(Protocol):
    """A peer's answer. Exhaust `payloads` or call `close`."""

    @property
    def envelope(self) -> bytes:
        """The answer's envelope."""

    @property
    def payloads(self) -> Iterator[bytes]:
        """The payloads as they arrive, each once. Raises `TransportError` or `PeerError` kinds."""

    def close(self) -> None:
        """Give up what has not been read. Calling it again changes nothing."""


class Carrier(Protocol):
    """The way to one peer. For one thread at a time."""

    bytes_sent: int
    bytes_received: int
    requests: int

    def ask(self, parcel: Parcel) -> Reply:
        """Send a parcel and return the answer. Raises `TransportError` or `PeerError` kinds."""

    def close(self) -> None:
        """Hang up."""
