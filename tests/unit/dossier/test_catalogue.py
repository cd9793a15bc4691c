"""The catalogue is whole, agrees with itself, and refuses to load where it would not."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, time
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.catalogue import (
    FOLDER,
    catalogue,
    known,
    procedure_name,
    read_catalogue,
)
from sync_protocol.dossier.deadline import TimeLimit, Unit
from sync_protocol.dossier.dossier_code import read_procedure_code
from sync_protocol.dossier.procedure import (
    Channel,
    Desk,
    FeeUnit,
    PersonRole,
    Procedure,
    Requirement,
    StateDatabase,
)
from sync_protocol.dossier.sample_words import words
from sync_protocol.dossier.unit import hanoi_units
from sync_protocol.dossier.working_calendar import read_tables
from sync_protocol.errors import SchemaError

SAME_DAY = TimeLimit(0, Unit.WORKING_DAY, time(15))


def procedure(code: str) -> Procedure:
    return catalogue().procedures[code]


def paper(code: str, name: str) -> Requirement:
    return next(item for item in procedure(code).papers if item.type == name)


def test_the_catalogue_has_the_working_set() -> None:
    procedures = catalogue().procedures
    assert len(procedures) >= 70
    assert sum(row.at_the_ward for row in procedures.values()) >= 40
    assert all(re.fullmatch(r"[1-9]\.\d{6}", code) for code in procedures)
    assert all(read_procedure_code(code) for code in procedures)
    for row in procedures.values():
        assert row.name
        assert row.english
        assert row.official
        assert row.field
        assert row.decision
        assert row.time_source
        assert row.channels
        assert row.persons


def test_names_are_short_and_unique_so_that_a_list_can_be_read() -> None:
    names = [row.name for row in catalogue().procedures.values()]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 60 for name in names)
    english = [row.english for row in catalogue().procedures.values()]
    assert all(name.isascii() for name in english)


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert known("1.001193")
    assert procedure_name("1.001193") == "Đăng ký khai sinh"
    assert not known("1.999999")
    assert procedure_name("1.999999") == "1.999999"


def test_a_newer_code_leads_to_the_same_procedure() -> None:
    assert known("1.116410")
    assert procedure_name("1.116410") == procedure_name("1.014064")


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("1.001193", SAME_DAY),
        ("2.000815", SAME_DAY),
        ("1.004873", TimeLimit(3, Unit.WORKING_DAY)),
        ("1.004222", TimeLimit(7, Unit.WORKING_DAY)),
        ("2.001159", TimeLimit(1, Unit.HOUR)),
        ("2.002307", TimeLimit(25, Unit.DAY)),
        ("2.002622", None),
    ],
)
def test_time_limits_are_the_decisions(code: str, limit: TimeLimit | None) -> None:
    assert procedure(code).limit() == limit


def test_cases_have_times_of_their_own() -> None:
    birth = procedure("1.000689")
    assert birth.limit() == TimeLimit(3, Unit.WORKING_DAY)
    assert birth.limit("verify") == TimeLimit(8, Unit.WORKING_DAY)
    with pytest.raises(KeyError):
        birth.limit("none")


def test_papers_say_what_happens_to_them() -> None:
    assert paper("1.001193", "the-can-cuoc").present
    certificate = paper("1.001193", "giay-chung-sinh")
    assert certificate.known_from is StateDatabase.HEALTH
    assert certificate.instead == ("van-ban-lam-chung", "giay-cam-doan")
    assert paper("1.001193", "to-khai").channels == (Channel.DIRECT, Channel.POST)
    assert paper("1.001193", "giay-uy-quyen").when == "authorised"
    assert PersonRole.CHILD in procedure("1.001193").persons


def test_fees_follow_channel_and_count() -> None:
    assert {fee.channel: fee.amount for fee in procedure("1.004222").fees} == {
        Channel.DIRECT: 20_000,
        Channel.ONLINE: 10_000,
    }
    first, further = procedure("2.000815").fees
    assert (first.amount, further.amount) == (2000, 1000)
    assert (first.per, first.at_most) == (FeeUnit.PAGE, 200_000)
    assert procedure("1.001193").fees[1].set_by_province


def test_a_paper_is_found_by_its_official_alias() -> None:
    assert catalogue().paper_by_alias("000.00.00.G15-KQ004389") == "giay-chung-sinh"
    assert catalogue().paper_by_alias("KQ999999") is None
    assert catalogue().papers["to-khai-ct01"].old_forms


def test_the_25_essential_services_say_where_they_are_received() -> None:
    services = catalogue().essential
    assert [service.number for service in services] == list(range(1, 26))
    desks = {service.number: service.desk for service in services}
    at_the_counter = {number for number, desk in desks.items() if desk is Desk.WARD}
    assert at_the_counter == {9, 10, 11, 15, 16, 19}
    police = {number for number, desk in desks.items() if desk is Desk.WARD_POLICE}
    assert police >= set(range(1, 8))


def test_an_edition_says_what_it_is() -> None:
    edition = catalogue().edition
    assert edition.version >= 1
    assert edition.read_on == date(2026, 7, 31)
    assert procedure("1.001193").review_on == date(2027, 3, 1)


def test_the_papers_of_the_samples_are_of_the_catalogue() -> None:
    services, foreigner = words().service, words().foreigner
    papers = [paper for service in services for paper in service.papers]
    assert {name for name, _ in (*papers, *foreigner.papers)} <= set(catalogue().papers)
    codes = [code for service in services for code in service.codes]
    assert {*codes, *foreigner.codes} <= set(catalogue().procedures)


# --------------------------------------------------------------------------- what is refused


def files() -> dict[str, str]:
    folder = resources.files("sync_protocol.dossier").joinpath(FOLDER)
    return {item.name: item.read_text("utf-8") for item in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("seals.toml", '"1.115232"', '"1.115231"', "codes twice"),
        ("seals.toml", '"1.115232"', '"1.11523"', "is no code"),
        ("seals.toml", "Đăng ký lại mẫu con dấu", "Đăng ký mẫu con dấu mới", "is there twice"),
        ("seals.toml", "Đăng ký lại mẫu con dấu", "Đăng ký " * 10, "too long"),
        ("seals.toml", '["van-ban-con-dau"]', '["van-ban"]', "no paper van-ban"),
        ("seals.toml", "amount = 3", "amount = -3", "time limit"),
        ("seals.toml", '"working-day"', '"day", cutoff = 15:00:00', "unknown field"),
        ("seals.toml", '"working-day"', '"week"', "Invalid enum value"),
        ("seals.toml", 'desk = "ward-police"', 'desk = "market"', "Invalid enum value"),
        ("seals.toml", "papers =", "paper =", "unknown field"),
        ("merit.toml", 'when = "authorised"', 'when = "raining"', "no condition raining"),
        ("merit.toml", "{ amount = 0 }", "{ per = 'copy' }", "set by the province"),
        ("merit.toml", "[[procedure]]", "[[procedure]", "can't be read"),
        ("papers.toml", "KQ003159", "KQ004389", "alias of two papers"),
        ("papers.toml", "giay-cam-doan =", "Giay =", "no name for a paper"),
        ("essential.toml", "number = 25", "number = 24", "not 1 to 25"),
        ("essential.toml", '"3.000099"', '"3.000098"', "no procedure 3.000098"),
    ],
)
def test_a_catalogue_that_contradicts_itself_does_not_load(
    name: str, old: str, new: str, told: str
) -> None:
    texts = files()
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new)
    with pytest.raises(SchemaError, match=re.escape(told)):
        read_catalogue(texts)


def test_a_file_that_is_missing_is_named() -> None:
    texts = files()
    del texts["papers.toml"]
    with pytest.raises(SchemaError, match=r"papers\.toml"):
        read_catalogue(texts)


def test_ha_noi_has_51_wards_and_75_communes() -> None:
    names = list(hanoi_units().values())
    assert sum(name.startswith("Phường ") for name in names) == 51
    assert sum(name.startswith("Xã ") for name in names) == 75
    assert len(set(names)) == 126
    assert hanoi_units()["00070"] == "Phường Hoàn Kiếm"


def test_what_the_document_shows_can_be_added() -> None:
    document = (Path(__file__).parents[3] / "docs" / "CATALOGUE.md").read_text("utf-8")
    row, form, paper_line, table = re.findall(r"```toml\n(.*?)```", document, flags=re.DOTALL)
    texts = files()
    row = row.replace("1.001022", "1.999999").replace("Nhận cha, mẹ, con", "Thử", 1)
    texts["civil_status.toml"] += row
    section, asked, line = form.replace("1.001022", "1.999999").partition("[form]\n")
    texts["forms.toml"] = texts["forms.toml"].replace(asked, asked + line, 1) + section
    assert paper_line in texts["papers.toml"]
    texts["papers.toml"] = texts["papers.toml"].replace(
        paper_line, paper_line + paper_line.replace("giay-bao-tu", "giay-bao-tu-moi")
    )
    found = read_catalogue(texts)
    assert found.procedures["1.999999"].limit("verify") == TimeLimit(8, Unit.WORKING_DAY)
    assert "giay-bao-tu-moi" in found.papers
    assert len(read_tables(table)) == 1


@given(st.sampled_from(sorted(files())), st.data())
def test_a_damaged_file_loads_or_is_refused(name: str, data: st.DataObject) -> None:
    texts = files()
    at = data.draw(st.integers(0, len(texts[name])))
    cut = data.draw(st.integers(0, 40))
    put = data.draw(st.text(max_size=10) | st.sampled_from(["[" * 50_000, "9" * 5000, '"', "]"]))
    texts[name] = texts[name][:at] + put + texts[name][at + cut :]
    with suppress(SchemaError):
        read_catalogue(texts)
