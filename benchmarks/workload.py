"""What is written: seeded dossiers, and the edits that two people make without seeing each other.

The dossiers are the lines of `motcua-edge sample`: our side takes in the file as it is. A peer has
no form of its own for a dossier, so it gets the same values as one flat document with an id
(`document`): groups become columns, lists of papers and notes stay lists. Names and numbers are
invented.
"""

import datetime as dt
import hashlib
import json
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backports import zstd

from benchmarks.contender import BenchmarkError

Dossier = dict[str, Any]

SEED = 1
SAME_FIELD = 10
DIFFERENT_FIELDS = 10
OPPOSITE_STATUS = 5
EDITS_PER_SIDE = 100
ROOT = Path(__file__).resolve().parent.parent
FIRST_MOMENT = dt.datetime(2026, 1, 5, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=7)))


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one dossier set by one person. `number` counts the lines of the file from 0."""

    number: int
    field: str
    value: str


@dataclass(frozen=True)
class Edits:
    """One round of P3, and what an honest merge must show afterwards (numbers of dossiers)."""

    by_a: list[Edit] = field(default_factory=list)
    by_b: list[Edit] = field(default_factory=list)
    conflicting: frozenset[int] = frozenset()
    innocent: frozenset[int] = frozenset()


def dossiers(count: int, seed: int = SEED) -> list[bytes]:
    """The lines of the intake file that every contender carries."""
    order = [sys.executable, "-m", "edge_node", "sample", "--count", str(count)]
    done = subprocess.run([*order, "--seed", str(seed)], capture_output=True, check=False, cwd=ROOT)
    lines = done.stdout.splitlines(keepends=True)
    if done.returncode or len(lines) != count:
        raise BenchmarkError(f"motcua-edge sample: {done.stderr.decode(errors='replace')[-500:]}")
    return lines


def documents(lines: Sequence[bytes], seed: int = SEED) -> list[Dossier]:
    """The same dossiers as a peer stores them: flat, with a time-ordered id."""
    chance = random.Random(seed)
    moment = FIRST_MOMENT
    found = []
    for line in lines:
        moment += dt.timedelta(seconds=chance.randrange(20, 400))
        found.append({"id": _time_ordered_id(chance, moment), **document(json.loads(line))})
    return found


def document(row: Mapping[str, Any]) -> Dossier:
    """One dossier flat: `applicant.address.unit` becomes `address_unit`."""
    rest = {name: value for name, value in row.items() if name != "applicant"}
    return {**dict(_flat(row["applicant"])), **dict(_flat(rest))}


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield before + name, value


def _time_ordered_id(chance: random.Random, moment: dt.datetime) -> str:
    """A version 7 UUID, seeded."""
    value = (int(moment.timestamp() * 1000) << 80) | chance.getrandbits(80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return str(uuid.UUID(int=value))


def received(documents_: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """The numbers of the dossiers that are just received: two people may move those differently."""
    return frozenset(at for at, row in enumerate(documents_) if row["status"] == "received")


def edits(count: int, round_number: int, open_ones: frozenset[int], seed: int = SEED) -> Edits:
    """Round 0 or 1 of P3: other dossiers in each round, the same for every contender.

    A hundred edits on each side; with fewer than 400 dossiers, proportionally fewer disjoint ones.
    The values are ones that the dossiers do not have, so that each edit changes something.
    `open_ones` are those of which `received` speaks: a status moves only as the law has it.
    """
    order = list(range(count))
    random.Random(seed).shuffle(order)
    half = count // 2
    mine = order[round_number * half : (round_number + 1) * half]
    opposite = [one for one in mine if one in open_ones][:OPPOSITE_STATUS]
    pool = iter(one for one in mine if one not in opposite)
    same = [next(pool) for _ in range(SAME_FIELD)]
    different = [next(pool) for _ in range(DIFFERENT_FIELDS)]
    left = list(pool)
    alone = min(EDITS_PER_SIDE - len(same) - len(different) - len(opposite), len(left) // 2)
    phone_a, phone_b = f"098111{round_number}111", f"098122{round_number}222"
    by_a = [Edit(one, "phone", phone_a) for one in [*same, *different, *left[:alone]]]
    by_b = [Edit(one, "phone", phone_b) for one in [*same, *left[alone : 2 * alone]]]
    by_b += [Edit(one, "due_on", f"2027-01-{10 + round_number}") for one in different]
    by_a += [Edit(one, "status", "processing") for one in opposite]
    by_b += [Edit(one, "status", "ready") for one in opposite]
    innocent = frozenset(different + left[: 2 * alone])
    return Edits(by_a, by_b, frozenset(same + opposite), innocent)


def write_json_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save documents as the peers read them."""
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(compact(row) + "\n")


def read_json_lines(path: Path) -> list[Dossier]:
    """The documents again."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def compact(row: Mapping[str, Any]) -> str:
    """JSON without spaces, Vietnamese letters as they are."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def sizes(lines: Sequence[bytes]) -> dict[str, int]:
    """The byte floors of the session: the dossiers as compact JSON lines, raw and compressed."""
    raw = "".join(compact(json.loads(line)) + "\n" for line in lines).encode()
    return {
        "raw_bytes": len(raw),
        "zstd3_bytes": len(zstd.compress(raw, level=3)),
        "zstd19_bytes": len(zstd.compress(raw, level=19)),
    }


def canonical_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the documents in order of id with sorted keys: equal data, equal digest."""
    total = hashlib.sha256()
    for row in sorted(rows, key=lambda one: str(one["id"])):
        text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        total.update(text.encode() + b"\n")
    return total.hexdigest()
