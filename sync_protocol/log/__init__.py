"""What is remembered: every device's signed, append-only feed.

Kept here: `entry` (one act of capture and its place in a hash chain), `block` (256 entries packed,
stored and relayed as the same bytes), `seal` (the head, signed), `feed` (the declaration that opens
one, and what may follow what), `frontier` (how far a replica holds which feed; the pure heart of
sync), and `journal` (the frames of the capture journal). Pure: bytes in, values out; every
violation raises a `PeerError`. The road goes on in `membership`, `wire` and `merge`.
"""
