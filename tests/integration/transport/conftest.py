"""One station for the tests that don't need their own."""

from collections.abc import Iterator

import pytest

from sync_protocol.transport.serving import TlsServer
from tests.integration.transport.station import Station, running


@pytest.fixture
def station() -> Iterator[tuple[Station, TlsServer, str]]:
    with running() as parts:
        yield parts
