"""One log into another, entry by entry, verified on the way.

What holds: every entry leads from its chain's beginning to its head, and the head's seal is by the
feed's device; else `BadSignatureError`, and the target is not to be used. Blocks keep their bytes.
"""

from __future__ import annotations

from dataclasses import replace

from sync_protocol.errors import BadSignatureError, WrongWardError
from sync_protocol.identity import WardId
from sync_protocol.log.block import is_full_block, spans
from sync_protocol.log.entry import Entry, digest
from sync_protocol.log.feed import Head, SignedDeclaration, follow, read_declaration
from sync_protocol.log.seal import check_seal, decode_seal
from sync_protocol.storage.store import ChainRow, LogStore


def copy_log(source: LogStore, target: LogStore, ward: WardId) -> int:
    """Copy a ward's log into an empty one; return how many entries. Raises `PeerError` kinds."""
    count = 0
    with target.transaction(durable=True):
        for row in source.chains():
            declared = read_declaration(row.declaration)
            if declared.declaration.ward != ward:
                raise WrongWardError("A log of another ward lies in this place.")
            count += _copy_chain(source, target, row, declared)
        for key, value in source.notes("").items():
            target.put_note(key, value)
    return count


def _copy_chain(
    source: LogStore, target: LogStore, row: ChainRow, declared: SignedDeclaration
) -> int:
    at = _start(source, row, declared)
    kept = replace(row, staged=at, head=at if row.head.seq > at.seq else row.head)
    if target.put_chain(kept) != row.number:
        raise AssertionError("a chain got another number in an empty log")
    sealed = row.head.seq == at.seq and row.head.hash == at.hash
    for first, last in spans(at.seq + 1, row.staged.seq):
        entries = [entry for _, entry in source.entries(row.number, first, last)]
        if len(entries) != last - first + 1 or not all(map(_is_whole, entries)):
            raise BadSignatureError("Entries are missing or damaged.", seq=first)
        hashes = follow(at, entries)
        if first <= row.head.seq <= last:
            sealed = hashes[row.head.seq - first] == row.head.hash
        packed = b""
        if is_full_block(first, len(entries)):
            packed = source.packed(row.number, first, last)
        target.append(row.number, at, entries, packed)
        at = Head(last, hashes[-1])
    if not sealed or at != row.staged:
        raise BadSignatureError("Entries do not lead to the head of their feed.")
    if row.head.seq and row.seal:
        _check_seal(row, declared)
    target.put_chain(row)
    return at.seq


def _start(source: LogStore, row: ChainRow, declared: SignedDeclaration) -> Head:
    """Return where the entries begin that this chain itself holds."""
    if row.floor.seq > row.base_seq:
        return row.floor
    if not row.base_chain:
        return declared.start
    before = source.hash_at(row.base_chain, row.base_seq)
    if before is None or (row.floor.seq == row.base_seq and row.floor.hash != before):
        raise BadSignatureError("A branch does not begin where it says.", seq=row.base_seq)
    return Head(row.base_seq, before)


def _is_whole(entry: Entry) -> bool:
    return entry.body is None or digest(entry.body) == entry.body_hash


def _check_seal(row: ChainRow, declared: SignedDeclaration) -> None:
    seal = decode_seal(row.seal)
    check_seal(seal, declared.declaration.device)
    if (seal.feed, seal.seq, seal.hash) != (declared.feed, *row.head):
        raise BadSignatureError("A seal is for another head.", seq=row.head.seq)
