"""“Máy của phường”: the devices of the ward, a tablet's invitation, locking a tablet, reopening it.

What holds: an invitation is shown once, by the answer to the change that made it, and stands in no
address. What a lock will do is said before it is done, and done whether there is a line or not.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.officers import check_supervises
from device_home.shapes import ACTIVE, Shape, device_state
from device_home.upkeep import unsent_entries
from edge_node.desk.site import Allowed, Desk, Route, acting, language
from edge_node.desk.words import age, error_words, pick
from edge_node.tablets import (
    Missing,
    device_health,
    find_tablet,
    invite,
    lock,
    missing_numbers,
    newest_ms,
    reopen,
)
from sync_protocol import limits
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.text import clean
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.exchange.enrol import Registrar, short_name
from sync_protocol.membership import grant as g
from sync_protocol.membership.roster import Granted

HOURS = (1, 8, limits.INVITATION_HOURS)
"""A tablet at hand, one that comes today, and one that is sent."""
OPEN_MAX = 20
"""Invitations that wait: more than a ward has tablets to enrol in a day."""
_LABEL_CHARS_MAX = 80
_MINUTE_MS = 60_000
_KINDS = {g.EDGE: ("Trạm của phường", "Station"), g.TABLET: ("Máy tính bảng", "Tablet")}
_STATES = {
    ACTIVE: ("Đang dùng", "In use"),
    g.LOCKED: ("Đã khóa", "Locked"),
    g.LOST: ("Đã báo mất", "Reported lost"),
    g.COMPROMISED: ("Không còn tin cậy", "Not trusted"),
    g.RETIRED: ("Đã ngừng dùng", "Retired"),
    g.LAPSED: ("Chờ thành phố xác nhận", "Waiting for the city's word"),
}
_MANY = (
    "Đang có quá nhiều mã mời chưa dùng. Hãy dùng hoặc đợi chúng hết hạn.",
    "Too many invitations wait. Use them, or wait until they expire.",
)


def show_devices(desk: Desk) -> ResponseReturnValue:
    """List the devices of the ward."""
    return _page(desk)


def _page(desk: Desk, made: Shape | None = None, problem: str = "") -> ResponseReturnValue:
    grants = desk.replica.holding.roster.grants.values()
    now = desk.replica.character.wall()
    page = render_template(
        "devices.html",
        rows=[device_row(desk, item) for item in sorted(grants, key=lambda i: (i.role, i.label))],
        waiting=[
            (item.label, _left(item.expires_ms, now)) for item in Registrar(desk.replica).waiting()
        ],
        hours=HOURS,
        made=made,
        done=request.args.get("done", ""),
        problem=problem,
    )
    return (page, 400) if problem else page


def device_row(desk: Desk, item: Granted) -> Shape:
    """Return a device as pages show it; what it says of itself is its own word."""
    replica, now = desk.replica, desk.replica.character.wall()
    state, health = device_state(replica, item.device), device_health(replica, item.device)
    own = item.device == replica.keys.public
    heard = health.get("heard_ms")
    unsent = unsent_entries(desk.device.home, replica)[0] if own else health.get("entries_unsent")
    newest = newest_ms(replica, item.device)
    return {
        "id": short_name(item.device),
        "label": item.label,
        "kind": pick(_KINDS.get(item.role, (item.role, item.role)), language()),
        "own": own,
        "state": pick(_STATES.get(state, (state, state)), language()),
        "active": state == ACTIVE,
        "may_lock": item.role == g.TABLET and state == ACTIVE,
        "may_reopen": item.role == g.TABLET and state == g.LOCKED,
        "delegated": item.delegated,
        "heard": _ago(heard, now) if heard else "",
        "newest": _ago(newest, now) if newest else "",
        "unsent": unsent,
        "facts": _facts(health),
    }


def _ago(then_ms: int, now_ms: int) -> str:
    words = age(max(0, now_ms - then_ms) // 1000, language())
    if now_ms - then_ms < _MINUTE_MS:
        return words
    return pick((f"{words} trước", f"{words} ago"), language())


def _left(expires_ms: int, now_ms: int) -> str:
    until = local_time(expires_ms)
    words = age(max(_MINUTE_MS, expires_ms - now_ms) // 1000, language())
    return pick(
        (f"còn {words}, đến {until:%H:%M %d/%m}", f"{words} left, until {until:%H:%M %d/%m}"),
        language(),
    )


def _facts(health: Shape) -> list[str]:
    """Return what is worth a look in what a tablet says of itself."""
    found: list[tuple[str, str]] = []
    free = int(health.get("free_bytes", -1))
    if 0 <= free < 4 * limits.DISK_RESERVE_BYTES:
        mib = free // limits.MIB
        found.append((f"Sắp hết chỗ: còn {mib} MiB", f"Little room: {mib} MiB"))
    if abs(int(health.get("clock_offset_ms", 0))) > limits.CLOCK_SUSPECT_MS:
        found.append(("Đồng hồ sai", "Its clock is wrong"))
    if health.get("protected_against_theft") == 0:
        found.append(("Dữ liệu trên máy chưa chống trộm", "Not protected against theft"))
    if int(health.get("scans_waiting", 0)):
        many = health["scans_waiting"]
        found.append((f"{many} bản chụp chưa gửi", f"{many} scans not sent"))
    if health.get("version"):
        found.append((f"Bản {health['version']}", f"Version {health['version']}"))
    return [pick(pair, language()) for pair in found]


# ----------------------------------------------------------------------------------- enrolling


def do_invite(desk: Desk) -> ResponseReturnValue:
    """Make an invitation, and show it this once."""
    if len(Registrar(desk.replica).waiting()) >= OPEN_MAX:
        return _page(desk, problem=pick(_MANY, language()))
    typed = request.form.get("hours", "")
    hours = int(typed) if typed in map(str, HOURS) else HOURS[0]
    try:
        label = clean(request.form.get("label", ""), "label")[:_LABEL_CHARS_MAX]
        text, _ = invite(desk.device.home, desk.replica, label, hours=hours)
    except (InputError, NotAllowedError) as problem:
        return _page(desk, problem=error_words(problem, language()))
    now = desk.replica.character.wall()
    left = _left(now + hours * 60 * _MINUTE_MS, now)
    return _page(desk, {"label": label, "text": text, "left": left, "picture": _picture(text)})


def _picture(text: str) -> str:
    """Return a QR code as SVG without a style of its own, as the pages' policy wants it."""
    import segno  # late: few pages draw

    out = io.BytesIO()
    segno.make(text, error="l", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, scale=5, border=4, light="#fff", nl=False
    )
    return out.getvalue().decode()


