"""The QR code of the Vietnamese identity card, as text.

Fields stand between "|": the 12-digit number, the former number (9 or 12 digits, or nothing), name,
date of birth as ddMMyyyy, sex (Nam, Nữ), place of residence, date of issue; the card of 2024 adds
four more, unnamed and so far empty. Source: cards in use since 2021, and circular
16/2024/TT-BCA, article 6, for that of 2024.

What holds: any text gives a `CardQr` or an `InputError` that repeats nothing of it. Only the number
must be right; dates, sex and address that look odd become remarks, and every field is kept as it
came in `fields`. The code is unsigned: it tells what a card says, never that the card is genuine.

USB readers that type like a keyboard send Vietnamese through the input method, which garbles it
("Hoôồng"); what looks like that is remarked upon. They also press Enter: a form must not take it
for "submit".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sync_protocol import limits
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.identity_document import FEMALE, MALE, Remark, check_citizen_number
from sync_protocol.dossier.text import clean, refused

SEPARATOR = "|"
FIELDS_MIN = 7

_SEXES = {"nam": MALE, "nữ": FEMALE}
_FORMER_NUMBER = re.compile(r"([0-9]{9}|[0-9]{12})?")
_DAY = re.compile(r"[0-9]{8}")
_NOT_KEPT = frozenset({"Cc", "Co", "Cs"})
"""Control, private-use and half characters: no card has them, a broken reader may."""


@dataclass(frozen=True, slots=True)
class CardQr:
    """What the code of a card says; absent values are None.

    Dates are YYYY-MM-DD. `fields` are all fields as they came; `extras` those after the seventh.
    """

    number: str
    former_number: str | None
    name: str
    birth_date: str | None
    sex: str | None
    address: str
    issued_on: str | None
    fields: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def extras(self) -> tuple[str, ...]:
        """The fields that nobody has named yet."""
        return self.fields[FIELDS_MIN:]


def read_card_qr(text: str) -> CardQr:
    """Read the text of a card's QR code. Raises `InputError`."""
    if len(text) > limits.IDENTITY_TEXT_CHARACTERS_MAX:
        raise refused("card", "is longer than any card's code", "card-length")
    fields = tuple(text.strip("\ufeff\r\n\t ").split(SEPARATOR))
    if len(fields) < FIELDS_MIN:
        what = f"must have {FIELDS_MIN} fields with “|” between them, and has {len(fields)}"
        raise refused("card", f"is no code of an identity card: it {what}", "card-fields")
    raw_number, former, raw_name, born, raw_sex, raw_address, issued = map(_plain, fields[:7])
    remarks: list[Remark] = []
    birth_date = _day(born, "birth_date", remarks)
    sex = _SEXES.get(raw_sex.lower())
    number, number_remarks = check_citizen_number(
        raw_number, birth_date=birth_date, sex=sex, field="number"
    )
    remarks += number_remarks
    if sex is None:
        remarks.append(Remark("card-sex", "sex"))
    if not _FORMER_NUMBER.fullmatch(former):
        remarks.append(Remark("card-former-number", "former_number"))
    issued_on = _day(issued, "issued_on", remarks)
    remarks += [
        Remark("card-garbled", field)
        for field, raw in (("name", fields[2]), ("address", fields[5]))
        if looks_garbled(raw)
    ]
    if raw_address and (raw_name + raw_address).isascii():
        # Hardly a place in the country is spelt so: a reader that drops marks, or spells them out.
        remarks.append(Remark("card-without-marks", "address"))
    return CardQr(
        number=number,
        former_number=former or None,
        name=raw_name,
        birth_date=birth_date,
        sex=sex,
        address=raw_address,
        issued_on=issued_on,
        fields=fields,
        remarks=tuple(remarks),
    )


def _plain(field: str) -> str:
    return clean("".join(c for c in field if unicodedata.category(c) not in _NOT_KEPT), "card")


def _day(text: str, field: str, remarks: list[Remark]) -> str | None:
    """Return ddMMyyyy as YYYY-MM-DD; cards without it leave the field empty."""
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.strptime(text, "%d%m%Y").date().isoformat()  # noqa: DTZ007  # a date
    except ValueError:
        pass  # there is no such day: remarked upon below
    remarks.append(Remark("card-date", field))
    return None


# --------------------------------------------------------------------------------- garbling

_MISREAD = frozenset("?�¿¡»«º¼½¾¹²³¤¥¦§¨©®±´¶¸¢£¬")
"""What is left of letters that went through a wrong encoding: no name or address has them."""
_HALF_TYPED = frozenset({("a", "ă"), ("a", "â"), ("e", "ê"), ("o", "ô"), ("o", "ơ"), ("u", "ư")})


def looks_garbled(text: str) -> bool:
    """Whether a reader or an encoding seems to have spoiled Vietnamese text.

    Two signs: characters of a wrong encoding, and a letter that stands beside a half-made form
    of itself ("oô", "ôồ", "Đđ"). Lawful pairs stay: "ưu" in Lưu, "oò" in the surname Voòng.
    """
    text = unicodedata.normalize("NFC", text)
    if any(c in _MISREAD or unicodedata.category(c) in _NOT_KEPT for c in text.strip()):
        return True
    return any(_half_made(first, second) for first, second in pairwise(text.lower()))


def _half_made(first: str, second: str) -> bool:
    if first.isascii() and second.isascii():
        return False
    if fold(first) != fold(second) or not first.isalpha():
        return False
    if fold(first) == "d":
        return True
    quality, following = _without_tone(first), _without_tone(second)
    if quality == following:
        # The same letter twice, a tone at one of them: only o has that in real words.
        return quality != "o"
    return (quality, following) in _HALF_TYPED


def _without_tone(letter: str) -> str:
    marks = unicodedata.normalize("NFD", letter)
    kept = "".join(c for c in marks if c not in "\u0300\u0301\u0303\u0309\u0323")
    return unicodedata.normalize("NFC", kept)
