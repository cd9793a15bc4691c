"""What screens say, Vietnamese first; a pair is (Vietnamese, English).

What holds: on screens never hub, edge, đồng bộ, xung đột, cách ly. What went wrong is said with
what is safe and what to do, and repeats nothing that was typed.
"""

from __future__ import annotations

from collections.abc import Callable

from device_home.shapes import Shape
from sync_protocol.dossier.labels import ENGLISH
from sync_protocol.errors import StorageError, SyncError

Pair = tuple[str, str]

PICTURES: dict[str, Pair] = {
    "empty": ("Chưa chọn ảnh hoặc tệp.", "No picture or file was chosen."),
    "media-type": (
        "Chỉ nhận ảnh JPEG, PNG, WebP hoặc tệp PDF.",
        "Only JPEG, PNG and WebP pictures and PDF files are taken.",
    ),
    "picture-bytes": ("Tệp lớn hơn 8 MB. Hãy chụp nhỏ hơn.", "The file is larger than 8 MB."),
    "picture-size": ("Ảnh quá lớn. Hãy chụp cỡ nhỏ hơn.", "The picture has too many pixels."),
    "dimensions": ("Ảnh quá lớn. Hãy chụp cỡ nhỏ hơn.", "The picture has too many pixels."),
    "picture-damaged": ("Ảnh bị hỏng. Hãy chụp lại.", "The picture is damaged. Take it again."),
    "cut-off": ("Tệp bị cắt mất phần cuối. Hãy gửi lại.", "The file is cut off. Send it again."),
    "jpeg-end": ("Ảnh bị cắt mất phần cuối. Hãy gửi lại.", "The picture is cut off. Send again."),
    "picture-broke": (
        "Không đọc được tệp này. Hãy chụp lại hoặc chọn tệp khác.",
        "This file can't be read. Take the picture again or choose another file.",
    ),
    "picture-busy": (
        "Máy đang đọc ảnh khác. Hãy thử lại sau ít phút.",
        "Other pictures are being read. Try again in a moment.",
    ),
    "picture-pdf": ("Đây là tệp PDF. Hãy chụp ảnh thẻ.", "This is a PDF: take a picture instead."),
    "page-bytes": ("Trang vẫn lớn hơn 2 MB. Hãy chụp lại.", "The page stays larger than 2 MB."),
    "pdf-damaged": ("Tệp PDF bị hỏng hoặc không có trang.", "The PDF is damaged or has no page."),
    "pdf-encrypted": ("Tệp PDF có mật khẩu.", "The PDF asks for a password."),
    "pdf-script": (
        "Tệp PDF tự chạy lệnh hoặc tự gửi dữ liệu. Hãy in ra rồi chụp lại.",
        "The PDF runs or sends something by itself. Print it and photograph the pages.",
    ),
    "pdf-files": (
        "Tệp PDF mang theo tệp khác bên trong. Hãy tách ra.",
        "The PDF carries other files within. Take them out.",
    ),
    "pdf-pages": ("Tệp PDF có hơn 100 trang. Hãy tách nhỏ.", "The PDF has over 100 pages."),
    "scan-there": ("Giấy tờ này đã có bản chụp.", "This paper has a scan already."),
    "scan-gone": (
        "Giấy tờ này vừa có thay đổi. Hãy xem lại.",
        "This paper has just been changed. Look again.",
    ),
    "paper-name": ("Hãy ghi tên giấy tờ.", "Say what paper it is."),
}
"""What may be said of a picture or document; what is safe is added to each."""

