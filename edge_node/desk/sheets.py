"""What the dossier's page says of printing, and where a scanned slip leads."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from device_home.shapes import Shape
from device_home.slips import find_slip, slip_of
from edge_node.desk.site import Desk, acting, language, message_page
from edge_node.desk.words import pick
from edge_node.printing.facts import gather
from edge_node.printing.forms import FORMS, fitting
from sync_protocol.dossier.labels import ENGLISH
from sync_protocol.dossier.provisional_code import read_provisional_code
from sync_protocol.dossier.slip import FORMAT, read_slip
from sync_protocol.errors import InputError
from sync_protocol.view import RecordView

_NO_DOSSIER = (
    """\
Hồ sơ của phiếu này chưa về đến máy này. Nếu máy đã lập phiếu bị mất, hãy tiếp nhận lại và quét \
phiếu vào ô “Phiếu đã có”: mã trên phiếu được giữ nguyên.""",
    """\
The dossier of this slip has not come to this machine. If the machine that made it is lost, \
receive it again and scan the slip into “Slip at hand”: its code stays.""",
)


def sheets_of(desk: Desk, view: RecordView) -> Shape:
    """Return what the dossier's page says of printing: the forms that fit, the slip, the code."""
    facts = gather(desk.replica, desk.device.home.place().name, view.id, acting())
    english = language() == ENGLISH
    return {
        "forms": [
            {"number": number, "name": FORMS[number].english if english else FORMS[number].name}
            for number in fitting(facts)
        ],
        "has_slip": slip_of(view) is not None,
        "unbound": not view.value("official_code"),
        "open": not view.read_only and not view.purged,
        "now": request.args.get("saved") in ("new", "slip") and "01" in fitting(facts),
        "void": request.args.get("slip") == "void",
    }


def is_slip(words: str) -> bool:
    """Whether what was typed into the search is the content of a slip's QR code."""
    return words.strip().upper().startswith(f"{FORMAT}:")


def as_printed(words: str) -> str:
    """Return a provisional code as it is printed, however it was typed; other words as they are."""
    try:
        return read_provisional_code(words).text
    except InputError:
        return words


def open_slip(desk: Desk, words: str) -> ResponseReturnValue:
    """Go to the dossier of a slip, and say there if the slip is void."""
    found = find_slip(desk.replica, read_slip(words))
    if found is None:
        return message_page(pick(_NO_DOSSIER, language()), 404)
    record, holds = found
    return redirect(url_for("dossier", record=record.hex(), slip=None if holds else "void"))
