"""The city's catalogue and days off, as they lie in this device's ward."""

from __future__ import annotations

from sync_protocol.dossier.edition import go_by
from sync_protocol.dossier.publication import files_of
from sync_protocol.dossier.record_type import PUBLICATION
from sync_protocol.errors import StorageError
from sync_protocol.replica import Replica
from sync_protocol.storage.store import Query
from sync_protocol.view import RecordView


def publication(replica: Replica) -> RecordView | None:
    """Return the ward's publication, the oldest should there be several; None before the first."""
    found = replica.find(Query(type=PUBLICATION.id))
    return found[-1] if found else None


def go_by_program() -> None:
    """Let this process go by what came with the program, from now on."""
    go_by(dict)


def go_by_ward(replica: Replica) -> None:
    """Let this process go by what the city has published in this ward, from now on."""

    def files() -> dict[str, str]:
        try:
            found = publication(replica)
        except StorageError:
            return {}  # closed or damaged: `health` and `verify` say so
        return {} if found is None else files_of(found)

    go_by(files)
