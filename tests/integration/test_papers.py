"""What the ward holds of a person is offered, with where it lies; another person's never is."""

from __future__ import annotations

import json
from typing import Any

from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.identity import NO_OFFICER
from sync_protocol.replica import Replica
from tests.integration.desk import ask, run
from tests.integration.exchange.office import Office

PAGE = b"\xff\xd8\xff page"


def made(replica: Replica, number: str, *, scan: str = "", **changed: Any) -> str:
    """Capture one dossier of a person, perhaps with a scanned paper; return its id."""
    row = {
        **next(iter(sample(1, 1))),
        "status": "received",
        "due_on": None,
        "papers": [],
        **changed,
    }
    row["applicant"] = {"name": "Nguyễn Thị Thử", "citizen_number": number}
    read = read_intake(json.dumps(row).encode())
    attached = []
    if scan:
        manifest = replica.attach(PAGE, "image/jpeg")
        attached = [paper(scan, "Bản chụp", manifest=manifest, state="compared")]
    return replica.write([read.change(attached)], NO_OFFICER).records[0].hex()


def test_what_was_given_once_is_offered_and_taken_with_its_scan() -> None:
    edge = Office().edge()
    first = made(edge, "097190000001", scan="giay-khai-sinh", procedure="1.004873")
    made(edge, "097190000002", scan="giay-to-ho-tich", procedure="1.004873")
    again = made(edge, "097190000001", procedure="1.004884")
    shown = ask(edge, "dossier", "papers", again)
    [held] = [row for row in shown["papers"] if row["answer"] == "held"]
    assert (held["type"], held["ground"]) == ("giay-khai-sinh", "TT 01/2023/TT-VPCP")
    evidence = held["evidence"]
    assert (evidence["id"], evidence["n"], evidence["has_scan"]) == (first, 1, True)
    assert (shown["count"]["held"], shown["count"]["needed"]) == (1, 2)

    taken = ask(edge, "dossier", "papers", again, "--take")
    assert (taken["count"]["held"], taken["count"]["known"]) == (0, 1)
    [kept] = ask(edge, "dossier", "show", again)["papers"]
    assert (kept["type"], kept["state"]) == ("giay-khai-sinh", "known")
    assert first[:20] in kept["note"]
    assert kept["scan"]["bytes"] == len(PAGE)
    assert ask(edge, "dossier", "papers", again, "--take") == taken
    assert len(ask(edge, "dossier", "show", again)["history"]) == 2


def test_once_the_number_was_corrected_nothing_of_the_other_person_is_offered() -> None:
    edge = Office().edge()
    made(edge, "097190000001", scan="giay-khai-sinh", procedure="1.004873")
    again = made(edge, "097190000001", procedure="1.004884")
    assert ask(edge, "dossier", "papers", again)["count"]["held"] == 1
    ask(edge, "dossier", "set", again, "identity=097190000002")
    assert ask(edge, "dossier", "papers", again)["count"]["held"] == 0
    assert run(edge, "dossier", "papers", again, "--channel", "pigeon").code != 0
    online = ask(edge, "dossier", "papers", again, "--channel", "online")
    assert "bieu-mau-dien-tu" in {row["type"] for row in online["papers"]}
