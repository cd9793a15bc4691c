"""Control statements read back as written; what is out of shape is refused where it is read."""

from __future__ import annotations

import pytest

from sync_protocol import limits
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import encode
from sync_protocol.errors import BadSignatureError, LimitExceededError, MalformedMessageError
from sync_protocol.identity import DeviceKey, Dot, FeedId, OfficerId
from sync_protocol.log.entry import Mark
from sync_protocol.membership import grant as g

SALT = b"saltsalt"
KEY = DeviceKey(b"k" * 32)
FEED = FeedId(b"f" * 16)
MARK = Mark(FEED, 3, b"h" * 16)
WHO = OfficerId(b"o" * 16)
DOTS = [[FEED, 1], [FEED, 2, b"branch__"]]

ALL: list[g.Statement] = [
    g.Grant(KEY, b"a" * 32, g.EDGE, "Bàn số 1", 3),
    g.Revoke(KEY, g.LOST, [MARK], 2),
    g.Officer(WHO, "Nguyễn Văn An", g.CLERK),
    g.WardKey(b"p" * 32, b"y" * 32, b"sealed", 4),
    g.KeyShare(b"p" * 32, KEY, b"sealed"),
    g.Adopt(DOTS),
    g.Reject(DOTS),
    g.Erase(DOTS, [b"c" * 32], [WHO], "law"),
    g.Suspect(FEED, 1, 9),
    g.Profile("00001", "Phường A", [b"w" * 16], 2),
    g.Lapse(KEY, True),
    g.Activate(2),
    g.Certified(b"certificate"),
    g.Lease(FeedId(b"f" * 16), "H26.1", 1, 200, "2026-11-01", "2027-10-31"),
]


def test_every_statement_reads_back_as_it_was_written() -> None:
    assert g.decode_statements(g.encode_statements(ALL, SALT)) == ALL
    assert {type(item) for item in ALL} == set(g.TAG_BY_TYPE)


def test_statements_of_unknown_tags_are_left_out_and_stop_no_other() -> None:
    rows = [[99, "from the future"], [200, {1: 2}], [12, 7], ["12", 7], [True, 7], []]
    assert g.decode_statements(SALT + encode(rows)) == [g.Activate(7)]


def test_what_a_newer_version_appends_to_a_statement_is_ignored() -> None:
    assert g.decode_statements(SALT + encode([[12, 7, "more", 5]])) == [g.Activate(7)]


BAD_ROWS: list[list[object]] = [
    [1, b"short", b"a" * 32, g.EDGE, ""],
    [1, KEY, b"short", g.EDGE, ""],
    [1, KEY, b"a" * 32],
    [1, KEY.hex(), b"a" * 32, g.EDGE, ""],
    [2, KEY, g.LOST, [[FEED, -1, b"h" * 16]]],
    [2, KEY, g.LOST, [[FEED, 1, b"h"]]],
    [2, KEY, g.LOST, [[FEED, 2**63, b"h" * 16]]],
    [2, b"k", g.LOST, []],
    [3, b"o", "An", g.CLERK],
    [4, b"p", b"y" * 32, b""],
    [5, b"p" * 32, b"k", b""],
    [6, [[FEED, 0]]],
    [6, [[FEED, "1"]]],
    [6, [[10**9, 1]]],
    [6, [[b"f", 1]]],
    [6, [[FEED, 1, b"branch"]]],
    [6, [[FEED]]],
    [6, [[]]],
    [7, [[FEED, 2**63]]],
    [8, [[FEED, 1, "branch__"]], [], [], ""],
    [8, [], ["chunk"], [], ""],
    [9, b"f", 1, 2],
    [11, b"k", True],
    [12, "1"],
]


@pytest.mark.parametrize("row", BAD_ROWS, ids=repr)
def test_a_statement_out_of_shape_is_refused(row: list[object]) -> None:
    with pytest.raises(MalformedMessageError):
        g.decode_statements(SALT + encode([row]))


@pytest.mark.parametrize("body", [b"", SALT, SALT + b"\x01", SALT + b"\xc1", SALT + b"\x91\x01"])
def test_a_body_that_is_no_list_of_statements_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        g.decode_statements(body)


def test_more_statements_than_the_bound_are_refused() -> None:
    rows = [[12, 1]] * (limits.STATEMENTS_PER_ENTRY_MAX + 1)
    with pytest.raises(LimitExceededError):
        g.decode_statements(SALT + encode(rows))


def test_dots_travel_in_statements_with_and_without_a_branch() -> None:
    dots = [Dot(FEED, 1), Dot(FEED, 2, b"branch__")]
    assert g.read_dots([g.wire_dot(dot) for dot in dots]) == dots


# --- certificates -------------------------------------------------------------------------------

ROOT = SigningKey(b"r" * 32)
CERTIFICATE = g.Certificate(2, KEY, b"a" * 32, b"y" * 32, [MARK])


def test_a_certificate_reads_back_under_its_root_only() -> None:
    raw = g.certify(ROOT, CERTIFICATE)
    assert g.read_certificate(raw, ROOT.public) == CERTIFICATE
    with pytest.raises(BadSignatureError):
        g.read_certificate(raw, SigningKey(b"o" * 32).public)


def test_a_flipped_byte_of_a_certificate_is_seen() -> None:
    raw = g.certify(ROOT, CERTIFICATE)
    for place in range(len(raw)):
        bad = bytearray(raw)
        bad[place] ^= 1
        with pytest.raises((BadSignatureError, MalformedMessageError)):
            g.read_certificate(bytes(bad), ROOT.public)


@pytest.mark.parametrize(
    "certificate",
    [
        g.Certificate(1, DeviceKey(b"k"), b"a" * 32, b"y" * 32),
        g.Certificate(1, KEY, b"a", b"y" * 32),
        g.Certificate(1, KEY, b"a" * 32, b""),
        g.Certificate(1, KEY, b"a" * 32, b"y" * 32, [Mark(FEED, -1, b"h" * 16)]),
    ],
)
def test_a_certificate_out_of_shape_is_refused_though_the_root_signed_it(
    certificate: g.Certificate,
) -> None:
    with pytest.raises(MalformedMessageError):
        g.read_certificate(g.certify(ROOT, certificate), ROOT.public)
