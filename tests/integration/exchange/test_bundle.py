"""A stick between two replicas: whole, halved, doubled, shuffled, mixed up, damaged."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from sync_protocol import limits
from sync_protocol.attachment import read_manifest
from sync_protocol.crypto.key import AgreementKey, DeviceKeys
from sync_protocol.dossier.intake import paper, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.errors import InputError, StoreFullError, WrongKeyError, WrongWardError
from sync_protocol.exchange.bundle import Exported, export_bundle, find_recipient
from sync_protocol.exchange.unbundle import Imported, import_bundle, wards_in
from sync_protocol.identity import NO_OFFICER
from sync_protocol.membership import grant as g
from sync_protocol.replica import Replica
from sync_protocol.storage.memory import MemoryChunks
from sync_protocol.transport.folder import Folder
from tests.integration.exchange.office import Office, capture, change_phone, same


@pytest.fixture
def office() -> Office:
    return Office()


def _put(replica: Replica, stick: Path, office: Office, to: Replica) -> Exported:
    return export_bundle(replica, Folder(stick), office.to(to))


def _take(replica: Replica, stick: Path, **options: bool) -> Imported:
    imported = import_bundle(replica, Folder(stick), [replica.keys.agreement], **options)
    replica.follow()
    return imported


def _pieces(stick: Path) -> list[Path]:
    return sorted(stick.glob("*.piece"))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut bundles into pieces of one block."""
    monkeypatch.setattr(limits, "BUNDLE_PIECE_BYTES", 1)


def test_a_stick_brings_everything_and_the_receipt_moves_the_ticks(
    office: Office, tmp_path: Path
) -> None:
    edge = office.edge()
    capture(edge, 300)
    exported = _put(edge, tmp_path, office, office.hub)
    assert (exported.entries, exported.pieces) == (300, 1)
    imported = _take(office.hub, tmp_path)
    assert (imported.entries, imported.pieces, imported.sentences()) == (300, 1, [])
    assert same(edge, office.hub)
    assert not edge.receipts.safety(edge.own, 300).hub
    answer = _take(edge, tmp_path)
    assert (answer.receipts, answer.sentences()) == (1, [])
    assert edge.receipts.safety(edge.own, 300).hub


