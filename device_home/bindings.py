"""`dossier bind`: the code that the national portal gave, typed back and bound to its dossier.

What holds: a dossier is renumbered by nobody. A code that another dossier here has already is
refused with that dossier's id; where two machines bind one code apart, both stay, as a conflict.
The provisional code stays and is found for ever.
"""

from __future__ import annotations

import argparse
from argparse import Namespace

from device_home.app import App
from device_home.command import DONE, Command, Output
from device_home.dossiers import Edits, find_record, load, save_edits
from device_home.officers import acting_officer, officer_option
from device_home.shapes import dot_text, etag
from sync_protocol.dossier.dossier_code import read_dossier_code
from sync_protocol.dossier.text import refused
from sync_protocol.errors import InputError
from sync_protocol.identity import Dot, OfficerId
from sync_protocol.replica import Replica, Written
from sync_protocol.view import RecordView


def binding_commands() -> list[Command[App]]:
    """Return the command."""
    return [Command("dossier bind", "bind the portal's code to a dossier", run_bind, _options)]


def run_bind(app: App, arguments: Namespace, output: Output) -> int:
    """Bind a code."""
    replica = app.replica(arguments)
    officer = acting_officer(app.home, replica, arguments, output)
    view, _ = load(replica, find_record(replica, arguments.id))
    written = bind(replica, officer, view, arguments.code)
    view, _ = load(replica, view.id)
    answer = {"id": view.id.hex(), "official_code": view.value("official_code")}
    dot = {"dot": dot_text(written.dot)} if written else {}
    output.data({**answer, "changed": written is not None, **dot, "etag": etag(view)})
    output.say("Saved on this device." if written else "That is its code already.")
    return DONE


def bind(
    replica: Replica,
    officer: OfficerId,
    view: RecordView,
    text: str,
    seen: frozenset[Dot] | None = None,
) -> Written | None:
    """Bind an official code; None where the dossier has it already.

    `seen` are the dots that a page displayed, as in `Edits`. Raises `InputError`,
    `NotAllowedError` and `StorageError` kinds.
    """
    try:
        code = str(read_dossier_code(text))
    except InputError as problem:  # one thing to a person, whichever part of it is wrong
        raise InputError(problem.diagnosis, field="code", reason="shape") from None
    bound = view.value("official_code")
    if bound and bound != code:
        raise refused("code", "can't be bound: the dossier has another code", "code-bound")
    saved = save_edits(replica, officer, view, Edits([f"official_code={code}"], seen))
    return None if saved is None else saved.written


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the dossier's id, or its beginning")
    parser.add_argument("code", metavar="CODE", help="the code, such as H26.1-260930-0012")
    officer_option(parser)
