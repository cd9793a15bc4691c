"""Forms at the desk: asked, kept by drafts, shown, edited and settled answer by answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sync_protocol.dossier.catalogue import catalogue
from sync_protocol.dossier.form import element_of
from sync_protocol.dossier.intake import read_intake
from sync_protocol.dossier.record_type import FORM
from sync_protocol.identity import NO_OFFICER
from sync_protocol.replica import Replica
from tests.integration.desk import CHIEF, CLERK, ask, run, staffed
from tests.integration.desk_fixture import Forms
from tests.integration.desk_pages import Pages, chief_pages, pages
from tests.integration.exchange.office import Office
from tests.integration.test_moves import MONDAY_MS, made

BIRTH = "1.001193"
MOTHER = {
    "name": "Lê Thị Thử",
    "citizen_number": "097190000024",
    "birth_date": "20/08/1990",
    "address_line": "Số 5 phố Ví Dụ",
    "address_unit": "Phường Hoàn Kiếm",
}
CHILD = {
    "form.child_name": "Trần Bé Thử",
    "form.child_sex": "male",
    "form.child_birth": "20/11/2026",
}


def desk_of(folder: Path) -> tuple[Replica, Pages, Pages]:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    return edge, pages(edge, folder), chief_pages(edge, folder)


def received(desk: Pages, **typed: str) -> str:
    """Receive a birth; return the dossier's id."""
    desk.get(f"/intake/{BIRTH}")
    desk.send(BIRTH, do="save", **{**MOTHER, **CHILD, **typed})
    if "Vẫn tiếp nhận" in desk.page:
        desk.send(BIRTH, do="save")
    assert "Đã lưu trên máy" in desk.text, desk.text
    return str(desk.form("/note") and desk.page.split("/dossier/")[1][:32])


def answers(replica: Replica, record: str) -> dict[str, Any]:
    shown = ask(replica, "dossier", "show", record)
    return {key: item["value"] for key, item in shown["form"].items()}


def test_reception_asks_what_the_form_asks_and_the_dossier_says_it(tmp_path: Path) -> None:
    edge, desk, _ = desk_of(tmp_path)
    desk.get(f"/intake/{BIRTH}")
    for words in ("Trẻ được khai sinh", "Số bản sao xin cấp", "Người nộp là ai trong tờ khai?"):
        assert words in desk.text
    assert desk.page.count("<details") > desk.page.count("<details open")
    record = received(desk)
    assert answers(edge, record) == {
        "child_name": "Trần Bé Thử",
        "child_sex": "male",
        "child_birth": "2026-11-20",
    }
    shown = ask(edge, "dossier", "show", record)
    assert shown["fields"]["edition"]["value"] == catalogue().edition.version
    for words in ("Trẻ được khai sinh", "Trần Bé Thử", "Nam", "20/11/2026"):
        assert words in desk.text
    found = ask(edge, "dossier", "list", "--text", "tran be thu")
    assert [row["id"] for row in found] == [record], "a dossier is found by the child's name"


def test_what_is_no_answer_is_told_beside_each_and_all_that_was_typed_stays(
    tmp_path: Path,
) -> None:
    _, desk, _ = desk_of(tmp_path)
    desk.get(f"/intake/{BIRTH}")
    wrong = {"form.child_birth": "31/02/2026", "form.copies": "hai", "birth_date": "45/13/1990"}
    desk.send(BIRTH, do="save", **{**MOTHER, **CHILD, **wrong})
    assert desk.status == 400
    for place in ("form.child_birth", "form.copies", "birth_date"):
        assert f'id="p-{place}"' in desk.page
    kept = desk.form(BIRTH)
    assert (kept["form.copies"], kept["form.child_name"]) == ("hai", "Trần Bé Thử")
    assert (kept["form.child_birth"], kept["form.child_sex"]) == ("31/02/2026", "male")
    folded = {"form.auth_number": "12", "form.child_birth": "", "birth_date": "", "form.copies": ""}
    desk.send(BIRTH, do="save", **folded)
    assert 'id="p-form.auth_number"' in desk.page
    section = desk.page.split('id="s-authorised"')[1].split("</section>")[0]
    assert "<details" not in section, "a section with a problem is open"


