"""`dossier list|show` over one ward or all, and `erase` under four eyes.

What holds: an erasure names two different officers who may decide; it names every entry that ever
spoke of the dossier and every piece of its scans that no other dossier uses; each replica that
hears it forgets them, and refuses them from then on.
"""

from __future__ import annotations

import argparse
from typing import Any

from central_hub.city import City, Office
from central_hub.command_officer import supervising
from device_home.command import DONE, Command, Output
from device_home.dossiers import dossier_commands, not_shown
from device_home.shapes import manifest_of
from sync_protocol.attachment import Manifest
from sync_protocol.dossier.record_type import DOSSIER
from sync_protocol.errors import InputError, NotAllowedError
from sync_protocol.identity import NO_OFFICER, Dot, RecordId
from sync_protocol.membership import grant as g
from sync_protocol.merge.state import RecordState, decode_state
from sync_protocol.replica import Replica

_SHARED = {command.name: command for command in dossier_commands()}
_REASON_CHARS_MAX = 500


class _Gathered(Output):
    """Keeps the answers for machines, so that those of several wards become one."""

    def __init__(self, output: Output) -> None:
        super().__init__(output.emit, output.as_json, output.cwd)
        self.answers: list[Any] = []

    def data(self, value: object) -> None:
        self.answers.append(value)


def _configure_list(parser: argparse.ArgumentParser) -> None:
    _SHARED["dossier list"].configure(parser)
    parser.add_argument("--ward", metavar="CODE", help="only this ward (default: all)")


def _list(city: City, arguments: argparse.Namespace, output: Output) -> int:
    if arguments.before and not arguments.ward:
        raise InputError("--before goes on in one ward's list: give --ward as well.")
    rows: list[dict[str, Any]] = []
    for office in city.chosen(arguments.ward):
        gathered = _Gathered(output)
        arguments.ward = office.ward.code
        output.say(f"— {office.ward.code} {office.ward.name}")
        _SHARED["dossier list"].run(city, arguments, gathered)
        for found in gathered.answers:
            rows.extend({**row, "ward": office.ward.code} for row in found)
    output.data(sorted(rows, key=lambda row: row["captured"], reverse=True))
    return DONE


def _configure_show(parser: argparse.ArgumentParser) -> None:
    _SHARED["dossier show"].configure(parser)
    parser.add_argument("--ward", metavar="CODE")


def _show(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, record = find_dossier(city, arguments.id, arguments.ward)
    arguments.ward, arguments.id = office.ward.code, record.hex()
    gathered = _Gathered(output)
    code = _SHARED["dossier show"].run(city, arguments, gathered)
    for found in gathered.answers:
        output.data({**found, "ward": office.ward.code})
    return code


def find_dossier(city: City, text: str, code: str | None) -> tuple[Office, RecordId]:
    """Find the one dossier whose id begins so. Raises `InputError`."""
    wanted = text.strip().lower()
    found: list[tuple[Office, RecordId]] = []
    for office in city.chosen(code):
        found.extend((office, record) for record in _beginning(office.replica, wanted))
    if not found:
        replicas = [office.replica for office in city.chosen(code)]
        raise InputError(not_shown(replicas, wanted))
    if len(found) != 1:
        raise InputError("Several dossiers begin with that id. Give more of it.")
    return found[0]


def _beginning(replica: Replica, wanted: str) -> list[RecordId]:
    try:
        return replica.ids_beginning(wanted) if wanted else []
    except ValueError:
        return []


# --------------------------------------------------------------------------------- erasing


def _configure_erase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the dossier's id, or how it begins")
    parser.add_argument(
        "--by",
        metavar="OFFICER",
        action="append",
        default=[],
        help="who approved it: twice, two different supervisors or administrators",
    )
    parser.add_argument("--reason", required=True, help="the decision that orders it; no names")
    parser.add_argument("--ward", metavar="CODE")


def _erase(city: City, arguments: argparse.Namespace, output: Output) -> int:
    office, record = find_dossier(city, arguments.id, arguments.ward)
    reason = " ".join(arguments.reason.split())
    if not reason or len(reason) > _REASON_CHARS_MAX:
        raise InputError(f"A reason has 1 to {_REASON_CHARS_MAX} characters.")
    deciding = [supervising(office, text, output).officer for text in arguments.by]
    approvers = list(dict.fromkeys(deciding))
    if len(approvers) != len(arguments.by) or len(approvers) != g.ERASE_APPROVERS_MIN:
        raise NotAllowedError(
            "An erasure needs two different supervisors or administrators: give --by twice. "
            "Nothing was changed."
        )
    dots, chunks = what_to_erase(office.replica, record)
    statement = g.Erase([g.wire_dot(dot) for dot in dots], chunks, approvers, reason)
    office.replica.say([statement], NO_OFFICER)
    output.say(f"Erased here: {len(dots)} entries, {len(chunks)} pieces of scans.")
    output.say("Every device forgets them at its next exchange. Backups made before keep them.")
    output.data({"id": record.hex(), "entries": len(dots), "chunks": len(chunks)})
    return DONE


def what_to_erase(replica: Replica, record: RecordId) -> tuple[list[Dot], list[bytes]]:
    """Return every entry that speaks of a record, and the chunks that nobody else uses.

    Raises `NotAllowedError` where an entry speaks of other records, too: they would go with it.
    """
    replica.follow()
    stored = replica.rooms.views.load([record]).get(record)
    if stored is None:
        raise InputError(not_shown([replica], record.hex()))
    state = decode_state(stored.state, stored.pending)
    dots = sorted(state.dots() | _held_dots(replica, record))
    manifests: dict[bytes, Manifest] = {}
    for dot in dots:
        _check_alone(replica, dot, record, manifests)
    for manifest in _shown(replica, state):
        manifests[manifest.id] = manifest
    chunks: set[bytes] = set()
    for manifest in manifests.values():
        if set(replica.rooms.views.owners(manifest.id)) <= {record}:
            chunks.update(manifest.chunks)
    return dots, sorted(chunks)


def _held_dots(replica: Replica, record: RecordId) -> set[Dot]:
    chains = replica.holding.chains
    return {
        replica.holding.dot(chains[row.chain], row.seq)
        for row in replica.rooms.views.held()
        if record in row.records
    }


def _check_alone(
    replica: Replica, dot: Dot, record: RecordId, manifests: dict[bytes, Manifest]
) -> None:
    entry, chain = replica.holding.entry(dot), replica.holding.locate(dot)
    if entry is None or chain is None:
        return
    found = replica.follower.read(chain, dot.seq, entry, {})
    if found is None:
        return
    _, changeset, records = found
    if set(records) - {record}:
        raise NotAllowedError(
            "An entry of this dossier speaks of others as well, which would go with it. "
            "Nothing was changed."
        )
    for change in changeset.records:
        values = [*change.values.values(), *(write.value for write in change.writes)]
        for value in values:
            manifest = manifest_of(value)
            if manifest is not None:
                manifests[manifest.id] = manifest


def _shown(replica: Replica, state: RecordState) -> list[Manifest]:
    return list(replica.follower.projection.manifests(DOSSIER, state))


COMMANDS: tuple[Command[City], ...] = (
    Command("dossier list", "list dossiers, newest first", _list, _configure_list),
    Command("dossier show", "show one dossier in whole", _show, _configure_show),
    Command("erase", "erase a dossier everywhere, under four eyes", _erase, _configure_erase),
)
