"""Pictures from outside: a card's code, a page's photo, a document. Each is hostile until read.

Kept here: `sandbox` (starts a child process, hands it bytes and bounds what it says), `scan` (what
its answers mean, and what is refused) and, in the child alone, `child`, `confine` (what the child
takes from itself before it looks), `decode`, `code`, `page` and `document`.

What holds: no library that reads pictures or PDFs is ever loaded by the process that owns a home.
Bytes go by pipes; nothing in clear touches a disk
(docs/adr/0012-pictures-are-read-in-a-child.md).
"""
