"""The file of a scan: read within its bound, checked, sealed, and made a paper of a dossier."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from device_home.shapes import manifest_of
from sync_protocol import limits
from sync_protocol.dossier.intake import paper
from sync_protocol.dossier.scan_check import check_scan
from sync_protocol.errors import AttachmentRefusedError, InputError
from sync_protocol.replica import Replica


class ScanFile(NamedTuple):
    """A scan's file, and how a refusal names it: as it was typed, or its place in an intake line.

    A name that stands in an intake file may be a person's, and what is said of it goes to logs.
    """

    path: Path
    called: str


def attached_paper(replica: Replica, scan: ScanFile, kind: str, name: str) -> list[object]:
    """Check a file, seal it, store it, and return the paper that refers to it.

    Raises `InputError` for a missing file, `AttachmentRefusedError`, `StoreFullError`.
    """
    content = read_bounded(scan)
    try:
        media_type = check_scan(scan.path.name, content)
    except AttachmentRefusedError as problem:
        sentence = f"“{scan.called}”: {problem.diagnosis}"
        raise AttachmentRefusedError(sentence, **problem.evidence) from problem
    manifest = replica.attach(content, media_type)
    found = manifest_of([None, None, None, manifest, None, None])
    return paper(kind, name, attachment=found.id if found else None, manifest=manifest)


def read_bounded(scan: ScanFile) -> bytes:
    """Read a scan's file, one byte beyond the bound at most. Raises `InputError`.

    A pipe or a device is refused before it is waited for: it might never end, nor begin.
    """
    try:
        handle = os.open(scan.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InputError(f"The scan “{scan.called}” is no plain file.")
            return file.read(limits.ATTACHMENT_BYTES_MAX + 1)
    except OSError as cause:
        raise InputError(f"The scan “{scan.called}” is missing or can't be read.") from cause
