"""A record is named by the beginning of its id, without a look at every record."""

from __future__ import annotations

import pytest

from sync_protocol.errors import InputError
from tests.small_ward import Ward, make


def test_the_beginning_of_an_id_finds_its_record_and_reads_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edge = Ward("e1")["e1"]
    first, second = make(edge, "An"), make(edge, "Bình")
    monkeypatch.setattr(edge.rooms.views, "scan", None)
    assert edge.resolve_id(f" {first.hex().upper()[:-1]} ") == first, "half a byte is enough"
    assert edge.resolve_id(second.hex()) == second
    for prefix in ("", first.hex()[:4]):  # made in the same second
        with pytest.raises(InputError, match="Several"):
            edge.resolve_id(prefix)
    for prefix in ("ffff", first.hex() + "0"):
        with pytest.raises(InputError, match="No dossier"):
            edge.resolve_id(prefix)
    with pytest.raises(ValueError, match="hex"):
        edge.resolve_id("phường")
