"""The station at work: one replica, answered for over TLS, followed, and brought to the city.

What holds: `start` returns once tablets can come in. Commands are taken over from the first moment
to the last. News wakes the follower; what was followed or captured wakes the uplink, which else
looks about every `idle_check_s`. `stop` lets requests, commands and an exchange under way end.
"""

from __future__ import annotations

import random
import threading

from device_home.command import Program
from device_home.device import Device
from device_home.handing import executor
from device_home.loops import Loop
from device_home.upkeep import unsent_entries
from edge_node.authority import (
    authority,
    keep_served_url,
    reachable_host,
    server_certificate,
)
from edge_node.desk.mount import beside
from edge_node.desk.sessions import Sessions
from edge_node.desk.site import Desk
from edge_node.notices import ProgramGateway, send_notices
from edge_node.tablets import keep_device_health
from edge_node.web.face import make_face
from sync_protocol.errors import SyncError
from sync_protocol.exchange.enrol import Registrar
from sync_protocol.exchange.respond import Nonces, Responder
from sync_protocol.identity import DeviceKey
from sync_protocol.replica import Replica
from sync_protocol.schedule import Schedule
from sync_protocol.transport.handover import HandoverServer
from sync_protocol.transport.serving import TlsServer

IDLE_CHECK_S = 30
_FOLLOW_IDLE_S = 60.0
_NOTICES_IDLE_S = 60.0
_STOP_S = 10.0


class Station:
    """An edge that serves, from `start` to `stop`."""

    def __init__(self, program: Program[Device], device: Device, address: tuple[str, int]) -> None:
        """Prepare. Raises `NotEnrolledError` before there is a ward to serve."""
        home = device.home
        self._device = device
        self._host = address[0]
        self._replica: Replica = device.replica()
        self._schedule = Schedule()
        gateway = home.settings.text("gateway")
        self._gateway = ProgramGateway(home.folder / gateway) if gateway else None
        self._stopping = threading.Event()
        self._draw = random.SystemRandom().random
        responder = Responder(self._replica, Nonces(), self._take_health)
        face = make_face(responder, Registrar(self._replica), authority(home)[0], self._news)
        self._desk = Desk(device, Sessions(), self._after_change)
        served = beside(face, self._desk)
        self._server = TlsServer(served, address, *server_certificate(home, self._host))
        self._commands = HandoverServer(
            home.folder, executor(program, device, home.folder, self._after_change)
        )
        self._follower = Loop("follower", self._follow)
        self._uplink = Loop("uplink", self._exchange)
        self._notices = Loop("notices", self._notify)

    @property
    def url(self) -> str:
        """Where tablets meet this station."""
        return f"https://{reachable_host(self._host)}:{self._server.port}"

    def start(self) -> None:
        """Serve. Raises `StoreBusyError` where the port or the control socket is taken."""
        self._commands.start()
        try:
            self._server.start()
        except BaseException:
            self._commands.stop()
            raise
        keep_served_url(self._replica, self.url)
        self._follower.start()
        self._uplink.start()
        if self._gateway is not None:
            self._notices.start()

    def stop(self) -> None:
        """End what is under way, and stop."""
        self._stopping.set()
        self._desk.listeners.stopping.set()
        self._commands.stop()
        self._server.stop()
        self._notices.stop(_STOP_S)
        self._uplink.stop(_STOP_S)
        self._follower.stop(_STOP_S)

    # --- the loops --------------------------------------------------------------------------------

    def _news(self) -> None:
        self._follower.wake()
        self._uplink.wake()

    def _after_change(self) -> None:
        if unsent_entries(self._device.home, self._replica)[0]:
            self._uplink.wake()

    def _follow(self) -> float:
        self._replica.follow()
        return _FOLLOW_IDLE_S

    def _exchange(self) -> float:
        """Exchange once; return how long to wait until the next time."""
        try:
            self._device.sync()
        except SyncError as problem:
            self._schedule = self._schedule.failed()
            return self._schedule.wait_s(self._draw, error=problem)
        self._schedule = self._schedule.succeeded()
        idle_s = self._device.home.settings.number("idle_check_s", IDLE_CHECK_S)
        return idle_s * (0.5 + self._draw())

    def _notify(self) -> float:
        """Hand to the gateway what people must be told."""
        ward = self._device.home.place().name
        gateway, stops = self._gateway, self._stopping.is_set
        if gateway is not None and send_notices(self._replica, gateway, ward, stops):
            self._after_change()
        return _NOTICES_IDLE_S

    def _take_health(self, device: DeviceKey, figures: dict[str, int | str]) -> None:
        keep_device_health(self._replica, device, figures)
