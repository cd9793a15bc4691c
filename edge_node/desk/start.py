"""The first page, what waits for a person, and the lists: all dossiers, and those that are due.

What holds: nothing here waits for the line. How old the knowledge is, is said on the first page.
"""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from device_home.dossiers import find_record, load, rows
from device_home.notes import last_success_ms
from device_home.shapes import Shape, Ticks, row
from device_home.upkeep import unsent_entries
from edge_node.desk.clock import must_confirm
from edge_node.desk.closing import TODAY_MAX, Closing, closing
from edge_node.desk.drafts import draft_rows
from edge_node.desk.sheets import as_printed, is_slip, open_slip
from edge_node.desk.site import Allowed, Desk, Route, acting, language, session
from edge_node.desk.waiting import due_now, mine, queued, stand_ins, to_call
from edge_node.desk.words import age, pick, place_kind, ticks
from sync_protocol.dossier.day import shown_day
from sync_protocol.dossier.folding import fold
from sync_protocol.dossier.labels import STATUSES, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.dossier.status import Status
from sync_protocol.errors import InputError
from sync_protocol.identity import RecordId
from sync_protocol.storage.store import Query

PAGE_ROWS = 25
DUE_ROWS_MAX = 100
"""A page of 50 KiB; who has a hundred overdue begins at the top."""
_FRESH_S = 60
"""A count on the first page may be a minute old; the list behind it never is."""
_IDLE_CHECK_S = 30
_QUIET_CHECKS = 5
"""After so many checks without an answer the line is called cut; two minutes at the least."""
_QUIET_S_MIN = 120


def show_home(desk: Desk) -> ResponseReturnValue:
    """Show what needs somebody now, and how the line is."""
    if must_confirm(desk):
        return redirect(url_for("clock"))
    counts = desk.replica.rooms.views.counts()
    due = due_now(desk.replica, _FRESH_S)
    unsent, _ = unsent_entries(desk.device.home, desk.replica)
    line = line_words(desk, unsent)
    return render_template(
        "home.html",
        disputed=counts.disputed + counts.clashes,
        held=counts.held,
        records=sum(counts.by_facet.values()),
        unsent=unsent,
        calls=len(to_call(desk.replica, _FRESH_S)),
        portal=len(queued(desk.replica, _FRESH_S)),
        uncollected=counts.by_facet.get(Status.READY.value, 0),
        overdue=len(due.overdue),
        today=len(due.today),
        due_whole=due.whole,
        line=line,
        mine=len(mine(desk.replica, acting())),
        deputies_today=stand_ins(desk.replica, today_only=True),
        aside=draft_rows(desk.replica, acting()),
        closing=closing_words(closing(desk.replica)),
        statuses=[
            (code, label(STATUSES, code, language()), counts.by_facet.get(code, 0))
            for code in STATUSES
            if counts.by_facet.get(code)
        ],
    )


def line_stands(desk: Desk) -> bool:
    """Return whether the city answered within the last checks."""
    now, last = desk.replica.character.wall(), last_success_ms(desk.replica)
    check_s = desk.device.home.settings.number("idle_check_s", _IDLE_CHECK_S)
    quiet_s = max(_QUIET_S_MIN, _QUIET_CHECKS * check_s)
    return last is not None and 0 <= now - last <= quiet_s * 1000


