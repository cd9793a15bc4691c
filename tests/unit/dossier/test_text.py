"""Text is kept in one form, without what nobody sees."""

import unicodedata

import pytest

from sync_protocol.dossier.text import clean
from sync_protocol.errors import InputError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Nguyễn   Văn  An ", "Nguyễn Văn An"),
        (unicodedata.normalize("NFD", "Đỗ Thị Ước"), "Đỗ Thị Ước"),
        ("Lê\u00a0Anh\u200b\u00ad", "Lê Anh"),
        ("\ufeffTrần\tAn", "Trần An"),
        ("đảo \u202engược", "đảo ngược"),
        ("một\nhai", "một hai"),
        ("hoà hòa", "hoà hòa"),
        ("e\u200d\u0301", "é"),
        ("\u200b", ""),
    ],
)
def test_text_is_cleaned_and_never_respelt(typed: str, kept: str) -> None:
    assert clean(typed, "name") == kept


def test_notes_keep_their_lines() -> None:
    assert clean("một  hai\r\n ba\u2028bốn\n", "notes", lines=True) == "một hai\nba\nbốn"


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "\ue000", "\ud800"])
def test_what_cannot_be_kept_is_refused_by_field(bad: str) -> None:
    with pytest.raises(InputError, match="“name” holds a character") as caught:
        clean(bad, "name")
    assert caught.value.evidence == {"field": "name", "reason": "character"}
