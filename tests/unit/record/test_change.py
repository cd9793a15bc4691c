"""A changeset travels as written; what the protocol does not have is refused."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.encoding import encode
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import Dot, FeedId, RecordId, record_id
from sync_protocol.record.change import (
    CellWrite,
    Changeset,
    RecordChange,
    decode_changeset,
    encode_changeset,
    new_record_ids,
    whole_dot,
)

OWN, OTHER = FeedId(b"o" * 16), FeedId(b"p" * 16)
SALT = b"saltsalt"
RECORD = RecordId(b"r" * 16)
ELEMENT = b"e" * 16


def changeset() -> Changeset:
    writes = (
        CellWrite(1, None, "An", (Dot(OWN, 3), Dot(OTHER, 9, b"branch__"))),
        CellWrite(3, ELEMENT, ["paper", None, 5, True, b"x", {"a": 1}]),
        CellWrite(2, None, None, (Dot(OTHER, 7),), 130),
    )
    return Changeset(
        (RecordChange(None, 1, {1: "An", 2: None}), RecordChange(RECORD, 1, {}, writes))
    )


def _body(*records: object, feeds: list[object] | None = None) -> bytes:
    return SALT + encode([feeds or [], list(records)])


def test_a_changeset_reads_back_as_it_was_written() -> None:
    assert decode_changeset(encode_changeset(changeset(), SALT, OWN), OWN) == changeset()


def test_the_writers_own_feed_costs_no_bytes() -> None:
    own = Changeset((RecordChange(RECORD, 1, {}, (CellWrite(1, None, "x", (Dot(OWN, 3),)),)),))
    body = encode_changeset(own, SALT, OWN)
    assert body.find(OWN) == -1
    assert decode_changeset(body, OWN) == own


def test_what_a_newer_version_appends_is_ignored() -> None:
    body = _body([RECORD, 1, {1: "x"}, [[2, None, "y", [], 0, "more"]], "more"])
    expected = RecordChange(RECORD, 1, {1: "x"}, (CellWrite(2, None, "y"),))
    assert decode_changeset(body, OWN) == Changeset((expected,))


def test_a_cell_written_twice_is_refused() -> None:
    twice = _body([RECORD, 1, {1: "x"}, [[1, None, "y"]]])
    with pytest.raises(MalformedMessageError):
        decode_changeset(twice, OWN)


def _write(*cell: object) -> bytes:
    return _body([RECORD, 1, {}, [list(cell)]])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SALT,
        SALT + b"\x90",
        _body([b"short", 1, {}]),
        _body([RECORD, -1, {}]),
        _body([RECORD, 2**31, {}]),
        _body([RECORD, 1, {-1: "x"}]),
        _body([RECORD, 1, {2**40: "x"}]),
        _body([RECORD, 1, {1: 1.5}]),
        _body([RECORD, 1, {"name": "x"}]),
        _body([RECORD, 1, {1: ["x", 0.5]}]),
        SALT + encode([[], [[RECORD, 1]]])[:-1] + b"\x81\x01\xd6\xff\x00\x00\x00\x01",
        _body([RECORD, 1, {1: {(1, 2): 3}}]),
        _write(-1, None, "x"),
        _write(1, None, "x", [], -1),
        _write(1, None, "x", [], 2**31),
        _write(1, b"", "x"),
        _write(1, b"short", "x"),
        _write(1, None, 1.5),
        _write(1, None, "x", [[0]]),
        _write(1, None, "x", [[0, 0]]),
        _write(1, None, "x", [[0, -1]]),
        _write(1, None, "x", [[1, 1]]),
        _write(1, None, "x", [[-1, 1]]),
        _write(1, None, "x", [["0", 1]]),
        _write(1, None, "x", [[0, 1, b"short"]]),
        _write(1, None, "x", [[0, 1, b"branch__", 1]]),
        _write(1, None, "x", ["dot"]),
        _body([RECORD, 1, {}], feeds=[b"short"]),
        _body([RECORD, 1, {}], feeds=["text"]),
    ],
    ids=range(30),
)
def test_a_body_out_of_shape_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_changeset(body, OWN)


def _nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_nested_beyond_its_bound_is_refused_however_deep_the_caller_is() -> None:
    deepest = _nested(limits.VALUE_DEPTH_MAX)
    body = _body([RECORD, 1, {1: deepest}, [[2, None, deepest]]])
    assert decode_changeset(body, OWN).records[0].values == {1: deepest}
    for values in ({1: [deepest]}, {1: {1: deepest}}):
        with pytest.raises(LimitExceededError):
            decode_changeset(_body([RECORD, 1, values]), OWN)
    with pytest.raises(LimitExceededError):
        decode_changeset(_write(1, None, [deepest]), OWN)


def test_more_than_the_bounds_is_refused() -> None:
    dots = [[0, 1]] * (limits.PARENTS_PER_CHANGE_MAX + 1)
    many = dict.fromkeys(range(limits.CHANGES_PER_ENTRY_MAX + 1))
    for body in (
        SALT + bytes(limits.ENTRY_BODY_BYTES_MAX),
        _write(1, None, "x", dots),
        _body([RECORD, 1, many]),
    ):
        with pytest.raises(LimitExceededError):
            decode_changeset(body, OWN)


def test_new_records_get_ids_that_nobody_can_choose_and_old_ones_keep_theirs() -> None:
    ids = list(new_record_ids(changeset(), 7, OWN, 3, SALT))
    assert ids == [record_id(7, OWN, 3, SALT, 0), RECORD]
    assert ids[0] != record_id(7, OWN, 3, b"other___", 0)
    assert record_id(1, OWN, 1, SALT, 0) < record_id(2, OTHER, 1, SALT, 0), "sorted by time"


def test_a_dot_inside_a_value_names_its_feed_whole() -> None:
    assert whole_dot(Dot(OWN, 3)) == [OWN, 3]
    assert whole_dot(Dot(OWN, 3, b"branch__")) == [OWN, 3, b"branch__"]
