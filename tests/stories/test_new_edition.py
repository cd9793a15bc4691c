"""A new procedure, paper and holiday, as data: the city publishes, and devices go by them."""

from pathlib import Path

import pytest

from tests.town.town import town

pytestmark = pytest.mark.process

PROCEDURE = """
[[procedure]]
code = "1.999999"
vi = "Xác nhận nuôi ong"
en = "Bee keeping certificate"
time = { amount = 2, unit = "working-day" }
papers = ["to-khai", "giay-nuoi-ong"]
"""
HOLIDAY = """
[[table]]
issued_on = 2026-12-10
source = "a decision"
valid_from = 2027-01-01
valid_until = 2027-12-31
off = [{ day = 2027-03-03, vi = "Ngày hội", en = "Fair" }]
"""


def edit(folder: Path, version: int) -> None:
    """Do what docs/CATALOGUE.md says."""
    with (folder / "certification.toml").open("a", encoding="utf-8") as file:
        file.write(PROCEDURE)
    papers = (folder / "papers.toml").read_text("utf-8")
    line = 'giay-nuoi-ong = { vi = "Giấy nuôi ong", en = "Bee paper" }\n'
    (folder / "papers.toml").write_text(papers.replace("[paper]\n", "[paper]\n" + line), "utf-8")
    with (folder / "working_calendar.toml").open("a", encoding="utf-8") as file:
        file.write(HOLIDAY)
    raise_version(folder, version)


def raise_version(folder: Path, version: int) -> None:
    lines = (folder / "edition.toml").read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("version")]
    (folder / "edition.toml").write_text("\n".join([f"version = {version}", *kept]), "utf-8")


def test_what_the_city_publishes_reaches_devices_that_run() -> None:
    with town() as place:
        place.found(("00070", "Phường Hoàn Kiếm"))
        edge = place.enrol("edge", "desk", "00070")
        work = place.folder / "work"
        exported = place.hub.ask("catalogue", "export", str(work))
        assert "working_calendar.toml" in exported["files"]
        before = place.hub.ask("catalogue", "show")
        assert not before["published"]
        assert "is in force" in place.hub.refused("catalogue", "publish", str(work))["diagnosis"]

        edit(work, before["edition"] + 1)
        served = edge.serve("--host", "127.0.0.1", "--port", "0")
        published = place.hub.ask("catalogue", "publish", str(work))
        assert published == {"edition": before["edition"] + 1, "wards": ["00070"]}
        assert place.hub.ask("catalogue", "publish", str(work))["wards"] == []

        edge.ask("sync")
        row = edge.ask("procedure", "show", "1.999999")
        assert [paper["vi"] for paper in row["papers"]][-1] == "Giấy nuôi ong"
        due = edge.ask("deadline", "1.999999", "--received", "2027-03-02T09:00")["due"]
        assert due.startswith("2027-03-05"), "a day off lies between"
        assert not edge.run("procedure", "show", "1.999999", "--json").err
        served.stop()

        place.hub.ask("ward", "add", "00376", "Xã Sóc Sơn")
        late = place.enrol("edge", "late", "00376")
        tablet = place.enrol("tablet", "tablet", "00376")
        for device in (late, tablet):
            device.ask("sync")
        assert late.ask("procedure", "list", "--text", "nuoi ong")
        assert place.digest(tablet) == place.check_equal("00376", [late])

        raise_version(work, before["edition"] + 2)
        (work / "papers.toml").write_text("[paper]\n", "utf-8")
        assert "papers.toml" in place.hub.refused("catalogue", "publish", str(work))["diagnosis"]
        assert place.hub.ask("catalogue", "show")["edition"] == before["edition"] + 1
