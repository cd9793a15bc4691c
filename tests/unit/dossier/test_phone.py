"""One form for every way of writing a phone number."""

import pytest

from sync_protocol.dossier.phone import parse_phone
from sync_protocol.errors import InputError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0912000123", "0912000123"),
        ("+84912000123", "0912000123"),
        ("84912000123", "0912000123"),
        ("0084 912 000 123", "0912000123"),
        ("+84 (0) 912.000.123", "0912000123"),
        ("0912-000-123", "0912000123"),
        ("024 3825 1234", "02438251234"),
        ("+49 1511 2345678", "+4915112345678"),
        ("0012025550123", "+12025550123"),
    ],
)
def test_a_number_has_one_form(typed: str, kept: str) -> None:
    assert parse_phone(typed) == kept
    assert parse_phone(kept) == kept


@pytest.mark.parametrize(
    "bad", ["", "01234567890", "0123456789", "091200012", "09120001234", "19001234", "abc", "+84"]
)
def test_dead_short_and_lettered_numbers_are_refused(bad: str) -> None:
    with pytest.raises(InputError, match="“phone” is no phone number"):
        parse_phone(bad)
