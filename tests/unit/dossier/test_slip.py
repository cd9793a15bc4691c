"""The slip: what its QR code says, who can read it, and what its secret opens."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.provisional_code import make_provisional_code
from sync_protocol.dossier.signs import SIGNS
from sync_protocol.dossier.slip import SECRET_SIGNS, Slip, make_slip_secret, opens, read_slip
from sync_protocol.errors import InputError

CODES = ("000.00.01.H26-260930-0012", "H55.242-20260930-0092637", "MT-260930-1234560")


def code(text: str) -> str:
    if not text.startswith("MT"):
        return text
    return make_provisional_code(date(2026, 9, 30), b"12345678").text


@given(st.binary(min_size=16, max_size=16))
def test_a_secret_has_sixty_four_bits_of_signs(entropy: bytes) -> None:
    secret = make_slip_secret(entropy)
    assert len(secret) == SECRET_SIGNS
    assert set(secret) <= set(SIGNS)
    assert len(SIGNS) ** SECRET_SIGNS > 2**64


@pytest.mark.parametrize("text", CODES)
def test_what_is_drawn_is_read_back_however_it_is_typed(text: str) -> None:
    slip = Slip(code(text), make_slip_secret(b"sixteen bytes of"))
    assert read_slip(str(slip)) == slip
    spaced = f"{slip.secret[:5]}-{slip.secret[5:9]} {slip.secret[9:]}"
    assert read_slip(f"  mc1:{slip.code.lower()}:{spaced.lower()}\n") == slip


@given(st.text(max_size=120))
def test_any_text_gives_a_slip_or_an_input_error(text: str) -> None:
    for tried in (text, f"MC1:{text}", f"MC1:H26-260930-0001:{text}"):
        with contextlib.suppress(InputError):
            assert read_slip(tried).code


def test_only_its_own_secret_opens() -> None:
    kept = make_slip_secret(b"a" * 16)
    assert opens(kept, [kept])
    assert opens(kept, [None, make_slip_secret(b"b" * 16), kept])
    assert not opens(make_slip_secret(b"b" * 16), [kept])
    assert not opens("", ["", 7, None][1:])
    assert not opens(kept, [])


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(AssertionError):
        make_slip_secret(b"short")