_REASONS: dict[str, Pair] = {
    "move-supervisor": (
        "Chỉ lãnh đạo được từ chối hồ sơ. Chưa thay đổi gì.",
        "Only a supervisor refuses a dossier. Nothing was changed.",
    ),
    "move-reason": (
        "Chuyển sang trạng thái này phải ghi lý do. Chưa thay đổi gì.",
        "This status needs its reason. Nothing was changed.",
    ),
    "move-papers": (
        "Ghi rõ từng giấy tờ còn thiếu hoặc sai ở điểm nào. Chưa thay đổi gì.",
        "Say of each paper what is missing or wrong. Nothing was changed.",
    ),
    "until": (
        "Ngày hẹn mới phải sau ngày hẹn cũ và chưa qua. Chưa thay đổi gì.",
        "The new date must be later than the old one, and not past. Nothing was changed.",
    ),
    "day-off": (
        "Ngày hẹn mới là ngày nghỉ. Chưa thay đổi gì.",
        "The new date is a day off. Nothing was changed.",
    ),
    "not-due": (
        "Hồ sơ này không có hạn trả đang chạy. Chưa thay đổi gì.",
        "This dossier has no due date that counts now. Nothing was changed.",
    ),
    "days": (
        "Không phải khoảng ngày: ghi từ ngày đến ngày, như 01/11/2026.",
        "No days: write the first and the last, such as 01/11/2026.",
    ),
    "code-taken": (
        "Mã này đã có ở hồ sơ khác. Chưa lưu gì: hãy xem lại mã trên Cổng.",
        "Another dossier has this code. Nothing was saved: look at the portal again.",
    ),
    "column": (
        "Dòng đầu có cột lạ hoặc lặp lại. Chưa lưu gì: hãy xem tên các cột bên dưới.",
        "The first row has an unknown or repeated column. Nothing was saved: see the names below.",
    ),
    "columns": (
        "Dòng đầu phải có ít nhất Mã thủ tục, Họ và tên, Ngày tiếp nhận. Chưa lưu gì.",
        "The first row needs at least Procedure, Full name, Received on. Nothing was saved.",
    ),
    "cells": ("Dòng này nhiều ô hơn số cột.", "This row has more cells than columns."),
    "encoding": (
        "Dòng này không phải chữ UTF-8, hoặc quá dài. Lưu lại bảng dạng CSV UTF-8.",
        "This row is not UTF-8, or too long. Save the table as CSV UTF-8.",
    ),
    "procedure": ("Không có mã thủ tục này.", "There is no such procedure code."),
    "status": ("Không phải một trong mười tình trạng.", "None of the ten statuses."),
    "transition": (
        "Hồ sơ không chuyển sang trạng thái đó được lúc này. Chưa thay đổi gì.",
        "The dossier can't move to that status now. Nothing was changed.",
    ),
    "missing": ("Chưa điền mục này.", "This is missing."),
    "long": ("Dài quá. Hãy viết ngắn hơn.", "Too long: write less."),
    "number": ("Chỉ ghi số, như 2.", "Write digits only, such as 2."),
    "choice": ("Hãy chọn trong danh sách.", "Choose one of the list."),
    "date": (
        "Không phải ngày. Ghi như 20/08/1990, 08/1990 hoặc 1990.",
        "No date. Write 20/08/1990, 08/1990 or 1990.",
    ),
    "phone": (
        "Không phải số điện thoại, như 0912 000 123.",
        "No phone number, such as 0912 000 123.",
    ),
    "citizen-number": ("Số định danh phải có đúng 12 số.", "A citizen's number has 12 digits."),
    "passport-number": (
        "Số hộ chiếu có 5 đến 15 chữ và số, như in trên hộ chiếu.",
        "A passport number has 5 to 15 letters and digits, as printed.",
    ),
    "passport-issuer": (
        "Ghi mã nước cấp như in trên hộ chiếu: USA, FRA, D…",
        "Give the issuer's code as printed: USA, FRA, D…",
    ),
    "two-identities": (
        "Chỉ ghi một: số định danh, hoặc hộ chiếu.",
        "Give one of them: the citizen's number, or the passport.",
    ),
    "identity": (
        "Cần số định danh 12 số, hoặc hộ chiếu có nước cấp.",
        "A 12-digit number is needed, or a passport with its issuer.",
    ),
    "amount": ("Không phải số tiền, như 12000.", "No amount, such as 12000."),
    "unit-code": ("Mã phường, xã có 5 số.", "The ward's code has five digits."),
    "character": ("Có ký tự không lưu được. Hãy gõ lại.", "A character can't be kept: retype it."),
    "due-before-received": (
        "Ngày hẹn trả sớm hơn ngày tiếp nhận.",
        "The due date is before the date of reception.",
    ),
    "born-after-received": (
        "Ngày sinh sau ngày tiếp nhận.",
        "The date of birth is after the date of reception.",
    ),
    "card-fields": (
        "Đây không phải mã QR của thẻ căn cước. Hãy quét lại, hoặc nhập tay bên dưới.",
        "This is no code of an identity card. Scan it again, or type below.",
    ),
    "card-length": (
        "Dài hơn mọi mã QR của thẻ. Hãy xóa và quét lại.",
        "Longer than any card's code. Clear it and scan again.",
    ),
    "shape": (
        "Không phải mã hồ sơ, như 000.00.01.H26-260930-0012.",
        "No dossier code, such as 000.00.01.H26-260930-0012.",
    ),
    "code-bound": (
        "Hồ sơ này đã có mã khác. Mã không tự đổi: nếu ghi nhầm, hãy sửa ở “Sửa thông tin”.",
        "This dossier has another code. If that is a slip, change it under “Edit details”.",
    ),
    "signed-ahead": (
        "Ngày ký chưa tới. Hãy xem lại ngày. Chưa thay đổi gì.",
        "The day of signing is yet to come: look at it again. Nothing was changed.",
    ),
    "slip": (
        "Không phải mã QR của phiếu hẹn, hoặc quét chưa hết. Hãy quét lại.",
        "No QR code of a slip, or not all of it. Scan it again.",
    ),
    "slip-here": (
        "Hồ sơ của phiếu này đã có ở đây: hãy quét phiếu vào ô tìm kiếm.",
        "The dossier of this slip is here: scan the slip into the search.",
    ),
    "slip-reason": ("Ghi lý do làm lại phiếu.", "Say why the slip is made anew."),
    "form-status": (
        "Mẫu này không hợp với tình trạng hồ sơ lúc này. Chưa in gì.",
        "This form does not fit the dossier as it stands. Nothing was printed.",
    ),
    "card-unread": (
        "Không đọc được mã QR trong ảnh. Hãy chụp lại gần hơn, rõ nét, không lóa; hoặc nhập tay.",
        "No code could be read in the picture. Take it closer, sharp, without glare; or type.",
    ),
    **{
        reason: (f"{vi} Chưa có gì được lưu.", f"{en} Nothing was saved.")
        for reason, (vi, en) in PICTURES.items()
    },
    "pin": (
        "Mã PIN cần ít nhất 6 số hoặc chữ, không giống hệt nhau, không liên tiếp (123456).",
        "A PIN needs at least 6 digits or letters, not all alike, not in a row (123456).",
    ),
    "moment": (
        "Không phải ngày giờ, như 23/11/2026 và 15:20. Chưa lưu gì.",
        "No day and time, such as 23/11/2026 and 15:20. Nothing was saved.",
    ),
    "reception-reason": (
        "Ghi lý do sửa ngày giờ tiếp nhận. Chưa thay đổi gì.",
        "Say why the reception is corrected. Nothing was changed.",
    ),
    "deputy": (
        "Chọn một cán bộ khác của đơn vị. Chưa lưu gì.",
        "Choose another officer of the ward. Nothing was saved.",
    ),
    "amount-over": (
        "Nhiều hơn số còn phải thu. Chưa lưu gì: xem lại số tiền, hoặc sửa lệ phí trước.",
        "More than is left to be paid. Nothing was saved: look at the amount, or change the fee.",
    ),
    "correction-reason": (
        "Ghi lý do đính chính. Chưa lưu gì.",
        "Say why it is corrected. Nothing was saved.",
    ),
    "waiver-ground": (
        "Ghi căn cứ miễn, giảm. Chưa lưu gì.",
        "Give the ground of the waiver. Nothing was saved.",
    ),
    "not-locked": (
        "Máy này không ở tình trạng bị khóa. Chưa có gì thay đổi.",
        "This device is not locked. Nothing was changed.",
    ),
    "city-locked": (
        "Thành phố đã ngừng máy này: chỉ thành phố mở lại được. Chưa có gì thay đổi.",
        "The city has revoked this device: only the city lifts that. Nothing was changed.",
    ),
    "not-allowed": (
        "Vai trò của anh/chị không cho phép việc này. Chưa có gì thay đổi.",
        "Your role does not allow this. Nothing was changed.",
    ),
    "officer-disabled": (
        "Tài khoản này đã ngừng. Chưa có gì thay đổi.",
        "This account is disabled. Nothing was changed.",
    ),
    "no-grant-yet": (
        "Máy này chưa được thành phố xác nhận: cần nối mạng một lần. Chưa có gì được lưu.",
        "The city has not confirmed this machine yet: it needs the line once. Nothing was saved.",
    ),
}
_CODES: dict[str, Pair] = {
    "attachment-refused": (
        "Tệp này bị hỏng hoặc không đúng loại. Chưa có gì được lưu.",
        "This file is damaged or of another kind. Nothing was saved.",
    ),
    "schema": (
        "Có mục quá dài hoặc không hợp lệ. Chưa có gì được lưu.",
        "Something is too long or does not fit. Nothing was saved.",
    ),
    "not-allowed": (
        "Việc này không được phép lúc này. Chưa có gì thay đổi: hãy tải lại trang và xem lại.",
        "That is not allowed now. Nothing was changed: load the page anew and look again.",
    ),
    "store-full": (
        (
            "Ổ đĩa của máy gần đầy nên chưa lưu. Những gì đã lưu trước đó vẫn an toàn. Hãy báo kỹ "
            "thuật dọn chỗ."
        ),
        (
            "The disk is nearly full, so nothing was saved. What was saved before is safe. Ask for "
            "room to be made."
        ),
    ),
    "wrong-key": (
        "Máy này không mở được bản chụp này. Bản chụp vẫn an toàn.",
        "This machine can't open this scan. The scan is safe.",
    ),
    "not-enrolled": (
        "Máy này chưa được ghi danh ở thành phố.",
        "This machine is not enrolled yet.",
    ),
}
_STORAGE: Pair = (
    "Máy chưa lưu được. Những gì đã báo “Đã lưu” vẫn an toàn. Hãy thử lại, rồi báo kỹ thuật.",
    "This machine could not save. What was called “saved” is safe. Try again, then ask for help.",
)
_OTHER: Pair = (
    "Chưa làm được. Chưa có gì thay đổi: hãy xem lại và thử lại.",
    "That could not be done. Nothing was changed: look again and try again.",
)
ROLES: dict[str, Pair] = {
    "clerk": ("Cán bộ một cửa", "Clerk"),
    "supervisor": ("Lãnh đạo", "Supervisor"),
    "administrator": ("Quản trị", "Administrator"),
    "disabled": ("Đã ngừng", "Disabled"),
}
CONFLICTS: dict[str, Pair] = {
    "values": ("Hai bản khác nhau", "Two versions"),
    "status": ("Hai tình trạng khác nhau", "Two statuses"),
    "number": ("Hai mã khác nhau", "Two codes"),
    "removed": ("Người này sửa, người kia bỏ", "Edited by one, removed by another"),
    "retracted": ("Đã rút, nhưng có người vẫn sửa", "Withdrawn, yet edited by another"),
    "basis": ("Phê duyệt khi dữ liệu đã đổi", "Approved while its basis changed"),
    "claim": ("Một mã ở nhiều hồ sơ", "One code on several dossiers"),
}
HELD: dict[str, Pair] = {
    "revoked-locked": ("Máy đã bị khóa", "The device is locked"),
    "revoked-lost": ("Máy đã báo mất", "The device was reported lost"),
    "revoked-compromised": ("Máy không còn tin cậy", "The device is not trusted any more"),
    "revoked-retired": ("Máy đã ngừng dùng", "The device was retired"),
    "not-allowed": ("Vai trò không cho phép", "The role does not allow it"),
    "officer-disabled": ("Cán bộ đã ngừng", "The officer is disabled"),
    "officer-unknown": ("Chưa biết cán bộ này", "The officer is unknown"),
}