def test_the_next_bundle_starts_from_what_was_acknowledged(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    capture(edge, 300)
    _put(edge, tmp_path, office, office.hub)
    _take(office.hub, tmp_path)
    _take(edge, tmp_path)
    capture(edge, 5, seed=2)
    exported = _put(edge, tmp_path, office, office.hub)
    assert exported.entries == 5
    assert exported.removed == 2, "the older bundle, piece and manifest, makes room"
    assert _take(office.hub, tmp_path).entries == 5
    assert same(edge, office.hub)


def test_without_a_receipt_all_is_written_again_and_overlaps_harmlessly(
    office: Office, tmp_path: Path
) -> None:
    edge = office.edge()
    capture(edge, 10)
    _put(edge, tmp_path, office, office.hub)
    _take(office.hub, tmp_path, answer=False)
    capture(edge, 10, seed=2)
    assert _put(edge, tmp_path, office, office.hub).entries == 20
    assert _take(office.hub, tmp_path).entries == 10
    assert same(edge, office.hub)


def test_a_conflict_comes_by_stick_as_by_wire(office: Office, tmp_path: Path) -> None:
    one, two = office.edge("một"), office.edge("hai")
    record = capture(one, 1)[0]
    _put(one, tmp_path, office, two)
    _take(two, tmp_path)
    change_phone(one, record, "0912000001")
    change_phone(two, record, "0912000002")
    _put(one, tmp_path, office, two)
    _put(two, tmp_path, office, one)
    for replica in (one, two):
        _take(replica, tmp_path)
    assert same(one, two)
    view = one.read(record)
    assert view is not None
    assert [item.kind for item in view.conflicts] == ["values"]


def test_whoever_carries_relays_other_feeds_and_receipts(office: Office, tmp_path: Path) -> None:
    one, two = office.edge("một"), office.edge("hai")
    capture(one, 20)
    _put(one, tmp_path, office, two)
    _take(two, tmp_path)
    office.sync(two)
    assert same(one, office.hub) is False
    _put(two, tmp_path, office, one)
    _take(one, tmp_path)
    safety = one.receipts.safety(one.own, 20)
    assert safety.hub
    assert safety.edges == {two.keys.public}


def _capture_scans(edge: Replica, sizes: list[int]) -> None:
    for size in sizes:
        manifest = edge.attach(os.urandom(size), "image/jpeg")
        scan = read_manifest(manifest).id
        page = paper("page", "Trang", attachment=scan, manifest=manifest)
        line = json.dumps(next(sample(1, size))).encode()
        edge.write([read_intake(line).change([page])], NO_OFFICER)


def test_scans_travel_along_and_are_receipted(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    _capture_scans(edge, [1000, 300_000])
    exported = _put(edge, tmp_path, office, office.hub)
    assert exported.chunks == 3
    imported = _take(office.hub, tmp_path)
    assert imported.chunks == 3
    waiting = list(edge.scans.waiting())
    assert len(waiting) == 2
    assert not any(edge.receipts.scan_safety(scan).hub for scan in waiting)
    _take(edge, tmp_path)
    assert all(edge.receipts.scan_safety(scan).hub for scan in waiting)
    assert edge.scans.waiting() == {}, "a ward without a line would count them for ever"
    assert _put(edge, tmp_path, office, office.hub).chunks == 0


@pytest.mark.usefixtures("small_pieces")
class TestPieces:
    """Four blocks and a tail in five pieces."""

    def _made(self, office: Office, stick: Path) -> tuple[Replica, list[Path]]:
        edge = office.edge()
        capture(edge, 1100)
        _put(edge, stick, office, office.hub)
        found = _pieces(stick)
        assert len(found) == 5
        return edge, found

    def test_shuffled_pieces_are_put_in_order(self, office: Office, tmp_path: Path) -> None:
        edge, found = self._made(office, tmp_path)
        for number, path in enumerate(reversed(found)):
            path.rename(tmp_path / f"{number}.PIECE")
        assert _take(office.hub, tmp_path).sentences() == []
        assert same(edge, office.hub)

    def test_doubled_and_renamed_copies_change_nothing(
        self, office: Office, tmp_path: Path
    ) -> None:
        edge, found = self._made(office, tmp_path)
        for path in found:
            shutil.copy(path, tmp_path / f"Bản sao {path.name}")
        imported = _take(office.hub, tmp_path)
        assert (imported.doubled, imported.pieces) == (5, 5)
        assert same(edge, office.hub)

    @pytest.mark.parametrize("gone", range(5))
    def test_a_missing_piece_is_named_and_the_rest_is_used(
        self, office: Office, tmp_path: Path, gone: int
    ) -> None:
        edge, found = self._made(office, tmp_path)
        kept = found[gone].read_bytes()
        found[gone].unlink()
        imported = _take(office.hub, tmp_path)
        sentences = imported.sentences()
        assert f"of 5 pieces are missing or damaged ({gone + 1}" in sentences[0]
        before = gone * 256
        assert imported.entries == before, "what lies before the gap is taken in, and folded"
        assert office.hub.digest().records == before
        if gone < 4:
            assert [item.code for item in imported.refused.values()] == ["feed-gap"]
        found[gone].write_bytes(kept)
        assert _take(office.hub, tmp_path).sentences() == []
        assert same(edge, office.hub)

    def test_a_half_copied_stick_is_used_and_said_to_be_unfinished(
        self, office: Office, tmp_path: Path
    ) -> None:
        _, found = self._made(office, tmp_path)
        for path in [*found[3:], *tmp_path.glob("*.manifest")]:
            path.unlink()
        imported = _take(office.hub, tmp_path)
        assert imported.entries == 3 * 256
        assert len(imported.lacking) == 1
        assert "not finished" in imported.sentences()[0]

    def test_two_sticks_in_one_folder(self, office: Office, tmp_path: Path) -> None:
        one, two = office.edge("một"), office.edge("hai")
        sticks = [tmp_path / "a", tmp_path / "b", tmp_path / "both"]
        for stick in sticks:
            stick.mkdir()
        capture(one, 700)
        _put(one, sticks[0], office, office.hub)
        office.now_ms += 1
        capture(one, 700, seed=2)
        capture(two, 600, seed=3)
        _put(one, sticks[1], office, office.hub)
        _put(two, sticks[1], office, office.hub)
        files = [*sticks[0].iterdir(), *sticks[1].iterdir()]
        for number, path in enumerate(sorted(files, key=lambda item: item.name[-20:])):
            if path.suffix == ".piece" or number % 2:
                shutil.copy(path, sticks[2] / f"{number % 7}-{path.name}")
        imported = _take(office.hub, sticks[2])
        assert not imported.refused
        assert imported.entries == 2000
        for edge in (one, two):
            office.sync(edge)
            assert office.hub.digest() == edge.digest()

    def test_a_relayed_feed_cut_in_its_middle_waits_for_the_rest(
        self, office: Office, tmp_path: Path
    ) -> None:
        one, two = office.edge("một"), office.edge("hai")
        capture(one, 1100)
        _put(one, tmp_path, office, two)
        _take(two, tmp_path)
        stick = tmp_path / "next"
        stick.mkdir()
        _put(two, stick, office, office.hub)
        last = _pieces(stick)[-1]
        kept = last.read_bytes()
        last.unlink()
        assert _take(office.hub, stick).entries == 1024
        assert office.hub.digest().records == 0, "held, not yet proved by the seal"
        last.write_bytes(kept)
        assert _take(office.hub, stick).entries == 76
        assert office.hub.digest().records == 1100


class TestDamage:
    """One piece and one manifest, hurt in every way."""

    def _made(self, office: Office, stick: Path) -> tuple[Replica, Path, Path]:
        edge = office.edge()
        capture(edge, 3)
        _put(edge, stick, office, office.hub)
        capture(edge, 3, seed=2)
        return edge, _pieces(stick)[0], next(stick.glob("*.manifest"))

    def test_every_flipped_byte_is_noticed_and_other_pieces_come_in(
        self, office: Office, tmp_path: Path
    ) -> None:
        edge, piece, manifest = self._made(office, tmp_path)
        other = tmp_path / "other"
        other.mkdir()
        two = office.edge("hai")
        capture(two, 2, seed=5)
        _put(two, other, office, office.hub)
        shutil.copy(_pieces(other)[0], tmp_path / "a.piece")
        shutil.copy(next(other.glob("*.manifest")), tmp_path / "a.manifest")
        for path in (piece, manifest):
            whole = path.read_bytes()
            for place in range(len(whole)):
                damaged = bytearray(whole)
                damaged[place] ^= 1 << place % 8
                path.write_bytes(damaged)
                imported = _take(office.hub, tmp_path, answer=False)
                assert [item.file for item in imported.troubles] == [path.name], place
                assert imported.pieces == (1 if path == piece else 2)
                assert imported.lacking
            path.write_bytes(whole)
            records = 2 if path == piece else 5
            assert office.hub.digest().records == records
        assert edge.digest().records == 6

    def test_every_truncation_is_noticed(self, office: Office, tmp_path: Path) -> None:
        edge = office.edge()
        capture(edge, 60)
        _put(edge, tmp_path, office, office.hub)
        piece = _pieces(tmp_path)[0]
        whole = piece.read_bytes()
        assert len(whole) > 8 * 512
        for length in range(0, len(whole), 512):
            piece.write_bytes(whole[:length])
            imported = _take(office.hub, tmp_path, answer=False)
            assert imported.pieces == 0
            assert "missing or damaged (1)" in imported.sentences()[0]
        assert office.hub.digest().records == 0
        piece.write_bytes(whole)
        _take(office.hub, tmp_path)
        assert same(edge, office.hub)

    def test_rubbish_and_links_under_our_names_stop_nothing(
        self, office: Office, tmp_path: Path
    ) -> None:
        chance = random.Random(1)
        edge, piece, manifest = self._made(office, tmp_path)
        (tmp_path / "0.piece").write_bytes(b"")
        (tmp_path / "1.piece").write_bytes(chance.randbytes(5000))
        (tmp_path / "2.piece").write_bytes(manifest.read_bytes())
        (tmp_path / "3.manifest").write_bytes(piece.read_bytes())
        (tmp_path / "4.piece").symlink_to("/etc/passwd")
        (tmp_path / "5.piece").mkdir()
        imported = _take(office.hub, tmp_path)
        assert imported.pieces == 1
        assert sorted(item.file for item in imported.troubles) == [
            "0.piece",
            "1.piece",
            "2.piece",
            "3.manifest",
        ]
        assert office.hub.digest().records == 3
        assert edge.digest().records == 6


def test_what_is_older_than_what_is_held_changes_nothing(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    capture(edge, 300)
    _put(edge, tmp_path, office, office.hub)
    office.sync(edge)
    before = office.hub.digest()
    imported = _take(office.hub, tmp_path)
    assert (imported.entries, imported.pieces, imported.sentences()) == (0, 1, [])
    assert office.hub.digest() == before


def test_a_bundle_for_another_ward_is_refused_in_one_sentence(
    office: Office, tmp_path: Path
) -> None:
    elsewhere = Office(hub_keys=office.hub_keys)
    edge = elsewhere.edge()
    capture(edge, 3)
    _put(edge, tmp_path, elsewhere, elsewhere.hub)
    assert wards_in(Folder(tmp_path)) == {elsewhere.ward}
    with pytest.raises(WrongWardError, match="another ward"):
        _take(office.hub, tmp_path)


def test_a_bundle_for_another_device_is_refused_in_one_sentence(
    office: Office, tmp_path: Path
) -> None:
    one, two = office.edge("một"), office.edge("hai")
    capture(one, 3)
    _put(one, tmp_path, office, two)
    with pytest.raises(WrongKeyError, match="another device"):
        _take(office.hub, tmp_path)
    _put(one, tmp_path, office, office.hub)
    imported = _take(office.hub, tmp_path)
    assert (imported.pieces, imported.elsewhere) == (1, 1)


def test_a_bundle_from_a_stranger_is_refused(office: Office, tmp_path: Path) -> None:
    stranger = office.replica(DeviceKeys.generate())
    export_bundle(stranger, Folder(tmp_path), office.to(office.hub))
    imported = _take(office.hub, tmp_path)
    assert imported.pieces == 0
    assert [item.code for item in imported.troubles] == ["not-admitted"]


def test_a_bundle_introduces_its_sender_by_the_hubs_word(office: Office, tmp_path: Path) -> None:
    one = office.edge("một")
    two = office.edge("hai")
    capture(two, 3)
    assert one.holding.roster.role_of(two.keys.public) is None
    _put(two, tmp_path, office, one)
    assert _take(one, tmp_path).sentences() == []
    assert one.digest().records == 3


def test_the_first_bundle_of_a_new_edge_brings_the_roster(office: Office, tmp_path: Path) -> None:
    edge = office.edge("một")
    capture(edge, 3)
    office.sync(edge)
    fresh = office.join(g.EDGE, "hai")
    _put(office.hub, tmp_path, office, fresh)
    assert _take(fresh, tmp_path).sentences() == []
    assert fresh.is_enrolled()
    assert fresh.digest().records == 3


def test_a_revoked_devices_work_still_comes_in(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    capture(edge, 3)
    office.hub.say([g.Revoke(edge.keys.public, g.LOST, [])], NO_OFFICER)
    _put(edge, tmp_path, office, office.hub)
    assert _take(office.hub, tmp_path).entries == 3
    assert len(office.hub.rooms.views.held()) == 3


def test_a_forgotten_stick_opens_with_an_old_key(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    capture(edge, 3)
    _put(edge, tmp_path, office, office.hub)
    keys = [AgreementKey(os.urandom(32)), office.hub.keys.agreement]
    assert import_bundle(office.hub, Folder(tmp_path), keys).entries == 3


def test_an_empty_folder_and_a_missing_one_say_so(office: Office, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No bundle"):
        _take(office.hub, tmp_path)
    with pytest.raises(InputError, match="no folder"):
        Folder(tmp_path / "nowhere")


def test_a_folder_that_takes_no_answer_is_no_failure(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = office.edge()
    capture(edge, 3)
    _put(edge, tmp_path, office, office.hub)

    def full(_self: Folder, _name: str, _content: bytes) -> None:
        raise StoreFullError("No room is left on the disk.")

    monkeypatch.setattr(Folder, "write", full)
    imported = _take(office.hub, tmp_path)
    assert imported.entries == 3
    assert "No receipt could be left" in imported.sentences()[0]


def test_recipients_are_found_by_name(office: Office) -> None:
    edge = office.edge("Một cửa 1")
    assert find_recipient(edge, "hub").device == office.hub_keys.public
    assert find_recipient(office.hub, "một cửa 1").device == edge.keys.public
    assert find_recipient(office.hub, edge.keys.id.hex()[:12]).device == edge.keys.public
    with pytest.raises(InputError, match="No device"):
        find_recipient(office.hub, "nobody")


def test_a_damaged_chunk_store_exports_what_is_whole(office: Office, tmp_path: Path) -> None:
    edge = office.edge()
    _capture_scans(edge, [1000])
    chunks = edge.rooms.chunks
    assert isinstance(chunks, MemoryChunks)
    for address in list(chunks.addresses()):
        chunks.remove(address)
    assert _put(edge, tmp_path, office, office.hub).chunks == 0
