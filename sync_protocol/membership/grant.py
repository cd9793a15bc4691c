"""Control statements: what the hub (and within bounds an edge) says about who may do what.

They are the bodies of entries of kind CONTROL: 8 random bytes, then MessagePack [[tag, …], …]. A
replica keeps and forwards statements that it does not know. A statement about the same thing with a
higher `version` supersedes; versions are counted up by whoever speaks, from what it has seen.

The trust anchor is the **city root**, an offline key: its `Certificate` names the hub's key, and a
newer one (higher serial) can cut the feeds of an older hub key at a position.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sync_protocol import limits
from sync_protocol.crypto import signature
from sync_protocol.crypto.key import SigningKey
from sync_protocol.encoding import decode, encode
from sync_protocol.errors import LimitExceededError, MalformedMessageError
from sync_protocol.identity import (
    BRANCH_BYTES,
    ID_BYTES,
    KEY_BYTES,
    DeviceKey,
    Dot,
    FeedId,
    OfficerId,
)
from sync_protocol.log.entry import SEQ_MAX, Mark, check_mark
from sync_protocol.record.change import SALT_BYTES

HUB, EDGE, TABLET = "hub", "edge", "tablet"
CLERK, SUPERVISOR, ADMINISTRATOR, DISABLED = "clerk", "supervisor", "administrator", "disabled"
LOST, RETIRED, COMPROMISED, LOCKED, LAPSED, RESTORED = (
    "lost",
    "retired",
    "compromised",
    "locked",
    "lapsed",
    "restored",
)
SUPERVISING = frozenset({SUPERVISOR, ADMINISTRATOR})
ERASE_APPROVERS_MIN = 2
CRITICAL = 128


class Statement(msgspec.Struct, array_like=True, frozen=True):
    """Base of all statements."""


class Grant(Statement, frozen=True):
    """This device key may write in this ward, as an edge or a tablet."""

    device: DeviceKey
    agreement: bytes
    role: str
    label: str
    version: int = 1


class Revoke(Statement, frozen=True):
    """Of this device, only what lies within `cuts` counts; feeds not named are cut at nothing.

    `reason` is lost, retired, compromised or locked; "restored" lifts the revocation. "lapsed" is
    an edge's: the hub was away for too long to confirm what the edge granted; once it does, the
    statement counts no more.
    """

    device: DeviceKey
    reason: str
    cuts: list[Mark]
    version: int = 1


class Officer(Statement, frozen=True):
    """An officer and their role: clerk, supervisor, administrator or disabled."""

    officer: OfficerId
    name: str
    role: str
    version: int = 1


class WardKey(Statement, frozen=True):
    """The ward's X25519 key, to which scans are sealed; its private half, sealed to recovery."""

    public: bytes
    recovery: bytes
    sealed: bytes
    version: int = 1


class KeyShare(Statement, frozen=True):
    """The private half of a ward key, sealed to one edge's agreement key."""

    public: bytes
    device: DeviceKey
    sealed: bytes


class Adopt(Statement, frozen=True):
    """Quarantined entries that count after all, as if their writer had been allowed."""

    dots: list[list[Any]]


class Reject(Statement, frozen=True):
    """Quarantined entries that an officer has looked at and turned down."""

    dots: list[list[Any]]


class Erase(Statement, frozen=True):
    """Entries whose bodies, and chunks of scans (by address), every replica forgets.

    Under four eyes: it counts if two different approvers supervised as its speaker knew it.
    """

    dots: list[list[Any]]
    chunks: list[bytes]
    approvers: list[OfficerId]
    reason: str


class Suspect(Statement, frozen=True):
    """Entries [first, last] of a feed were written under a clock that was wrong."""

    feed: FeedId
    first: int
    last: int


class Profile(Statement, frozen=True):
    """The ward's official code and name, and the wards that succeed it."""

    code: str
    name: str
    successors: list[bytes] = []
    version: int = 1


class Lapse(Statement, frozen=True):
    """A device has been silent too long (or, False, is back)."""

    device: DeviceKey
    lapsed: bool
    version: int = 1


class Activate(Statement, frozen=True):
    """From here on this merge version is in force."""

    merge_version: int


class Certified(Statement, frozen=True):
    """The city root's certificate for the hub that speaks here."""

    certificate: bytes


class Lease(Statement, frozen=True):
    """The right of one feed to the numbers `first` to `last` of every day at an agency.

    From day `valid_from` to day `valid_until` (YYYY-MM-DD), all included; never taken back, because
    nobody knows which were used. An edge hands parts of its own on.
    """

    feed: FeedId
    agency: str
    first: int
    last: int
    valid_from: str
    valid_until: str


