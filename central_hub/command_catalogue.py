"""`catalogue show|export|publish`: the procedures, papers and days off that every ward goes by.

What holds: an edition is read whole before any ward hears of it, and its number must be higher than
that in force. Publishing goes from ward to ward; said again, it goes on where it was interrupted,
and a ward that is added later gets what the others have.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from central_hub.city import City, Office
from device_home.command import DONE, Command, Output
from device_home.publications import publication
from sync_protocol import limits
from sync_protocol.dossier.catalogue import catalogue, shipped_files, unreadable
from sync_protocol.dossier.edition import published
from sync_protocol.dossier.publication import Publication, files_of, publish, read_publication
from sync_protocol.dossier.working_calendar import CALENDAR_FILE, shipped_calendar
from sync_protocol.errors import InputError, SchemaError
from sync_protocol.identity import NO_OFFICER
from sync_protocol.storage.files import disk_errors, replace


def _show(city: City, _arguments: argparse.Namespace, output: Output) -> int:
    rows = [_ward_row(office) for office in city.chosen(None)]
    city.go_by_its_wards()
    found = catalogue()
    by_the_city = dict(published())
    output.data(
        {
            "edition": found.edition.version,
            "read_on": found.edition.read_on.isoformat(),
            "source": found.edition.source,
            "procedures": len(found.procedures),
            "papers": len(found.papers),
            "published": bool(by_the_city),
            "unreadable": unreadable(),
            "wards": rows,
        }
    )
    origin = "published by the city" if by_the_city else "as it came with the program"
    output.say(f"Edition {found.edition.version} of {found.edition.read_on}, {origin}:")
    output.say(f"{len(found.procedures)} procedures, {len(found.papers)} kinds of papers.")
    for row in rows:
        output.say(f"  {row['ward']} {row['name']}: {row['edition'] or 'none published'}")
    return DONE


def _ward_row(office: Office) -> dict[str, object]:
    view = publication(office.replica)
    number = None if view is None else view.value("edition")
    return {"ward": office.ward.code, "name": office.ward.name, "edition": number}


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="where the files lie")


def _export(city: City, arguments: argparse.Namespace, output: Output) -> int:
    """Write the edition in force as files, to be edited and published."""
    city.chosen(None)
    city.go_by_its_wards()
    folder = output.path(arguments.folder)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder. Nothing was written.")
    files = in_force()
    with disk_errors("writing the catalogue"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace(folder / name, text.encode())
    output.data({"folder": str(folder), "files": sorted(files)})
    output.say(f"{len(files)} files are in {folder}. Change them, raise “version” in")
    output.say(f"edition.toml, then: motcua-hub catalogue publish {folder}")
    return DONE


def in_force() -> dict[str, str]:
    """Return the files of the edition in force, the days off among them."""
    by_the_city = dict(published())
    calendar = by_the_city.get(CALENDAR_FILE, shipped_calendar())
    newer = by_the_city and catalogue() == read_publication(by_the_city).catalogue
    return {**(by_the_city if newer else shipped_files()), CALENDAR_FILE: calendar}


def _publish(city: City, arguments: argparse.Namespace, output: Output) -> int:
    found = read_publication(_read_folder(output.path(arguments.folder)))
    offices = city.chosen(None)
    city.go_by_its_wards()
    now = catalogue().edition.version
    again = dict(published()) == dict(found.files)
    if found.edition <= now and not again:
        raise InputError(
            f"Edition {now} is in force: give yours a higher “version” in edition.toml. "
            "Nothing was published."
        )
    changed = [office.ward.code for office in offices if publish_to(office, found)]
    city.go_by_its_wards()
    output.data({"edition": found.edition, "wards": changed})
    output.say(f"Edition {found.edition} is published in {len(changed)} wards.")
    output.say("Their devices go by it from their next exchange on.")
    return DONE


def publish_to(office: Office, found: Publication) -> bool:
    """Publish in one ward; return whether it was new there."""
    replica = office.replica
    replica.follow()
    change = publish(found, publication(replica))
    if change is None:
        return False
    replica.write([change], NO_OFFICER)
    return True


def _read_folder(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. “catalogue export” writes one.")
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stat().st_size > limits.PUBLICATION_BYTES_MAX:
            raise InputError(f"{path.name} is too large for a file of the catalogue.")
        try:
            found[path.name] = path.read_text("utf-8")
        except (UnicodeDecodeError, OSError) as cause:
            raise InputError(f"{path.name} can't be read as text.") from cause
    if not found:
        raise SchemaError(f"There are no .toml files in {folder}.")
    return found


def publish_as_elsewhere(city: City, office: Office) -> None:
    """Let a new ward have what the others go by."""
    for other in city.chosen(None):
        view = None if other.ward.id == office.ward.id else publication(other.replica)
        if view is not None:
            publish_to(office, read_publication(files_of(view)))
            return


COMMANDS: tuple[Command[City], ...] = (
    Command("catalogue show", "which edition is in force, and where", _show),
    Command("catalogue export", "write the edition in force as files", _export, _folder),
    Command("catalogue publish", "publish files as the city's new edition", _publish, _folder),
)
