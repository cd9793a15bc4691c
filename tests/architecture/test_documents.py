"""Do the documents say what is so? What can be compared with the code, is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from central_hub.program import program as hub_program
from edge_node.program import PROGRAM as EDGE
from mobile_app.program import PROGRAM as TABLET
from sync_protocol import errors, limits
from sync_protocol.crypto import signature
from sync_protocol.errors import SyncError
from sync_protocol.membership.grant import (
    COMPROMISED,
    LAPSED,
    LOCKED,
    LOST,
    RETIRED,
    TAG_BY_TYPE,
)
from sync_protocol.transport import http_contract as contract
from sync_protocol.wire.message import Kind

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROTOCOL = (ROOT / "docs" / "PROTOCOL.md").read_text("utf-8")
SHIPPED = ("sync_protocol", "device_home", "edge_node", "mobile_app", "central_hub")


def kinds(root: type[SyncError]) -> Iterator[type[SyncError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from kinds(child)


def section(number: int) -> str:
    """Return one section of the protocol."""
    return re.split(r"^## (?=\d+\.)", PROTOCOL, flags=re.MULTILINE)[number]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def source(*buildings: str) -> str:
    roots = [ROOT / name for name in buildings]
    paths = sorted(path for root in roots for path in [root, *root.rglob("*.py")] if path.is_file())
    return "\n".join(path.read_text("utf-8") for path in paths)


def test_every_error_is_in_the_protocol_with_its_status() -> None:
    told: dict[str, str] = {}
    for row in rows(section(18)):
        told.update(dict.fromkeys(re.findall(r"`([a-z-]+)`", row[0]), row[1]))
    wanted = {kind.code: str(contract.status_of(kind(""))) for kind in kinds(SyncError)}
    assert told == wanted


def test_every_kind_of_message_is_in_the_protocol() -> None:
    text = section(10)
    missing = {kind.name for kind in Kind if f"{int(kind)} {kind.name}" not in text}
    missing -= {row[1] for row in rows(text) if row[0].isdigit() and Kind[row[1]] == int(row[0])}
    assert not missing
    table = {row[1]: int(row[0]) for row in rows(text) if row[0].isdigit()}
    assert table == {kind.name: int(kind) for kind in Kind if kind < 100}


def test_every_statement_is_in_the_protocol_with_its_tag_and_fields() -> None:
    told = {row[1]: (int(row[0]), row[2]) for row in rows(section(6)) if row[0].isdigit()}
    assert {name: tag for name, (tag, _) in told.items()} == {
        kind.__name__: tag for kind, tag in TAG_BY_TYPE.items()
    }
    for kind in TAG_BY_TYPE:
        named = [part.split()[0] for part in told[kind.__name__][1].split(", ")]
        assert tuple(named) == kind.__struct_fields__


def test_every_reason_of_a_judgement_is_in_the_protocol() -> None:
    text = source("sync_protocol/membership", "sync_protocol/replica")
    found = set(re.findall(r'held\("([a-z-]+)"', text))
    found |= set(re.findall(r'WaitsError\("([a-z-]+)"\)', text))
    found |= set(re.findall(r'Standing\.PENDING, "([a-z-]+)"', text))
    found |= {f"revoked-{reason}" for reason in (LOST, RETIRED, COMPROMISED, LOCKED, LAPSED, "hub")}
    assert len(found) > 10, "the reasons are not where they were"
    told = section(7)
    assert not {reason for reason in found if f"`{reason}" not in told}


def test_every_domain_of_a_signature_or_hash_is_in_the_protocol() -> None:
    wanted = {value.decode() for value in vars(signature).values() if isinstance(value, bytes)}
    rooms = ("log", "wire", "membership", "identity.py", "attachment.py")
    for room in rooms:
        wanted |= set(re.findall(r'b"(motcua/[a-z-]+/1)"', source(f"sync_protocol/{room}")))
    told = set(re.findall(r"motcua/[a-z-]+/1", section(1)))
    assert wanted - told == {"motcua/journal/1"}, "the journal never leaves its device"


def test_every_limit_in_the_protocol_is_the_codes() -> None:
    told = {row[0]: row[1] for row in rows(section(17)) if row[0].isupper()}
    assert len(told) > 15
    for name, value in told.items():
        assert float(value) == float(getattr(limits, name)), name


def test_every_rule_of_the_protocol_has_a_number_of_its_own_in_order() -> None:
    for number in range(1, 21):
        text = section(number)
        found = re.findall(rf"^\* \*\*{number}\.(\d+)\*\*", text, flags=re.MULTILINE)
        assert [int(item) for item in found] == list(range(1, len(found) + 1)), number
        assert len(re.findall(r"^\* ", text, flags=re.MULTILINE)) == len(found), number


def test_rules_that_are_pointed_at_exist() -> None:
    rules = set(re.findall(r"^\* \*\*(\d+\.\d+)\*\*", PROTOCOL, flags=re.MULTILINE))
    text = re.sub(r"```.*?```", "", PROTOCOL, flags=re.DOTALL)
    pointed = set(re.findall(r"(?<![\d.])([1-9]|1\d|20)\.(\d{1,2})(?![\d.])", text))
    assert not {f"{a}.{b}" for a, b in pointed} - rules - {"1.1"}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://|mailto:|NNNN", target):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found), target


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_word_of_the_glossary_lives_in_the_code() -> None:
    code = source(*SHIPPED).lower()
    told = [row[0] for row in rows((ROOT / "docs" / "GLOSSARY.md").read_text("utf-8"))[2:]]
    words = [word for cell in told for word in cell.split(", ")]
    assert len(words) == len(set(words)) > 80
    assert not [word for word in words if not re.search(rf"\b{re.escape(word)}", code)]


def typed(name: str) -> list[list[str]]:
    """Return the words of each line that a document tells to type."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
    lines = [line.partition(" #")[0].split() for block in blocks for line in block.splitlines()]
    return [words for words in lines if words]


def test_what_the_readme_types_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert typed("README.md")
    for words in typed("README.md"):
        assert words[0] == "make"
        assert words[1] in targets


def test_what_operating_types_exists() -> None:
    assert len(typed("docs/OPERATING.md")) > 20
    for words in typed("docs/OPERATING.md"):
        assert words[1] == "--home"
        assert {words[3], " ".join(words[3:5])} & _commands(words[0]), " ".join(words)


def _commands(program: str) -> set[str]:
    if program == "motcua-hub":
        return {command.name for command in hub_program().commands}
    device = {"motcua-edge": EDGE, "motcua-tablet": TABLET}[program]
    return {command.name for command in device.commands}


def test_decisions_are_numbered_and_name_their_price() -> None:
    paths = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in paths] == list(range(len(paths)))
    for path in paths:
        text = path.read_text("utf-8")
        assert text.startswith(f"# {path.name[:4]}: ")
        for part in ("Context", "Options", "Outcome", "Price"):
            _, _, rest = text.partition(f"\n## {part}\n")
            assert len(rest.partition("\n## ")[0].split()) > 12, f"{path.name}: {part}"
