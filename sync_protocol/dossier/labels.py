"""Words for people: statuses, fields, states of papers, remarks. Vietnamese first, then English.

What holds: every status, field, paper state and remark has words in both languages; a code from a
newer version is shown as it is.
"""

from __future__ import annotations

from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.status import status_named

VIETNAMESE = "vi"
ENGLISH = "en"

STATUSES = {
    "1": ("Mới đăng ký", "Filed"),
    "2": ("Được tiếp nhận", "Received"),
    "3": ("Không được tiếp nhận", "Refused at reception"),
    "4": ("Đang xử lý", "In progress"),
    "5": ("Yêu cầu bổ sung giấy tờ", "More papers needed"),
    "6": ("Yêu cầu thực hiện nghĩa vụ tài chính", "Payment needed"),
    "7": ("Công dân yêu cầu rút hồ sơ", "Withdrawal requested"),
    "8": ("Dừng xử lý", "Stopped"),
    "9": ("Đã xử lý xong", "Result ready"),
    "10": ("Đã trả kết quả", "Result handed over"),
}
"""The official names of the ten statuses."""

FIELDS = {
    "procedure": ("Thủ tục", "Procedure"),
    "identity": ("Giấy tờ tùy thân", "Identity document"),
    "identity.kind": ("Loại giấy tờ", "Kind of document"),
    "identity.number": ("Số", "Number"),
    "identity.issuer": ("Nước cấp", "Issued by"),
    "name": ("Họ và tên", "Full name"),
    "birth": ("Sinh", "Birth"),
    "birth.date": ("Ngày sinh", "Date of birth"),
    "birth.place": ("Nơi sinh", "Place of birth"),
    "address": ("Địa chỉ", "Address"),
    "address.line": ("Số nhà, đường, thôn", "Street or village"),
    "address.unit": ("Phường, xã", "Ward or commune"),
    "address.unit_code": ("Mã phường, xã", "Code of ward or commune"),
    "phone": ("Số điện thoại", "Phone"),
    "status": ("Tình trạng", "Status"),
    "received_on": ("Ngày tiếp nhận", "Received on"),
    "received_time": ("Giờ tiếp nhận", "Time of reception"),
    "due_on": ("Ngày hẹn trả", "Due on"),
    "provisional_code": ("Mã tạm", "Provisional code"),
    "official_code": ("Mã hồ sơ", "Official code"),
    "papers": ("Giấy tờ", "Papers"),
    "papers.type": ("Loại giấy tờ", "Type of paper"),
    "papers.name": ("Tên giấy tờ", "Name of paper"),
    "papers.attachment": ("Bản chụp", "Scan"),
    "papers.manifest": ("Kê khai bản chụp", "Manifest of the scan"),
    "papers.state": ("Tình trạng giấy tờ", "State of paper"),
    "papers.note": ("Ghi chú về giấy tờ", "Note on paper"),
    "notes": ("Ghi chú", "Notes"),
    "notes.text": ("Nội dung", "Text"),
    "notes.kind": ("Loại ghi chú", "Kind of note"),
    "fee": ("Lệ phí", "Fee"),
    "fee.amount": ("Số tiền", "Amount"),
    "fee.currency": ("Loại tiền", "Currency"),
    "waiver": ("Miễn, giảm lệ phí", "Waiver"),
    "waiver.amount": ("Số tiền miễn, giảm", "Amount waived"),
    "waiver.currency": ("Loại tiền", "Currency"),
    "waiver.ground": ("Căn cứ miễn, giảm", "Ground of the waiver"),
    "payments": ("Tiền đã thu", "Payments"),
    "payments.amount": ("Số tiền thu", "Amount paid"),
    "payments.currency": ("Loại tiền", "Currency"),
    "payments.receipt": ("Số biên lai", "Receipt number"),
    "payments.reason": ("Lý do đính chính", "Reason of the correction"),
    "payments.corrects": ("Đính chính cho", "Corrects"),
    "assignee": ("Người thụ lý", "Officer in charge"),
    "approval": ("Phê duyệt", "Approval"),
    "slip": ("Phiếu hẹn", "Slip"),
    "result": ("Kết quả", "Result"),
    "result.reference": ("Số, ký hiệu", "Reference number"),
    "result.signer": ("Người ký", "Signed by"),
    "result.signed_on": ("Ngày ký", "Signed on"),
    "handed_over": ("Đã trả cho", "Handed over to"),
    "handed_over.to": ("Người nhận", "Who took it"),
    "handed_over.as": ("Tư cách người nhận", "As whom"),
    "form": ("Tờ khai", "Form"),
    "edition": ("Ấn bản danh mục", "Catalogue edition"),
}
"""Fields by name, and the parts of groups and elements as "field.part"."""

