"""Story 5. The same person received in two wards, both offline; and a dossier for another ward.

Here: two counters of one ward and one of another receive the same person with the line cut. Once
it is back, the two of the ward are named to each other and told at the next reception; the other
ward's stays its own, unseen by the first. A procedure that no ward receives is not offered.

Not here yet: that the city tells two wards of each other's dossier (office, code, date and phone),
and that a dossier is handed on to the ward that it belongs to.
"""

from functools import partial

import pytest
from playwright.sync_api import Browser

from tests.stories.conftest import HOA, LAN, MARITAL, WARD, WARD_NAME, Desk, receive
from tests.town.town import dossiers, together, town

pytestmark = pytest.mark.process

OTHER, OTHER_NAME = "00376", "Xã Sóc Sơn"
NAME, NUMBER = "Đinh Thị Hai Nơi", "097190000716"


def test_one_person_at_three_counters_while_the_line_is_cut(browser: Browser) -> None:
    with town() as place:
        place.found((WARD, WARD_NAME), (OTHER, OTHER_NAME))
        for name, ward in ((LAN, WARD), (HOA, OTHER)):
            place.hub.ask("officer", "add", name, "--ward", ward, "--role", "supervisor")
        counters = (("quay-1", WARD), ("quay-2", WARD), ("soc-son", OTHER))
        stations = together(*(partial(place.enrol, "edge", *counter) for counter in counters))
        stations[0].ask("sync")  # share the ward's key with the second counter
        together(*(partial(station.ask, "sync") for station in stations[1:]))
        place.cut_line()
        words = ("--host", "127.0.0.1", "--port", "0")
        served = [station.serve(*words) for station in stations]
        desks = [
            Desk(station, there.url, browser)
            for station, there in zip(stations, served, strict=True)
        ]
        found = []
        for desk, officer in zip(desks, (LAN, LAN, HOA), strict=True):
            with desk.sits(officer) as person:
                found.append(receive(person, MARITAL, NAME, NUMBER))
                person.must_see("✓ Đã lưu trên máy")
        first, second, village = found
        assert len(set(found)) == 3, "no counter waits for another one"

        place.line_back()
        together(*(partial(station.ask, "sync") for station in stations[1:]))
        stations[0].ask("sync")
        named = stations[0].ask("dossier", "duplicates", first)["duplicates"]
        assert [row["id"] for row in named] == [second]
        assert {row["id"] for row in dossiers(stations[0])} == {first, second}
        assert [row["id"] for row in dossiers(place.hub, "--ward", OTHER)] == [village]
        with desks[0].sits(LAN) as lan:
            lan.go(f"intake/{MARITAL}")
            lan.type("Họ và tên", NAME)
            lan.type("Số định danh", NUMBER)
            lan.tap("Tiếp nhận và in phiếu")
            lan.must_see("Người này đã có hồ sơ cùng thủ tục")
            assert lan.text.count(NAME) == 2, "both of this ward, none of the other"
            lan.go("intake?q=ho chieu pho thong")
            assert "Hộ chiếu phổ thông" not in lan.text
        together(*(one.stop for one in served))
