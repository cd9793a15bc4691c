"""Two stations of one ward, apart and together again: conflicts shown, settled, never silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_protocol.dossier.sample import sample
from tests.integration.hub_fixture import Hub, running_hub
from tests.integration.process_fixture import Program, edge, write_lines

pytestmark = pytest.mark.process


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[tuple[Hub, Program, Program]]:
    with running_hub(tmp_path / "hub") as hub:
        pair = []
        for name in ("one", "two"):
            found = edge(tmp_path, name)
            found.ok("init")
            found.ok("enrol", "--invite", hub.invite("edge", name))
            pair.append(found)
        yield hub, pair[0], pair[1]


def test_what_two_wrote_is_shown_and_settled(
    tmp_path: Path, ward: tuple[Hub, Program, Program]
) -> None:
    hub, one, two = ward
    write_lines(tmp_path / "d.jsonl", [{**item, "status": "processing"} for item in sample(20, 1)])
    ids = [row["id"] for row in one.ok("intake", "d.jsonl", "--json").lines]
    supervisor = hub.officer("Trần Văn Thử", "supervisor")
    one.ok("sync")
    assert two.ask("sync")["entries_received"] >= 20
    assert one.ask("digest") == two.ask("digest")

    one.ok("dossier", "set", ids[0], "phone=0912000111", "status=ready")
    stop = ("status=stopped", "--reason", "Công dân rút hồ sơ.")
    two.ok("dossier", "set", ids[0], "phone=0912000222", *stop)
    two.ok("dossier", "set", ids[1], "phone=0912000333")
    one.ok("dossier", "set", ids[1], "address.line=Số 1")  # another field: no conflict
    for program in (one, two, one):
        program.ok("sync")
    found = one.ask("conflict", "list")
    assert {(item["id"], item["field"]) for item in found} == {
        (ids[0], "phone"),
        (ids[0], "status"),
    }
    assert found == two.ask("conflict", "list") or len(two.ask("conflict", "list")) == 2
    by_field = {item["field"]: item for item in found}
    assert {v["value"] for v in by_field["phone"]["values"]} == {"0912000111", "0912000222"}
    assert by_field["status"]["owner"] == "supervisor"

    answer = one.run("conflict", "settle", ids[0], "status", "--take", "1")
    assert (answer.code, "[not-allowed]" in answer.err) == (1, True)  # a supervisor's affair
    one.ok("conflict", "settle", ids[0], "status", "--take", "1", "--officer", supervisor.hex())
    two.ok("conflict", "settle", ids[0], "phone", "--value", "0912000999")
    assert one.run("conflict", "settle", ids[0], "name", "--value", "x").code == 1
    for program in (one, two, one):
        program.ok("sync")
    assert one.ask("conflict", "list") == two.ask("conflict", "list") == []
    shown = two.ask("dossier", "show", ids[0])
    assert shown["fields"]["phone"]["value"] == "0912000999"
    assert shown["status"] in ("8", "9")
    assert one.ask("digest") == two.ask("digest")
    assert one.ask("digest")["sha256"] == hub.replica.digest().sha256
    assert one.ask("quarantine", "list") == []


def test_everything_verifies_on_both(tmp_path: Path, ward: tuple[Hub, Program, Program]) -> None:
    _, one, two = ward
    for number, program in enumerate((one, two)):
        write_lines(tmp_path / f"{number}.jsonl", list(sample(300, number)))
        program.ok("intake", f"{number}.jsonl")
    for program in (one, two, one):
        program.ok("sync")
    for program in (one, two):
        answer = program.ask("verify")
        assert answer["sound"], answer
        assert {item["check"] for item in answer["checks"]} == {
            *("chains", "journal", "pages", "chunks", "views")
        }
    assert one.ask("digest") == two.ask("digest")
