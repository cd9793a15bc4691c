"""Scans: CHUNKS_WANTED, CHUNKS_PUT and CHUNKS_GET → CHUNKS_ANSWER. After the text, resumable.

WANTED asks which of these chunks the responder lacks, and for which of these attachments it holds
every chunk; PUT brings chunks as payloads; GET asks for them as payloads of the answer. Chunks are
ciphertext, named by their SHA-256.
"""

from __future__ import annotations

from sync_protocol.wire.message import Body


class ChunksWanted(Body, frozen=True):
    """`chunks` the initiator could bring; `attachments`: [id, chunk addresses] to be receipted."""

    chunks: list[bytes]
    attachments: list[tuple[bytes, list[bytes]]] = []


class ChunksPut(Body, frozen=True):
    """Addresses of the payloads, in order, and the attachments to be receipted afterwards."""

    chunks: list[bytes]
    sizes: list[int]
    attachments: list[tuple[bytes, list[bytes]]] = []


class ChunksGet(Body, frozen=True):
    """Addresses wanted."""

    chunks: list[bytes]
    bytes_max: int


class ChunksAnswer(Body, frozen=True):
    """`chunks` that are lacking (to WANTED and PUT) or that follow as payloads (to GET).

    `receipt` is a receipt that names the finished attachments; `relayed` are those of others.
    """

    chunks: list[bytes]
    sizes: list[int] = []
    receipt: bytes = b""
    relayed: list[bytes] = []