def line_words(desk: Desk, unsent: int) -> tuple[bool, str]:
    """Return whether the line stands, and the state of it in plain words."""
    now, last = desk.replica.character.wall(), last_success_ms(desk.replica)
    if line_stands(desk):
        stands = pick(("Đang nối với thành phố.", "The line to the city stands."), language())
        waits = (f" {unsent} thay đổi đang gửi.", f" {unsent} changes on their way.")
        return True, stands + (pick(waits, language()) if unsent else "")
    words = (
        f"Mất mạng – {unsent} thay đổi đã lưu an toàn trên máy này, sẽ tự gửi khi có mạng.",
        f"No line – {unsent} changes are safe on this machine and go out by themselves.",
    )
    if last is not None:
        since = age(max(0, (now - last) // 1000), language())
        words = (
            f"{words[0]} Lần cuối nối được: {since} trước.",
            f"{words[1]} Last contact: {since} ago.",
        )
    return False, pick(words, language())


def closing_words(found: Closing) -> str:
    """Return the closing line of the day; empty where nobody came."""
    if not found.dossiers:
        return ""
    many = pick(("hơn ", "over "), language()) if found.dossiers >= TODAY_MAX else ""
    words = (
        f"Hôm nay: {many}{found.dossiers} hồ sơ, an toàn ở {found.places} nơi.",
        f"Today: {many}{found.dossiers} dossiers, safe at {found.places} places.",
    )
    if found.places == 1:
        words = (
            f"Hôm nay: {many}{found.dossiers} hồ sơ, mới có ở máy này. Sẽ tự gửi khi có mạng.",
            f"Today: {many}{found.dossiers} dossiers, here only. They go out by themselves.",
        )
    return pick(words, language())


# ------------------------------------------------------------------------------------- lists


def show_list(desk: Desk) -> ResponseReturnValue:
    """Show one page of dossiers, newest first."""
    search = request.args.get("s", "")
    words = session().searches.get(search, "")
    status = request.args.get("status", "")
    status = status if status in STATUSES else ""
    query = Query(
        type=DOSSIER.id,
        facet=status,
        text=fold(words),
        before=_before(desk, request.args.get("before", "")),
        limit=PAGE_ROWS + 1,
    )
    found = rows(desk.replica, query)
    more = found[PAGE_ROWS - 1]["id"] if len(found) > PAGE_ROWS else ""
    return render_template(
        "list.html",
        rows=[list_row(desk, shape) for shape in found[:PAGE_ROWS]],
        words=words,
        search=search,
        status=status,
        statuses=[(code, label(STATUSES, code, language())) for code in STATUSES],
        more=more,
        paged=bool(query.before),
        title="",
    )


def _before(desk: Desk, text: str) -> tuple[int, RecordId] | None:
    if not text:
        return None
    try:
        record = find_record(desk.replica, text)
    except InputError:
        return None
    stored = desk.replica.rooms.views.load([record]).get(record)
    return None if stored is None else (stored.order, stored.id)


def list_row(desk: Desk, shape: Shape) -> Shape:
    """Return a row as a page shows it."""
    kind = place_kind(desk.device.home.place().name)
    return {
        **shape,
        "status_name": label(STATUSES, shape["status"], language()),
        "received_on": shown_day(shape["received_on"]),
        "due_on": shown_day(shape["due_on"]),
        "ticks": ticks(shape["saved"], kind, language()),
    }


def do_search(desk: Desk) -> ResponseReturnValue:
    """Keep the words, which may be a name, out of the address; then show the list."""
    words = request.form.get("words", "").strip()[:200]
    if is_slip(words):
        return open_slip(desk, words)
    status = request.form.get("status", "")
    name = session().keep_search(as_printed(words)) if words else None
    return redirect(url_for("list", s=name, status=status or None))


def show_due(desk: Desk) -> ResponseReturnValue:
    """Show what is overdue, then what is due today."""
    due = due_now(desk.replica)
    ticks_ = Ticks(desk.replica)
    found = []
    for record in [*due.overdue, *due.today][:DUE_ROWS_MAX]:
        view, state = load(desk.replica, record)
        found.append(list_row(desk, row(view, state, ticks_)))
    left = len(due.overdue) + len(due.today) - len(found)
    today = local_time(desk.replica.character.wall())
    return render_template(
        "list.html",
        rows=found,
        title=pick(("Quá hạn và đến hạn hôm nay", "Overdue and due today"), language()),
        today=f"{today:%d/%m/%Y}",
        left=left,
        more="",
        status="",
        search="",
        words="",
        statuses=[],
        paged=False,
    )


ROUTES = (
    Route("GET", "/", "home", Allowed.OFFICER, show_home),
    Route("GET", "/dossiers", "list", Allowed.OFFICER, show_list),
    Route("POST", "/search", "do_search", Allowed.OFFICER, do_search),
    Route("GET", "/due", "due", Allowed.OFFICER, show_due),
)
