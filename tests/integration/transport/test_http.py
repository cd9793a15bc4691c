"""The HTTP carrier against a real server in real TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from sync_protocol import limits
from sync_protocol.crypto.certificate import fingerprint, issue_server_certificate, make_authority
from sync_protocol.errors import (
    BusyError,
    FeedGapError,
    InputError,
    LimitExceededError,
    MalformedMessageError,
    NotAdmittedError,
    PeerError,
    StaleNonceError,
    StorageError,
    SyncError,
    TransportError,
    UnreachableError,
    WrongPeerError,
)
from sync_protocol.transport.carrier import Carrier, Parcel
from sync_protocol.transport.http import HttpCarrier, fetch_ca
from sync_protocol.transport.serving import TlsServer
from tests.integration.transport.station import BLOCK, NOW, Station, carrier_to, running

Running = tuple[Station, TlsServer, str]


def _blocks(count: int) -> Parcel:
    return Parcel(b"count", (bytes(BLOCK) for _ in range(count)), [BLOCK] * count)


def test_a_parcel_goes_and_one_comes_back_and_bodies_are_counted(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        port: Carrier = carrier
        reply = port.ask(Parcel(b"send:2", [b"abc", b""], [3, 0]))
        assert reply.envelope == b"[3, 0]"
        assert list(reply.payloads) == [bytes(BLOCK)] * 2
        assert port.bytes_sent == 4 + 6 + 4 + 3 + 4
        assert port.bytes_received == 4 + 6 + 2 * (4 + BLOCK)
        assert port.requests == 1


def test_a_whole_exchange_takes_one_connection(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        for count in range(5):
            assert len(list(carrier.ask(Parcel(b"send:%d" % count)).payloads)) == count
        with pytest.raises(StaleNonceError):
            carrier.ask(Parcel(b"refuse:stale-nonce"))
        carrier.ask(Parcel(b"empty"))
        assert carrier.requests == 7
    assert len(station[0].clients) <= 2  # an error reply may cost the connection


def test_giving_up_a_reply_leaves_the_carrier_of_use(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        reply = carrier.ask(Parcel(b"send:20"))
        next(reply.payloads)
        reply.close()
        reply.close()
        half_read = carrier.ask(Parcel(b"send:20")).payloads
        next(half_read)
        del half_read
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


def test_eight_mebibytes_go_up_and_down(station: Running) -> None:
    count = limits.EXCHANGE_PAYLOAD_BYTES_MAX // BLOCK
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        assert carrier.ask(_blocks(count)).envelope == repr([BLOCK] * count).encode()
        assert sum(map(len, carrier.ask(Parcel(b"send:%d" % count)).payloads)) == count * BLOCK


@pytest.mark.parametrize("days_ago", [10_000, -10_000], ids=["expired", "not-yet-valid"])
def test_certificate_dates_do_not_matter_but_the_authority_does(days_ago: int) -> None:
    with running(days_ago=days_ago) as (station, _, url):
        with carrier_to(url, station.ca_pem) as carrier:
            assert carrier.ask(Parcel(b"x")).envelope == b"[]"
        other, _ = make_authority("Trạm thử", NOW)
        with carrier_to(url, other) as carrier, pytest.raises(WrongPeerError):
            carrier.ask(Parcel(b"secret"))
        assert len(station.clients) == 1


def test_a_certificate_that_dates_alone_would_refuse_is_indeed_refused_elsewhere() -> None:
    """The control of the test above: an ordinary client with the same authority says no."""
    with running(days_ago=10_000) as (station, server, _):
        context = ssl.create_default_context(cadata=station.ca_pem.decode())
        with (
            socket.create_connection(("127.0.0.1", server.port)) as line,
            pytest.raises(ssl.SSLCertVerificationError, match="expired"),
        ):
            context.wrap_socket(line, server_hostname="127.0.0.1")


def test_the_name_does_not_matter(station: Running) -> None:
    with carrier_to(station[2].replace("127.0.0.1", "localhost"), station[0].ca_pem) as carrier:
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


def test_a_server_certificate_is_no_authority(station: Running) -> None:
    """One station can't pose as another by signing for itself."""
    ca, ca_key = make_authority("a", NOW)
    leaf, leaf_key = issue_server_certificate(ca, ca_key, ["127.0.0.1"], NOW)
    forged, forged_key = issue_server_certificate(leaf, leaf_key, ["127.0.0.1"], NOW)
    with TlsServer(Station(), ("127.0.0.1", 0), forged + leaf, forged_key) as server:
        url = f"https://127.0.0.1:{server.port}"
        with carrier_to(url, ca) as carrier, pytest.raises(WrongPeerError):
            carrier.ask(Parcel(b"secret"))