def pick(pair: Pair, language: str) -> str:
    """Return the words in a language."""
    return pair[1] if language == ENGLISH else pair[0]


def translator(language: str) -> Callable[[str, str], str]:
    """Return what pages call to say something in the language of the request."""
    return lambda vietnamese, english: pick((vietnamese, english), language)


def error_words(error: SyncError, language: str) -> str:
    """Return what is said of an error on a screen."""
    reason = str(error.evidence.get("reason", ""))
    fallback = _STORAGE if isinstance(error, StorageError) else _OTHER
    return pick(_REASONS.get(reason) or _CODES.get(error.code) or fallback, language)


def ticks(saved: Shape, place: str, language: str) -> list[str]:
    """Return the three ticks in words, as far as they are there; `place` names the ward's kind."""
    words = [
        (saved.get("device"), "✓", "Đã lưu trên máy", "Saved on this machine"),
        (saved.get("edge"), "✓✓", f"Đã về {place}", "At the ward's station"),
        (saved.get("hub"), "✓✓✓", "Đã về thành phố", "At the city"),
    ]
    return [f"{mark} {pick((vi, en), language)}" for there, mark, vi, en in words if there]


def place_kind(ward_name: str) -> str:
    """Return whether the ward is a phường or a xã, from its name."""
    return "xã" if ward_name.lower().startswith("xã") else "phường"


def age(seconds: int, language: str) -> str:
    """Return an age in the one unit that matters."""
    for size, vi, en in ((86_400, "ngày", "days"), (3600, "giờ", "hours"), (60, "phút", "minutes")):
        if seconds >= size:
            return f"{seconds // size} {pick((vi, en), language)}"
    return pick(("vừa xong", "just now"), language)