# ------------------------------------------------------------------------------------- locking


def _tablet(desk: Desk, text: str) -> Granted:
    try:
        return find_tablet(desk.replica, text)
    except InputError:
        abort(404)


def show_lock(desk: Desk, device: str) -> ResponseReturnValue:
    """Say what locking, or reopening, will do."""
    return _lock_page(desk, _tablet(desk, device))


def _lock_page(desk: Desk, item: Granted, problem: str = "") -> ResponseReturnValue:
    replica = desk.replica
    cuts = replica.holding.frontier(item.device)
    today = local_time(replica.character.wall()).date()
    page = render_template(
        "device_lock.html",
        row=device_row(desk, item),
        kept=sum(cut.seq for cut in cuts),
        numbers=[_numbers(found) for found in missing_numbers(replica, item.device, today)],
        problem=problem,
    )
    return (page, 409) if problem else page


def _numbers(found: Missing) -> str:
    return f"{found.day:%d/%m/%Y}: {ranges(found.numbers)}"


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as people write them: "1–3, 7"."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in spans)


def do_lock(desk: Desk, device: str) -> ResponseReturnValue:
    """Lock a tablet now."""
    item = _tablet(desk, device)
    check_supervises(desk.replica, acting())
    if device_state(desk.replica, item.device) == ACTIVE:  # a second tap changes nothing
        lock(desk.replica, acting(), item.device)
        desk.on_change()
    return redirect(url_for("devices", done="locked"))


def do_reopen(desk: Desk, device: str) -> ResponseReturnValue:
    """Lift a lock."""
    item = _tablet(desk, device)
    check_supervises(desk.replica, acting())
    try:
        reopen(desk.replica, acting(), item.device)
    except NotAllowedError as problem:
        return _lock_page(desk, item, error_words(problem, language()))
    desk.replica.follow()
    desk.on_change()
    return redirect(url_for("devices", done="reopened"))


ROUTES = (
    Route("GET", "/devices", "devices", Allowed.SUPERVISOR, show_devices),
    Route("POST", "/devices/invite", "do_invite", Allowed.SUPERVISOR, do_invite),
    Route("GET", "/devices/<device>/lock", "lock", Allowed.SUPERVISOR, show_lock),
    Route("POST", "/devices/<device>/lock", "do_lock", Allowed.SUPERVISOR, do_lock),
    Route("POST", "/devices/<device>/reopen", "do_reopen", Allowed.SUPERVISOR, do_reopen),
)