def test_what_looks_odd_blocks_nothing(tmp_path: Path) -> None:
    _, desk, _ = desk_of(tmp_path)
    desk.get(f"/intake/{BIRTH}")
    odd = {
        "form.child_birth": "01/01/2026",
        "form.mother_home": "Quận Ba Đình",
        "form.auth_kin": "",
    }
    desk.send(BIRTH, do="save", **{**MOTHER, **odd})
    for words in ("Đã quá 60 ngày", "không còn quận, huyện", "Còn trống"):
        assert words in desk.text
    desk.send(BIRTH, do="save")
    assert "Đã lưu trên máy" in desk.text


def test_a_tap_copies_the_applicant_and_a_second_takes_it_back(tmp_path: Path) -> None:
    _, desk, _ = desk_of(tmp_path)
    desk.get(f"/intake/{BIRTH}")
    desk.send(BIRTH, do="same.mother")
    assert "Điền người nộp trước" in desk.text
    desk.send(BIRTH, do="same.mother", **{**MOTHER, "form.mother_birth": "1991"})
    form = desk.form(BIRTH)
    assert form["form.mother_name"] == MOTHER["name"]
    assert form["form.mother_home"] == "Số 5 phố Ví Dụ, Phường Hoàn Kiếm"
    assert form["form.mother_birth"] == "1991", "what was typed stays"
    assert (form["form.filed_as"], form["form.father_name"]) == ("mother", "")
    desk.send(BIRTH, do="same.mother", **{"form.mother_birth": MOTHER["birth_date"]})
    form = desk.form(BIRTH)
    assert (form["form.mother_name"], form["form.filed_as"]) == ("", "")
    desk.send(BIRTH, do="same.nobody")
    assert desk.status == 200


def test_what_was_answered_is_put_aside_with_the_rest(tmp_path: Path) -> None:
    _, desk, _ = desk_of(tmp_path)
    desk.get(f"/intake/{BIRTH}")
    desk.send(BIRTH, do="aside", **{**MOTHER, **CHILD, "form.auth_kin": "sibling"})
    [link] = [part.split('"')[0] for part in desk.page.split('href="')[1:] if "aside=" in part[:80]]
    desk.get(link)
    form = desk.form(BIRTH)
    assert (form["form.child_name"], form["form.auth_kin"]) == ("Trần Bé Thử", "sibling")


def test_two_people_who_answer_different_questions_disturb_nobody(tmp_path: Path) -> None:
    edge, desk, chief = desk_of(tmp_path)
    record = received(desk)
    for browser in (desk, chief):
        browser.get(f"/dossier/{record}/edit")
    desk.send("/edit", **{"f.form.child_place": "Bệnh viện Thử", "f.form.child_name": ""})
    chief.send("/edit", **{"f.form.child_origin": "Hà Nội"})
    found = answers(edge, record)
    assert (found["child_place"], found["child_origin"]) == ("Bệnh viện Thử", "Hà Nội")
    assert "child_name" not in found, "an answer can be taken back"
    assert not ask(edge, "dossier", "show", record)["conflicts"]
    desk.get(f"/dossier/{record}/edit")
    desk.send("/edit", **{"f.form.child_birth": "32/01/2026", "f.form.copies": "3"})
    assert desk.status == 400
    assert desk.form("/edit")["f.form.copies"] == "3"
    desk.send("/edit", **{"f.form.child_birth": "01/11/2026"})
    assert answers(edge, record)["child_birth"] == "2026-11-01"
    desk.get(f"/dossier/{record}/edit")
    desk.send("/edit")
    assert "Không có gì khác" in desk.text


