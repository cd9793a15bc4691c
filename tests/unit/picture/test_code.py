"""The code of a card in a picture: as it is, far away, blurred, askew, and not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from device_home.picture.code import read_codes
from tests import photos

CARD = "097190000024|012345678|Nguyễn Thị Thử Nghiệm|20081990|Nữ|Số 5, Thôn Đông, Sóc Sơn|01012021"


def test_a_code_is_read_with_its_marks() -> None:
    assert read_codes(photos.packed(photos.card(CARD), "PNG")) == [CARD]


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_card_on_a_table_is_read(seed: int) -> None:
    photo, _ = photos.on_table(photos.card(CARD, 8), (1280, 960), seed, 0.9)
    assert read_codes(photos.jpeg(photo, 85)) == [CARD]


def test_a_card_upside_down_is_read() -> None:
    photo, _ = photos.on_table(np.rot90(photos.card(CARD, 8), 2), (1280, 960), 2, 0.9)
    assert read_codes(photos.jpeg(photo, 85)) == [CARD]


def test_what_is_blurred_is_read_enlarged_and_sharpened() -> None:
    seen = np.array(cv2.GaussianBlur(photos.card(CARD, 3), (0, 0), 1.6), np.uint8)
    assert read_codes(photos.packed(seen, "PNG")) == [CARD]


def test_where_there_is_no_code_none_is_made_up() -> None:
    assert read_codes(photos.packed(photos.page(1), "PNG")) == []
    assert read_codes(photos.packed(np.zeros((1, 1, 3), np.uint8), "PNG")) == []


def test_of_many_codes_a_few_are_looked_at() -> None:
    one = photos.card("x", 3)
    assert len(read_codes(photos.packed(np.tile(one, (4, 4, 1)), "PNG"))) == 8
