"""The second half: a tablet and its ticks, a revocation, a stick, the desk, the hub's own word."""

import ssl
import urllib.request
from typing import Any

from tests.demo.scene import LAN, MINH, OTHER, WARD, Scene
from tests.town.process import Program
from tests.town.town import dossiers, eventually

PAGE_TIMEOUT_S = 30.0
TICKS = (
    ("device", "✓ Đã lưu trên máy"),
    ("edge", "✓✓ Đã về phường"),
    ("hub", "✓✓✓ Đã về thành phố"),
)


def ticks(device: Program, record: str) -> str:
    """Return a dossier's ticks on a device: the last one that is true."""
    saved: dict[str, Any] = device.ask("dossier", "show", record)["saved"]
    return [words for name, words in TICKS if saved[name]][-1]


def tablet(scene: Scene) -> None:
    """A tablet is enrolled at the station, with the line to the city cut."""
    scene.town.cut_line()
    station = scene.desk.serve("--host", "127.0.0.1", "--port", "0")
    scene.served["quay-1"] = station
    scene.tell.say(f"quay-1 serves tablets at {station.url}.")
    invite = scene.desk.ask("invite", "--label", "Máy bảng 1")["invite"]
    scene.devices["may-bang"] = scene.town.program("tablet", "may-bang")
    scene.tablet.must("init")
    scene.tablet.must("enrol", "--invite", invite)
    scene.tell.say("The tablet is enrolled: the station granted it, the city need not be there.")
    record = scene.town.capture(scene.tablet, "may-bang", 3, seed=40)[0]
    shown = [ticks(scene.tablet, record)]
    scene.tell.say(f"Captured in the field:      {shown[-1]}")
    scene.sync("may-bang")
    shown.append(ticks(scene.tablet, record))
    scene.tell.say(f"Back in the office:         {shown[-1]}")
    scene.town.line_back()
    scene.desk.ask("sync")
    scene.sync("may-bang")
    shown.append(ticks(scene.tablet, record))
    scene.tell.say(f"The line to the city back:  {shown[-1]}")
    scene.tell.holds(
        "the three ticks came one by one, each on a signed receipt",
        true=shown == [words for _, words in TICKS],
    )
    row = next(r for r in scene.hub.ask("device", "list") if r["label"] == "Máy bảng 1")
    scene.tell.holds("and the city countersigned the tablet", true=not row["delegated"])


def revoke(scene: Scene) -> None:
    """The second station is stolen: it is revoked, and what it wrote afterwards waits."""
    row = next(r for r in scene.hub.ask("device", "list") if r["label"] == "quay-2")
    scene.hub.ask("device", "revoke", row["id"], "--reason", "lost")
    scene.tell.say("motcua-hub device revoke: quay-2 is cut at what the hub holds now.")
    before = len(dossiers(scene.desk))
    late = scene.town.capture(scene.second, "sau", 2, seed=50)
    scene.tell.say(f"quay-2 has not heard of it, and captures {len(late)} more.")
    answer = scene.second.run("sync", "--json")
    scene.tell.say(f"Its next sync ends with exit code {answer.code}.")
    held = scene.hub.ask("quarantine", "list", "--ward", WARD)
    for item in held:
        feed, _, number = item["id"].partition(":")
        scene.tell.say(f"held: {feed[:8]}…:{number}  {item['reason']}  from {item['device_label']}")
    known = {record for item in held for record in item["records"]}
    scene.tell.holds("all of it is held back, none is lost", true=known == set(late))
    scene.desk.ask("sync")
    scene.tell.holds("no other station shows it", true=len(dossiers(scene.desk)) == before)
    scene.hub.ask("quarantine", "adopt", *[item["id"] for item in held], "--by", LAN)
    scene.desk.ask("sync")
    there = {row["id"] for row in dossiers(scene.desk)}
    scene.tell.holds(f"{LAN} adopted it, and now it is everywhere", true=set(late) <= there)
    scene.town.check_equal(WARD, [scene.desk])
    scene.tell.holds("the station and the hub are byte-equal", true=True)


