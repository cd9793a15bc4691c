"""Synthetic documents, and the lines that any machine would print for them.

The lines are made by rules of their own here (Doc 9303 again, written a second time), so that
reading is not tested against itself. The fixed samples have passed other programs' checks.
"""

from __future__ import annotations

from dataclasses import dataclass

TODAY = "2026-11-23"

CARDS = (
    (
        (
            "IDVNM0909123453001090912345<<4\n9003152M3003150VNM<<<<<<<<<<<4\n"
            "NGUYEN<<VAN<THU<<<<<<<<<<<<<<<"
        ),
        ("001090912345", "NGUYEN", "VAN THU", "1990-03-15", "male", "2030-03-15"),
        (
            "001090912345|012345678|Nguyễn Văn Thử|15031990|Nam|"
            "Số 1 Phố Ví Dụ, Phúc Tân, Hoàn Kiếm, Hà Nội|10052021"
        ),
    ),
    (
        (
            "IDVNM1929000179001192900017<<0\n9208072F3208070VNM<<<<<<<<<<<6\n"
            "DO<<THI<MAU<<<<<<<<<<<<<<<<<<<"
        ),
        ("001192900017", "DO", "THI MAU", "1992-08-07", "female", "2032-08-07"),
        (
            "001192900017||Đỗ Thị Mẫu|07081992|Nữ|"
            "Ngõ 2 Đường Giả Định, Ngọc Hà, Ba Đình, Hà Nội|21122021"
        ),
    ),
    (
        (
            "IDVNM2049002588079204900258<<8\n0402291M2902289VNM<<<<<<<<<<<0\n"
            "LE<<HOANG<GIA<LAP<<<<<<<<<<<<<"
        ),
        ("079204900258", "LE", "HOANG GIA LAP", "2004-02-29", "male", "2029-02-28"),
        (
            "079204900258||Lê Hoàng Giả Lập|29022004|Nam|"
            "12/3 Ấp Mẫu, Xã Thử Nghiệm, TP. Hồ Chí Minh|02082024||||"
        ),
    ),
    (
        (
            "IDVNM3059003310036305900331<<5\n0511209F3011205VNM<<<<<<<<<<<0\n"
            "PHAM<<NGOC<ANH<<<<<<<<<<<<<<<<"
        ),
        ("036305900331", "PHAM", "NGOC ANH", "2005-11-20", "female", "2030-11-20"),
        (
            "036305900331|036305900|Phạm Ngọc Ánh|20112005|Nữ|"
            "Tổ 5 , , Phường Ví Dụ, Ninh Bình|15092025||||"
        ),
    ),
    (
        (
            "IDVNM0609004445092060900444<<4\n6001010M9912315VNM<<<<<<<<<<<2\n"
            "TRAN<<DINH<UOC<<<<<<<<<<<<<<<<"
        ),
        ("092060900444", "TRAN", "DINH UOC", "1960-01-01", "male", None),
        (
            "092060900444|361234567|Trần Đình Ước|01011960|Nam|"
            "Khu vực Giả Lập, Cái Răng, Cần Thơ|05072021"
        ),
    ),
    (
        (
            "IDVNM2159005550101215900555<<8\n1506026M2906025VNM<<<<<<<<<<<0\n"
            "VU<<AN<<<<<<<<<<<<<<<<<<<<<<<<"
        ),
        ("101215900555", "VU", "AN", "2015-06-02", "male", "2029-06-02"),
        None,
    ),
)
"""Lines of a card, what they say, and the text of its QR code."""

PASSPORTS = (
    (
        (
            "P<USASMITH<<JANE<ANN<<<<<<<<<<<<<<<<<<<<<<<<\n"
            "X123456785USA8507044F3307032<<<<<<<<<<<<<<<2"
        ),
        ("USA", "X12345678", "SMITH", "JANE ANN", "1985-07-04", "female", "2033-07-03"),
    ),
    (
        (
            "P<KORKIM<<MINJUN<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n"
            "M123A45674KOR9901317M3101300<<<<<<<<<<<<<<<4"
        ),
        ("KOR", "M123A4567", "KIM", "MINJUN", "1999-01-31", "male", "2031-01-30"),
    ),
    (
        (
            "P<D<<MUELLER<<LENA<<<<<<<<<<<<<<<<<<<<<<<<<<\n"
            "C01X00T478D<<9108127F3208117<<<<<<<<<<<<<<<4"
        ),
        ("D", "C01X00T47", "MUELLER", "LENA", "1991-08-12", "female", "2032-08-11"),
    ),
    (
        (
            "P<JPNTANAKA<<YUKI<<<<<<<<<<<<<<<<<<<<<<<<<<<\n"
            "TR12345672JPN7805053F2905040<<<<<<<<<<<<<<<6"
        ),
        ("JPN", "TR1234567", "TANAKA", "YUKI", "1978-05-05", "female", "2029-05-04"),
    ),
    (
        (
            "P<VNMNGUYEN<<VAN<THU<<<<<<<<<<<<<<<<<<<<<<<<\n"
            "B1234567<3VNM9003152M3403141001090912345<<44"
        ),
        ("VNM", "B1234567", "NGUYEN", "VAN THU", "1990-03-15", "male", "2034-03-14"),
    ),
)


def digit(text: str) -> str:
    """Return a check digit, by a table of values."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = 0
    for at, character in enumerate(text):
        total += (0 if character == "<" else alphabet.index(character)) * [7, 3, 1][at % 3]
    return str(total % 10)


@dataclass(frozen=True)
class Person:
    """What is printed; dates are YYMMDD, as a document has them."""

    surname: str
    given: str
    born: str
    sex: str
    expires: str

    def names(self, width: int) -> str:
        """Return surname and given names, cut or filled to `width`."""
        text = f"{self.surname}<<{self.given}".replace(" ", "<")
        return text[:width].ljust(width, "<")


def card_lines(person: Person, number: str) -> str:
    """Return the zone of a Vietnamese card with this 12-digit number."""
    short = number[3:]
    first = f"IDVNM{short}{digit(short)}{number}<<{digit(number)}"
    born = person.born + digit(person.born)
    expires = person.expires + digit(person.expires)
    rest = "<" * 11
    whole = digit(first[5:] + born + expires + rest)
    return f"{first}\n{born}{person.sex}{expires}VNM{rest}{whole}\n{person.names(30)}"


def passport_lines(person: Person, issuer: str, number: str, optional: str = "") -> str:
    """Return the zone of a passport."""
    numbered = number.ljust(9, "<")
    numbered += digit(numbered)
    born = person.born + digit(person.born)
    expires = person.expires + digit(person.expires)
    extra = optional.ljust(14, "<")
    extra += digit(extra) if optional else "<"
    nation = issuer.ljust(3, "<")
    whole = digit(numbered + born + expires + extra)
    second = f"{numbered}{nation}{born}{person.sex}{expires}{extra}{whole}"
    return f"P<{nation}{person.names(39)}\n{second}"
