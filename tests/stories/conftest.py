"""A city with one ward and its supervisor, for each story."""

from collections.abc import Iterator

import pytest

from tests.town.town import Town, town

WARD, WARD_NAME = "00070", "Phường Hoàn Kiếm"
LAN = "Nguyễn Thị Lan"


@pytest.fixture
def city() -> Iterator[Town]:
    with town() as place:
        place.found((WARD, WARD_NAME))
        place.hub.ask("officer", "add", LAN, "--ward", WARD, "--role", "supervisor")
        yield place
