"""What holds of any text, line or file, however hostile."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from sync_protocol.dossier.folding import fold, name_key
from sync_protocol.dossier.intake import Intake, read_intake
from sync_protocol.dossier.sample import sample
from sync_protocol.dossier.scan_check import MediaType, check_scan
from sync_protocol.dossier.text import clean
from sync_protocol.errors import AttachmentRefusedError, InputError

TEXT = st.text(st.characters(codec="utf-8"))
LETTERS = st.text(
    st.sampled_from("aăâeêioôơuưyđĐÐðßİſK\u0301\u0300\u0309\u0303\u0323\u0345 \u200b")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SAMPLES = list(sample(20, 3))
MAGIC = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8X", b"%PDF-1.4", b""]


def taken_or_refused(line: bytes) -> None:
    try:
        intake = read_intake(line)
    except InputError:
        return
    assert isinstance(intake, Intake)
    assert all(
        unicodedata.is_normalized("NFC", v) for v in intake.values.values() if isinstance(v, str)
    )
    intake.change()


@given(TEXT | LETTERS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT | LETTERS)
def test_folding_and_sorting_do_not_see_the_form(text: str) -> None:
    composed, split = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert fold(composed) == fold(split)
    assert name_key(composed) == name_key(split)


@given(TEXT | LETTERS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for lines in (False, True):
        try:
            once = clean(text, "x", lines=lines)
        except InputError:
            continue
        assert clean(once, "x", lines=lines) == once
        assert unicodedata.is_normalized("NFC", once)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_dossier_or_refused(line: bytes) -> None:
    taken_or_refused(line)


@given(JSON)
def test_any_json_is_a_dossier_or_refused(value: object) -> None:
    taken_or_refused(json.dumps(value).encode())


@given(st.sampled_from(SAMPLES), st.data())
def test_a_dossier_with_a_foreign_value_in_it_is_taken_or_refused(
    row: dict[str, object], data: st.DataObject
) -> None:
    hostile = json.loads(json.dumps(row))
    inner = hostile
    while isinstance(inner, dict) and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[key], dict):
            break
        inner = inner[key]
    inner[data.draw(st.sampled_from(sorted(inner)) | TEXT)] = data.draw(JSON)
    taken_or_refused(json.dumps(hostile).encode())


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_line_is_taken_or_refused(row: dict[str, object], data: st.DataObject) -> None:
    line = bytearray(json.dumps(row, ensure_ascii=False).encode())
    for at in data.draw(st.lists(st.integers(0, len(line) - 1), max_size=6)):
        line[at] = data.draw(st.integers(0, 255))
    taken_or_refused(bytes(line))


@given(TEXT, st.sampled_from(MAGIC), st.binary(max_size=300), st.sampled_from(["", ".jpg", ".pdf"]))
def test_any_file_is_a_scan_or_refused(name: str, magic: bytes, tail: bytes, ending: str) -> None:
    try:
        found = check_scan(name + ending, magic + tail)
    except AttachmentRefusedError:
        return
    assert isinstance(found, MediaType)
