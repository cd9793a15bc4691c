"""Story 2. A foreigner without an e-identity account: passport, bilingual receipt, status in
English.

Not here yet: the citizen's own look-up of a status. What stands here in English is the officer's
page, which is turned to the person across the counter.
"""

import pytest

from tests.stories.conftest import MARITAL, MINH, Desk, save, slip_code
from tests.town.town import dossiers

pytestmark = pytest.mark.process


def test_a_passport_a_bilingual_slip_and_a_status_in_english(desk: Desk) -> None:
    with desk.sits(MINH) as minh:
        minh.go(f"intake/{MARITAL}")
        minh.type("Họ và tên", "Anna Maria Müller")
        minh.page.get_by_text("Người nước ngoài (hộ chiếu)").click()
        minh.type("Số hộ chiếu", "C01X00T47")
        minh.tap("Tiếp nhận và in phiếu")
        minh.must_see("Chưa điền mục này")
        minh.type("Nước cấp (mã như in trên hộ chiếu)", "D")
        record = save(minh)
        slip = minh.printed()
        for words in ("Anna Maria Müller", "C01X00T47", "Bring this slip and your passport"):
            assert words in slip, slip
        minh.tap("English")
        minh.must_see("What needs you now")
        minh.page.get_by_label("Find a dossier").fill(slip_code(slip))
        minh.tap("Find")
        assert minh.record == record, "the slip opens its dossier"
        minh.must_see("Received", "✓ Saved on this machine", "Passport")
        minh.tap("Tiếng Việt")
    identity = desk.shown(record)["fields"]["identity"]["value"]
    assert identity == ["passport", "C01X00T47", "D"]
    assert record in {row["id"] for row in dossiers(desk.station)}
