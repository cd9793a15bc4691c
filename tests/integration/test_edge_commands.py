"""The station's commands, as real processes: intake, lists, changes, scans, and bad input."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_home.home import Home
from device_home.intake import REMARKS_SHOWN_MAX
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.sample_scan import write_scans
from sync_protocol.storage.sqlite import open_database
from sync_protocol.storage.sqlite_chains import SCHEMA
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge, write_lines

pytestmark = pytest.mark.process


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as found:
        yield found


def enrolled(folder: Path, hub: Hub, name: str) -> Program:
    found = edge(folder, name)
    found.ok("init")
    found.ok("enrol", "--invite", hub.invite("edge", name))
    return found


def made(count: int, seed: int = 1) -> list[dict[str, Any]]:
    return list(sample(count, seed))


def test_sample_prints_what_intake_takes(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    text = station.ok("sample", "--count", "30", "--seed", "4", "--scans", "scans").out
    (tmp_path / "d.jsonl").write_text(text)
    answer = station.ok("intake", "d.jsonl", "--json")
    assert [row["line"] for row in answer.lines] == list(range(1, 31))
    assert all(row["saved"] for row in answer.lines)
    assert len({row["id"] for row in answer.lines}) == 30
    assert station.ok("sample", "--count", "30", "--seed", "4", "--scans", "scans").out == text
    assert station.ask("health")["scans_waiting"] == 30
    done = station.ask("sync")
    assert (done["entries_sent"], done["conflicts_open"]) == (30, 0)
    assert done["chunks_sent"] == 30
    assert set(done) >= {"requests", "bytes_sent", "bytes_received", "duration_ms"}
    assert station.ask("health")["scans_waiting"] == 0
    assert station.ask("digest")["sha256"] == hub.replica.digest().sha256
    assert station.ask("sync")["requests"] == 1


def test_bad_lines_are_told_and_stop_no_other(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    good = made(6)
    (tmp_path / "fake.jpg").write_bytes(b"no picture at all")
    (tmp_path / "huge.jpg").write_bytes(b"\xff\xd8\xff" + bytes(20 << 20))
    bad: dict[str, dict[str, Any]] = {
        "procedure": {**good[0], "procedure": "9.999999"},
        "number": {
            **good[0],
            "applicant": {**good[0]["applicant"], "citizen_number": "09709000001"},
        },
        "fake": {**good[0], "scans": ["fake.jpg"]},
        "huge": {**good[0], "scans": ["huge.jpg"]},
        "missing": {**good[0], "scans": ["nowhere.jpg"]},
        "outside": {**good[0], "scans": ["../fake.jpg"]},
    }
    bad["number"]["applicant"].pop("passport", None)
    lines = [json.dumps(item, ensure_ascii=False) for item in [*good[:3], *bad.values(), *good[3:]]]
    lines.insert(2, '{"procedure": ')
    lines.insert(5, "x" * 70_000)
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    answer = station.run("intake", "d.jsonl", "--json")
    assert answer.code == 1
    saved = [row for row in answer.lines if row.get("saved")]
    refused = [row for row in answer.lines if "error" in row]
    assert len(saved) == len({row["id"] for row in saved}) == 6
    assert [row["line"] for row in refused] == [3, 5, 6, 7, 8, 9, 10, 11]
    assert {row["error"] for row in refused} == {"bad-input", "attachment-refused"}
    assert all(row["diagnosis"] and "\n" not in row["diagnosis"] for row in refused)
    assert "8 lines were refused" in answer.err
    assert "line 3: " in answer.err
    assert "line 10: The scan “scans[1]” is missing or can't be read. [bad-input]" in answer.err
    assert "line 8: “scans[1]”: " in answer.err
    assert "nowhere.jpg" not in answer.err, "a name in the file may be a person's"
    assert "Traceback" not in answer.err
    for item in good:
        assert item["applicant"]["name"] not in answer.err
    assert len(station.ask("dossier", "list")) == 6


def test_each_remark_is_told_with_its_line_and_on_a_screen_only_the_first(
    tmp_path: Path, hub: Hub
) -> None:
    station = enrolled(tmp_path, hub, "e1")
    plain, *others = made(60)
    bare = {"name": plain["applicant"]["name"]}
    write_lines(tmp_path / "d.jsonl", [{**item, "applicant": bare} for item in (plain, *others)])
    answer = station.ok("intake", "d.jsonl", "--json")
    for number, row in enumerate(answer.lines, start=1):
        assert row["saved"]
        [remark] = row["remarks"]
        assert (row["line"], remark["code"]) == (number, "identity-missing")
        assert (remark["field"], bool(remark["diagnosis"])) == ("applicant.citizen_number", True)
    told = [line for line in answer.err.splitlines() if line.startswith("line ")]
    assert told[0] == (
        "line 1: “applicant.citizen_number”: No identity document is given. [identity-missing]"
    )
    assert len(told) == REMARKS_SHOWN_MAX
    assert "10 more remarks are not shown" in answer.err
    again = station.ok("intake", "d.jsonl", "--again")
    assert "60 dossiers saved, 60 remarks." in again.out
    assert bare["name"] not in answer.err


def test_a_file_given_again_saves_nothing_twice(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    write_lines(tmp_path / "d.jsonl", made(9))
    first = station.ok("intake", "d.jsonl", "--json").lines
    write_lines(tmp_path / "d.jsonl", made(12))
    answer = station.ok("intake", "d.jsonl", "--json")
    assert [row["id"] for row in answer.lines if row.get("duplicate")] == [r["id"] for r in first]
    assert "9 lines had been saved before" in answer.err
    assert station.ask("digest")["records"] == 12
    station.ok("intake", "d.jsonl", "--again")
    assert station.ask("digest")["records"] == 24


def test_a_nearly_full_disk_begins_nothing(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    write_lines(tmp_path / "d.jsonl", made(3))
    free = shutil.disk_usage(tmp_path).free
    short = Program(station.module, station.home, {"MOTCUA_DISK_RESERVE_BYTES": str(10 * free)})
    answer = short.run("intake", "d.jsonl", "--json")
    assert answer.code == 1
    assert answer.lines[-1]["error"] == "store-full"
    assert station.ask("digest")["records"] == 0
    station.ok("intake", "d.jsonl")


def test_set_writes_what_was_shown_and_refuses_the_rest(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    write_lines(tmp_path / "d.jsonl", [{**item, "status": "received"} for item in made(1)])
    record = station.ok("intake", "d.jsonl", "--json").lines[0]["id"]
    shown = station.ask("dossier", "show", record)
    done = station.ask(
        "dossier", "set", record[:20], "phone=0912 000 123", "status=processing", "--note", "Đã gọi"
    )
    assert done["changed"]
    after = station.ask("dossier", "show", record)
    assert after["fields"]["phone"]["value"] == "0912000123"
    assert after["status"] == "4"
    assert after["etag"] == done["etag"] != shown["etag"]
    assert "Đã gọi" in [note["text"] for note in after["notes"]]
    assert len(after["history"]) == 2
    device = next(row["id"] for row in station.ask("tablet", "list") if row["label"] == "e1")
    assert {item["device"] for item in after["history"]} == {device}
    assert not after["conflicts"]
    text = station.ok("dossier", "show", record).out
    assert "  Số điện thoại [phone]: 0912000123\n" in text
    assert "  Tình trạng [status]: Đang xử lý\n" in text
    assert "  Ghi chú: Đã gọi\n" in text
    assert not re.search(r"None|\['|b'", text)
    for name in ("4", "processing", "Đang xử lý", "dang xu ly"):
        assert [row["id"] for row in station.ask("dossier", "list", "--status", name)] == [record]
    assert station.ask("dossier", "list", "--status", "Được tiếp nhận") == []
    mixed = ("--officer", "", record, "--note", "Hai", "status=Đã xử lý xong")
    assert station.ask("dossier", "set", *mixed)["changed"]
    back = ("status=dang xu ly", record, "--note", "Ba")
    assert "needs its reason" in station.run("dossier", "set", *back).err
    done = station.ask("dossier", "set", *back, "--reason", "Kết quả sai ngày sinh.")
    again = station.ask("dossier", "set", record, "phone=0912000123")
    assert not again["changed"]
    for words, code in (
        (["shoe=42"], "bad-input"),
        (["phone"], "bad-input"),
        (["phone=12"], "bad-input"),
        (["status=flying"], "bad-input"),
        (["status=returned"], "bad-input"),
        (["identity=09709000001"], "bad-input"),
        (["name="], "bad-input"),
        (["approval=yes"], "not-allowed"),
        (["phone=0912000124", "--etag", shown["etag"]], "not-allowed"),
        (["phone=0912000124", "--officer", "nobody"], "bad-input"),
        (["phone=0912000124", "--seen", "xx:1"], "bad-input"),
    ):
        answer = station.run("dossier", "set", record, *words)
        assert (answer.code, answer.err.count("\n")) == (1, 1), answer
        assert f"[{code}]" in answer.err, answer
    gone = station.run("dossier", "set", record, "--add-paper", "a", "b", "--scan", "gone.jpg")
    assert "The scan “gone.jpg” is missing" in gone.err
    assert station.ask("dossier", "show", record)["etag"] == done["etag"]
    assert station.run("dossier", "show", "ffff").code == 1
    assert station.run("dossier", "show", "zz").code == 1


def test_a_script_says_which_values_it_saw(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    write_lines(tmp_path / "d.jsonl", made(1))
    record = station.ok("intake", "d.jsonl", "--json").lines[0]["id"]
    seen = station.ask("dossier", "show", record)["fields"]["phone"]["dots"]
    station.ask("dossier", "set", record, "phone=0912000111", "--seen", *seen)
    station.ask("dossier", "set", record, "phone=0912000222", "--seen", *seen)  # saw the first one
    found = station.ask("conflict", "list")
    assert [(item["field"], item["kind"]) for item in found] == [("phone", "values")]
    assert {value["value"] for value in found[0]["values"]} == {"0912000111", "0912000222"}


def test_who_opens_a_scan_is_written_down_first(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    page = write_scans(tmp_path / "scans", 1, 3)[0].read_bytes()
    write_lines(tmp_path / "d.jsonl", [{**made(1)[0], "scans": ["scans/page-00001.jpg"]}])
    record = station.ok("intake", "d.jsonl", "--json").lines[0]["id"]
    clerk = hub.officer("Nguyễn Thị Thử", "clerk")
    station.ok("sync")
    papers = station.ask("dossier", "show", record)["papers"]
    number = next(paper["n"] for paper in papers if paper["scan"])
    assert papers[number - 1]["scan"]["saved"] == {"device": True, "edge": True, "hub": True}
    assert [row["id"] for row in station.ask("officer", "list")] == [clerk.hex()]
    words = ["dossier", "scan", record, str(number), "--to", "out.jpg", "--officer", "thu"]
    assert station.ask(*words)["bytes"] == len(page)
    assert (tmp_path / "out.jpg").read_bytes() == page
    assert station.run(*words).code == 1  # the file is there already
    read = station.ask("dossier", "show", record)["scans_read"]
    assert [item["officer"] for item in read] == [clerk.hex()]
    other = enrolled(tmp_path, hub, "e2")  # another edge gets the ward's key shared
    station.ok("sync")
    other.ok("sync")
    other.ok("dossier", "scan", record, str(number), "--to", "other.jpg")
    assert (tmp_path / "other.jpg").read_bytes() == page


def test_the_three_ticks_come_one_by_one(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    write_lines(tmp_path / "d.jsonl", made(1))
    record = station.ok("intake", "d.jsonl", "--json").lines[0]["id"]
    ticks = {"device": True, "edge": True, "hub": False, "backed_up": False}
    assert station.ask("dossier", "show", record)["saved"] == ticks
    assert station.ask("health")["entries_unsent"] >= 1
    station.ok("sync")
    assert station.ask("dossier", "list")[0]["saved"] == {**ticks, "hub": True}
    health = station.ask("health")
    assert health["entries_unsent"] == 0
    assert health["last_success_s"] >= 0
    station.ok("dossier", "set", record, "phone=0912000123")
    assert station.ask("dossier", "show", record)["saved"] == ticks


def test_nothing_lies_in_clear_on_the_disk(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    canary = "Canhbao Kiemtra"
    item = made(1)[0]
    item["applicant"]["name"] = canary
    item["notes"] = ["Ghi chú Canhbao"]
    page = write_scans(tmp_path / "scans", 1, 3)[0]
    write_lines(tmp_path / "d.jsonl", [{**item, "scans": ["scans/page-00001.jpg"]}])
    with station.serving():
        station.ok("intake", "d.jsonl")
        assert station.ask("dossier", "list", "--text", "canhbao")
        station.ok("sync")
        assert not leaks(station.home, canary, page.read_bytes()[1000:1040])
    assert not leaks(station.home, canary, page.read_bytes()[1000:1040])
    phone = str(item["applicant"]["phone"])
    assert not leaks(station.home, phone, b"Canhbao")


def leaks(home: Path, text: str, part: bytes) -> list[Path]:
    wanted = (text.encode(), text.casefold().encode(), text.encode("utf-16-le"), part)
    return [
        path
        for path in home.rglob("*")
        if path.is_file() and any(item in path.read_bytes() for item in wanted)
    ]


def test_without_a_line_work_goes_on(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    port = hub.port
    hub.stop()
    write_lines(tmp_path / "d.jsonl", made(3))
    assert len(station.ok("intake", "d.jsonl", "--json").lines) == 3
    answer = station.run("sync", "--json")
    assert (answer.code, answer.json["error"]) == (1, "unreachable")
    assert "Nothing is lost" in answer.json["diagnosis"]
    assert station.ask("health")["entries_unsent"] >= 3
    hub.start(port)
    assert station.ask("sync")["entries_sent"] >= 3


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    home = Home.open(station.home)
    ward = home.place().ward
    key = home.vault.key(f"log/{ward.hex()}")
    home.close()
    connection = open_database(str(home.ward_folder(ward) / "log.db"), key, SCHEMA)
    connection.execute("pragma user_version=99")
    connection.close()
    before = (home.ward_folder(ward) / "log.db").read_bytes()
    for words in (["digest"], ["dossier", "list"], ["repair"]):
        answer = station.run(*words)
        assert (answer.code, answer.err.count("\n")) == (1, 1), answer
        assert "[newer-store]" in answer.err
    assert (home.ward_folder(ward) / "log.db").read_bytes() == before


def test_a_wrong_key_opens_nothing(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    kept = (station.home / "unattended.key").read_bytes()
    (station.home / "unattended.key").write_bytes(os.urandom(len(kept)))
    answer = station.run("digest")
    assert (answer.code, answer.err.count("\n")) == (1, 1), answer
    assert "[wrong-key]" in answer.err
    (station.home / "unattended.key").write_bytes(kept)
    station.ok("digest")


def test_a_file_that_is_missing_is_named(tmp_path: Path, hub: Hub) -> None:
    station = enrolled(tmp_path, hub, "e1")
    for words in (("intake", "gone.jsonl"), ("dossier", "set", "--file", "gone.jsonl")):
        answer = station.run(*words)
        assert (answer.code, answer.err.count("\n")) == (1, 1), answer
        assert "“gone.jsonl” is missing or can't be read. [bad-input]" in answer.err