IDENTITY_KINDS = {
    "citizen": ("Số định danh", "Citizen number"),
    "passport": ("Hộ chiếu", "Passport"),
}

APPROVALS = {"approved": ("Đã phê duyệt", "Approved")}
"""What a supervisor may say of a dossier."""

PAPER_STATES = {
    "submitted": ("Đã nộp", "Submitted"),
    "compared": ("Đã đối chiếu, trả lại", "Compared and returned"),
    "known": ("Đã có, không cần nộp", "Already known"),
    "missing": ("Còn thiếu", "Missing"),
}

PAPER_ANSWERS = {
    "here": ("Đã có trong hồ sơ", "In the dossier"),
    "known": ("Đã biết, không cần nộp", "Known, not needed"),
    "held": ("Phường đã có, không cần nộp lại", "Held by the ward, not asked for again"),
    "not-needed": ("Không phải nộp", "Not to be asked for"),
    "conditional": ("Chỉ cần trong trường hợp", "Needed only if"),
    "needed": ("Cần nộp hoặc xuất trình", "Needed"),
}
"""What is said of a paper that a procedure asks for, by `paper_check`."""

FIGURES = {
    "received": ("Tiếp nhận trong kỳ", "Received"),
    "in_time": ("Giải quyết đúng hạn", "Finished in time"),
    "late": ("Giải quyết trễ hạn", "Finished late"),
    "untimed": ("Đã giải quyết, không có hạn", "Finished, no due date known"),
    "waiting": ("Đang giải quyết", "Still open"),
    "overdue": ("Đang giải quyết, quá hạn", "Still open and overdue"),
    "papers_known": ("Giấy tờ không phải nộp lại", "Papers not asked for again"),
}
"""What a ward counts, by `statistics`."""