def test_neither_the_environment_nor_the_system_has_a_say(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nonexistent")
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"
        adapter = carrier._session.get_adapter(station[2])
        context = adapter.poolmanager.connection_pool_kw["ssl_context"]  # type: ignore[attr-defined]
        assert context.cert_store_stats()["x509"] == 1
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_tls_1_1_is_not_spoken(station: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", station[1].port)) as line,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(line)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("stale-nonce", StaleNonceError),
        ("not-admitted", NotAdmittedError),
        ("limit-exceeded", LimitExceededError),
        ("feed-gap", FeedGapError),
        ("not-enrolled", PeerError),
        ("busy", BusyError),
        ("store-busy", BusyError),
        ("store-full", TransportError),
        ("store-corrupt", TransportError),
    ],
)
def test_a_refusal_comes_as_our_error(station: Running, code: str, kind: type[SyncError]) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        with pytest.raises(SyncError) as caught:
            carrier.ask(Parcel(b"refuse:" + code.encode()))
        assert type(caught.value) is kind
        if kind is BusyError:
            assert caught.value.evidence == {"retry_after_s": 7.0}


def test_a_refusal_is_seen_although_the_upload_was_not_read(station: Running) -> None:
    count = limits.EXCHANGE_PAYLOAD_BYTES_MAX // BLOCK
    parcel = Parcel(b"refuse:stale-nonce", (bytes(BLOCK) for _ in range(count)), [BLOCK] * count)
    with carrier_to(station[2], station[0].ca_pem) as carrier, pytest.raises(StaleNonceError):
        carrier.ask(parcel)


def test_a_reply_that_is_cut_gives_what_came_and_then_says_so(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        reply = carrier.ask(Parcel(b"cut:8"))
        assert next(reply.payloads) == bytes(BLOCK)
        with pytest.raises(TransportError) as caught:
            list(reply.payloads)
        assert caught.value.retryable
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


def test_an_upload_that_is_cut_is_seen_at_the_station(station: Running) -> None:
    def power_cut() -> Iterator[bytes]:
        yield bytes(BLOCK)
        raise StorageError("The disk failed.")

    with carrier_to(station[2], station[0].ca_pem) as carrier:
        with pytest.raises(StorageError):
            carrier.ask(Parcel(b"count", power_cut(), [BLOCK] * 4))
        assert station[0].seen.wait(10)
        assert station[0].cuts[0].code == "transport"
        assert BLOCK <= carrier.bytes_sent < 2 * BLOCK
        assert carrier.ask(Parcel(b"x")).envelope == b"[]"


def test_what_is_no_service_of_ours_is_told(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier, pytest.raises(TransportError):
        carrier.ask(Parcel(b"web"))


def test_nobody_there_is_unreachable(station: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with carrier_to(f"https://127.0.0.1:{port}", station[0].ca_pem) as carrier:
        with pytest.raises(UnreachableError):
            carrier.ask(Parcel(b"x"))
        assert carrier.bytes_sent == 0
    with pytest.raises(UnreachableError):
        fetch_ca(f"https://127.0.0.1:{port}", bytes(32))


def test_a_peer_that_falls_silent_is_given_up(
    station: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_protocol.transport.http._TIMEOUTS", (5.0, 0.3))
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        with pytest.raises(TransportError):
            carrier.ask(Parcel(b"wait"))
        station[0].release.set()


def test_a_listener_that_speaks_no_tls_gets_nothing(station: Running) -> None:
    heard: list[bytes] = []

    def eavesdrop(server: socket.socket) -> None:
        line, _ = server.accept()
        with line:
            heard.append(line.recv(65536))
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=eavesdrop, args=(server,))
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with carrier_to(url, station[0].ca_pem) as carrier, pytest.raises(TransportError):
            carrier.ask(Parcel(b"secret"))
        thread.join()
    assert b"secret" not in heard[0]


def test_too_large_a_parcel_is_not_sent(station: Running) -> None:
    with carrier_to(station[2], station[0].ca_pem) as carrier:
        with pytest.raises(LimitExceededError):
            carrier.ask(Parcel(bytes(limits.MESSAGE_BYTES_MAX + 1)))
        assert carrier.requests == 0


def test_the_authority_is_fetched_and_believed_by_its_fingerprint_only(station: Running) -> None:
    ca_pem = station[0].ca_pem
    assert fetch_ca(station[2], fingerprint(ca_pem)) == ca_pem
    with pytest.raises(WrongPeerError):
        fetch_ca(station[2], bytes(32))
    station[0].ca_pem = b"rubbish"
    with pytest.raises(WrongPeerError):
        fetch_ca(station[2], fingerprint(ca_pem))


@pytest.mark.parametrize("url", ["", "10.0.0.5", "ftp://x", "https://", "https://x:99999"])
def test_what_is_no_address_is_told_at_once(station: Running, url: str) -> None:
    with pytest.raises(InputError):
        HttpCarrier(url, station[0].ca_pem)
    with pytest.raises(InputError):
        fetch_ca(url, bytes(32))


def test_what_is_no_certificate_is_told_at_once() -> None:
    with pytest.raises(MalformedMessageError):
        HttpCarrier("https://127.0.0.1", b"rubbish")
