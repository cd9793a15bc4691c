"""The first half: a city, three stations, a cut line, captures, and two versions of one dossier."""

from functools import partial

from tests.demo.scene import (
    HOA,
    LAN,
    MINH,
    OTHER,
    OTHER_NAME,
    WARD,
    WARD_NAME,
    Scene,
)
from tests.town.town import dossiers, together

CAPTURES = {"quay-1": 12, "quay-2": 8, "soc-son": 6}


def found(scene: Scene) -> None:
    """A city is founded."""
    scene.town.found((WARD, WARD_NAME), (OTHER, OTHER_NAME))
    for name, ward, role in (
        (LAN, WARD, "supervisor"),
        (MINH, WARD, "clerk"),
        (HOA, OTHER, "supervisor"),
    ):
        scene.hub.ask("officer", "add", name, "--ward", ward, "--role", role)
    scene.tell.say(f"motcua-hub serves at {scene.town.url}, over TLS with its own authority.")
    scene.tell.say(f"Its offline keys were written to {scene.town.recovery_key.parent.name}/.")
    codes = [row["code"] for row in scene.hub.ask("ward", "list")]
    scene.tell.holds(f"two wards are there: {WARD_NAME}, {OTHER_NAME}", true=len(codes) == 2)


def enrol(scene: Scene) -> None:
    """Three stations are enrolled by invitation, each with a key of its own."""
    places = {"quay-1": WARD, "quay-2": WARD, "soc-son": OTHER}
    works = [partial(scene.town.enrol, "edge", name, ward) for name, ward in places.items()]
    scene.devices.update(zip(places, together(*works), strict=True))
    scene.desk.ask("sync")  # share the ward's key with the second desk
    scene.second.ask("sync")
    rows = scene.hub.ask("device", "list")
    for row in rows:
        scene.tell.say(f"{row['label']:<8} {row['role']} of {row['ward']}, device {row['id'][:12]}")
    scene.tell.holds("the hub lists three devices", true=len(rows) == 3)


def offline(scene: Scene) -> None:
    """The line is cut; people go on working."""
    scene.town.cut_line()
    scene.tell.say("The hub is stopped: nobody reaches it.")
    works = [
        partial(scene.town.capture, scene.devices[name], name, count, seed, scans=True)
        for seed, (name, count) in enumerate(CAPTURES.items(), start=1)
    ]
    saved = dict(zip(CAPTURES, together(*works), strict=True))
    for name, ids in saved.items():
        scene.tell.holds(
            f"{name}: {len(ids)} hồ sơ with a scan each, ✓ Đã lưu trên máy",
            true=len(set(ids)) == CAPTURES[name],
        )
    scene.noted["saved"] = saved
    said = scene.desk.refused("sync")
    scene.tell.say("`motcua-edge sync` without a line says:")
    scene.tell.quote(f"{said['diagnosis']} [{said['error']}]")
    plain = "lost" in said["diagnosis"] or "safe" in said["diagnosis"]
    scene.tell.holds("it fails, and says that nothing is lost", true=plain)
    unsent = scene.desk.ask("health")["entries_unsent"]
    scene.tell.holds(f"health counts what waits: {unsent} entries", true=unsent >= 12)


def back(scene: Scene) -> None:
    """The line is back; what was captured travels."""
    scene.town.line_back()
    scene.sync("quay-1", "quay-2", "soc-son")
    scene.tell.say("A second round brings each desk what the other one sent, scans included.")
    scene.sync("quay-1", "quay-2")
    first = scene.town.check_equal(WARD, [scene.desk, scene.second])
    scene.tell.say(f"digest {first['sha256'][:32]}…, {first['records']} hồ sơ")
    scene.tell.holds(
        "both stations of the ward and the hub are byte-equal", true=first["records"] == 20
    )
    other = scene.town.check_equal(OTHER, [scene.village])
    scene.tell.holds("so are the other ward's and the hub", true=other["records"] == 6)
    lists = [{row["id"] for row in dossiers(place)} for place in (scene.desk, scene.second)]
    saved = scene.noted["saved"]
    wanted = {*saved["quay-1"], *saved["quay-2"]}
    scene.tell.holds("every acknowledged dossier is on both stations", true=lists == [wanted] * 2)
    waiting = [d.ask("health")["scans_waiting"] for d in (scene.desk, scene.second)]
    scene.tell.holds("and every scan has arrived at the city", true=waiting == [0, 0])
    idle = scene.desk.ask("sync")
    scene.tell.figures("nothing new", idle)
    spent = idle["bytes_sent"] + idle["bytes_received"]
    scene.tell.holds(
        f"an idle check is {idle['requests']} request and {spent} bytes",
        true=idle["requests"] == 1 and spent <= 300,
    )


def differ(scene: Scene) -> None:
    """Two people change the same dossier while the line is cut."""
    record = scene.noted["saved"]["quay-1"][0]
    scene.noted["record"] = record
    scene.town.cut_line()
    scene.desk.ask("dossier", "set", record, "phone=0912000111", "--officer", LAN)
    scene.second.ask("dossier", "set", record, "phone=0988000222", "--officer", MINH)
    scene.second.ask("dossier", "set", record, "--note", "Hẹn trả thứ Sáu", "--officer", MINH)
    scene.tell.say(f"{LAN} at quay-1 writes phone 0912000111.")
    scene.tell.say(f"{MINH} at quay-2 writes phone 0988000222, and adds a note.")
    scene.town.line_back()
    scene.sync("quay-1", "quay-2", "quay-1")
    for place in (scene.desk, scene.second):
        conflicts = place.ask("conflict", "list")
        scene.tell.holds(
            f"{place.home.name} shows one “Hai bản khác nhau”, not two: the note disturbs nobody",
            true=[item["field"] for item in conflicts] == ["phone"],
        )
    conflict = scene.desk.ask("conflict", "list")[0]
    for number, value in enumerate(conflict["values"], start=1):
        scene.tell.say(f"[{number}] {value['value']}  by {value['officer_name']}")
    scene.tell.say(f"{conflict['age_s']} s old, to be decided by: {conflict['owner']}")
    found = {(item["value"], item["officer_name"]) for item in conflict["values"]}
    both = {("0912000111", LAN), ("0988000222", MINH)}
    scene.tell.holds("both values stand there with their authors", true=found == both)


def settle(scene: Scene) -> None:
    """A person decides; the conflict is gone everywhere."""
    record = scene.noted["record"]
    words = ("conflict", "settle", record, "phone", "--value", "0988000222", "--officer", LAN)
    scene.desk.ask(*words)
    scene.sync("quay-1", "quay-2")
    left = [place.ask("conflict", "list") for place in (scene.desk, scene.second)]
    scene.tell.holds(f"{LAN} settled it: no station shows it any more", true=left == [[], []])
    shown = scene.hub.ask("dossier", "show", record, "--ward", WARD)
    phone = shown["fields"]["phone"]["value"]
    scene.tell.holds(
        "the hub neither: there, too, the phone is 0988000222",
        true=not shown["conflicts"] and phone == "0988000222",
    )
    scene.town.check_equal(WARD, [scene.desk, scene.second])
    scene.tell.holds("all three are byte-equal again", true=True)
