"""`bundle export DIR --to WHOM` and `bundle import DIR`: the ward's work on a stick.

`--to` takes “hub”, a device's label, or the beginning of its id. JSON shapes:

    export   {"bundle": hex, "to": id, "pieces": n, "bytes": n, "entries": n, "chunks": n,
              "removed": n}                    removed: older files of ours to the same recipient
    import   {"pieces": n, "doubled": n, "entries": n, "chunks": n, "receipts": n, "elsewhere": n,
              "answered": n, "whole": bool, "problems": [{"file": name, "error": code,
              "diagnosis": text}, …], "missing": [{"bundle": hex, "sender": id, "pieces": [n, …],
              "of": n}, …], "refused": [{"feed": hex, "error": code, "diagnosis": text}, …]}

`elsewhere` counts pieces for other devices or wards, `answered` receipts that were left for their
senders; `missing` counts pieces from 1, and `of` is 0 where the manifest is missing. The hub takes
the wards from the pieces and adds up. Exit code 0 where everything for us was taken in, else 1:
what could be read was taken in all the same.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable, Sequence

from device_home.app import App
from device_home.command import DONE, FAILED, Command, Output
from device_home.home import Home
from sync_protocol.crypto.key import AgreementKey
from sync_protocol.dossier.edition import ask_again
from sync_protocol.errors import WrongWardError
from sync_protocol.exchange.bundle import export_bundle, find_recipient
from sync_protocol.exchange.unbundle import Imported, import_bundle, wards_in
from sync_protocol.identity import device_id
from sync_protocol.replica import Replica
from sync_protocol.transport.folder import Folder

OLD_KEY = "agreement-key:"
"""Secrets of this name are private agreement keys of the past, kept `limits.KEYS_KEPT_DAYS`."""
Shape = dict[str, object]


def bundle_commands(
    choose_ward: Callable[[argparse.ArgumentParser], None] = lambda _parser: None,
) -> list[Command[App]]:
    """Return the commands; `choose_ward` lets the hub say whose bundle it exports."""

    def to(parser: argparse.ArgumentParser) -> None:
        _to(parser)
        choose_ward(parser)

    return [
        Command("bundle export", "write what another device lacks to a stick", run_export, to),
        Command("bundle import", "take in what lies on a stick for this device", run_import, _from),
    ]


def run_export(app: App, arguments: Namespace, output: Output) -> int:
    """Write a bundle."""
    replica = app.replica(arguments)
    folder = Folder(output.path(arguments.folder))
    to = find_recipient(replica, arguments.to)
    made = export_bundle(replica, folder, to, scans=not arguments.no_scans)
    output.data(
        {
            "bundle": made.bundle.hex(),
            "to": device_id(to.device).hex(),
            "pieces": made.pieces,
            "bytes": made.size,
            "entries": made.entries,
            "chunks": made.chunks,
            "removed": made.removed,
        }
    )
    output.say(
        f"Written: {made.entries} entries and {made.chunks} pieces of scans, in {made.pieces} "
        f"files of {made.size} bytes. Nothing is counted as sent until its receipt comes back."
    )
    return DONE


def run_import(app: App, arguments: Namespace, output: Output) -> int:
    """Take in what a folder holds."""
    folder = Folder(output.path(arguments.folder))
    keys = agreement_keys(app.home)
    found = [
        _import(replica, folder, keys, answer=not arguments.no_receipt)
        for replica in _wards(app, folder)
    ]
    shape = import_shape(found)
    output.data(shape)
    output.say(
        f"Taken in: {shape['entries']} entries, {shape['chunks']} pieces of scans, "
        f"{shape['receipts']} receipts."
    )
    for imported in found:
        for sentence in imported.sentences():
            output.say(sentence)
    return DONE if shape["whole"] else FAILED


def agreement_keys(home: Home) -> list[AgreementKey]:
    """Return this device's private agreement keys, the newest first."""
    old = [home.vault.secret(name) for name in home.vault.secret_names() if _is_old(name)]
    return [home.keys.agreement, *(AgreementKey(secret) for secret in old if secret)]


def _is_old(name: str) -> bool:
    return name.startswith(OLD_KEY)


def _wards(app: App, folder: Folder) -> Sequence[Replica]:
    """Return the wards of which pieces speak. Raises `WrongWardError`, `InputError`."""
    named = wards_in(folder)
    held = app.replicas()
    found = [replica for replica in held if replica.holding.ward in named]
    if named and not found:
        raise WrongWardError("This bundle is for another ward. Nothing was taken in.")
    return found or held[:1]  # nothing readable at all: one ward says what is wrong with it


def _import(
    replica: Replica, folder: Folder, keys: Sequence[AgreementKey], *, answer: bool
) -> Imported:
    imported = import_bundle(replica, folder, keys, answer=answer)
    replica.follow()
    ask_again()
    return imported


def import_shape(found: Sequence[Imported]) -> Shape:
    """Return what became of an import, over all wards."""
    problems = [
        {"file": item.file, "error": item.code, "diagnosis": item.diagnosis}
        for imported in found
        for item in imported.troubles
    ]
    missing = [
        {
            "bundle": item.bundle.hex(),
            "sender": device_id(item.sender).hex(),
            "pieces": [index + 1 for index in item.pieces],
            "of": item.of,
        }
        for imported in found
        for item in imported.lacking
    ]
    refused = [
        {"feed": feed.hex(), "error": problem.code, "diagnosis": problem.diagnosis}
        for imported in found
        for feed, problem in imported.refused.items()
    ]
    counts = ("pieces", "doubled", "entries", "chunks", "receipts", "elsewhere", "answered")
    shape: Shape = {name: sum(getattr(item, name) for item in found) for name in counts}
    shape["whole"] = not (problems or missing or refused)
    return shape | {"problems": problems, "missing": missing, "refused": refused}


def _to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder, such as a stick's")
    parser.add_argument("--to", required=True, metavar="WHOM", help="“hub”, a label, or an id")
    parser.add_argument("--no-scans", action="store_true", help="the dossiers only")


def _from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder, such as a stick's")
    parser.add_argument("--no-receipt", action="store_true", help="write nothing to the folder")
