"""Who plays in the demo: the city's hub, two stations of one ward, one of another, and a tablet."""

from dataclasses import dataclass, field
from typing import Any

from tests.demo.telling import Telling
from tests.town.process import Program, Served
from tests.town.town import Town

WARD, WARD_NAME = "00070", "Phường Hoàn Kiếm"
OTHER, OTHER_NAME = "00376", "Xã Sóc Sơn"
LAN, MINH, HOA = "Nguyễn Thị Lan", "Trần Văn Minh", "Lê Thị Hoa"


@dataclass(slots=True)
class Scene:
    """What the steps share."""

    town: Town
    tell: Telling
    devices: dict[str, Program] = field(default_factory=dict)
    served: dict[str, Served] = field(default_factory=dict)
    noted: dict[str, Any] = field(default_factory=dict)

    @property
    def hub(self) -> Program:
        """The city."""
        return self.town.hub

    @property
    def desk(self) -> Program:
        """The first station of the ward: the reception desk."""
        return self.devices["quay-1"]

    @property
    def second(self) -> Program:
        """The second station of the same ward."""
        return self.devices["quay-2"]

    @property
    def village(self) -> Program:
        """The station of the other ward."""
        return self.devices["soc-son"]

    @property
    def tablet(self) -> Program:
        """The tablet of the first ward."""
        return self.devices["may-bang"]

    def sync(self, *names: str) -> None:
        """Let devices sync, one after the other, and tell what it cost."""
        for name in names:
            self.tell.figures(f"{name} sync", self.devices[name].ask("sync"))

    def sizes(self) -> dict[str, int]:
        """Return how many dossiers the hub holds, by ward."""
        return {row["code"]: row["dossiers"] for row in self.hub.ask("ward", "list")}
