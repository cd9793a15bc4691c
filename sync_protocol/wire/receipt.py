"""A receipt: the signed word of a replica that it holds these entries durably. Set in stone.

"Sent" is shown to people on a receipt only. It is no entry and is never receipted; the newest of
each holder is kept and relayed, also by stick. It names the holder's incarnation: a receipt of an
older incarnation of the hub counts for nothing. `backed_up` says how far a backup of the holder
reaches; `held` names quarantined entries; `scans` are attachments whose every chunk it holds, of
those that the reader asked about.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sync_protocol.crypto import signature
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import decode, encode
from sync_protocol.identity import AttachmentId, DeviceKey, WardId
from sync_protocol.log.entry import Mark
from sync_protocol.log.frontier import check_frontier

HELD_SHOWN_MAX = 1000


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """Who holds what, in which incarnation. `time` is a timestamp of the holder's clock."""

    holder: DeviceKey
    role: str
    ward: WardId
    incarnation: bytes
    time: int
    frontier: list[Mark] = []
    backed_up: list[Mark] = []
    held: list[list[Any]] = []
    scans: list[AttachmentId] = []


def write_receipt(key: SigningKey, receipt: Receipt) -> bytes:
    """Sign a receipt."""
    body = encode(msgspec.to_builtins(receipt, builtin_types=(bytes,)))
    return signature.sign(key, signature.RECEIPT, body) + body


def read_receipt(raw: bytes) -> Receipt:
    """Read a receipt and check its signature by the holder it names. Raises `PeerError` kinds.

    Whether that holder is the hub, an edge or nobody is for the roster to say.
    """
    body = raw[signature.SIGNATURE_BYTES :]
    receipt = decode(body, Receipt)
    signature.check(receipt.holder, raw[: signature.SIGNATURE_BYTES], signature.RECEIPT, body)
    check_frontier(receipt.frontier)
    check_frontier(receipt.backed_up)
    return receipt