REMARKS = {
    "citizen-number-for-tests": (
        "Số này bắt đầu bằng 097, 098 hoặc 099: chỉ dùng để thử.",
        "The number starts with 097, 098 or 099: it is for tests only.",
    ),
    "citizen-number-place": (
        "Ba số đầu không phải mã tỉnh nào. Hãy xem lại số.",
        "The first three digits are no province's code. Look at the number again.",
    ),
    "citizen-number-birth-year": (
        "Số không khớp với năm sinh. Hãy xem lại cả hai.",
        "The number does not fit the year of birth. Look at both again.",
    ),
    "citizen-number-sex": (
        "Số không khớp với giới tính. Hãy xem lại cả hai.",
        "The number does not fit the sex. Look at both again.",
    ),
    "passport-number-length": (
        "Số hộ chiếu thường có 6 đến 9 ký tự. Hãy xem lại số.",
        "Passport numbers usually have 6 to 9 characters. Look at the number again.",
    ),
    "passport-vietnamese": (
        "Hộ chiếu Việt Nam: nên dùng số định danh 12 số.",
        "A Vietnamese passport: the 12-digit number is the better one to use.",
    ),
    "card-sex": (
        "Mã QR không ghi Nam hoặc Nữ. Đầu đọc có thể đã gõ sai dấu.",
        "The code says neither Nam nor Nữ. The reader may have garbled it.",
    ),
    "card-date": (
        "Mã QR có ngày không đọc được. Hãy xem trên thẻ.",
        "The code has a date that is none. Look at the card.",
    ),
    "card-former-number": (
        "Số CMND cũ thường có 9 hoặc 12 số. Hãy xem lại.",
        "A former number has 9 or 12 digits. Look at it again.",
    ),
    "card-garbled": (
        "Có vẻ đầu đọc gõ sai dấu. Hãy so với thẻ, hoặc tắt bộ gõ rồi quét lại.",
        "The reader garbled the marks. Compare with the card, or switch the input method off.",
    ),
    "card-without-marks": (
        "Tên và địa chỉ không có dấu. Hãy so với thẻ, hoặc tắt bộ gõ rồi quét lại.",
        "No marks at all. Compare with the card, or switch the input method off and scan again.",
    ),
    "mrz-birth-date": (
        "Ngày sinh trong vùng đọc máy không có thật. Hãy xem trên giấy tờ.",
        "The date of birth in the machine-readable lines is none. Look at the document.",
    ),
    "mrz-expiry": (
        "Ngày hết hạn trong vùng đọc máy không có thật. Hãy xem trên giấy tờ.",
        "The date of expiry in the machine-readable lines is none. Look at the document.",
    ),
    "mrz-two-numbers": (
        "Hai số trong vùng đọc máy không khớp nhau. Hãy xem trên thẻ.",
        "The two numbers in the machine-readable lines do not fit. Look at the card.",
    ),
    "document-expired": (
        "Giấy tờ đã hết hạn.",
        "The document has expired.",
    ),
    "supplement-again": (
        "Hồ sơ đã được yêu cầu bổ sung một lần. Yêu cầu lần nữa thì bị tính là trễ hạn.",
        "Papers were asked for before. Asked for again, the dossier counts as late.",
    ),
    "captured-twice": (
        "Có thể đã có hồ sơ này: cùng người, cùng thủ tục. Hãy xem cả hai.",
        "It may be there already: the same person and procedure. Look at both.",
    ),
    "apology-again": (
        "Hồ sơ này đã được hẹn lại một lần. Chỉ được hẹn lại một lần.",
        "A new date was given before. It should be given only once.",
    ),
    "apology-too-late": (
        "Đã quá ngày hẹn trả. Lẽ ra phải xin lỗi trước ngày đó.",
        "The due date has passed. The apology should have come before it.",
    ),
    "papers-still-missing": (
        "Vẫn còn giấy tờ ghi là thiếu. Hãy xem lại.",
        "Some papers are still marked as missing. Look at them again.",
    ),
    "question-open": (
        "Mục này thường phải có. Còn trống.",
        "This is usually needed. It is empty.",
    ),
    "name-digits": (
        "Tên có chữ số. Hãy xem lại.",
        "The name has digits. Look at it again.",
    ),
    "former-number": (
        "Số CMND 9 số không còn giá trị từ 01/01/2025. Nên ghi số định danh 12 số.",
        "The 9-digit number is void since 1 January 2025. Give the 12-digit one if known.",
    ),
    "former-unit": (
        "Địa chỉ ghi tên cũ: từ 01/07/2025 không còn quận, huyện và một số tỉnh đã sáp nhập.",
        "An old name: since 1 July 2025 there are no districts, and provinces were merged.",
    ),
    "under-age": (
        "Chưa đủ tuổi vào ngày tiếp nhận. Hãy xem lại ngày sinh.",
        "Under age on the day of reception. Look at the date of birth again.",
    ),
    "day-ahead": (
        "Ngày này sau ngày tiếp nhận. Hãy xem lại.",
        "This day is after the day of reception. Look at it again.",
    ),
    "days-contradict": (
        "Ngày này sớm hơn ngày phải có trước nó. Hãy xem lại cả hai.",
        "This day is before one that should come first. Look at both again.",
    ),
    "late-registration": (
        "Đã quá 60 ngày: đăng ký quá hạn, lệ phí theo quy định của tỉnh.",
        "More than 60 days: a late registration, with the fee of the province.",
    ),
    "authorised-kin": (
        "Người thân: văn bản ủy quyền không phải chứng thực.",
        "Close kin: the written authorisation need not be certified.",
    ),
    "authorised-not-kin": (
        "Văn bản ủy quyền phải được chứng thực.",
        "The written authorisation must be certified.",
    ),
    "identity-missing": (
        "Chưa có giấy tờ tùy thân.",
        "No identity document is given.",
    ),
}

