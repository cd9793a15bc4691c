"""One ward as one device holds it: the one door for an app.

`Replica.write` and `Replica.ingest` are the only two ways for a fact to enter; both end in the one
fold. Kept here: `holding` (the log as this replica holds it, with its roster), `author` (our own
feed and its journal), `ingest` (what others bring), `judging` (whether an entry counts), `follow`
(views that follow the log), `rejudge` (when the roster changes its mind), `projection` (what is
stored of a record), `receipts` (who else holds what), and `replica`, which joins them. The road
goes on in `exchange`.
"""

from sync_protocol.replica.author import Act, Written
from sync_protocol.replica.character import Character, Digest, Rooms
from sync_protocol.replica.ingest import Admission, Offer
from sync_protocol.replica.replica import Replica

__all__ = [
    "Act",
    "Admission",
    "Character",
    "Digest",
    "Offer",
    "Replica",
    "Rooms",
    "Written",
]
