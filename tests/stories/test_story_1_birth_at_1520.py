"""Story 1. A birth registered at 15:20, one parent absent, an old paper.

Here: the station's clock stands at 15:20 on Monday, 23 November 2026, twenty minutes after the hour
up to which a birth is registered the same day; Tuesday is a day off, so it is due on Wednesday. The
absent parent's authorisation is noted, the old identity card is compared and given back, and all of
it with the line cut.

That an authorisation between close kin needs no certification stands beside the paper, as a
condition to be read. Not here yet: who the parents are, and how the applicant is related to the
child, as fields of the form; and that the old form of a paper is warned of by its date.
"""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.stories.conftest import BIRTH, LAN, WARD, WARD_NAME, Desk, save
from tests.town.town import Town, town

THEN = "2026-11-23 15:20:00"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed"),
]


def at_the_time() -> dict[str, str]:
    """Return what lets a program's clock begin at that time, and go on."""
    found = subprocess.run(["faketime", THEN, "env"], capture_output=True, text=True, check=True)
    settings = dict(line.split("=", 1) for line in found.stdout.splitlines() if "=" in line)
    return {
        "LD_PRELOAD": settings["LD_PRELOAD"],
        "FAKETIME": f"@{THEN}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "TZ": "Asia/Ho_Chi_Minh",
    }


@pytest.fixture
def place() -> Iterator[Town]:
    with town() as made:
        made.found((WARD, WARD_NAME))
        made.hub.ask("officer", "add", LAN, "--ward", WARD, "--role", "supervisor")
        yield made


def test_a_birth_comes_in_after_the_hour(place: Town, browser: Browser) -> None:
    station = place.enrol("edge", "quay-1", WARD, label="Quầy 1", extra=at_the_time())
    station.ask("sync")
    place.cut_line()
    served = station.serve("--host", "127.0.0.1", "--port", "0")
    desk = Desk(station, served.url, browser)
    with desk.sits(LAN) as lan:
        lan.follow("Tiếp nhận hồ sơ mới")
        lan.type("Tìm thủ tục", "khai sinh")
        lan.follow("Đăng ký khai sinh")
        lan.must_see("25/11/2026")
        lan.type("Họ và tên", "Phạm Thị Một Mình")
        lan.type("Số định danh", "097190000413")
        lan.choose("Tờ khai theo mẫu", "Đã nộp")
        lan.choose("Giấy chứng sinh", "Đã nộp")
        lan.choose("Văn bản ủy quyền", "Đã nộp")
        lan.must_see("không phải chứng thực nếu là ông, bà, cha, mẹ")
        lan.choose("Giấy tờ tùy thân (căn cước, hộ chiếu)", "Đã đối chiếu, trả lại")
        record = save(lan)
        lan.must_see("Văn bản ủy quyền", "Đã đối chiếu, trả lại")
        slip = lan.printed()
    assert "25/11/2026" in slip or "25 tháng 11 năm 2026" in slip, slip
    shown = desk.shown(record)
    assert (shown["procedure"], shown["due_on"]) == (BIRTH, "2026-11-25")
    states = {paper["type"]: paper["state"] for paper in shown["papers"]}
    assert states["giay-uy-quyen"] == "submitted"
    assert states["the-can-cuoc"] == "compared", "looked at and given back: no copy is kept"
    served.kill()  # timers of a false clock make a polite end slow
