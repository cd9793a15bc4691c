"""Stores in memory: the reference for the laws, and what the simulation crashes and clones.

What holds:
* The laws of `store`, written as plainly as they can be; slow is allowed here.
* `crash` loses what was not durable, as a power cut does; `snapshot` and `restore` are a cloned
  disk and a restored backup. All are for between transactions.
* `on_write` is called before every write with its name, and after a commit with "committed". What
  it raises goes to the caller: a full disk before "append", a power cut before or after "commit".
"""

from __future__ import annotations

from sync_protocol.storage.memory_files import MemoryChunks, MemoryJournal
from sync_protocol.storage.memory_log import MemoryLog
from sync_protocol.storage.memory_transaction import Hook
from sync_protocol.storage.memory_views import MemoryViews

__all__ = ["Hook", "MemoryChunks", "MemoryJournal", "MemoryLog", "MemoryViews"]
