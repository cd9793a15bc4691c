"""An officer who is called away: the session ends, and what is sent after that is not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_home.device import Device
from device_home.officers import officers_of
from device_home.pins import choose_pin
from edge_node.desk.mount import ROUTES
from edge_node.desk.sessions import IDLE_S, SHIFT_S, Sessions
from edge_node.desk.site import Desk, make_desk
from sync_protocol.identity import OfficerId
from tests.integration.desk_fixture import Forms
from tests.integration.hub_fixture import running_hub
from tests.integration.process_fixture import edge

pytestmark = pytest.mark.process
PIN = "274918"
MARITAL = "1.004873"
BASE = "https://station"


@pytest.mark.parametrize(
    ("pause_s", "returns", "kept"),
    [
        (IDLE_S + 1, "Lê Thị Lan", True),
        (IDLE_S + 1, "Đỗ Khác", False),
        (SHIFT_S + 1, "Lê Thị Lan", False),
    ],
)
def test_a_form_sent_after_a_pause_waits_for_the_same_officer(
    tmp_path: Path, pause_s: int, returns: str, kept: bool
) -> None:
    with running_hub(tmp_path / "hub") as hub:
        for name in ("Lê Thị Lan", "Đỗ Khác"):
            hub.officer(name, "clerk")
        station = edge(tmp_path, "edge")
        station.ok("init")
        station.ok("enrol", "--invite", hub.invite("edge", "Trạm"))
        station.ok("sync")
    device = Device.open(station.home)
    try:
        for officer in officers_of(device.replica().holding.roster):
            choose_pin(device.home, OfficerId(officer.officer), PIN)
        now = [1000.0]
        desk = Desk(device, Sessions(lambda: now[0]), lambda: None)
        client = make_desk(desk, ROUTES).test_client()

        def get(path: str) -> Forms:
            return Forms.of(client.get(path, base_url=BASE, follow_redirects=True).text)

        def send(forms: Forms, ending: str, **typed: str) -> str:
            action, values = forms.form(ending)
            answer = client.post(
                action, base_url=BASE, data={**values, **typed}, follow_redirects=True
            )
            return answer.text

        send(get("/sign-in"), "/sign-in", name="Lê Thị Lan", pin=PIN)
        form = get(f"/intake/{MARITAL}")
        now[0] += pause_s
        page = send(form, MARITAL, do="save", name="Nguyễn Chờ Lâu", phone="0912000111")
        assert ("vẫn được giữ" in page) == (pause_s < SHIFT_S)
        assert device.replica().rooms.views.counts().records == 0
        page = send(Forms.of(page), "/sign-in", name=returns, pin=PIN)
        assert ("Nguyễn Chờ Lâu" in page) == kept
        if kept:
            page = send(Forms.of(page), MARITAL)
            page = send(Forms.of(page), MARITAL, do="save")  # no number: one look, then saved
            assert "Đã lưu trên máy" in page
        assert device.replica().rooms.views.counts().records == int(kept)
    finally:
        device.close()
