"""Where it rests.

Kept here: the two ports of `store` (the log, which is the truth, and the views, which follow),
`memory` (the reference, on which the simulation runs), `sqlite` (SQLCipher through sqlite-utils),
`journal` (the capture journal beside the database), `blob` (chunks of scans), `vault` (the keys
that open them) with `tries` (wrong PINs, counted), `lock` (one process owns a home) and `files`
(how a file reaches the disk). What holds: nothing in clear on a disk; a durable commit survives a
power cut; an older program refuses a newer store. The road goes on in `replica`.
"""
