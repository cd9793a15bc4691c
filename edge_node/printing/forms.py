"""Mẫu 01 to 06 of Circular 03/2025/TT-VPCP, appendix I, laid out from the facts of a dossier.

What holds: a form that says something about a decision (02 to 05) is printed only where the
decision stands in the dossier. What the law wants and nobody has written is a dotted line, to be
written by hand. A foreigner's form has English beside the Vietnamese, which alone binds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from edge_node.printing.facts import Facts, Move
from edge_node.printing.sheet import (
    QR_SIDE,
    Block,
    Code,
    Heading,
    beside,
    gap,
    heading,
    line,
    render,
    signatures,
    table,
    text,
)
from sync_protocol.dossier.labels import STATUSES, label
from sync_protocol.dossier.status import CLOSED, Status
from sync_protocol.errors import InputError

DAYBOOK = "07"
_KINDS = ("Phường ", "Xã ", "Đặc khu ")
_LEADER = ("LÃNH ĐẠO TRUNG TÂM", "(Ký, ghi rõ họ tên, đóng dấu)", "")
_ADVICE = """\
Mang phiếu này và giấy tờ tùy thân khi nhận kết quả. Mã QR chỉ chứa mã hồ sơ và mã bí mật; ai giữ \
phiếu này xem được tình trạng hồ sơ, vì vậy không cho người khác chụp. Mất phiếu: đến nơi tiếp \
nhận để làm phiếu mới, phiếu cũ hết hiệu lực."""
_ADVICE_PROVISIONAL = """ \
Mã tạm được cấp khi chưa có mã chính thức; tra cứu bằng mã nào trong hai mã cũng được."""
_ADVICE_ENGLISH = """
Bring this slip and your passport to collect the result. Whoever holds this slip can see the \
status: keep it to yourself. If you lose it, we make a new one and the old one is void. The \
Vietnamese text is the binding one."""
_GUIDANCE = """\
Trong quá trình hoàn thiện hồ sơ, nếu có vướng mắc, ông/bà liên hệ người hướng dẫn dưới đây. Thời \
gian chờ bổ sung không tính vào thời hạn giải quyết."""


class Form(NamedTuple):
    """One form: its names, when it is printed (an empty answer: now), and what stands on it."""

    name: str
    english: str
    fits: Callable[[Facts], bool]
    blocks: Callable[[Facts], list[Block]]


def print_form(number: str, facts: Facts) -> bytes:
    """Return a form of a dossier as PDF. Raises `InputError` where it does not fit its status."""
    form = FORMS[number]
    if not form.fits(facts):
        raise InputError(
            f"Form {number} does not fit this dossier as it stands. Nothing was printed.",
            reason="form-status",
        )
    return render(form.blocks(facts), f"Mẫu {number} – {form.name}")


def fitting(facts: Facts) -> list[str]:
    """Return the numbers of the forms that fit a dossier now."""
    return [number for number, form in FORMS.items() if form.fits(facts)]


def long_day(moment: datetime) -> str:
    """Return a day in words, as administrative documents have it."""
    return f"ngày {moment:%d} tháng {moment:%m} năm {moment:%Y}"


def head(ward: str, moment: datetime, form: str, code: str = "") -> list[Block]:
    """Return the head of a form."""
    office = (f"ỦY BAN NHÂN DÂN\n{ward.upper()}", "TRUNG TÂM PHỤC VỤ\nHÀNH CHÍNH CÔNG")
    place = next((ward[len(kind) :] for kind in _KINDS if ward.startswith(kind)), ward)
    said = Heading(office, f"{place}, {long_day(moment)}", code)
    return heading(said, f"Mẫu {form} (Thông tư 03/2025/TT-VPCP)")


def _title(words: str, english: str, facts: Facts) -> list[Block]:
    found = [text(words, "title", bold=True)]
    if facts.foreign:
        found.append(text(english, "middle", italic=True))
    return [*found, gap()]


def _lines(facts: Facts, rows: Sequence[tuple[str, str, str]]) -> list[Block]:
    """Return labelled lines; the English only where a foreigner reads them."""
    return [line(vi, value, en if facts.foreign else "") for vi, en, value in rows]


def _who(facts: Facts) -> list[tuple[str, str, str]]:
    procedure = facts.procedure[0]
    if facts.foreign:
        procedure += f"\n{facts.procedure[1]}"
    about = [("Chủ hồ sơ", "For", facts.about)] if facts.about else []
    return [
        ("Người nộp hồ sơ", "Applicant", facts.name),
        ("Giấy tờ tùy thân", "Identity document", facts.identity),
        ("Địa chỉ", "Address", facts.address),
        ("Số điện thoại", "Phone", facts.phone),
        ("Nội dung yêu cầu giải quyết", "Request", procedure),
        *about,
        ("Mã hồ sơ", "Code", _code(facts)),
    ]


def _code(facts: Facts) -> str:
    return f"{facts.code} (mã tạm)" if facts.provisional and facts.code else facts.code


def _moment(when: datetime) -> str:
    return f"{when:%H} giờ {when:%M} phút, {long_day(when)}"


# ------------------------------------------------------------------------- 01: the citizen's slip


def _slip(facts: Facts) -> list[Block]:
    names = ("GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ", FORMS["01"].english)
    opening = [
        *_lines(facts, [("Mã hồ sơ", "Code", _code(facts))]),
        *_lines(facts, [("Đơn vị tiếp nhận", "Received at", facts.ward), *_who(facts)[:4]]),
    ]
    rest = [
        ("Nội dung yêu cầu giải quyết", "Request", _who(facts)[4][2]),
        ("Chủ hồ sơ (nếu không phải người nộp)", "Owner, if another person", facts.about),
    ]
    times = [
        ("Số lượng hồ sơ", "Sets", "01 bộ"),
        ("Thời gian giải quyết theo quy định", "Time by law", facts.limit[facts.foreign]),
        ("Thời gian nhận hồ sơ", "Received", _received(facts)),
        ("Thời gian trả kết quả giải quyết hồ sơ", "Result due on", facts.due),
        ("Nhận kết quả tại", "Result handed out at", facts.ward),
    ]
    times += [("Lệ phí", "Fee", facts.fee)] if facts.fee else []
    receiver = ("NGƯỜI TIẾP NHẬN HỒ SƠ", "(Ký và ghi rõ họ tên)", facts.officer)
    return [
        *head(facts.ward, facts.received or facts.today, "01"),
        *_title(*names, facts),
        beside(opening, _qr(facts), QR_SIDE + 14),
        *_lines(facts, rest),
        text("Thành phần hồ sơ nộp gồm:" + (" (Papers)" if facts.foreign else "")),
        gap(2),
        _papers(facts),
        gap(),
        *_lines(facts, times),
        gap(4),
        text(_advice(facts), "small"),
        signatures(("NGƯỜI NỘP HỒ SƠ", "(Ký và ghi rõ họ tên)", facts.name), receiver),
    ]


def _qr(facts: Facts) -> list[Block]:
    if facts.slip is None:
        return []
    secret = facts.slip.secret
    spaced = f"{secret[:4]} {secret[4:8]} {secret[8:]}"
    return [Code(str(facts.slip)), text("Mã bí mật:", "tiny"), text(spaced, "tiny", bold=True)]


def _received(facts: Facts) -> str:
    return _moment(facts.received) if facts.received else facts.received_day


def _papers(facts: Facts) -> Block:
    papers = [paper for paper in facts.papers if not paper.missing]
    rows = [
        (str(n), paper.name, "", "", "", "; ".join(filter(None, (paper.state, paper.note))))
        for n, paper in enumerate(papers, start=1)
    ]
    heads = ("TT", "Tên thành phần hồ sơ", "Bản chính", "Bản chứng thực", "Bản photo", "Ghi chú")
    return table(heads, rows or [("", "", "", "", "", "")], (6, 39, 11, 12, 11, 21))


def _advice(facts: Facts) -> str:
    words = _ADVICE
    if facts.provisional:
        words += _ADVICE_PROVISIONAL
    return words + (_ADVICE_ENGLISH if facts.foreign else "")


# --------------------------------------------------------------------- 02 to 05: what was decided


def _supplement(facts: Facts) -> list[Block]:
    said = facts.last_note(f">{Status.SUPPLEMENT.value}")
    missing = [paper for paper in facts.papers if paper.missing]
    rows = [(str(n), paper.name, paper.note) for n, paper in enumerate(missing, start=1)]
    intro = "Đề nghị bổ sung, hoàn thiện hồ sơ gồm những nội dung sau:"
    english = " (Please complete the following papers:)" if facts.foreign else ""
    return [
        *head(facts.ward, said.when if said else facts.today, "02", facts.code),
        *_title("PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ", FORMS["02"].english, facts),
        *_lines(facts, _who(facts)),
        text(intro + english),
        gap(2),
        table(("TT", "Giấy tờ", "Nội dung cần bổ sung"), rows or [("", "", "")], (8, 42, 50)),
        gap(),
        *_lines(facts, [("Lý do", "Reason", said.text if said else "")]),
        text(_GUIDANCE),
        signatures(("", "", ""), _guide(facts, said.officer if said else "")),
    ]


def _guide(facts: Facts, officer: str) -> tuple[str, str, str]:
    return ("NGƯỜI HƯỚNG DẪN", "(Ký và ghi rõ họ tên)", officer or facts.officer)


def _refusal(facts: Facts) -> list[Block]:
    said = facts.last_note(f">{Status.REFUSED.value}")
    return [
        *head(facts.ward, said.when if said else facts.today, "03", facts.code),
        *_title("PHIẾU TỪ CHỐI TIẾP NHẬN GIẢI QUYẾT HỒ SƠ", FORMS["03"].english, facts),
        *_lines(facts, _who(facts)),
        text("Qua xem xét, hồ sơ không đủ điều kiện để tiếp nhận giải quyết."),
        *_lines(facts, [("Lý do cụ thể", "Reason", said.text if said else "")]),
        text("Nếu không đồng ý, ông/bà có quyền khiếu nại theo quy định của pháp luật.", "small"),
        signatures(("NGƯỜI NỘP HỒ SƠ", "(Ký và ghi rõ họ tên)", facts.name), _LEADER),
    ]


def _apology(facts: Facts) -> list[Block]:
    said = facts.last_note("apology:")
    rows = [
        ("Thời gian nhận hồ sơ", "Received", _received(facts)),
        ("Thời gian hẹn trả ban đầu", "First due on", facts.promised),
        ("Lý do chậm", "Reason for the delay", said.text if said else ""),
        ("Thời gian trả kết quả mới", "New due date", facts.due),
    ]
    return [
        *head(facts.ward, said.when if said else facts.today, "04", facts.code),
        *_title(
            "VĂN BẢN XIN LỖI VÀ ĐỀ NGHỊ GIA HẠN THỜI GIAN GIẢI QUYẾT", FORMS["04"].english, facts
        ),
        *_lines(facts, _who(facts)),
        *_lines(facts, rows),
        text(
            f"{facts.ward} chân thành xin lỗi ông/bà vì sự chậm trễ này và mong ông/bà thông cảm."
            + ("\nWe apologise for the delay." if facts.foreign else "")
        ),
        signatures(("", "", ""), _LEADER),
    ]


def _stop(facts: Facts) -> list[Block]:
    said = facts.last_note(f">{Status.STOPPED.value}")
    before = said.kind.partition(">")[0] if said else ""
    rows = [
        ("Giai đoạn khi dừng", "Stage", label(STATUSES, before) if before else ""),
        ("Lý do dừng giải quyết", "Reason", said.text if said else ""),
        ("Phí, lệ phí (trả lại, nếu có)", "Fees, to be returned if any", ""),
    ]
    return [
        *head(facts.ward, said.when if said else facts.today, "05", facts.code),
        *_title("THÔNG BÁO DỪNG GIẢI QUYẾT HỒ SƠ", FORMS["05"].english, facts),
        *_lines(facts, _who(facts)),
        *_lines(facts, rows),
        text("Giấy tờ bản chính đã nộp được trả lại cho ông/bà cùng thông báo này."),
        signatures(("NGƯỜI NHẬN", "(Ký và ghi rõ họ tên)", ""), _LEADER),
    ]


# ----------------------------------------------------------------------- 06: the way of a dossier


def _control(facts: Facts) -> list[Block]:
    rows = [_step(facts, n, move) for n, move in enumerate(facts.moves)]
    heads = ("Giao", "Nhận", "Thời điểm", "Tình trạng", "Kết quả", "Ghi chú")
    times = [
        ("Thời gian nhận hồ sơ", "Received", _received(facts)),
        ("Thời gian hẹn trả kết quả", "Due on", facts.due),
    ]
    return [
        *head(facts.ward, facts.today, "06", facts.code),
        *_title("PHIẾU KIỂM SOÁT QUÁ TRÌNH GIẢI QUYẾT HỒ SƠ", FORMS["06"].english, facts),
        *_lines(facts, [*_who(facts)[:1], *_who(facts)[4:], *times]),
        gap(4),
        table(heads, rows or [("",) * 6], (18, 18, 20, 18, 12, 14)),
    ]


def _step(facts: Facts, at: int, move: Move) -> tuple[str, ...]:
    giver = facts.moves[at - 1].officer if at else facts.name
    ends = move.status in {Status.READY.value, *CLOSED}
    result = _in_time(move.when, facts.due) if ends else ""
    name = label(STATUSES, move.status)
    return (giver, move.officer, f"{move.when:%H giờ %M, %d/%m/%Y}", name, result, "")


def _in_time(when: datetime, due: str) -> str:
    if not due:
        return ""
    day, month, year = due.split("/")
    ended, wanted = f"{when:%Y-%m-%d}", f"{year}-{month}-{day}"
    return "Trước hạn" if ended < wanted else "Đúng hạn" if ended == wanted else "Quá hạn"


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "01": Form(
            "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
            "Receipt of the dossier and date of the result",
            lambda facts: facts.status != Status.REFUSED.value,
            _slip,
        ),
        "02": Form(
            "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ",
            "Request to complete the dossier",
            lambda facts: facts.status == Status.SUPPLEMENT.value,
            _supplement,
        ),
        "03": Form(
            "Phiếu từ chối tiếp nhận giải quyết hồ sơ",
            "Refusal of the dossier",
            lambda facts: facts.status == Status.REFUSED.value,
            _refusal,
        ),
        "04": Form(
            "Văn bản xin lỗi và đề nghị gia hạn thời gian giải quyết",
            "Apology and new date",
            lambda facts: facts.last_note("apology:") is not None,
            _apology,
        ),
        "05": Form(
            "Thông báo dừng giải quyết hồ sơ",
            "Notice that work on the dossier has stopped",
            lambda facts: facts.status == Status.STOPPED.value,
            _stop,
        ),
        "06": Form(
            "Phiếu kiểm soát quá trình giải quyết hồ sơ",
            "Control sheet of the dossier's way",
            lambda _: True,
            _control,
        ),
    }
)
"""The forms of one dossier, by their numbers; `daybook` has the seventh."""
