"""Who a replica is, where it rests, and what two replicas compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync_protocol.clock import WallClock
from sync_protocol.crypto.key import DeviceKeys, random_bytes
from sync_protocol.identity import WardId
from sync_protocol.record.schema import Schema
from sync_protocol.storage.store import ChunkStore, Journal, LogStore, ViewStore


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where a replica rests: the ports of storage, opened."""

    log: LogStore
    views: ViewStore
    journal: Journal
    chunks: ChunkStore
    journal_key: bytes


@dataclass(frozen=True, slots=True)
class Character:
    """Who a replica is, and what it may assume: keys, ward, trust anchor, schema, clock."""

    keys: DeviceKeys
    ward: WardId
    root: bytes
    schema: Schema
    wall: WallClock
    fold_text: Callable[[str], str] = str.casefold
    random: Callable[[int], bytes] = random_bytes


@dataclass(frozen=True, slots=True)
class Digest:
    """What two replicas compare: equal frontiers and equal `sha256` mean byte-equal views."""

    frontier: str
    records: int
    sha256: str
