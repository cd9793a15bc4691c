"""Chains as rows of SQLCipher: what is a block, what is a tail, and where hashes are known.

What holds:
* What a chain holds is one run of seqs. All of it up to the last border of blocks is in `block`;
  what comes after that border is in `tail`, fewer than 256 rows.
* A block ends at its border. It begins at one, or later where the chain itself begins within it
  (a branch, a floor).
* `before` and `after` are the chain's hashes before a block's first entry and after its last, so
  that going from block to block unfolds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sync_protocol.log.block import Range, block_first
from sync_protocol.log.entry import Entry
from sync_protocol.log.feed import Head
from sync_protocol.storage.migration import Schema
from sync_protocol.storage.sqlite import Connection
from sync_protocol.storage.store import ChainRow

if TYPE_CHECKING:
    from sqlite_utils import Database

CHAIN_COLUMNS = (
    "declaration, base_chain, base_seq, head, head_hash, staged, staged_hash, floor, floor_hash, "
    "seal"
)


def _first_version(db: Database) -> None:
    db.table("chain").create(
        {
            "number": int,
            "declaration": bytes,
            "base_chain": int,
            "base_seq": int,
            "head": int,
            "head_hash": bytes,
            "staged": int,
            "staged_hash": bytes,
            "floor": int,
            "floor_hash": bytes,
            "seal": bytes,
        },
        pk="number",
        strict=True,
    )
    # `packed` last: what is asked of a block without its entries lies on the row's first page.
    db.table("block").create(
        {
            "chain": int,
            "number": int,
            "first": int,
            "before": bytes,
            "after": bytes,
            "digest": bytes,
            "packed": bytes,
        },
        pk=("chain", "number"),
        strict=True,
    )
    columns = {"chain": int, "seq": int, "before": bytes, "header": bytes, "body_hash": bytes}
    db.table("tail").create(columns | {"body": bytes}, pk=("chain", "seq"), strict=True)
    db.table("note").create({"key": str, "value": bytes}, pk="key", strict=True)


SCHEMA = Schema(mark=0x4D434C47, steps=(_first_version,))


class BlockRow(NamedTuple):
    """A block's row. `last` is always the border; `digest` is empty unless it heads a group."""

    number: int
    first: int
    before: bytes
    after: bytes
    digest: bytes

    @property
    def last(self) -> int:
        """The seq of the last entry."""
        return block_first(self.number + 1) - 1


def chain_of(row: Any) -> ChainRow:  # noqa: ANN401  # a driver's row
    """Read a chain from its number and the columns `CHAIN_COLUMNS`."""
    return ChainRow(
        number=row[0],
        declaration=row[1],
        base_chain=row[2],
        base_seq=row[3],
        head=Head(row[4], row[5]),
        staged=Head(row[6], row[7]),
        floor=Head(row[8], row[9]),
        seal=row[10],
    )


def end_of(connection: Connection, chain: int) -> Head | None:
    """Return where the held entries of a chain end, or None where none is held."""
    row = connection.execute(
        "select seq, before, header, body_hash from tail where chain = ? order by seq desc limit 1",
        (chain,),
    ).fetchone()
    if row is not None:
        return Head(row[0], Entry(row[2], None, row[3]).follow(row[1]))
    row = connection.execute(
        "select number, after from block where chain = ? order by number desc limit 1", (chain,)
    ).fetchone()
    return None if row is None else Head(block_first(row[0] + 1) - 1, row[1])


def find_block(connection: Connection, chain: int, number: int) -> BlockRow | None:
    """Return the row of a block, without its entries."""
    row = connection.execute(
        "select number, first, before, after, digest from block where chain = ? and number = ?",
        (chain, number),
    ).fetchone()
    return None if row is None else BlockRow(*row)


def packed_block(connection: Connection, chain: int, number: int) -> bytes:
    """Return the packed form of a block that is there."""
    row = connection.execute(
        "select packed from block where chain = ? and number = ?", (chain, number)
    ).fetchone()
    return bytes(row[0])


def tail_from(connection: Connection, chain: int, seq: int) -> Range | None:
    """Return the tail from its first entry at or after `seq`, or None where there is none."""
    rows = connection.execute(
        "select seq, header, body, body_hash from tail where chain = ? and seq >= ? order by seq",
        (chain, seq),
    ).fetchall()
    if not rows:
        return None
    return Range(rows[0][0], [Entry(row[1], row[2], row[3]) for row in rows])


def put_tail(
    connection: Connection, chain: int, head: Head, part: Sequence[Entry], hashes: list[bytes]
) -> None:
    """Store entries one by one; `hashes` are those after each."""
    befores = [head.hash, *hashes[:-1]]
    connection.executemany(
        "insert into tail (chain, seq, before, header, body_hash, body) values (?,?,?,?,?,?)",
        [
            (chain, seq, before, entry.header, entry.body_hash, entry.body)
            for seq, (entry, before) in enumerate(zip(part, befores, strict=True), head.seq + 1)
        ],
    )


def put_block(connection: Connection, chain: int, row: BlockRow, packed: bytes) -> None:
    """Store a block."""
    connection.execute(
        "insert into block (number, first, before, after, digest, chain, packed) "
        "values (?,?,?,?,?,?,?)",
        (*row, chain, packed),
    )


def repack_block(connection: Connection, chain: int, row: BlockRow, packed: bytes) -> None:
    """Replace the packed form of a block, and its digest."""
    connection.execute(
        "update block set packed = ?, digest = ? where chain = ? and number = ?",
        (packed, row.digest, chain, row.number),
    )


def block_numbers(connection: Connection, chain: int, low: int, high: int) -> list[int]:
    """Return the numbers of the blocks that are there."""
    rows = connection.execute(
        "select number from block where chain = ? and number between ? and ? order by number",
        (chain, low, high),
    )
    return [row[0] for row in rows]


def empty_tail(connection: Connection, chain: int, before: Head) -> tuple[Head, list[Entry]]:
    """Take out all that the tail holds; return where it begins (`before` if it is empty)."""
    tail = tail_from(connection, chain, 0)
    if tail is None:
        return before, []
    start = connection.execute(
        "select before from tail where chain = ? and seq = ?", (chain, tail.first)
    ).fetchone()[0]
    connection.execute("delete from tail where chain = ?", (chain,))
    return Head(tail.first - 1, start), tail.entries


def erase_in_tail(connection: Connection, chain: int, seqs: set[int]) -> None:
    """Forget the bodies of those of the entries that the tail holds."""
    connection.executemany(
        "update tail set body = null where chain = ? and seq = ?",
        [(chain, seq) for seq in sorted(seqs)],
    )


def hash_in_tail(connection: Connection, chain: int, seq: int) -> bytes | None:
    """Return the hash after `seq` as far as the tail knows it."""
    rows = connection.execute(
        "select seq, before, header, body_hash from tail where chain = ? and seq in (?, ?)",
        (chain, seq, seq + 1),
    ).fetchall()
    for at, before, header, body_hash in rows:
        if at == seq + 1:
            return bytes(before)
        return Entry(header, None, body_hash).follow(before)
    return None


def hash_of_row(connection: Connection, chain: int, seq: int) -> bytes | None:
    """Return the hash at the floor, or at the head where nothing is held."""
    row = connection.execute(
        "select floor, floor_hash, head, head_hash from chain where number = ?", (chain,)
    ).fetchone()
    if row is None:
        return None
    if row[0] == seq:
        return bytes(row[1])
    return bytes(row[3]) if row[2] == seq and end_of(connection, chain) is None else None
