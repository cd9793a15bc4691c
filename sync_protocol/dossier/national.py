"""A dossier in the fields of the national system: what the portal asks for, and its order.

Source: the services DongBoHoSoMC and CapNhatTienDoHoSoMC of the national portal as provincial
systems call them (`HoSo`, `TienDo`); times are yyyyMMddHHmmss in local time, without a zone.

What holds:
* A status goes out as it stands, never as it should be; where two stand there, none goes.
* What is not known is left out, never made up. A passport has no slot (`DinhDanhCHS` knows only
  citizens' numbers of 12 and 9 digits), so foreigners go without, and are named as such.
* A due date is a day; the office closes at 17:00.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.labels import STATUSES, label
from sync_protocol.dossier.record_type import CITIZEN, PASSPORT
from sync_protocol.dossier.status import Status

_NUMBER_KINDS = {12: "1", 9: "2"}
_OFFICER_CHARACTERS_MAX = 50
_SUMMARY_CHARACTERS_MAX = 1000
_WANTED = ("MaHoSo", "MaTTHC", "ChuHoSo", "DinhDanhCHS", "NgayTiepNhan", "TrangThaiHoSo")
"""Without these the portal takes no dossier."""


class Step(NamedTuple):
    """One status as it was written: which, when (local time), by whom and in what role."""

    status: str
    at: datetime
    officer: str = ""
    role: str = ""


class Paper(NamedTuple):
    """One paper: its type, name, whether there is a scan, and whether it was not asked for."""

    type: str
    name: str
    is_scanned: bool
    is_known: bool


def moment(at: datetime) -> str:
    """Return a time as the national system writes it."""
    return f"{at:%Y%m%d%H%M%S}"


def ho_so(
    values: Mapping[str, Any],
    ward: str,
    steps: Sequence[Step],
    papers: Sequence[Paper] = (),
    supplements: Sequence[tuple[str, datetime, str]] = (),
) -> dict[str, Any]:
    """Return one `HoSo` without what is not known.

    `values` are the displayed ones by field name, without those that are disputed; `supplements`
    are the reason, time and officer of each.
    """
    procedure = catalogue().find(str(values.get("procedure") or ""))
    received = str(values.get("received_on") or "")
    row = {
        "MaHoSo": values.get("official_code"),
        "MaTTHC": values.get("procedure"),
        "TenTTHC": procedure.official if procedure else None,
        "MaLinhVuc": procedure.field_code if procedure else None,
        "TenLinhVuc": procedure.field if procedure else None,
        "KenhThucHien": "1" if steps and steps[0].status != Status.FILED else None,
        "ChuHoSo": values.get("name"),
        "LoaiDoiTuong": "1",
        "DinhDanhCHS": _identity(values.get("identity")),
        "SoBienNhan": values.get("provisional_code"),
        "SoDienThoai": values.get("phone"),
        "TrichYeuHoSo": procedure.name[:_SUMMARY_CHARACTERS_MAX] if procedure else None,
        "NgayNopHoSo": _received(received, steps),
        "NgayTiepNhan": _received(received, steps),
        "NgayHenTra": _due(values),
        "NgayKetThucXuLy": _when(steps, Status.READY) or _when(steps, Status.STOPPED),
        "NgayTra": _when(steps, Status.RETURNED),
        "NgayTuChoi": _when(steps, Status.REFUSED),
        "TrangThaiHoSo": values.get("status"),
        "ThongTinTra": _part(values.get("handed_over"), 0),
        "HinhThuc": "0",
        "DonViXuLy": ward,
        "NoiNopHoSo": "2",
        "HoSoCoThanhPhanSoHoa": "1" if any(item.is_scanned for item in papers) else "0",
        "TaiLieuNop": [_paper(item) for item in papers],
        "DanhSachLePhi": _fee(values.get("fee")),
        "DanhSachHoSoBoSung": [
            {"NguoiYeuCauBoSung": who, "NoiDungBoSung": why, "NgayBoSung": moment(at)}
            for why, at, who in supplements
        ],
        "DanhSachGiayToKetQua": _result(values.get("result"), procedure.name if procedure else ""),
    }
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def missing(row: Mapping[str, Any]) -> list[str]:
    """Return the fields without which the portal takes no dossier, and which are not known."""
    return [name for name in _WANTED if name not in row]


def is_foreigner(values: Mapping[str, Any]) -> bool:
    """Whether the person shows a passport, for which the national system has no slot."""
    return bool(_part(values.get("identity"), 0) == PASSPORT)


def tien_do(values: Mapping[str, Any], ward: str, steps: Sequence[Step]) -> list[dict[str, str]]:
    """Return the `TienDo` rows of one dossier: every status that was written, oldest first."""
    due = _due(values) or ""
    rows = [
        {
            "MaHoSo": str(values.get("official_code") or ""),
            "NguoiXuLy": step.officer[:_OFFICER_CHARACTERS_MAX],
            "ChucDanh": step.role,
            "ThoiDiemXuLy": moment(step.at),
            "PhongBanXuLy": ward,
            "NoiDungXuLy": label(STATUSES, step.status),
            "TrangThai": step.status,
            "NgayBatDau": moment(step.at),
            "NgayKetThucTheoQuyDinh": due,
        }
        for step in steps
    ]
    return [{name: value for name, value in row.items() if value} for row in rows]


def _identity(value: object) -> list[dict[str, str]]:
    number = str(_part(value, 1) or "")
    kind = _NUMBER_KINDS.get(len(number)) if _part(value, 0) == CITIZEN else None
    return [{"LoaiDinhDanh": kind, "SoDinhDanh": number}] if kind else []


def _part(value: object, index: int) -> Any:  # noqa: ANN401 - whatever another version wrote there
    return value[index] if isinstance(value, list) and len(value) > index else None


def _received(day: str, steps: Sequence[Step]) -> str | None:
    """Return the day of reception, with the hour where the dossier was captured on that day."""
    if not day:
        return None
    first = steps[0].at if steps else None
    is_same = first is not None and first.date().isoformat() == day
    return moment(first) if first is not None and is_same else day.replace("-", "") + "000000"


def _due(values: Mapping[str, Any]) -> str | None:
    day = str(values.get("due_on") or "")
    return day.replace("-", "") + "170000" if day else None


def _when(steps: Sequence[Step], status: Status) -> str | None:
    """Return when a status was last written, unless the dossier went on to something earlier."""
    found = [index for index, step in enumerate(steps) if step.status == status]
    later = steps[found[-1] + 1 :] if found else ()
    holds = all(step.status == Status.RETURNED for step in later)
    return moment(steps[found[-1]].at) if found and holds else None


def _paper(item: Paper) -> dict[str, str]:
    return {
        "TenTepDinhKem": item.name,
        "MaThanhPhanHoSo": item.type,
        "DuocSoHoa": "1" if item.is_scanned else "0",
        "DuocTaiSuDung": "1" if item.is_known else "0",
    }


def _fee(value: object) -> list[dict[str, str]]:
    amount = _part(value, 0)
    return [{"TenPhiLePhi": "Lệ phí", "Gia": str(amount)}] if amount else []


def _result(value: object, name: str) -> list[dict[str, str]]:
    reference = _part(value, 0)
    return [{"TenGiayTo": name, "MaGiayToKetQua": str(reference)}] if reference else []