def test_two_versions_of_an_answer_are_settled_by_one_tap(tmp_path: Path) -> None:
    edge, desk, chief = desk_of(tmp_path)
    record = received(desk)
    for browser in (desk, chief):
        browser.get(f"/dossier/{record}/edit")
    desk.send("/edit", **{"f.form.child_sex": "female", "f.form.copies": "2"})
    chief.send("/edit", **{"f.form.child_sex": "", "f.form.copies": "3"})
    desk.get(f"/dossier/{record}")
    assert "Hai bản khác nhau" in desk.text
    desk.get(f"/dossier/{record}/edit")
    assert "f.form.copies" not in desk.form("/edit"), "what is in dispute is chosen, not typed over"
    listed = ask(edge, "conflict", "list")
    assert {row["field"] for row in [listed] if isinstance(listed, dict)} <= {"form.copies"}
    desk.get(f"/dossier/{record}/versions")
    assert "Số bản sao xin cấp" in desk.text
    forms = [values for _, values in Forms.of(desk.page).forms]
    form = next(values for values in forms if values.get("field") == "form.copies")
    desk.post(f"/dossier/{record}/versions", form)
    assert desk.status == 302
    run(edge, "conflict", "settle", record, "form.child_sex", "--take", "1", officer=CHIEF)
    assert answers(edge, record)["copies"] in ("2", "3")
    assert not ask(edge, "dossier", "show", record)["conflicts"]


def test_commands_show_and_set_answers() -> None:
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = made(edge, procedure=BIRTH, form=None)
    assert answers(edge, record) == {}
    words = ("form.child_name=Lê Thử", "form.child_birth=1/2/2026", "phone=0912000123")
    answer = ask(edge, "dossier", "set", record, *words, officer=CLERK)
    assert [row["code"] for row in answer["remarks"]] == ["late-registration"]
    assert answers(edge, record) == {"child_name": "Lê Thử", "child_birth": "2026-02-01"}
    assert ask(edge, "dossier", "show", record)["fields"]["phone"]["value"] == "0912000123"
    for wrong in ("form.shoe_size=42", "form.child_sex=x", "form.=1", "form=1", "edition=9"):
        assert run(edge, "dossier", "set", record, wrong, officer=CLERK).code == 1
    assert not ask(edge, "dossier", "set", record, "form.child_name=Lê Thử")["changed"]
    ask(edge, "dossier", "set", record, "form.child_name=")
    assert answers(edge, record) == {"child_birth": "2026-02-01"}


def test_an_answer_of_a_former_form_is_shown_and_can_be_taken_back(tmp_path: Path) -> None:
    edge, desk, _ = desk_of(tmp_path)
    record = made(edge, procedure="1.004873", form={"marital": "single"})
    ask(edge, "dossier", "set", record, f"procedure={BIRTH}", officer=CLERK)
    desk.get(f"/dossier/{record}")
    assert "Đã khai theo mẫu cũ" in desk.text
    ask(edge, "dossier", "set", record, "form.marital=", officer=CLERK)
    assert answers(edge, record) == {}


def test_a_line_of_an_intake_file_may_answer_the_form() -> None:
    row = {
        "procedure": BIRTH,
        "applicant": {"name": "Lê Thử", "citizen_number": "097190000024"},
        "status": "received",
        "received_on": "2026-11-20",
        "form": {"child_name": "Trần Bé", "child_birth": "2026-11-01", "copies": None},
    }
    read = read_intake(json.dumps(row).encode())
    assert read.answers == {"child_name": "Trần Bé", "child_birth": "2026-11-01"}
    assert {item.code for item in read.warnings} >= {"question-open"}
    written = {w.element: w.value for w in read.change().writes if w.field == FORM}
    assert written[element_of("child_name")] == "Trần Bé"
    edge = staffed(Office(now_ms=MONDAY_MS)).edge()
    record = edge.write([read.change()], NO_OFFICER).records[0]
    view = edge.read(record)
    assert view is not None
    assert view.field("form", element_of("child_birth")) is not None
