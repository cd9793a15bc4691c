"""Where a home lies and what its settings are: a slip is named, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from central_hub.program import program as hub_program
from device_home.home import DEVICE_SETTINGS, HUB_SETTINGS, Home, settings
from edge_node.program import PROGRAM as EDGE
from mobile_app.program import PROGRAM as TABLET
from sync_protocol.errors import InputError


@pytest.mark.parametrize(
    ("line", "known", "sentence"),
    [
        (
            'peer_ulr = "https://a"',
            DEVICE_SETTINGS,
            "“peer_ulr” is no setting here; “peer_url” may",
        ),
        ("Idle_Check_S = 5", DEVICE_SETTINGS, "“idle_check_s” may be meant"),
        ("port = 8443", DEVICE_SETTINGS, "“port” is no setting here; there are disk_reserve_bytes"),
        ("[hub]\nport = 8443", HUB_SETTINGS, "“hub” is no setting here"),
        ("port 8443", HUB_SETTINGS, "can't be read"),
    ],
)
def test_what_is_no_setting_is_refused_and_the_nearest_one_named(
    tmp_path: Path, line: str, known: frozenset[str], sentence: str
) -> None:
    (tmp_path / "config.toml").write_text(line)
    with pytest.raises(InputError) as caught:
        settings(tmp_path, known, {})
    assert sentence in caught.value.diagnosis


def test_the_environment_overrules_and_may_hold_more(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 1")
    found = settings(tmp_path, HUB_SETTINGS, {"MOTCUA_PORT": "2", "MOTCUA_HOME": "x", "PORT": "3"})
    assert found.number("port", 4) == 2


def test_a_home_with_a_slip_is_given_back_unchanged(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("officr = 'Lan'")
    with pytest.raises(InputError, match="officer"):
        Home.create(tmp_path)
    assert [path.name for path in tmp_path.glob("vault*")] == []
    (tmp_path / "config.toml").write_text("officer = 'Lan'")
    Home.create(tmp_path).close()
    (tmp_path / "config.toml").write_text("officr = 'Lan'")
    for _ in range(2):  # it can be tried again: nobody owns it
        with pytest.raises(InputError, match="officer"):
            Home.open(tmp_path)


@pytest.mark.parametrize("program", [hub_program(), EDGE, TABLET], ids=lambda item: item.name)
def test_every_program_finds_its_home_by_the_same_variable(
    program: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = program.parser  # type: ignore[attr-defined]
    words = ["health"]
    monkeypatch.delenv("MOTCUA_HOME", raising=False)
    assert parser().parse_args(words).home == program.name  # type: ignore[attr-defined]
    monkeypatch.setenv("MOTCUA_HOME", "/srv/100%")
    assert parser().parse_args(words).home == "/srv/100%"
    assert "/srv/100%" in parser().format_help()
    assert parser().parse_args(["--home", "/else", *words]).home == "/else"