def bundle(scene: Scene) -> None:
    """A ward without any line sends a stick to the city, and gets its receipt back."""
    stick = scene.town.folder / "usb"
    stick.mkdir()
    saved = scene.town.capture(scene.village, "theo-usb", 5, seed=60, scans=True)
    made = scene.village.ask("bundle", "export", str(stick), "--to", "hub")
    scene.tell.say(
        f"soc-son bundle export: {made['entries']} entries and {made['chunks']} pieces of scans "
        f"in {made['pieces']} files, {made['bytes']:,} B, sealed to the hub."
    )
    names = [path.name for path in stick.rglob("*") if path.is_file()]
    clear = any("jsonl" in name or "jpg" in name for name in names)
    scene.tell.holds("the stick holds sealed files only", true=names and not clear)
    taken = scene.hub.ask("bundle", "import", str(stick))
    scene.tell.say(
        f"hub bundle import: {taken['entries']} entries, {taken['chunks']} pieces of scans taken "
        f"in; {taken['answered']} receipts left on the stick."
    )
    there = {row["id"] for row in dossiers(scene.hub, "--ward", OTHER)}
    scene.tell.holds("all of it is at the city", true=set(saved) <= there)
    home = scene.village.ask("bundle", "import", str(stick))
    scene.tell.say(f"soc-son bundle import: {home['receipts']} receipts taken in.")
    scene.tell.holds(
        "the receipt came back by stick: ✓✓✓ Đã về thành phố",
        true=ticks(scene.village, saved[0]) == TICKS[-1][1],
    )
    scene.town.check_equal(OTHER, [scene.village])
    scene.tell.holds("the ward and the hub are byte-equal, no line was used", true=True)


def desk(scene: Scene) -> None:
    """The desk is open: officers sign in at its pages, each with a code for the first use."""
    url = scene.served["quay-1"].url
    for name in (LAN, MINH):
        scene.noted.setdefault("codes", {})[name] = scene.desk.ask("officer", "pin", name)["code"]
        scene.tell.say(f"motcua-edge officer pin: {name} (a test person) has a code of 8 digits.")
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # its authority is the ward's own
    with urllib.request.urlopen(f"{url}/", context=trust, timeout=PAGE_TIMEOUT_S) as answer:
        page, where = answer.read().decode(), answer.url
    scene.tell.say(f"GET {url}/ leads to {where}")
    entrance = "Đăng nhập" in page and "/sign-in" in where
    scene.tell.holds("without a code nobody comes further than the entrance", true=entrance)
    rows = scene.desk.ask("officer", "list")
    there = {row["name"]: row["role"] for row in rows}
    roles = (there.get(LAN), there.get(MINH))
    scene.tell.holds(
        "a supervisor and a clerk may work there", true=roles == ("supervisor", "clerk")
    )


def sound(scene: Scene) -> None:
    """The hub tells how it is, and proves what it holds."""
    health = scene.hub.ask("health")
    for ward in health["wards"]:
        scene.tell.say(
            f"{ward['ward']} {ward['name']}: {ward['records']} hồ sơ, {ward['conflicts']} disputed,"
            f" {ward['quarantined']} held back, views {ward['views_lag']} behind"
        )
    calm = all(not w["conflicts"] and not w["quarantined"] for w in health["wards"])
    scene.tell.holds("nothing is disputed, nothing is held back", true=calm)
    found = eventually("the hub verifies", lambda: scene.hub.ask("verify"))
    checks = [f"{c['check']} {c['count']}" for w in found["wards"] for c in w["checks"]]
    scene.tell.say("checked: " + ", ".join(checks))
    scene.tell.holds("every chain, seal, page, scan and view is sound", true=found["sound"])