TAG_BY_TYPE: dict[type[Statement], int] = {
    Grant: 1,
    Revoke: 2,
    Officer: 3,
    WardKey: 4,
    KeyShare: 5,
    Adopt: 6,
    Reject: 7,
    Erase: 8,
    Suspect: 9,
    Profile: 10,
    Lapse: 11,
    Activate: 12,
    Certified: 13,
    Lease: 14,
}
_TYPE_BY_TAG = {tag: kind for kind, tag in TAG_BY_TYPE.items()}


def wire_dot(dot: Dot) -> list[Any]:
    """Return a dot as statements carry it."""
    return [dot.feed, dot.seq, dot.branch] if dot.branch else [dot.feed, dot.seq]


def read_dots(rows: list[list[Any]]) -> list[Dot]:
    """Read dots of a statement. Raises `MalformedMessageError`."""
    return [_read_dot(row) for row in rows]


def _read_dot(row: list[Any]) -> Dot:
    match row:
        case [bytes(feed), int(seq)]:
            branch = b""
        case [bytes(feed), int(seq), bytes(branch)]:
            pass
        case _:
            raise MalformedMessageError("A statement names no entry.")
    if len(feed) != ID_BYTES or not 0 < seq <= SEQ_MAX or len(branch) not in (0, BRANCH_BYTES):
        raise MalformedMessageError("A statement names no entry.")
    return Dot(FeedId(feed), seq, branch)


def encode_statements(statements: list[Statement], salt: bytes) -> bytes:
    """Return the body of a control entry."""
    rows = []
    for item in statements:
        fields = msgspec.to_builtins(item, builtin_types=(bytes,))
        rows.append([TAG_BY_TYPE[type(item)], *fields])
    return salt + encode(rows)


def decode_statements(body: bytes) -> list[Statement]:
    """Read a control entry's body. Raises `PeerError` kinds only.

    Statements of unknown tags are left out; their bytes stay in the log.
    """
    rows = decode(memoryview(body)[SALT_BYTES:], list[list[Any]])
    if len(rows) > limits.STATEMENTS_PER_ENTRY_MAX:
        raise LimitExceededError("A control entry says more than its bound.")
    found = []
    for row in rows:
        kind = _TYPE_BY_TAG.get(row[0]) if row and type(row[0]) is int else None
        if kind is not None:
            try:
                found.append(msgspec.convert(row[1:], kind, builtin_types=(bytes,)))
            except msgspec.ValidationError as cause:
                raise MalformedMessageError("A control statement is out of shape.") from cause
            _check(found[-1])
    return found


def _check(statement: Statement) -> None:
    """Check what the types do not say, so that nobody who hears a statement can stumble over it."""
    keys: tuple[bytes, ...] = ()
    ids: tuple[bytes, ...] = ()
    match statement:
        case Grant():
            keys = (statement.device, statement.agreement)
        case Revoke():
            keys = (statement.device,)
            for cut in statement.cuts:
                check_mark(cut)
        case KeyShare():
            keys = (statement.public, statement.device)
        case WardKey():
            keys = (statement.public, statement.recovery)
        case Lapse():
            keys = (statement.device,)
        case Officer():
            ids = (statement.officer,)
        case Suspect() | Lease():
            ids = (statement.feed,)
        case Adopt() | Reject() | Erase():
            read_dots(statement.dots)
    if any(len(key) != KEY_BYTES for key in keys) or any(len(name) != ID_BYTES for name in ids):
        raise MalformedMessageError("A control statement is out of shape.")


class Certificate(msgspec.Struct, array_like=True, frozen=True):
    """What the city root says of the hub: its keys, and where older hub feeds are cut.

    `recovery` is the X25519 key to which ward keys and backups are sealed as well.
    """

    serial: int
    hub: DeviceKey
    agreement: bytes
    recovery: bytes
    cuts: list[Mark] = []


def certify(root: SigningKey, certificate: Certificate) -> bytes:
    """Sign a certificate with the city root."""
    body = encode(msgspec.to_builtins(certificate, builtin_types=(bytes,)))
    return signature.sign(root, signature.CERTIFICATE, body) + body


def read_certificate(raw: bytes, root: bytes) -> Certificate:
    """Read and verify a certificate. Raises `PeerError` kinds only."""
    body = raw[signature.SIGNATURE_BYTES :]
    certificate = decode(body, Certificate)
    signature.check(root, raw[: signature.SIGNATURE_BYTES], signature.CERTIFICATE, body)
    keys = (certificate.hub, certificate.agreement, certificate.recovery)
    if any(len(key) != KEY_BYTES for key in keys):
        raise MalformedMessageError("A certificate is out of shape.")
    for cut in certificate.cuts:
        check_mark(cut)
    return certificate
