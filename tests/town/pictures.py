"""`python -m tests.town.pictures`: make the pictures of docs/DESK.md anew.

A town of test people is founded, a day is played at its desk, and each page is taken as it stands,
small enough for a document. What the pictures show is synthetic; no number in them was ever issued.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests import photos
from tests.town.browser import Officer, chromium, officer
from tests.town.process import ROOT, Program
from tests.town.town import dossiers, town

FOLDER = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
BYTES_MAX = 150 * 1024
QUALITY = 82
WARD, WARD_NAME = "00070", "Phường Hoàn Kiếm"
LAN, MINH = "Nguyễn Thị Lan", "Trần Văn Minh"
PINS = {LAN: "274918", MINH: "583061"}
CARD = "097190000024||Nguyễn Thị Thử Nghiệm|20081990|Nữ|Số 5, Thôn Đông|01012021"


def main() -> int:
    """Make them all."""
    FOLDER.mkdir(exist_ok=True)
    with town() as place, chromium() as browser, tempfile.TemporaryDirectory() as spare:
        place.found((WARD, WARD_NAME))
        for name, role in ((LAN, "supervisor"), (MINH, "clerk")):
            place.hub.ask("officer", "add", name, "--ward", WARD, "--role", role)
        station = place.enrol("edge", "quay-1", WARD, label="Quầy 1")
        station.ask("sync")
        place.capture(station, "day", 16, seed=4, scans=True)
        station.ask("sync")
        served = station.serve("--host", "127.0.0.1", "--port", "0")
        codes = {name: str(station.ask("officer", "pin", name)["code"]) for name in PINS}
        with officer(browser, served.url, SIZE) as minh, officer(browser, served.url, SIZE) as lan:
            come_in(minh, codes)
            lan.first_use(LAN, codes[LAN], PINS[LAN])
            reception(minh, Path(spare))
            two_versions(minh, lan, minh.record)
            rest_of_the_day(minh, lan, station)
        served.stop()
    return 0


def take(person: Officer, name: str) -> None:
    """Keep the page as a picture."""
    person.page.mouse.move(0, 0)
    shot = Image.open(io.BytesIO(person.page.screenshot()))
    path = FOLDER / f"desk-{name}.webp"
    shot.convert("RGB").save(path, "WEBP", quality=QUALITY, method=6)
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)}  {size // 1024} KiB\n")
    if size > BYTES_MAX:
        raise ValueError(f"{path.name} has {size} bytes")


def come_in(minh: Officer, codes: dict[str, str]) -> None:
    """The entrance, with a name in it, and the first page."""
    minh.go("sign-in")
    minh.type("Họ và tên", "tran van minh")
    take(minh, "sign-in")
    minh.first_use(MINH, codes[MINH], PINS[MINH])
    take(minh, "home")


def reception(minh: Officer, folder: Path) -> None:
    """The form that a card has filled, the saved dossier, and a scan."""
    minh.follow("Tiếp nhận hồ sơ mới")
    minh.type("Tìm thủ tục", "hon nhan")
    minh.follow("Xác nhận tình trạng hôn nhân")
    minh.scan(CARD)
    minh.type("Số điện thoại", "0912000123")
    minh.page.evaluate("scrollTo(0, 0)")
    take(minh, "reception")
    minh.tap("Vẫn tiếp nhận và in phiếu")
    minh.printed()
    take(minh, "dossier")
    photo = folder / "page.jpg"
    photo.write_bytes(photos.page_photo(5, (1500, 2000)))
    minh.follow("Chụp giấy tờ")
    minh.give("Chọn ảnh, PDF Tờ khai theo mẫu", photo)
    minh.must_see("Đã lưu trên máy", "Xem bản chụp")
    take(minh, "scan")
    minh.follow("Về hồ sơ")
    minh.follow("Làm lại phiếu")
    minh.type("Lý do", "Mất phiếu")
    take(minh, "slip")
    minh.follow("Thôi")


def two_versions(minh: Officer, lan: Officer, record: str) -> None:
    """Two officers write different telephone numbers."""
    for person in (minh, lan):
        person.go(f"dossier/{record}/edit")
    for person, phone in ((minh, "0912000333"), (lan, "0912000444")):
        person.type("Số điện thoại", phone)
        person.tap("Lưu thay đổi")
    lan.follow("Xem và chọn bản đúng")
    take(lan, "two-versions")
    lan.tap("Lấy bản này")


def rest_of_the_day(minh: Officer, lan: Officer, station: Program) -> None:
    """Figures, the portal's queue, whom to call."""
    rows = [row for row in dossiers(station) if row["status"] in ("2", "4")]
    for row in rows[:2]:
        words = ("--missing", "to-khai", "Chưa ký tên", "--reason", "Tờ khai chưa ký.")
        station.ask("dossier", "set", row["id"], "status=supplement", *words, "--officer", MINH)
    lan.go("figures?from=2026-09-01&to=2026-11-30")
    take(lan, "figures")
    minh.go("portal")
    take(minh, "portal")
    minh.go("calls")
    take(minh, "calls")


if __name__ == "__main__":
    sys.exit(main())
