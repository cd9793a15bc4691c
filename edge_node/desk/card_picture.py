"""A picture of a card at reception: it fills the form as a reader does, with the same remarks."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from device_home.picture.scan import read_card
from edge_node.desk.reception import fill, form_page, posted_form
from edge_node.desk.scans import SCAN_FORM_BYTES_MAX, sent_picture
from edge_node.desk.site import Allowed, Desk, Route, language
from edge_node.desk.words import error_words
from sync_protocol.errors import InputError


def do_card(desk: Desk, code: str) -> ResponseReturnValue:
    """Read the card in a picture into the form; the picture is kept nowhere."""
    form = posted_form(code)
    try:
        fill(form, read_card(desk.pictures, sent_picture()))
    except InputError as problem:
        form.problems["card"] = error_words(problem, language())
    return form_page(desk, form)


ROUTES = (
    Route(
        "POST",
        "/intake/<code>/card",
        "do_card",
        Allowed.OFFICER,
        do_card,
        body_bytes_max=SCAN_FORM_BYTES_MAX,
    ),
)
