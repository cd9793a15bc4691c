"""Parcels on the wire: what is written is read, and nothing else is."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_protocol import errors, limits
from sync_protocol.encoding import encode
from sync_protocol.errors import (
    BusyError,
    LimitExceededError,
    MalformedMessageError,
    PeerError,
    StaleNonceError,
    SyncError,
    TransportError,
)
from sync_protocol.transport import http_contract as contract
from sync_protocol.transport.carrier import Parcel


def _parcel(envelope: bytes, payloads: list[bytes]) -> Parcel:
    return Parcel(envelope, payloads, [len(payload) for payload in payloads])


def _read(body: bytes, length: int | None = None) -> tuple[bytes, list[bytes]]:
    incoming = contract.read_parcel(io.BytesIO(body), len(body) if length is None else length)
    return incoming.envelope, list(incoming.payloads)


@given(st.binary(max_size=300), st.lists(st.binary(max_size=300), max_size=10))
def test_what_is_written_is_read(envelope: bytes, payloads: list[bytes]) -> None:
    parcel = _parcel(envelope, payloads)
    body = b"".join(contract.write_parcel(parcel))
    assert len(body) == contract.parcel_bytes(parcel)
    assert _read(body) == (envelope, payloads)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_give_a_parcel_or_an_error_of_ours(body: bytes, length: int) -> None:
    with suppress(PeerError, TransportError):
        _read(body, length)


def _read_into(came: list[bytes], body: bytes, length: int) -> None:
    for payload in contract.read_parcel(io.BytesIO(body), length).payloads:
        came.append(payload)  # noqa: PERF402 - what came before the cut must be kept


def test_a_cut_at_every_byte_is_a_transport_error_and_keeps_what_came() -> None:
    payloads = [b"one" * 10, b"", b"three" * 5]
    body = b"".join(contract.write_parcel(_parcel(b"envelope", payloads)))
    for size in range(len(body)):
        came: list[bytes] = []
        with pytest.raises(TransportError) as caught:
            _read_into(came, body[:size], len(body))
        assert caught.value.retryable
        assert came == payloads[: len(came)]


def test_payloads_are_read_only_when_they_are_asked_for() -> None:
    body = b"".join(contract.write_parcel(_parcel(b"envelope", [b"one", b"two"])))
    stream = io.BytesIO(body)
    incoming = contract.read_parcel(stream, len(body))
    assert stream.tell() == 12
    next(incoming.payloads)
    assert stream.tell() == 19


def _frame(size: int) -> bytes:
    return size.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("body", "length", "error"),
    [
        (b"", 0, MalformedMessageError),
        (b"\0\0\0", 3, MalformedMessageError),
        (_frame(5) + b"1234", None, MalformedMessageError),
        (_frame(0) + b"\0\0", None, MalformedMessageError),
        (_frame(limits.MESSAGE_BYTES_MAX + 1), contract.BODY_BYTES_MAX, LimitExceededError),
        (b"", contract.BODY_BYTES_MAX + 1, LimitExceededError),
        (_frame(0) + _frame(2**32 - 1), 100, LimitExceededError),
        (_frame(0) * (2 + limits.PAYLOADS_PER_MESSAGE_MAX), None, LimitExceededError),
    ],
)
def test_what_breaks_a_bound_is_refused(
    body: bytes, length: int | None, error: type[SyncError]
) -> None:
    with pytest.raises(error):
        _read(body, length)


def test_a_message_of_unknown_length_is_refused() -> None:
    with pytest.raises(MalformedMessageError):
        contract.read_parcel(io.BytesIO(bytes(100)), None)


def test_a_line_that_fails_is_a_transport_error() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise TimeoutError

    with pytest.raises(TransportError):
        contract.read_parcel(Broken(), 100)


@pytest.mark.parametrize(
    "parcel",
    [
        Parcel(bytes(limits.MESSAGE_BYTES_MAX + 1)),
        Parcel(b"", (), [0] * (limits.PAYLOADS_PER_MESSAGE_MAX + 1)),
        Parcel(b"", (), [limits.RANGE_PACKED_BYTES_MAX + 1]),
        Parcel(b"", (), [contract.BODY_BYTES_MAX]),
    ],
)
def test_a_parcel_beyond_the_bounds_is_not_sent(parcel: Parcel) -> None:
    with pytest.raises(LimitExceededError):
        contract.check_parcel(parcel)


@pytest.mark.parametrize("sizes", [[], [2], [3, 1]])
def test_payloads_other_than_announced_are_our_own_mistake(sizes: list[int]) -> None:
    with pytest.raises(AssertionError):
        list(contract.write_parcel(Parcel(b"", [b"one"], sizes)))


def _all_errors() -> list[type[SyncError]]:
    kinds = [SyncError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return kinds


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda kind: str(kind.code))
def test_every_error_comes_over_the_line_as_itself_or_as_patience(kind: type[SyncError]) -> None:
    error = kind("Something happened.", secret="a name")
    status = contract.status_of(error)
    body = contract.error_body(error)
    assert b"a name" not in body
    read = contract.read_error(status, body)
    if issubclass(kind, PeerError):
        assert type(read) is kind
        assert read.diagnosis == "Something happened."
    else:
        assert isinstance(read, TransportError | PeerError)
        assert status in (400, 403) or isinstance(read, TransportError)


def test_every_peer_error_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in _all_errors() if issubclass(kind, PeerError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert contract.status_of(StaleNonceError("")) == 409


@pytest.mark.parametrize(
    ("header", "told", "seconds"),
    [
        ("7", None, 7),
        (None, 9, 9),
        ("7", 9, 7),
        (None, None, 0),
        ("soon", 3, 3),
        ("9" * 50, 1, 3600),
    ],
)
def test_patience_is_taken_from_the_header_or_the_body(
    header: str | None, told: int | None, seconds: float
) -> None:
    error = contract.read_error(503, encode(["busy", "", told]), header)
    assert isinstance(error, BusyError)
    assert error.evidence == {"retry_after_s": seconds}


def test_busy_goes_out_with_its_patience() -> None:
    assert contract.retry_after_of(BusyError("", retry_after_s=12.4)) == 12
    assert contract.retry_after_of(errors.StoreBusyError("")) == 1
    assert contract.retry_after_of(errors.StoreFullError("")) is None


@pytest.mark.parametrize("body", [b"", b"<html>", encode([1, 2]), encode(["new-code", "x", None])])
@pytest.mark.parametrize("status", [204, 301, 400, 404, 418, 500, 502])
def test_any_other_reply_is_an_error_of_ours(status: int, body: bytes) -> None:
    error = contract.read_error(status, body)
    assert isinstance(error, TransportError) or type(error) is PeerError


def test_what_a_peer_says_is_made_fit_to_print() -> None:
    error = contract.read_error(400, encode(["malformed", "a\x1b[2J\nb" + "x" * 900, None]))
    assert error.diagnosis.startswith("a [2J b")
    assert len(error.diagnosis) == contract.DIAGNOSIS_CHARS_MAX
