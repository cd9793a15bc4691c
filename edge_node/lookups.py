"""Commands that look something up and need no home: an identity card's code, a passport's lines.

They run in their own process and are never handed over, and nothing that they are given is saved.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence

from device_home.command import DONE, FAILED, Command, Output
from device_home.device import Device
from device_home.picture.sandbox import Sandbox
from device_home.picture.scan import read_card
from device_home.scan_files import ScanFile, read_bounded
from sync_protocol import limits
from sync_protocol.clock import wall_ms
from sync_protocol.dossier.card_qr import CardQr, read_card_qr
from sync_protocol.dossier.identity_document import Remark
from sync_protocol.dossier.labels import ENGLISH, REMARKS, VIETNAMESE, label
from sync_protocol.dossier.local_time import local_time
from sync_protocol.dossier.mrz import Zone, read_mrz

_FROM_STDIN = "-"


def lookup_commands() -> list[Command[Device]]:
    """Return the commands."""
    return [
        Command(
            "card parse",
            "read the text of an identity card's QR code",
            run_card,
            _card_options,
            alone=True,
        ),
        Command(
            "card read",
            "read the QR code of an identity card in a picture",
            run_read,
            _read_options,
            alone=True,
        ),
        Command(
            "mrz check",
            "check the machine-readable lines of a card or passport",
            run_mrz,
            _mrz_options,
            alone=True,
        ),
    ]


def _typed(words: Sequence[str]) -> str:
    """Return what was typed after the command, or stdin for “-”.

    Arguments can be read by everybody on the machine in the list of processes, stdin can't.
    """
    if list(words) != [_FROM_STDIN]:
        return "\n".join(words)
    # A character has four bytes at most; a broken one is shown as such and never stops the reading.
    read = sys.stdin.buffer.read(4 * limits.IDENTITY_TEXT_CHARACTERS_MAX + 1)
    return read.decode("utf-8", "replace")


# ----------------------------------------------------------------------------------- cards


def run_card(_device: Device, arguments: Namespace, output: Output) -> int:
    """Say what the QR code of a card says, and what is odd about it."""
    return _say_card(read_card_qr(_typed([arguments.text])), output)


def run_read(_device: Device, arguments: Namespace, output: Output) -> int:
    """Say the same of a card in a picture, which a child process reads."""
    picture = ScanFile(output.path(arguments.image), arguments.image)
    return _say_card(read_card(Sandbox(), read_bounded(picture)), output)


def _read_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="a JPEG, PNG or WebP")


def _say_card(card: CardQr, output: Output) -> int:
    output.data(_card_answer(card))
    _say_fields(output, _card_answer(card))
    _say_remarks(output, card.remarks)
    return DONE


def _card_answer(card: CardQr) -> dict[str, object]:
    return {
        "number": card.number,
        "former_number": card.former_number,
        "name": card.name,
        "birth_date": card.birth_date,
        "sex": card.sex,
        "address": card.address,
        "issued_on": card.issued_on,
        "extras": list(card.extras),
        "remarks": _remark_rows(card.remarks),
    }


def _card_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", metavar="TEXT", help="what the reader read; “-” takes it from stdin"
    )


# ------------------------------------------------------------------------------------ zones


def run_mrz(_device: Device, arguments: Namespace, output: Output) -> int:
    """Say what the lines say, and which check digit is wrong; exit 1 where one is."""
    zone = read_mrz(_typed(arguments.line), local_time(wall_ms()).date())
    output.data(_zone_answer(zone))
    _say_fields(output, _zone_answer(zone))
    for check in zone.checks:
        if not check.right:
            output.say(
                f"! {check.field}: line {check.line}, character {check.column} is {check.given}, "
                f"and should be {check.wanted}. A character before it was misread."
            )
    _say_remarks(output, zone.remarks)
    output.say("All check digits are right." if zone.sound else "Look at the document again.")
    return DONE if zone.sound else FAILED


def _zone_answer(zone: Zone) -> dict[str, object]:
    return {
        "layout": zone.layout.value,
        "kind": zone.kind,
        "issuer": zone.issuer,
        "number": zone.number,
        "citizen_number": zone.citizen_number,
        "nationality": zone.nationality,
        "surname": zone.surname,
        "given_names": zone.given_names,
        "name_cut": zone.name_cut,
        "birth_date": zone.birth_date,
        "sex": zone.sex,
        "expires_on": zone.expires_on,
        "optional": zone.optional,
        "sound": zone.sound,
        "checks": [
            {
                "field": check.field,
                "line": check.line,
                "column": check.column,
                "given": check.given,
                "wanted": check.wanted,
                "right": check.right,
            }
            for check in zone.checks
        ],
        "remarks": _remark_rows(zone.remarks),
    }


def _mrz_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "line", nargs="+", metavar="LINE", help="two or three lines; “-” takes them from stdin"
    )


# ------------------------------------------------------------------------------------ words


def _remark_rows(remarks: Iterable[Remark]) -> list[dict[str, str]]:
    return [
        {
            "code": remark.code,
            "field": remark.field,
            VIETNAMESE: label(REMARKS, remark.code),
            ENGLISH: label(REMARKS, remark.code, ENGLISH),
        }
        for remark in remarks
    ]


def _say_fields(output: Output, answer: dict[str, object]) -> None:
    """Say the plain values, one a line."""
    for name, value in answer.items():
        if isinstance(value, str) and value:
            output.say(f"{name:<15} {value}")


def _say_remarks(output: Output, remarks: Iterable[Remark]) -> None:
    for row in _remark_rows(remarks):
        output.say(f"! {row['field']}: {row[VIETNAMESE]} / {row[ENGLISH]}")