IDENTITY_FIELDS = {
    "citizen_number": ("Số định danh", "Citizen number"),
    "former_number": ("Số CMND cũ", "Former number"),
    "passport_number": ("Số hộ chiếu", "Passport number"),
    "issuer": ("Nước cấp", "Issued by"),
    "nationality": ("Quốc tịch", "Nationality"),
    "name": ("Họ và tên", "Full name"),
    "birth_date": ("Ngày sinh", "Date of birth"),
    "sex": ("Giới tính", "Sex"),
    "address": ("Nơi cư trú", "Address"),
    "issued_on": ("Ngày cấp", "Issued on"),
    "expires_on": ("Ngày hết hạn", "Expires on"),
}
"""What identity documents say, by the fields of `identity_reading`."""

SOURCES = {
    "card-qr": ("Mã QR trên thẻ", "QR code of the card"),
    "mrz": ("Vùng đọc máy", "Machine-readable lines"),
    "typed": ("Nhập tay", "Typed"),
}
"""Where a value comes from."""

AGREEMENTS = {
    "alone": ("Chỉ có ở một nơi", "Given once"),
    "same": ("Khớp", "The same"),
    "marks": ("Khác dấu", "Different marks"),
    "different": ("Khác nhau", "Different"),
}
"""How several sources agree on one field."""

DESKS = {
    "ward": ("Quầy một cửa của phường, xã", "One-stop desk of the ward"),
    "ward-police": ("Quầy công an phường, xã", "Police desk of the ward"),
    "province": ("Cơ quan cấp tỉnh", "Office of the province"),
    "province-police": ("Công an cấp tỉnh", "Police of the province"),
    "tax": ("Cơ quan thuế", "Tax office"),
    "social-insurance": ("Bảo hiểm xã hội", "Social insurance"),
    "school": ("Nhà trường", "School"),
    "power-company": ("Điện lực", "Power company"),
    "portal": ("Cổng Dịch vụ công quốc gia", "National portal"),
}
"""Who receives a procedure."""

CHANNELS = {
    "direct": ("Trực tiếp", "In person"),
    "online": ("Trực tuyến", "Online"),
    "post": ("Bưu chính", "By post"),
}
"""How a dossier can be filed."""

FEE_UNITS = {
    "dossier": ("hồ sơ", "dossier"),
    "copy": ("bản", "copy"),
    "page": ("trang", "page"),
    "case": ("trường hợp", "case"),
    "person": ("người", "person"),
}
"""What a fee is paid for."""

STATE_DATABASES = {
    "population": ("Cơ sở dữ liệu dân cư", "Population database"),
    "civil-status": ("Cơ sở dữ liệu hộ tịch", "Civil status database"),
    "health": ("Cơ sở dữ liệu y tế", "Health database"),
    "land": ("Cơ sở dữ liệu đất đai", "Land database"),
}
"""The databases that may already know what a paper proves."""

PERSONS = {
    "owner": ("Chủ hồ sơ", "Applicant"),
    "submitter": ("Người nộp", "Who files"),
    "authorised": ("Người được ủy quyền", "Authorised person"),
    "child": ("Con", "Child"),
    "father": ("Cha", "Father"),
    "mother": ("Mẹ", "Mother"),
    "spouse": ("Vợ hoặc chồng", "Spouse"),
    "ward-of-guardian": ("Người được giám hộ", "Person under guardianship"),
    "guardian": ("Người giám hộ", "Guardian"),
    "deceased": ("Người chết", "Deceased"),
}
"""What a person is to a dossier."""


def status_called(text: str) -> str | None:
    """Return the code of the status that is meant: by number, by intake's word, or by its name.

    Names are folded and whole: “không được tiếp nhận” must not be found by what it denies.
    """
    named = status_named(text)
    wanted = fold(text)
    found = (
        code
        for code, names in STATUSES.items()
        if text == code or wanted in {fold(name) for name in names}
    )
    return next(found, None) if named is None else named.value


def label(table: dict[str, tuple[str, str]], code: str, language: str = VIETNAMESE) -> str:
    """Return the words for `code` in one of the tables above."""
    words = table.get(code)
    if words is None:
        return code
    return words[1] if language == ENGLISH else words[0]
