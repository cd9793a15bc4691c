"""Story 6. A ward renamed and split: old receipts still resolve.

Here: a slip is printed, then the city founds two wards that take over from the old one. The old
station, whose ward has heirs now, still opens the slip by its code and secret, and finds the
dossier by its code, with the line cut; the city finds it under the old ward, whose heirs it names.

Not here yet: that a station of an heir opens the old slip by itself. Dossiers are not handed on
from ward to ward; the old station and the city answer for them.
"""

import pytest
from playwright.sync_api import Browser

from tests.stories.conftest import LAN, MARITAL, WARD, WARD_NAME, Desk, receive, slip_code
from tests.town.town import Town, dossiers

pytestmark = pytest.mark.process

HEIRS = (("00072", "Phường Hoàn Kiếm Bắc"), ("00073", "Phường Hoàn Kiếm Nam"))


def test_a_slip_of_a_ward_that_was_split(city: Town, browser: Browser) -> None:
    station = city.enrol("edge", "quay-1", WARD)
    station.ask("sync")
    served = station.serve("--host", "127.0.0.1", "--port", "0")
    desk = Desk(station, served.url, browser)
    with desk.sits(LAN) as lan:
        record = receive(lan, MARITAL, "Bùi Thị Phường Cũ", "097190000817")
        slip = lan.printed()
        assert WARD_NAME in slip
    station.ask("sync")
    for code, name in HEIRS:
        city.hub.ask("ward", "add", code, name, "--succeeds", WARD)
    station.ask("sync")
    rows = {row["code"]: row for row in city.hub.ask("ward", "list")}
    assert rows[WARD]["successors"] == [rows[code]["id"] for code, _ in HEIRS]
    assert [row["id"] for row in dossiers(city.hub, "--ward", WARD)] == [record]

    city.cut_line()
    code = slip_code(slip)
    with desk.sits(LAN) as lan:
        for words in (code, code.split(":")[1]):
            lan.go("")
            lan.type("Tìm hồ sơ", words)
            lan.tap("Tìm")
            if "/dossier/" not in lan.where:  # a code is looked up in the list, a slip opens
                lan.follow("Bùi Thị Phường Cũ")
            assert lan.record == record
    shown = city.hub.ask("dossier", "show", record, "--ward", WARD)
    assert shown["fields"]["provisional_code"]["value"] == code.split(":")[1]
    served.stop()
