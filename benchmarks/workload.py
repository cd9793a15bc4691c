"""What is written: seeded dossiers, and the edits that two people make without seeing each other.

`dossiers(count, seed)` is the one source, so that every contender carries the same data. It takes
the dossiers of `motcua-edge sample` where that command is installed, otherwise those of a generator
kept here. Names, addresses and numbers are invented.
"""

import datetime as dt
import hashlib
import json
import random
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backports import zstd

from benchmarks.process import find_command

Dossier = dict[str, Any]

SEED = 20260101
SAME_FIELD = 10
DIFFERENT_FIELDS = 10
OPPOSITE_STATUS = 5
EDITS_PER_SIDE = 100

SURNAMES = (
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Lý",
)
MIDDLE = (
    "Văn",
    "Thị",
    "Hữu",
    "Đức",
    "Minh",
    "Ngọc",
    "Thanh",
    "Quang",
    "Xuân",
    "Thùy",
    "Bảo",
    "Gia",
    "Khánh",
    "Hoài",
)
GIVEN = (
    "An",
    "Bình",
    "Chi",
    "Dũng",
    "Giang",
    "Hà",
    "Hạnh",
    "Hiếu",
    "Hùng",
    "Lan",
    "Linh",
    "Mai",
    "Nam",
    "Phúc",
    "Quỳnh",
    "Sơn",
    "Tâm",
    "Thảo",
    "Yến",
)
STREETS = (
    "Nguyễn Trãi",
    "Lê Lợi",
    "Trần Hưng Đạo",
    "Hai Bà Trưng",
    "Điện Biên Phủ",
    "Phan Đình Phùng",
)
WARDS = (
    ("26734", "Phường Bến Nghé"),
    ("26740", "Phường Cầu Ông Lãnh"),
    ("27139", "Phường Chợ Quán"),
    ("26899", "Phường Hạnh Thông"),
)
PROCEDURES = (
    ("1.001193", "Đăng ký khai sinh", 0),
    ("1.000894", "Đăng ký kết hôn", 0),
    ("2.000815", "Chứng thực bản sao từ bản chính", 10_000),
    ("1.004873", "Cấp Giấy xác nhận tình trạng hôn nhân", 15_000),
    ("1.000656", "Đăng ký khai tử", 0),
    ("1.012964", "Đăng ký biến động đất đai", 50_000),
)
OFFICERS = ("Trần Thị Mỹ Lệ", "Phạm Quốc Toản", "Lê Hoàng Yến", "Đỗ Minh Khôi")
STATUSES = ("received", "processing", "waiting_papers", "done")
CHANNELS = ("counter", "online", "post")
NOTES = (
    "Đã đối chiếu bản chính, trả lại công dân.",
    "Thiếu giấy chứng sinh, hẹn bổ sung trong 03 ngày.",
    "Công dân đề nghị nhận kết quả tại nhà.",
    "Hồ sơ nộp thay, có giấy ủy quyền.",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one dossier set by one person."""

    dossier_id: str
    field: str
    value: str

    def as_json(self) -> dict[str, str]:
        """For the worker's language."""
        return {"id": self.dossier_id, "field": self.field, "value": self.value}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which fields the edits touch, in the contender's own words."""

    first: str = "note"
    second: str = "phone"
    status: str = "status"
    status_a: str = "approved"
    status_b: str = "rejected"


@dataclass(frozen=True)
class Edits:
    """One round of P3, and what an honest merge must show afterwards."""

    by_a: list[Edit] = field(default_factory=list)
    by_b: list[Edit] = field(default_factory=list)
    conflicting: frozenset[str] = frozenset()
    innocent: frozenset[str] = frozenset()


def dossiers(count: int, seed: int = SEED) -> list[Dossier]:
    """The dossiers of a session: those of our own command if it is there, else of the generator."""
    command = find_command("motcua-edge")
    if command:
        order = [command, "sample", "--count", str(count), "--seed", str(seed)]
        done = subprocess.run(order, capture_output=True, text=True, check=False)
        found = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        if done.returncode == 0 and len(found) == count:
            return found
    return list(generated(count, seed))


def generated(count: int, seed: int) -> Iterator[Dossier]:
    """The local generator: 24 fields, about 800 bytes of JSON each."""
    chance = random.Random(seed)
    moment = dt.datetime(2026, 1, 5, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=7)))
    for number in range(count):
        moment += dt.timedelta(seconds=chance.randrange(20, 400))
        yield _dossier(chance, number, moment)


def _dossier(chance: random.Random, number: int, moment: dt.datetime) -> Dossier:
    procedure, title, fee = chance.choice(PROCEDURES)
    ward_code, ward = chance.choice(WARDS)
    birth = dt.date(1945, 1, 1) + dt.timedelta(days=chance.randrange(22_000))
    name = " ".join((chance.choice(SURNAMES), chance.choice(MIDDLE), chance.choice(GIVEN)))
    due = moment + dt.timedelta(days=chance.choice((1, 3, 5, 10)))
    return {
        "id": _time_ordered_id(chance, moment),
        "code": f"H29.{ward_code}-{moment:%y%m%d}-{number % 10_000:04d}",
        "procedure": procedure,
        "procedure_title": title,
        "status": chance.choice(STATUSES),
        "received_at": moment.isoformat(),
        "due_at": due.isoformat(),
        "applicant_name": name,
        "birth_date": birth.isoformat(),
        "gender": chance.choice(("Nam", "Nữ")),
        "citizen_number": f"0{chance.randrange(10**11):011d}",
        "person_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "phone": f"09{chance.randrange(10**8):08d}",
        "email": f"cong.dan{chance.randrange(10**6)}@example.vn",
        "address": f"{chance.randrange(1, 900)}/{chance.randrange(1, 60)} {chance.choice(STREETS)}",
        "ward_code": ward_code,
        "ward": ward,
        "province": "Thành phố Hồ Chí Minh",
        "officer": chance.choice(OFFICERS),
        "channel": chance.choice(CHANNELS),
        "fee_vnd": fee,
        "copies": chance.randrange(1, 6),
        "scan_sha256": hashlib.sha256(chance.randbytes(16)).hexdigest(),
        "note": chance.choice(NOTES),
    }


def _time_ordered_id(chance: random.Random, moment: dt.datetime) -> str:
    """A version 7 UUID, seeded."""
    value = (int(moment.timestamp() * 1000) << 80) | chance.getrandbits(80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return str(uuid.UUID(int=value))


def edits(ids: Sequence[str], round_number: int, words: Vocabulary, seed: int = SEED) -> Edits:
    """Round 0 or 1 of P3: other dossiers in each round, the same for every contender.

    A hundred edits on each side; with fewer than 400 dossiers, proportionally fewer disjoint ones.
    """
    order = sorted(ids)
    random.Random(seed).shuffle(order)
    half = len(order) // 2
    pool = iter(order[round_number * half : (round_number + 1) * half])
    same = [next(pool) for _ in range(SAME_FIELD)]
    different = [next(pool) for _ in range(DIFFERENT_FIELDS)]
    opposite = [next(pool) for _ in range(OPPOSITE_STATUS)]
    left = list(pool)
    alone = min(EDITS_PER_SIDE - len(same) - len(different) - len(opposite), len(left) // 2)
    by_a = [Edit(one, words.first, f"A sửa lần {round_number + 1}") for one in same + different]
    by_b = [Edit(one, words.first, f"B sửa lần {round_number + 1}") for one in same]
    by_b += [Edit(one, words.second, f"09{round_number}8765432") for one in different]
    by_a += [Edit(one, words.status, words.status_a) for one in opposite]
    by_b += [Edit(one, words.status, words.status_b) for one in opposite]
    by_a += [Edit(one, words.first, f"A ghi thêm {round_number + 1}") for one in left[:alone]]
    by_b += [
        Edit(one, words.first, f"B ghi thêm {round_number + 1}") for one in left[alone : 2 * alone]
    ]
    innocent = frozenset(different + left[: 2 * alone])
    return Edits(by_a, by_b, frozenset(same + opposite), innocent)


def write_json_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save dossiers as every contender reads them."""
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(compact(row) + "\n")


def read_json_lines(path: Path) -> list[Dossier]:
    """The dossiers again."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def compact(row: Mapping[str, Any]) -> str:
    """JSON without spaces, Vietnamese letters as they are."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def sizes(path: Path) -> dict[str, int]:
    """The byte floors of the session: the dossiers as JSON lines, raw and compressed whole."""
    raw = path.read_bytes()
    return {
        "raw_bytes": len(raw),
        "zstd3_bytes": len(zstd.compress(raw, level=3)),
        "zstd19_bytes": len(zstd.compress(raw, level=19)),
    }


def canonical_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the dossiers in order of id with sorted keys: equal data, equal digest."""
    total = hashlib.sha256()
    for row in sorted(rows, key=lambda one: str(one["id"])):
        text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        total.update(text.encode() + b"\n")
    return total.hexdigest()
